"""`landmarks`: a picture in, a file of its face's landmarks out, to be corrected and given to `animate --landmarks`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from omnihuman.cli.console import coded_errors, show, transfer_bar, warn
from omnihuman.modelhub.hub import ModelHub
from omnihuman.pipeline.preset import load_preset


def landmarks(
    picture: Annotated[Path, typer.Argument(help="Picture of the person.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The JSON to write; see docs/landmarks.md.")],
    face: Annotated[int, typer.Option("--face", min=1, help="Which face, 1 = the largest.")] = 1,
    draw: Annotated[Path | None, typer.Option("--draw", help="Also draw mesh and names over the face (PNG).")] = None,
    preset: Annotated[str, typer.Option("--preset", help="Whose face and body models look.")] = "motion",
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as one JSON object.")] = False,
) -> None:
    """Write the landmarks of a face, or a template to be moved where none is found."""
    with coded_errors(as_json), ModelHub.open() as hub:
        models = load_preset(preset).models
        with transfer_bar(enabled=not as_json) as transfer:
            hub.fetch([models.face_detector, models.face_mesh, models.body_pose], transfer, repair=False)
        from omnihuman.perception.body import BodyPerception
        from omnihuman.perception.face import FacePerception
        from omnihuman.perception.pictured import PersonFinder
        from omnihuman.pipeline.landmarks import write_landmarks

        faces = FacePerception(hub.handle(models.face_detector), hub.handle(models.face_mesh))
        finder = PersonFinder(faces, BodyPerception(hub.handle(models.body_pose)))
        located = write_landmarks(picture, out, draw, finder, face)
    if not located.seen:
        warn("no face was found: a template was written; move its named points to their places")
    record = {"landmarks": str(out), "seen": located.seen, "faces": located.num_faces}
    show(record, [f"{out}: face {face} of {max(1, located.num_faces)}"], as_json)
