"""The command line. Thin: each command hands over to one function of the layer it names. Loads no torch itself."""

from __future__ import annotations

from typing import Annotated

import typer

from omnihuman.cli import animate, evaluate, licences, models, train
from omnihuman.config import VERSION

app = typer.Typer(
    name="omnihuman",
    help="One picture of a person and a sound, or a sentence, become a video.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(animate.animate)
app.command()(train.train)
app.command()(licences.licences)
app.add_typer(evaluate.app, name="evaluate")
app.add_typer(models.app, name="models")


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
    """Entry point of `python -m omnihuman`."""
    app(prog_name="python -m omnihuman")
