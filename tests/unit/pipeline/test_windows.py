"""Every latent frame is generated once; prefixes never reach before the clip."""

import pytest

from omnihuman.pipeline.windows import plan


@pytest.mark.parametrize("num_latents", [1, 3, 99, 100, 101, 163, 250, 1000, 15000])
@pytest.mark.parametrize(("window", "prefix", "lookahead"), [(100, 16, 6), (20, 4, 0), (8, 0, 0)])
def test_kept_frames_tile_the_clip(num_latents, window, prefix, lookahead):
    windows = plan(num_latents, window, prefix, lookahead)
    kept = [i for w in windows for i in range(w.keep_from, w.keep_to)]
    assert kept == list(range(num_latents))
    for w in windows:
        assert 0 <= w.start <= w.keep_from < w.keep_to <= w.stop <= num_latents
        assert w.stop - w.start <= window
        assert w.keep_from - w.start == min(prefix, w.keep_from)


def test_no_short_last_window():
    lengths = [w.keep_to - w.keep_from for w in plan(101, 100, 16, 6)]
    assert max(lengths) - min(lengths) <= 1


def test_impossible_window_is_refused():
    with pytest.raises(ValueError, match="no room"):
        plan(50, 10, 8, 2)
