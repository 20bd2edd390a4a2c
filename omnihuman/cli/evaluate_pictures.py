"""`evaluate pictures`: how well pictures are moved - invariants, re-detection on random poses, contact sheets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from omnihuman.cli.console import coded_errors, progress_bar, show
from omnihuman.errors import InputError

if TYPE_CHECKING:
    from omnihuman.evaluation.pictures.bench import Bench, PictureCase, PictureVerdict
    from omnihuman.evaluation.pictures.settings import PictureSettings
    from omnihuman.modelhub.hub import ModelHub


def pictures(  # noqa: PLR0913 - one keyword per option
    photographs: Annotated[
        list[Path] | None, typer.Argument(metavar="PICTURES...", help="Photographs and paintings of one person each.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the report and the sheets.")] = Path("outputs"),
    drawn: Annotated[
        list[Path] | None, typer.Option("--drawn", help="A drawn character, held against bars of its own.")
    ] = None,
    poses: Annotated[int | None, typer.Option(min=8, help="Random poses per picture; the configuration's own.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the random poses.")] = 0,
    sheets: Annotated[bool, typer.Option(help="Draw contact sheets.")] = True,
    check: Annotated[bool, typer.Option("--check", help="End with status 1 when a bar is missed.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")] = False,
) -> None:
    """Do pictures move as asked? Invariants, poses found again by other networks, contact sheets, one report."""
    with coded_errors(as_json):
        from omnihuman.evaluation.output import write_report, write_text
        from omnihuman.evaluation.pictures.report import markdown_of, record_of
        from omnihuman.evaluation.pictures.settings import load_picture_settings
        from omnihuman.modelhub.hub import ModelHub

        settings = load_picture_settings()
        if poses is not None:
            settings = settings.model_copy(update={"poses": poses})
        cases = list(_cases(photographs or [], drawn or []))
        _check_folder(out)
        with ModelHub.open() as hub, progress_bar(enabled=not as_json) as progress:
            verdicts = _bench(hub, settings, out if sheets else None, seed).judge(cases, progress)
        record = record_of(verdicts, settings, seed)
        write_report(out / "report.json", record)
        write_text(out / "report.md", markdown_of(verdicts, settings))
    if as_json:
        show(record, [], as_json)
    else:
        _print_table(verdicts, settings, out)
    if check and not record["met"]:
        raise typer.Exit(1)


def _cases(photographs: Sequence[Path], drawn: Sequence[Path]) -> Iterator[PictureCase]:
    from omnihuman.evaluation.pictures.bench import PictureCase
    from omnihuman.media.framing import fit_longest_side, pad_to_even
    from omnihuman.media.image import read_image
    from omnihuman.pipeline.preset import load_preset

    paths = [*photographs, *drawn]
    if not paths:
        raise InputError("pictures_missing", "there is nothing to judge", "Name pictures, or --drawn characters.")
    names = [path.stem for path in paths]
    if twice := {name for name in names if names.count(name) > 1}:
        cause = f"two pictures are called {min(twice)!r}"
        raise InputError("names_repeated", cause, "Rename one: sheets are called after the pictures.")
    longest_px = load_preset("motion").limits.longest_side_px
    for number, path in enumerate(paths):
        image = read_image(path)
        image = pad_to_even(fit_longest_side(image, min(longest_px, max(image.shape[:2]))))
        yield PictureCase(path.stem, image, number >= len(photographs))


def _check_folder(folder: Path) -> None:
    """Refuses a folder that cannot be made, before the work."""
    from omnihuman.media.files import unwritable

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from None


def _bench(hub: ModelHub, settings: PictureSettings, folder: Path | None, seed: int) -> Bench:
    from omnihuman.evaluation.pictures.bench import Bench
    from omnihuman.evaluation.pictures.redetection import Readers
    from omnihuman.latents.motion.space import MotionSpace
    from omnihuman.perception.face import FacePerception
    from omnihuman.pipeline.assemble import assemble

    face = FacePerception(hub.handle("face-detector"), hub.handle("face-mesh"))
    readers = Readers(face, hub.handle("face-mesh-plain"), hub.handle("iris"))
    space = assemble("motion", hub).space
    assert isinstance(space, MotionSpace)
    return Bench(space.prepare, readers, settings, folder, seed)


def _print_table(verdicts: Sequence[PictureVerdict], settings: PictureSettings, folder: Path) -> None:
    """One row per picture; slopes and the rest stand in the report."""
    from omnihuman.evaluation.pictures.report import summary_of

    titles, *rows = summary_of(verdicts, settings)
    table = Table(title="r of what was posed against what was read; ! = bar missed", box=SIMPLE, padding=(0, 1, 0, 0))
    for title in titles:
        # A title breaks at its underscore before a number does.
        table.add_column(title.replace("_", "\n"), overflow="fold", no_wrap=title != "picture")
    for row in rows:
        table.add_row(*row)
    console = Console()
    console.print(table)
    passed = sum(verdict.met(settings) for verdict in verdicts)
    console.print(f"{passed} of {len(verdicts)} pictures meet everything; report and sheets in {folder.name}/")
