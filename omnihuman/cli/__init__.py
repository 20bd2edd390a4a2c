"""The command line. Thin: each command hands over to one function of the layer it names. Loads no torch itself."""

from __future__ import annotations

import signal
import sys
from io import TextIOWrapper
from typing import Annotated, Any

import typer

from omnihuman.cli import ablate, animate, bench, doctor, evaluate, landmarks, licences, models, pose, train
from omnihuman.cli.console import fail
from omnihuman.config import VERSION
from omnihuman.errors import InputError

_UsageError: Any = typer.BadParameter.__base__
"""Of whichever click typer stands on."""

app = typer.Typer(
    name="omnihuman",
    help="One picture of a person and a sound, a sentence or a driving video become a video.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(animate.animate)
app.command()(landmarks.landmarks)
app.command()(train.train)
app.command()(ablate.ablate)
app.command()(bench.bench)
app.command()(doctor.doctor)
app.command()(licences.licences)
app.add_typer(evaluate.app, name="evaluate")
app.add_typer(models.app, name="models")
app.add_typer(pose.app, name="pose")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"omnihuman {VERSION}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options before the command."""


def main() -> None:
    """Entry point of `python -m omnihuman`; exits with the status that the documentation lists."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A name that the terminal cannot show must not lose a finished video.
            stream.reconfigure(errors="backslashreplace")
    # Being asked to end is treated as Ctrl+C: what was begun is cleaned up.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    as_json = "--json" in sys.argv
    try:
        status = app(prog_name="python -m omnihuman", standalone_mode=False)
    except _UsageError as error:
        cause = error.format_message().strip().rstrip(".")
        if not cause and not as_json:
            # Without arguments the help was shown.
            raise SystemExit(error.exit_code) from None
        command = "python -m omnihuman" if error.ctx is None else error.ctx.command_path
        fail(InputError("usage", cause or "no command is given", f"See {command} --help."), as_json)
    raise SystemExit(status or 0)
