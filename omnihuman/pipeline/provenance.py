"""What was used to make a video: one record, written into the mp4's tags and into the JSON beside it.

Holds hashes, settings and versions - no names, no paths, and spoken text and prompt only where the person asked for it.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omnihuman.config import VERSION
from omnihuman.media.files import write_whole
from omnihuman.pipeline.mark import NOTICE, SCHEMA, SOURCE_TYPE
from omnihuman.types import AnimationRequest

PRIVATE_FIELDS = frozenset({"image", "audio", "say", "drive", "pose", "landmarks", "text"})
LIBRARIES = (
    *("torch", "numpy", "scipy", "numba", "opencv-python-headless", "pillow", "av", "soxr"),
    *("ai-edge-litert", "onnxruntime", "hibari-tts", "diffusers", "transformers"),
)


def sha256_of(data: bytes) -> str:
    """Hex SHA-256."""
    return hashlib.sha256(data).hexdigest()


def sha256_of_file(path: Path) -> str:
    """Hex SHA-256 of a file, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def make_facts(request: AnimationRequest, inputs: Mapping[str, str], models: Mapping[str, str]) -> dict[str, Any]:
    """The part of the record that is known before the first frame.

    Args:
        request: Settings with every default resolved.
        inputs: Input kind -> SHA-256.
        models: Model id -> SHA-256.
    """
    settings = {k: v for k, v in request.model_dump(mode="json").items() if k not in PRIVATE_FIELDS}
    facts: dict[str, Any] = {
        "schema": SCHEMA,
        "notice": NOTICE,
        "digital_source_type": SOURCE_TYPE,
        "engine": {"name": "omnihuman", "version": VERSION},
        "settings": settings,
        "inputs_sha256": dict(inputs),
        "models_sha256": dict(models),
        "versions": _versions(),
    }
    if request.embed_text and request.say is not None:
        facts["spoken_text"] = request.say
    if request.embed_text and request.text is not None:
        facts["prompt"] = request.text
    return facts


def tags_of(facts: Mapping[str, Any]) -> dict[str, str]:
    """Container metadata: the mark for people and machines, and the whole record as JSON."""
    return {
        "comment": NOTICE,
        "digital_source_type": SOURCE_TYPE,
        "omnihuman": json.dumps(facts, sort_keys=True, separators=(",", ":")),
    }


def write_sidecar(video: Path, facts: Mapping[str, Any]) -> Path:
    """Writes the record beside the video, last of all and in one step; returns its path."""
    path = video.with_suffix(".json")
    write_whole(path, (json.dumps(facts, indent=2, sort_keys=True) + "\n").encode())
    return path


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "system": f"{platform.system()} {platform.machine()}"}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "absent"
    return found
