"""The request schema as command-line options: every field of `AnimationRequest` becomes one `--option`.

No option is written by hand, so the command line cannot lack a field.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import typer
from pydantic.fields import FieldInfo

from omnihuman.types import AnimationRequest

CONSTANT_FIELDS = frozenset({"version"})
"""Fields with one possible value; they are no choice of the person."""


def request_options() -> list[inspect.Parameter]:
    """One keyword parameter per field of the schema, annotated for typer."""
    fields = AnimationRequest.model_fields.items()
    return [_option(name, field) for name, field in fields if name not in CONSTANT_FIELDS]


def takes_request(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command that accepts `**fields` the schema's options in its signature, for typer to read."""
    own = list(inspect.signature(command, eval_str=True).parameters.values())
    named = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own if p.kind is not inspect.Parameter.VAR_KEYWORD]
    parameters = [*request_options(), *named]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {p.name: p.annotation for p in parameters}
    return command


def option_name(field_name: str) -> str:
    """`motion_strength` -> `--motion-strength`."""
    return "--" + field_name.replace("_", "-")


def _option(name: str, field: FieldInfo) -> inspect.Parameter:
    default = ... if field.is_required() else field.default
    option = typer.Option(default, option_name(name), help=field.description)
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=option, annotation=field.annotation)
