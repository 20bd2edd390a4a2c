"""Which device, which number format, how much memory. torch loads only for a device other than the CPU."""

from __future__ import annotations

import os
import re
from pathlib import Path

import psutil

from omnihuman.errors import InputError, ResourceError

_BUDGET_SHARE = 0.9
"""Part of the free memory that models may take; the rest is for frames and activations."""
_CGROUP = Path("/sys/fs/cgroup")


def resolve_device(name: str) -> str:
    """Turns `auto`, `cpu`, `cuda`, `cuda:1` or `mps` into a device that answers.

    A device counts only after a tiny tensor was really put on it: a driver may be present and unusable.

    Raises:
        InputError: `device_unknown`.
        ResourceError: `device_missing`.
    """
    if name == "cpu":
        return name
    if name == "auto":
        return next((device for device in ("cuda", "mps") if _answers(device)), "cpu")
    if not re.fullmatch(r"cuda(:\d+)?|mps", name):
        raise InputError("device_unknown", f"'{name}' is not a device", "Use auto, cpu, cuda, cuda:N or mps.")
    if not _answers(name):
        raise ResourceError("device_missing", f"{name} does not answer on this machine", "Use 'auto' or 'cpu'.")
    return name


def _answers(device: str) -> bool:
    import torch

    try:
        torch.zeros(1, device=device).add_(1).item()
    except (RuntimeError, AssertionError, NotImplementedError):
        return False  # torch reports a missing or broken device in all three ways
    return True


def pick_dtype(device: str) -> str:
    """Name of the torch number format that suits a device: half precision only where it is fast and safe."""
    if not device.startswith("cuda"):
        return "float32"
    import torch

    return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float16"


def free_memory_mb(device: str) -> int:
    """Free memory of a device in MB; for CPU and MPS what the process may still take, containers respected."""
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.mem_get_info(torch.device(device))[0] >> 20)
    available = int(psutil.virtual_memory().available)
    limit = _cgroup_free_bytes(_CGROUP)
    return (available if limit is None else min(available, limit)) >> 20


def _cgroup_free_bytes(root: Path) -> int | None:
    """What a container (cgroup v2) still grants; psutil sees the whole machine."""
    try:
        limit = (root / "memory.max").read_text(encoding="ascii").strip()
        used = int((root / "memory.current").read_text(encoding="ascii"))
        reclaimable = _inactive_file_bytes((root / "memory.stat").read_text(encoding="ascii"))
        return None if limit == "max" else max(0, int(limit) - used + reclaimable)
    except (OSError, ValueError):
        return None


def _inactive_file_bytes(stat: str) -> int:
    """Page cache that the kernel drops on demand; it counts as used but is not."""
    found = re.search(r"^inactive_file (\d+)$", stat, re.MULTILINE)
    return int(found[1]) if found else 0


def budget_mb(device: str) -> int:
    """Memory that models may take on a device, MB; `OMNIHUMAN_MEMORY_MB` overrides the measurement.

    Raises:
        InputError: `memory_invalid` when the variable is no positive whole number.
    """
    wanted = os.environ.get("OMNIHUMAN_MEMORY_MB")
    if not wanted:
        return int(free_memory_mb(device) * _BUDGET_SHARE)
    if not wanted.isdecimal() or int(wanted) == 0:
        raise InputError("memory_invalid", f"OMNIHUMAN_MEMORY_MB is '{wanted}'", "Give whole megabytes, e.g. 4000.")
    return int(wanted)
