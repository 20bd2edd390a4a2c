"""`models list | show | fetch | verify | pin | bundle`: the registry and the cache, for people and scripts."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from omnihuman.cli.console import coded_errors, show, transfer_bar
from omnihuman.errors import InputError
from omnihuman.modelhub.bundle import write_bundle
from omnihuman.modelhub.hub import FileReport, ModelHub
from omnihuman.modelhub.integrity import FileState
from omnihuman.modelhub.registry import ModelEntry

app = typer.Typer(no_args_is_help=True, help="List, fetch, verify, pin and bundle model files.")

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Models; see 'models list'.")]
One = Annotated[str, typer.Argument(metavar="ID", help="A model; see 'models list'.")]
Every = Annotated[bool, typer.Option("--all", help="Every model that can be fetched, large ones too.")]
Embedded = Annotated[bool, typer.Option("--embedded", help="What the default preset needs.")]

_BROKEN = (FileState.TRUNCATED, FileState.CHANGED)


@app.command("list")
def list_models(as_json: AsJson = False) -> None:
    """Show every model and whether its files are here."""
    with coded_errors(as_json):
        hub = ModelHub.open()
        rows = [_summary(entry, hub.examine(entry)) for entry in hub.registry]
        if as_json:
            show({"cache": str(hub.root), "models": rows}, [], as_json)
            return
        table = Table(box=None, pad_edge=False)
        for heading in ("id", "state", "MB", "licence", "what"):
            table.add_column(heading, no_wrap=heading != "what", justify="right" if heading == "MB" else "left")
        for row in rows:
            table.add_row(row["id"], row["state"], f"{row['size_bytes'] / 1e6:.1f}", row["licence"], row["title"])
        Console().print(table)


@app.command("show")
def show_model(model_id: One, as_json: AsJson = False) -> None:
    """Show all that is known of one model."""
    with coded_errors(as_json):
        hub = ModelHub.open()
        entry = hub.registry[model_id]
        reports = hub.examine(entry)
        record = {**entry.model_dump(mode="json"), "state": _state(reports), "paths": _paths(reports)}
        lines = [f"{entry.id}: {entry.title}", f"source         {entry.source.label}"]
        lines += [
            f"licence        {entry.licence.name}  {entry.licence.url or ''}",
            f"               {entry.licence.note}",
        ]
        lines += [f"training data  {entry.training_data}", f"loaded by      {entry.target} ({entry.loader})"]
        lines += [f"memory         {entry.memory_mb} MB"]
        lines += [f"{report.state.value:<14} {report.path}" for report in reports]
        show(record, lines, as_json)


@app.command()
def fetch(
    ids: Ids = None, every: Every = False, embedded: Embedded = False, as_json: AsJson = False,
    silent: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:  # fmt: skip
    """Bring model files into the cache; what is there and right is left alone, what is wrong is replaced."""
    with coded_errors(as_json), ModelHub.open() as hub:
        chosen = _chosen(hub, ids, every, embedded)
        # A group selection means what can be fetched; our own weights come with the checkout.
        wanted = [entry.id for entry in chosen if ids or entry.source.fetches]
        with transfer_bar(enabled=not (as_json or silent)) as progress:
            fetched = hub.fetch(wanted, progress)
        present = [model_id for model_id in wanted if model_id not in fetched]
        lines = [f"fetched: {', '.join(fetched)}"] if fetched else []
        lines += [f"already here: {', '.join(present)}"] if present else []
        show({"cache": str(hub.root), "fetched": fetched, "present": present}, lines, as_json)


@app.command()
def verify(ids: Ids = None, as_json: AsJson = False) -> None:
    """Hash files again and compare with the registry: the named models, or all that is here."""
    with coded_errors(as_json):
        hub = ModelHub.open()
        entries = _chosen(hub, ids, every=not ids, embedded=False)
        reports = [report for entry in entries for report in hub.examine(entry, thorough=True)]
        absent = (FileState.MISSING, FileState.UNPINNED)
        bad = [report for report in reports if report.state is not FileState.OK and (ids or report.state not in absent)]
        seen = [report for report in reports if ids or report.state is not FileState.MISSING]
        record = {"ok": not bad, "files": [_file_record(report) for report in seen]}
        lines = [f"{report.state.value:<10} {report.model_id}/{report.spec.name}" for report in seen]
        show(record, [*lines, f"{len(seen)} files, {len(bad)} wrong"], as_json)
        if bad:
            remedies = dict.fromkeys(hub.registry[report.model_id].source.remedy(report.model_id) for report in bad)
            sys.stderr.write("".join(f"{remedy}\n" for remedy in remedies))
            raise typer.Exit(3)


@app.command()
def pin(model_id: One, as_json: AsJson = False) -> None:
    """Write sha256 and size of a model's files, as its source has them now, into the lock file of the registry."""
    with coded_errors(as_json), ModelHub.open() as hub:
        lock = hub.pin(model_id)
        pinned = ModelHub.open().registry[model_id].all_files
        lines = [f"{file.sha256}  {file.name} ({file.size} bytes)" for file in pinned]
        record = {"lock": str(lock), "files": [file.model_dump() for file in pinned]}
        show(record, [*lines, f"written to {lock}"], as_json)


@app.command()
def bundle(
    folder: Annotated[Path, typer.Argument(help="New or empty folder, or an earlier bundle.")],
    ids: Ids = None, every: Every = False, embedded: Embedded = False, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Copy verified models, licences and a manifest into a folder: with OMNIHUMAN_CACHE=FOLDER it needs no network."""
    with coded_errors(as_json), ModelHub.open() as hub:
        chosen = _chosen(hub, ids, every, embedded or not (ids or every))
        with transfer_bar(enabled=not as_json) as progress:
            manifest = write_bundle(hub, [entry.id for entry in chosen], folder, progress)
        names = ", ".join(model["id"] for model in manifest["models"])
        lines = [f"bundled: {names}", f"use it with OMNIHUMAN_CACHE={folder.resolve()} OMNIHUMAN_OFFLINE=1"]
        show({"folder": str(folder), **manifest}, lines, as_json)


def _chosen(hub: ModelHub, ids: Sequence[str] | None, every: bool, embedded: bool) -> list[ModelEntry]:
    if sum((bool(ids), every, embedded)) != 1:
        raise InputError("selection_unclear", "say which models", "Give ids, or --embedded, or --all.")
    if ids:
        return [hub.registry[model_id] for model_id in ids]
    return [entry for entry in hub.registry if every or entry.embedded]


def _state(reports: Sequence[FileReport]) -> str:
    """One word for an entry: the worst of its files."""
    order = (*_BROKEN, FileState.OUTDATED, FileState.MISSING, FileState.UNPINNED)
    return next((state.value for state in order if any(r.state is state for r in reports)), FileState.OK.value)


def _summary(entry: ModelEntry, reports: Sequence[FileReport]) -> dict[str, Any]:
    facts = {"id": entry.id, "title": entry.title, "state": _state(reports), "size_bytes": entry.size_bytes}
    return {**facts, "licence": entry.licence.name, "embedded": entry.embedded, "source": entry.source.label}


def _paths(reports: Sequence[FileReport]) -> dict[str, str]:
    return {report.spec.name: str(report.path) for report in reports}


def _file_record(report: FileReport) -> dict[str, str]:
    place = {"model": report.model_id, "name": report.spec.name, "path": str(report.path)}
    return {**place, "state": report.state.value}
