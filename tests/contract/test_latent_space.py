"""Every latent space keeps the contract of `latents/base.py`: spec, prepare, decode and encode fit together."""

import numpy as np
import pytest
import torch

from omnihuman.errors import InputError
from omnihuman.latents.motion.parameters import NAMES, NUM_PARAMETERS, SCALE, group_indices, vector
from omnihuman.latents.motion.space import MotionSpace
from omnihuman.perception.face import FaceLandmarks
from omnihuman.types import Clip, ReferenceFacts
from tests.unit.latents.drawn_reference import POINTS, busy_picture, drawn_matte


class KnownFace:
    """A perception that knows where the drawn face is; `scale` makes it smaller, 0 makes it vanish."""

    def __init__(self, scale=1.0):
        self.scale = scale

    def detect(self, image, max_faces=8):
        return [FaceLandmarks.from_points(POINTS * self.scale, 1.0)] if self.scale else []

    def track(self, frames):
        for _ in frames:
            yield FaceLandmarks.from_points(POINTS, 1.0)


class KnownMatte:
    def estimate(self, image, face, body=None):
        return drawn_matte()


@pytest.fixture(scope="module")
def space():
    return MotionSpace(KnownFace(), KnownMatte())


@pytest.fixture(scope="module")
def reference(space):
    return space.prepare(busy_picture())


def test_decode_gives_one_frame_per_latent_at_the_pictures_own_size(space, reference):
    assert space.spec.channels == NUM_PARAMETERS
    latents = torch.zeros(1, NUM_PARAMETERS, 3)
    latents[0, :, 1] = torch.from_numpy(vector(jaw_open=0.5) / SCALE)
    frames = list(space.decode(latents, reference))
    assert len(frames) == 3
    assert all(frame.shape == (512, 512, 3) and frame.dtype == np.uint8 for frame in frames)
    np.testing.assert_array_equal(frames[0], busy_picture())
    np.testing.assert_array_equal(frames[2], frames[0])
    assert (frames[1] != frames[0]).any()


def test_decode_is_lazy(space, reference):
    endless = space.decode(torch.zeros(1, NUM_PARAMETERS, 10**6), reference)
    assert next(endless).shape == (512, 512, 3)


def test_encode_of_a_still_clip_is_nearly_zero_and_has_the_spaces_clock(space, reference):
    clip = Clip(np.stack([busy_picture()] * 10), fps=12.5)
    latents = space.encode(clip, reference)
    assert latents.shape == (1, NUM_PARAMETERS, 20)
    assert latents.dtype == torch.float32
    mouth_and_head = [i for group in ("mouth", "head") for i in group_indices(group) if NAMES[i] != "seal"]
    assert latents[0, mouth_and_head].abs().max() < 0.1


def test_the_facts_describe_the_picture(reference):
    facts = reference.facts
    assert isinstance(facts, ReferenceFacts)
    assert (facts.width_px, facts.height_px) == (512, 512)
    assert facts.iod_px == pytest.approx(float(np.linalg.norm(POINTS[33] - POINTS[263])))
    assert abs(facts.yaw_deg) < 5
    assert 0 <= facts.mouth_gap_iod < 0.03
    assert facts.arm_l_visible == 0


def test_no_face_and_a_tiny_face_are_coded_errors():
    for scale, code in ((0.0, "face_not_found"), (0.1, "face_too_small")):
        with pytest.raises(InputError) as caught:
            MotionSpace(KnownFace(scale), KnownMatte()).prepare(busy_picture())
        assert caught.value.code == code
        assert caught.value.way_out
