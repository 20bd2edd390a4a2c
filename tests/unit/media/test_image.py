"""Pictures arrive as a viewer shows them, and every bad one ends in a code."""

import numpy as np
import pytest
from PIL import Image as PillowImage
from PIL import ImageCms

from omnihuman.errors import InputError
from omnihuman.media import image as media_image
from omnihuman.media.framing import fit_longest_side, pad_to_even
from omnihuman.media.image import read_image, write_image


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8)


def test_png_round_trip_is_exact(tmp_path, picture):
    write_image(tmp_path / "a.png", picture)
    assert np.array_equal(read_image(tmp_path / "a.png"), picture)


def test_exif_rotation_is_applied(tmp_path, picture):
    exif = PillowImage.Exif()
    exif[0x0112] = 6
    PillowImage.fromarray(picture).save(tmp_path / "a.png", exif=exif)
    assert np.array_equal(read_image(tmp_path / "a.png"), np.rot90(picture, -1))


def test_transparent_parts_lie_on_white(tmp_path, picture):
    alpha = np.zeros(picture.shape[:2], np.uint8)
    alpha[:, 60:] = 255
    PillowImage.fromarray(np.dstack([picture, alpha])).save(tmp_path / "a.png")
    read = read_image(tmp_path / "a.png")
    assert (read[:, :60] == 255).all() and np.array_equal(read[:, 60:], picture[:, 60:])


def test_grey_and_palette_become_rgb(tmp_path, picture):
    PillowImage.fromarray(picture).convert("L").save(tmp_path / "grey.png")
    PillowImage.fromarray(picture).convert("P").save(tmp_path / "palette.png")
    assert read_image(tmp_path / "grey.png").shape == read_image(tmp_path / "palette.png").shape == (90, 120, 3)


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [("a.png", None, "image_missing"), ("a.png", b"no picture", "image_format"), ("a.svg", b"<svg/>", "image_format")],
)
def test_bad_files_are_coded(tmp_path, name, content, code):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_image(tmp_path / name)
    assert caught.value.code == code and "\n" not in str(caught.value)


def test_truncated_file_is_coded(tmp_path, picture):
    write_image(tmp_path / "a.png", picture)
    data = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match="image_unreadable"):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize(("mode", "white"), [("I;16", 65535), ("I", 65535), ("F", 1.0), ("F", 255.0)])
def test_deep_grey_keeps_its_brightness(tmp_path, mode, white):
    grey = np.linspace(0, white, 90 * 120).reshape(90, 120)
    array = grey.astype({"I;16": np.uint16, "I": np.int32, "F": np.float32}[mode])
    PillowImage.fromarray(array).save(tmp_path / "a.tif")
    read = read_image(tmp_path / "a.tif")
    assert read.shape == (90, 120, 3) and abs(read.mean() - 127.5) < 1.5 and read[-1, -1, 0] == 255


def test_profiles_are_applied_and_broken_ones_ignored(tmp_path, picture):
    PillowImage.fromarray(picture).save(tmp_path / "a.png", icc_profile=b"not a profile")
    assert np.array_equal(read_image(tmp_path / "a.png"), picture)
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    PillowImage.fromarray(picture).save(tmp_path / "b.png", icc_profile=srgb)
    assert np.abs(read_image(tmp_path / "b.png").astype(int) - picture).max() <= 2


@pytest.mark.parametrize("shape", [(90, 120), (90, 120, 1), (90, 120, 4)])
def test_arrays_of_other_kinds_become_rgb(shape):
    array = np.full(shape, 200, np.uint8)
    array[..., -1] = 255 if shape[-1] == 4 else array[..., -1]
    assert media_image.checked_image(array).shape == (90, 120, 3)


@pytest.mark.parametrize("array", [np.zeros((90, 120, 3)), np.zeros((90, 120, 2), np.uint8), np.zeros(9, np.uint8)])
def test_arrays_that_are_no_picture_are_coded(array):
    with pytest.raises(InputError, match="image_format"):
        media_image.checked_image(array)


def test_size_limits(tmp_path, picture, monkeypatch):
    write_image(tmp_path / "a.png", picture)
    monkeypatch.setattr(media_image, "MAX_PIXELS", 100)
    with pytest.raises(InputError, match="image_too_large"):
        read_image(tmp_path / "a.png")
    with pytest.raises(InputError, match="image_too_small"):
        media_image.checked_image(picture[:20])


def test_framing_keeps_aspect_and_evens_sides(picture):
    assert fit_longest_side(picture, 120) is picture
    assert fit_longest_side(picture, 240).shape == (180, 240, 3)
    odd = pad_to_even(picture[:89, :119])
    assert odd.shape == (90, 120, 3) and np.array_equal(odd[:89, :119], picture[:89, :119])
