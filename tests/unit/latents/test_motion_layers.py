"""What appears behind a moving person goes on as the background did, and nothing of the person stays in it."""

import cv2
import numpy as np
import pytest

from omnihuman.latents.motion.scene import exemplar
from omnihuman.latents.motion.scene.exemplar import continue_structure
from omnihuman.latents.motion.scene.layers import split_layers
from omnihuman.latents.motion.scene.patches import IGNORED, KNOWN, WANTED

SIDE, IOD = 320, 60.0


def pattern(kind):
    y, x = np.mgrid[:SIDE, :SIDE]
    on = {
        "stripes": x // 16 % 2,
        "diagonals": (2 * x + y) // 40 % 2,
        "bricks": ((y % 24 < 3) | ((x + (y // 24 % 2) * 24) % 48 < 3)),
    }[kind]
    picture = np.where(on[..., None] == 1, (200, 190, 170), (90, 110, 150))
    return np.clip(picture + np.random.default_rng(0).normal(0, 2, (SIDE, SIDE, 1)), 0, 255).astype(np.uint8)


def disc():
    """A person in front: `H W` matte, soft by a pixel or two."""
    mask = np.zeros((SIDE, SIDE), np.float32)
    cv2.circle(mask, (160, 170), 75, 1.0, -1, cv2.LINE_AA)
    return cv2.GaussianBlur(mask, (0, 0), 1.2)


def in_front_of(picture, matte, colour=(60, 20, 10)):
    return (matte[..., None] * np.array(colour) + (1 - matte[..., None]) * picture + 0.5).astype(np.uint8)


def rim():
    """Where a head that moves by its limit lets one look."""
    inside = cv2.distanceTransform((disc() > 0).astype(np.uint8), cv2.DIST_L2, 5)
    return (inside > 0) & (inside < 0.3 * IOD)


@pytest.mark.parametrize(("kind", "limit"), [("stripes", 12), ("diagonals", 12), ("bricks", 16)])
def test_structure_goes_on_behind_the_person(kind, limit, monkeypatch):
    truth = pattern(kind)
    picture = in_front_of(truth, disc())
    found = split_layers(picture, disc(), IOD).background
    error = np.abs(found[rim()].astype(int) - truth[rim()]).mean()
    monkeypatch.setattr("omnihuman.latents.motion.scene.layers._STEEP", 1e9)
    smooth = split_layers(picture, disc(), IOD).background
    smooth_error = np.abs(smooth[rim()].astype(int) - truth[rim()]).mean()
    assert error < limit and error < 0.5 * smooth_error


def test_a_larger_picture_is_filled_by_copying(monkeypatch):
    truth = pattern("stripes")
    monkeypatch.setattr(exemplar, "_MOST_WANTED", 2000)
    found = split_layers(in_front_of(truth, disc()), disc(), IOD).background
    assert np.abs(found[rim()].astype(int) - truth[rim()]).mean() < 16


def test_a_plain_background_stays_plain():
    picture = in_front_of(np.full((SIDE, SIDE, 3), 180, np.uint8), disc())
    assert np.abs(split_layers(picture, disc(), IOD).background.astype(int) - 180).max() <= 3


@pytest.mark.parametrize("kind", ["stripes", "bricks"])
def test_hair_that_the_matte_missed_does_not_stay_behind(kind):
    truth = pattern(kind)
    picture = in_front_of(truth, disc())
    strand = np.zeros((SIDE, SIDE), np.uint8)
    cv2.line(strand, (160, 96), (162, 91), 1, 2)
    picture[strand > 0] = (30, 10, 5)
    found = split_layers(picture, disc(), IOD).background
    assert found[strand > 0].max(1).min() > 80


def test_layers_add_up_to_the_picture():
    picture = in_front_of(pattern("bricks"), disc())
    layers = split_layers(picture, disc(), IOD)
    alpha = layers.residual[..., 3:]
    again = layers.residual[..., :3] + (1 - alpha) * layers.background
    np.testing.assert_allclose(again, picture, atol=1e-3)
    far = cv2.dilate((disc() > 0).astype(np.uint8), np.ones((25, 25), np.uint8)) == 0
    assert (layers.residual[far] == 0).all()


def test_only_what_is_wanted_is_coloured_and_always_the_same():
    picture = pattern("bricks")
    state = np.full((SIDE, SIDE), KNOWN, np.uint8)
    state[100:160, 100:160], state[115:145, 115:145] = WANTED, IGNORED
    picture[state != KNOWN] = 0
    places, colours = continue_structure(picture, state, 15.0)
    columns, rows = places.T
    assert len(places) == (state == WANTED).sum() and (state[rows, columns] == WANTED).all()
    assert colours.min() > 60
    np.testing.assert_array_equal(colours, continue_structure(picture, state, 15.0)[1])


@pytest.mark.parametrize("known", [0, 5, SIDE])
def test_nothing_to_copy_or_to_fill_gives_nothing(known):
    state = np.full((SIDE, SIDE), WANTED, np.uint8)
    state[:known] = KNOWN
    places, colours = continue_structure(pattern("stripes"), state, 20.0)
    assert places.shape == (0, 2) and colours.shape == (0, 3)
