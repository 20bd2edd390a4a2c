"""Where model files come from: our `weights/`, a PyPI wheel, a Hugging Face repo, a path. One class each.

Every source has the same members: `key`, `label`, `in_place`, `fetch`, `remedy`, `fetches` (it brings files; otherwise
they are used where they lie) and `resumes` (an interrupted fetch goes on). `integrity` proves what they bring.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from omnihuman.config import StrictModel, weights_dir
from omnihuman.errors import ConfigError, ModelError
from omnihuman.modelhub.huggingface import HuggingFaceSource
from omnihuman.modelhub.integrity import FileSpec, file_sha256
from omnihuman.modelhub.transfer import Progress
from omnihuman.modelhub.wheels import WheelSource

__all__ = ["SOURCES", "HuggingFaceSource", "PathSource", "Source", "WeightsSource", "WheelSource", "announce"]


class WeightsSource(StrictModel):
    """Our own weights, in the checkout."""

    kind: Literal["weights"] = "weights"
    fetches: ClassVar[bool] = False
    resumes: ClassVar[bool] = False

    @property
    def key(self) -> str:
        """Name for locks and staging folders."""
        return "weights"

    @property
    def label(self) -> str:
        """For people."""
        return "weights/ of this checkout"

    def in_place(self, file: FileSpec) -> Path | None:
        """Where the file already lies without any fetching."""
        return weights_dir() / file.path

    def fetch(self, files: Sequence[FileSpec], into_dir: Path, progress: Progress) -> None:
        """Always fails: these files come with the checkout.

        Raises:
            ModelError: `model_missing`.
        """
        raise ModelError("model_missing", f"{files[0].path} is not in {weights_dir()}", self.remedy("ID"))

    def remedy(self, model_id: str) -> str:
        """What the person can do about a missing or changed file."""
        return f"Restore it (git checkout weights), or train it and run 'python -m omnihuman models pin {model_id}'."

    def announce(self, files: Sequence[FileSpec], into_dir: Path, progress: Progress) -> tuple[FileSpec, ...]:
        """Pins what lies in the folder now.

        Raises:
            ModelError: `model_missing`.
        """
        for file in files:
            if not (weights_dir() / file.path).is_file():
                self.fetch([file], into_dir, progress)
        return tuple(_pinned(file, weights_dir() / file.path) for file in files)


class PathSource(StrictModel):
    """A local file or folder that the person names. Pins are optional: it is their own file."""

    kind: Literal["path"] = "path"
    path: Path
    fetches: ClassVar[bool] = False
    resumes: ClassVar[bool] = False

    @property
    def key(self) -> str:
        """Name for locks and staging folders."""
        return "path"

    @property
    def label(self) -> str:
        """For people."""
        return str(self.path)

    def in_place(self, file: FileSpec) -> Path | None:
        """The named file itself, or the file inside the named folder."""
        path = self.path.expanduser()
        return path if path.is_file() else path / file.path

    def fetch(self, files: Sequence[FileSpec], into_dir: Path, progress: Progress) -> None:
        """Always fails: a path is used where it lies.

        Raises:
            ModelError: `model_missing`.
        """
        raise ModelError("model_missing", f"there is no {files[0].name} at {self.path}", self.remedy(""))

    def remedy(self, model_id: str) -> str:
        """What the person can do about a missing or changed file."""
        return f"Correct the path {self.path} or the file there."


Source = Annotated[WeightsSource | PathSource | WheelSource | HuggingFaceSource, Field(discriminator="kind")]
"""Any source; the registry tells them apart by `kind`."""

SOURCES: dict[str, type[WeightsSource] | type[PathSource] | type[WheelSource] | type[HuggingFaceSource]] = {
    "weights": WeightsSource,
    "path": PathSource,
    "wheel": WheelSource,
    "huggingface": HuggingFaceSource,
}


def announce(source: Source, files: Sequence[FileSpec], into_dir: Path, progress: Progress) -> tuple[FileSpec, ...]:
    """Pins the files as their source announces them now.

    Raises:
        ConfigError: `pins_by_hand` for a source whose pins are written in the registry.
        ModelError: see the sources.
    """
    if isinstance(source, WeightsSource | HuggingFaceSource):
        return source.announce(files, into_dir, progress)
    raise ConfigError("pins_by_hand", f"{source.label} has no lock file", "Write sha256 and size into configs/models.")


def _pinned(file: FileSpec, path: Path) -> FileSpec:
    return file.model_copy(update={"sha256": file_sha256(path), "size": path.stat().st_size})
