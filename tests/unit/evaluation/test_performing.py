"""Performances: the same with a picture prepared once, seen on frames or computed from parameters."""

import numpy as np
import pytest

from omnihuman.evaluation.performing import Performer, looker, parameter_tracks
from omnihuman.evaluation.prepared_once import PreparedOnce, preparing_once
from omnihuman.latents.motion.parameters import vector
from omnihuman.types import PersonChoice
from tests.tiny import TinyFace, hum, tiny_pipeline
from tests.unit.perception.drawn_face import draw_face


class Counting:
    """A space that counts what it prepares."""

    spec = "spec"

    def __init__(self):
        self.count = 0

    def prepare(self, image, person):
        self.count += 1
        return self.count


def test_a_picture_is_prepared_once_and_another_anew():
    inner = Counting()
    space = PreparedOnce(inner)
    picture, other = np.zeros((4, 4, 3), np.uint8), np.ones((4, 4, 3), np.uint8)
    assert [space.prepare(picture), space.prepare(picture.copy()), space.prepare(other)] == [1, 1, 2]
    assert space.prepare(other, PersonChoice(face=2)) == 3
    cut_out = PersonChoice(alpha=np.ones((4, 4), np.float32))
    assert [space.prepare(other, cut_out), space.prepare(other, cut_out)] == [4, 5]
    assert space.spec == "spec"


def test_results_are_the_same():
    plain, once = tiny_pipeline(), preparing_once(tiny_pipeline())
    results = [pipe(draw_face(), hum(0.4), seed=3, size=128).frames for pipe in (plain, once, once)]
    assert np.array_equal(results[0], results[1]) and np.array_equal(results[1], results[2])


def test_parameters_ask_for_a_gap_without_a_frame():
    poses = np.stack([vector(), vector(jaw_open=0.5), vector(jaw_open=0.5, seal=1), vector(blink_l=1, blink_r=1)])
    tracks = parameter_tracks(poses, 25.0)
    assert tracks.gap == pytest.approx([0.0, 0.15, 0.0, 0.0])
    assert tracks.aperture.tolist() == [1.0, 1.0, 1.0, 0.0]
    assert tracks.times_s[1] == pytest.approx(0.06)
    assert np.isnan(parameter_tracks(vector(head_yaw_deg=30)[None], 25.0).judged_gap(20.0)).all()


def test_a_performance_is_looked_at_or_computed(tmp_path, monkeypatch):
    pipeline = tiny_pipeline()
    kept = tmp_path / "new"
    seen = Performer(pipeline, draw_face(), 1, looker(TinyFace()), size=128, keep=kept).perform(hum(0.4), "a")
    assert len(seen.gap) == 10 and (kept / "a.mp4").is_file()
    assert np.ptp(seen.gap) < 1e-6, "the tiny face finder always finds the same face"
    drawn = parameter_tracks(pipeline(draw_face(), hum(0.4), seed=1).parameters, 25.0)

    def draw(*_):
        raise AssertionError("a frame was drawn")

    monkeypatch.setattr(type(pipeline.parts.space), "decode", draw)
    fast = Performer(pipeline, draw_face(), 1, None).perform(hum(0.4), "a")
    assert np.array_equal(fast.gap, drawn.gap) and np.isnan(fast.steady).all()
