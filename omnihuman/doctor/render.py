"""A render of one second, from the built-in voice to the finished file, read back. The proof that all of it works."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from omnihuman.config import ROOT
from omnihuman.doctor.finding import Finding, failed, failed_by, ok, warning
from omnihuman.errors import OmniHumanError
from omnihuman.media.audio import read_sound
from omnihuman.media.footage import read_frames
from omnihuman.modelhub.hub import ModelHub
from omnihuman.pipeline.generate import OmniHumanPipeline
from omnihuman.pipeline.watch import with_length
from omnihuman.types import AnimationResult

PICTURE = ROOT / "examples" / "portrait_ada.png"
WORDS = "Hello, my friend."
SIDE_PX, LENGTH_S, SEED = 256, 1.0, 7
SLOW_S = 10.0


def try_render(hub: ModelHub, preset: str) -> Finding:
    """Makes a video of one second in a temporary folder and reads it back.

    Args:
        hub: Its models must be there: nothing is fetched.
        preset: Name of the preset.
    """
    began_s, began_cpu_s = time.monotonic(), time.process_time()
    try:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            result = _rendered(hub, preset, Path(folder) / "doctor.mp4")
            flaw = _flaw(Path(folder) / "doctor.mp4", result)
    except OmniHumanError as error:
        return failed_by("render", error)
    except Exception as error:  # whatever it is, the person asked what is wrong with this machine
        cause = f"rendering broke off with {type(error).__name__}"
        return failed("render", "internal", cause, "Report this with the output of 'doctor --json'.")
    spent_s, cpu_s = time.monotonic() - began_s, time.process_time() - began_cpu_s
    if flaw:
        return failed("render", "video_unreadable", flaw, "Report this with the output of 'doctor --json'.")
    time_taken = f"{spent_s:.1f} s ({cpu_s:.1f} CPU-s)"
    found = f"{LENGTH_S:g} s of {SIDE_PX} pixels with sound in {time_taken}, models loaded and result read back"
    if spent_s > SLOW_S:
        is_busy = cpu_s < SLOW_S / 2 or cpu_s < spent_s / 2
        way_out = "Other programs keep the processor busy." if is_busy else "This machine is slow: use --quality draft."
        return warning("render", found, way_out)
    return ok("render", found)


def _rendered(hub: ModelHub, preset: str, video: Path) -> AnimationResult:
    pipeline = OmniHumanPipeline.from_pretrained(preset, hub=hub)
    with pipeline.parts.voice() as voice:
        sound = with_length(voice.speak(WORDS).sound, LENGTH_S)
    return pipeline(PICTURE, sound, size=SIDE_PX, seed=SEED, output=video)


def _flaw(video: Path, result: AnimationResult) -> str:
    """What is wrong with the finished file; empty where nothing is."""
    frames = list(read_frames(video))
    if len(frames) != result.facts["video"]["frames"]:
        return f"{len(frames)} of {result.facts['video']['frames']} frames could be read back"
    if (frames[0] == frames[len(frames) // 2]).all():
        return "nothing moves in the result"
    heard_s = read_sound(video).duration_s
    return "" if abs(heard_s - LENGTH_S) < 0.1 else f"the sound of the result lasts {heard_s:.2f} s"
