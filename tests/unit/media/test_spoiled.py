"""Spoiled files of every format: the parent lives, nothing hangs, and the outcome is a result or a code.

One of each kind in every run; `OMNIHUMAN_SPOILED=100` asks for a hundred.
"""

import os
import random
import time

import pytest

from omnihuman.errors import InputError
from omnihuman.media.audio import read_sound
from omnihuman.media.footage import read_frames
from omnihuman.media.image import read_image
from tests.unit.media import seeds

COUNT = int(os.environ.get("OMNIHUMAN_SPOILED", "1"))
KINDS = {
    **dict.fromkeys(seeds.PICTURES, ("image", read_image, seeds.picture)),
    **dict.fromkeys(seeds.SOUNDS, ("audio", read_sound, seeds.sound)),
    **{suffix: ("video", lambda path: sum(1 for _ in read_frames(path)), seeds.video) for suffix in seeds.VIDEOS},
}
CODES = {"format", "unreadable", "too_large", "too_small", "too_long", "too_short"}


@pytest.mark.parametrize("suffix", KINDS)
def test_spoiled_files_are_read_or_coded(tmp_path, suffix, record_property):
    family, read, make = KINDS[suffix]
    codecs = {**seeds.SOUNDS, **seeds.VIDEOS}.get(suffix, ())[1:]
    if not seeds.has(*codecs):
        pytest.skip(f"this FFmpeg writes no {' and '.join(codecs)}")
    whole = make(suffix)
    dice = random.Random(f"spoiled {suffix}")
    outcomes = {}
    for number in range(COUNT):
        path = tmp_path / f"{number}.{suffix}"
        path.write_bytes(seeds.spoiled(whole, dice))
        began_s = time.monotonic()
        try:
            read(path)
            outcome = "read"
        except InputError as error:
            outcome = error.code.removeprefix(f"{family}_")
            assert outcome in CODES and error.cause and error.way_out and str(error).isprintable()
        assert time.monotonic() - began_s < 60
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
    record_property("outcomes", outcomes)
