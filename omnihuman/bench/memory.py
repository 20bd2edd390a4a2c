"""Peak memory of one whole run, in a process of its own: `python -m omnihuman.bench.memory PRESET SIDE SECONDS`.

What other measurements left behind in the caller's memory must not count, so the run happens in a fresh child.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from omnihuman.bench.record import Row
from omnihuman.errors import ResourceError

BAR_MB = 1500.0


def measure_memory(preset: str, side_px: int, duration_s: float) -> list[Row]:
    """Runs the child.

    Raises:
        ResourceError: benchmark_failed, with the last line that the child wrote.
    """
    command = [sys.executable, "-m", "omnihuman.bench.memory", preset, str(side_px), str(duration_s)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise ResourceError("benchmark_failed", f"the child process failed: {last}", "See what animate says.")
    facts = json.loads(done.stdout.splitlines()[-1])
    place = f"{side_px}x{side_px}"
    return [
        Row(f"peak memory, {place}", facts["peak_mb"], "MB", BAR_MB if side_px == 512 else None),
        Row(f"first run of a process, {place}", facts["cpu_s"], "CPU-s", None, f"{duration_s:g} s, models loaded"),
    ]


def peak_memory_mb() -> float:
    """Most memory that this process has held at once (resident), in MB of 10^6 bytes."""
    status = Path("/proc/self/status")
    if status.is_file():
        # getrusage would answer with the parent's peak where that was higher.
        line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e6
    import psutil

    memory = psutil.Process().memory_info()
    if hasattr(memory, "peak_wset"):
        return float(memory.peak_wset) / 1e6
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def run_once(preset: str, side_px: int, duration_s: float) -> dict[str, float]:
    """One whole run; its peak memory and CPU-seconds, imports included."""
    from omnihuman.bench.subject import cut_to, half_body
    from omnihuman.pipeline.generate import OmniHumanPipeline

    pipeline = OmniHumanPipeline.from_pretrained(preset)
    with pipeline.parts.voice() as voice:
        speech = voice.speak("How much memory does this take?").sound
    with tempfile.TemporaryDirectory() as folder:
        pipeline(half_body(side_px), cut_to(speech, duration_s), seed=1, output=Path(folder) / "a.mp4")
    return {"peak_mb": peak_memory_mb(), "cpu_s": time.process_time()}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run_once(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))))
