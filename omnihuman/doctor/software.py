"""Python, the libraries against `requirements.txt`, and the codecs inside PyAV and Pillow."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Iterator
from typing import Literal

import av
from av.codec import Codec
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from PIL import features

from omnihuman.config import ROOT, VERSION
from omnihuman.doctor.finding import Finding, failed, ok, warning

DISTRIBUTION = "open-omnihuman"
REINSTALL = "Run 'make install', or 'python -m house install'."
SHOWN = ("torch", "numpy", "av", "pillow", "opencv-python-headless", "ai-edge-litert", "diffusers", "transformers")
"""Libraries whose versions are worth a place in the line; the JSON has all of them."""
ENCODERS = ("libx264", "aac")
DECODERS = ("h264", "hevc", "vp8", "vp9", "av1", "mpeg4", "aac", "mp3", "flac", "vorbis", "opus", "pcm_s16le")
PICTURES = ("jpg", "zlib", "webp", "libtiff")


def versions() -> dict[str, str]:
    """Version of Python, FFmpeg and every library that is required; "absent" where it is not installed."""
    found = {"omnihuman": VERSION, "python": platform.python_version(), "ffmpeg": str(av.ffmpeg_version_info)}
    return found | {requirement.name: _installed(requirement.name) for requirement in _required()}


def look_at_software() -> Iterator[Finding]:
    """Python, the system, the libraries."""
    yield _python()
    yield ok("system", f"{platform.system()} {platform.release()}, {platform.machine()}")
    found = versions()
    wrong = [requirement for requirement in _required() if not _fits(requirement, found[requirement.name])]
    for requirement in wrong:
        cause = f"version {found[requirement.name]}, needed {requirement.specifier}"
        if found[requirement.name] == "absent":
            yield failed(requirement.name, "library_missing", "it is not installed", REINSTALL)
        else:
            yield warning(requirement.name, cause, REINSTALL)
    shown = ", ".join(f"{name} {found[name]}" for name in SHOWN)
    yield ok("libraries", f"{len(found) - 3 - len(wrong)} of {len(found) - 3} as required; {shown}")


def look_at_codecs() -> Iterator[Finding]:
    """What videos are written with, and what inputs may be."""
    ffmpeg = f"FFmpeg {av.ffmpeg_version_info}"
    lacking = [name for name in ENCODERS if not _has_codec(name, "w")]
    if lacking:
        cause = f"PyAV cannot write {', '.join(lacking)} ({ffmpeg})"
        yield failed(
            "encoders", "codec_missing", cause, "Install PyAV from its wheel: pip install --force-reinstall av."
        )
    else:
        yield ok("encoders", f"{', '.join(ENCODERS)} ({ffmpeg} inside PyAV)")
    unread = [name for name in DECODERS if not _has_codec(name, "r")]
    unread += [name for name in PICTURES if not features.check(name)]
    if unread:
        yield warning(
            "decoders", f"inputs cannot be {', '.join(unread)}", "Convert such files, or reinstall av and pillow."
        )
    else:
        yield ok("decoders", ", ".join((*DECODERS, "png", "jpeg", "webp", "tiff")))


def _python() -> Finding:
    version = platform.python_version()
    try:
        supported = importlib.metadata.metadata(DISTRIBUTION)["Requires-Python"]
    except importlib.metadata.PackageNotFoundError:
        return warning("python", f"{version}; {DISTRIBUTION} itself is not installed in it", REINSTALL)
    if supported and version not in SpecifierSet(supported):
        return warning("python", f"{version} is untested, supported is {supported}", REINSTALL)
    return ok("python", f"{version}, omnihuman {VERSION}")


def _required() -> list[Requirement]:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if line.strip() and not line.startswith("#")]


def _installed(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "absent"


def _fits(requirement: Requirement, version: str) -> bool:
    # A local build such as 2.13.0+cpu counts as its release, a pre-release as what it precedes.
    return version != "absent" and requirement.specifier.contains(version, prereleases=True)


def _has_codec(name: str, mode: Literal["r", "w"]) -> bool:
    try:
        Codec(name, mode)
    except ValueError:
        return False
    return True
