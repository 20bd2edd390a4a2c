"""A child that draws instead of dreaming: the real protocol, the real writer, no network. Arguments steer it.

frames=N, pause=SECONDS after each, fail=KIND@FRAME, once=1 (not at the second try), hold=FRAME (wait there), deaf=1
(and hear nothing), slow_end=1, prints=1, largest=BYTES (RLIMIT_FSIZE).
"""

import os
import sys
import time

import numpy as np

from omnihuman.errors import InputError
from omnihuman.media.video import VideoWriter
from omnihuman.runner import child
from omnihuman.types import AnimationResult, ProgressEvent, Sound

FPS, SIDE = 25.0, 64
OPTIONS = dict(word.split("=", 1) for word in sys.argv[1:])
FRAMES = int(OPTIONS.get("frames", 75))
PAUSE_S = float(OPTIONS.get("pause", 0.0))


def fail(kind):
    if kind == "memory":
        raise MemoryError
    if kind == "allocate":
        np.ones(1 << 40, np.uint8)
    if kind == "input":
        raise InputError("face_not_found", "nobody is in the picture", "Take another one.")
    if kind == "bug":
        raise KeyError("a mistake")
    if kind == "exit":
        os.write(2, b"native code gave up\n")
        os._exit(7)
    os.kill(os.getpid(), int(kind))


def draw(item, reporter):
    """Frames of noise, so that the file grows with every one, and a tone."""
    if OPTIONS.get("prints"):
        os.write(1, b"a library says hello\n")
    rng = np.random.default_rng(0)
    sound = Sound(np.sin(np.arange(round(FRAMES / FPS * 16000)) / 9).astype(np.float32), 16000)
    kind, _, at = OPTIONS.get("fail", "").partition("@")
    last = ProgressEvent("read", 0, 1, 0.0, None)

    def beat():
        reporter.progress(last)
        if OPTIONS.get("slow_end"):
            time.sleep(0.05)

    if kind and at == "start" and not (item.smaller and OPTIONS.get("once")):
        fail(kind)
    reporter.progress(last)
    if OPTIONS.get("hold") == "start":
        wait()
    with VideoWriter(item.output, FPS, sound, {"comment": "AI-generated", "own": "tag"}, beat) as writer:
        for number in range(FRAMES):
            if kind and at == str(number) and not (item.smaller and OPTIONS.get("once")):
                fail(kind)
            if OPTIONS.get("hold") == str(number):
                wait(beat)
            writer.write(rng.integers(0, 255, (SIDE, SIDE, 3), np.uint8))
            last = ProgressEvent("render", number + 1, FRAMES, 0.1, 1.0)
            reporter.progress(last)
            time.sleep(PAUSE_S)
        last = ProgressEvent("finish", 0, 1, 0.1, 0.0)
        reporter.progress(last)
    item.output.with_suffix(".json").write_text("{}")
    return AnimationResult(item.output, None, FPS, FRAMES / FPS, 7, None, {"warnings": list(item.notes)})


def wait(look=lambda: None):
    while True:
        if OPTIONS.get("deaf"):
            # What a long native call is like: no bytecode runs, so no exception arrives.
            os.system("sleep 30")  # noqa: S605, S607
        look()
        time.sleep(0.02)


def limit():
    if sys.platform == "win32":
        return
    import resource

    if "largest" in OPTIONS:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(OPTIONS["largest"]),) * 2)


if __name__ == "__main__":
    limit()
    sys.exit(child.serve(draw))
