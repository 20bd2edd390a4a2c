"""The request schema as command-line options: every field of `AnimationRequest` becomes one `--option`.

No option is written by hand, so the command line cannot lack a field.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import typer
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from omnihuman.errors import InputError
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


def build_request(fields: dict[str, Any]) -> AnimationRequest:
    """Validates what the person gave.

    Raises:
        InputError: request_invalid, naming the option.
    """
    try:
        return AnimationRequest(**fields)
    except ValidationError as error:
        first = error.errors()[0]
        option = "--" + str(first["loc"][0]).replace("_", "-") if first["loc"] else "the request"
        cause = f"{option}: {first['msg'].removeprefix('Value error, ')}"
        raise InputError("request_invalid", cause, "See --help for what is accepted.") from None


def _option(name: str, field: FieldInfo) -> inspect.Parameter:
    default = ... if field.is_required() else field.default
    option = typer.Option(default, "--" + name.replace("_", "-"), help=field.description)
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=option, annotation=field.annotation)
