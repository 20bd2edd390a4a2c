"""A list of spoken clips as a JSON file: sounds with what is said in them, to be performed or already performed.

`{"schema": 1, "clips": [{"sound": "a.wav", "transcript": "hello bob", "speaker": "ann"}, ...]}`; paths are taken from
the folder of the file. Reads and checks; aligns nothing.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator

from omnihuman.config import StrictModel
from omnihuman.errors import InputError
from omnihuman.media.files import LONGEST_NAME, is_readable_file

_WAY_OUT = 'Write {"schema": 1, "clips": [{"sound": "a.wav", "transcript": "hello bob"}]}; see the evaluation page.'


class ManifestClip(StrictModel):
    """One clip."""

    sound: Path = Field(description="The speech.")
    transcript: str | None = Field(None, description="What is said, in English, numbers as words.")
    phones: Path | None = Field(None, description="JSON with the phone times, instead of a transcript.")
    silent: bool = Field(False, description="Nobody speaks in it: silence, noise or music.")
    video: Path | None = Field(None, description="The finished video, where the clip is not to be performed.")
    speaker: str = Field("", max_length=40, description="Whose scores are also pooled apart.")

    @model_validator(mode="after")
    def _one_truth(self) -> ManifestClip:
        if (self.transcript is not None) + (self.phones is not None) + self.silent != 1:
            raise ValueError("give one of transcript, phones and silent")
        return self


class Manifest(StrictModel):
    """The file."""

    schema_: Literal[1] = Field(alias="schema")
    clips: tuple[ManifestClip, ...] = Field(min_length=1)


def read_manifest(path: Path) -> list[ManifestClip]:
    """The clips of a manifest, their paths resolved against its folder.

    Raises:
        InputError: manifest_missing or manifest_unreadable; clip_missing, a file that it names is not there.
    """
    name = path.name[:LONGEST_NAME]
    if not is_readable_file(path):
        raise InputError("manifest_missing", f"there is no file {name!r}", "Check the path.")
    try:
        listed = Manifest.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        words = first["msg"].removeprefix("Value error, ").rstrip(".")
        cause = ": ".join(part for part in (repr(name), place, words) if part)
        raise InputError("manifest_unreadable", cause, _WAY_OUT) from None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError("manifest_unreadable", f"{name!r} is no JSON: {error}".rstrip("."), _WAY_OUT) from None
    return [_resolved(clip, path.parent) for clip in listed.clips]


def _resolved(clip: ManifestClip, folder: Path) -> ManifestClip:
    found: dict[str, Any] = {}
    for field in ("sound", "phones", "video"):
        given = getattr(clip, field)
        if given is not None:
            found[field] = folder / given
            if not is_readable_file(found[field]):
                cause = f"the manifest names {given.name!r}, which is not there"
                raise InputError("clip_missing", cause, "Paths are taken from the folder of the manifest.")
    return clip.model_copy(update=found)
