"""Files of a Hugging Face repo at one commit; loads the hub's client only when something is fetched."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from omnihuman.config import StrictModel
from omnihuman.errors import ModelError
from omnihuman.modelhub.integrity import FileSpec, disk_errors
from omnihuman.modelhub.transfer import BUNDLE_HINT, Progress, require_network, watched


class HuggingFaceSource(StrictModel):
    """Files of a Hugging Face repo at one commit; the sha256 that the hub announces is kept in a lock file."""

    kind: Literal["huggingface"] = "huggingface"
    repo: str = Field(pattern="^[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*$")
    revision: str = Field(pattern="^[0-9a-f]{40}$")
    """Commit, never a branch: a branch can change under us."""
    fetches: ClassVar[bool] = True
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
        with watched(into_dir, self.label, expected, progress), self._failures(into_dir) as hub:
            for file in files:
                hub.hf_hub_download(self.repo, file.path, revision=self.revision, local_dir=str(into_dir))

    def remedy(self, model_id: str) -> str:
        """What the person can do about a missing or changed file."""
        return f"Run 'python -m omnihuman models fetch {model_id}'."

    def announce(self, files: Sequence[FileSpec], into_dir: Path, progress: Progress) -> tuple[FileSpec, ...]:
        """Asks the hub for size and sha256 of each file.

        Large files carry an LFS sha256. Small ones carry only a git blob id, so they are fetched, checked against it
        and hashed here.

        Raises:
            ModelError: as `fetch`, and `model_hash_mismatch`.
        """
        require_network(self.label)
        with self._failures(into_dir) as hub:
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
                raise ModelError(
                    "model_hash_mismatch", f"{file.path} differs from what the hub announces", "Fetch again."
                )
            pins[file.path] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
        return tuple(file.model_copy(update=pins[file.path]) for file in files)

    @contextmanager
    def _failures(self, folder: Path) -> Iterator[Any]:
        """Lends the hub's client and turns what it raises into coded errors."""
        try:
            import huggingface_hub
            from huggingface_hub.errors import HfHubHTTPError
        except ImportError:
            raise ModelError(
                "model_fetcher_missing",
                f"{self.label} needs the package huggingface_hub",
                f"Run 'pip install huggingface_hub'. {BUNDLE_HINT}",
            ) from None
        # Whichever HTTP library the client is built on, its base error is a base of the client's own.
        expected: tuple[type[Exception], ...] = (*HfHubHTTPError.__bases__, OSError, ValueError, RuntimeError)
        try:
            with disk_errors(folder):
                yield huggingface_hub
        except expected as error:
            raise self._failure(str(error).splitlines()[0] if str(error) else type(error).__name__) from None

    def _failure(self, reason: str) -> ModelError:
        return ModelError(
            "model_download_failed",
            f"{self.label}: {reason[:300].rstrip('.')}",
            f"Check the connection, the repo's terms and 'hf auth login'. {BUNDLE_HINT}",
        )


def _git_blob_id(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
