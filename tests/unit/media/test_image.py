"""Pictures arrive as a viewer shows them, and every bad one ends in a code."""

import cv2
import numpy as np
import pytest
from PIL import Image as PillowImage
from PIL import ImageCms

from omnihuman.errors import InputError
from omnihuman.media import image as media_image
from omnihuman.media.decoding import pictures
from omnihuman.media.framing import fit_alpha, fit_longest_side, fit_within, is_cut_out, pad_to_even
from omnihuman.media.image import read_image, read_picture, write_image


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8)


def test_png_round_trip_is_exact(tmp_path, picture):
    write_image(tmp_path / "a.png", picture)
    assert np.array_equal(read_image(tmp_path / "a.png"), picture)


UPRIGHT = {
    1: lambda p: p,
    2: lambda p: p[:, ::-1],
    3: lambda p: np.rot90(p, 2),
    4: lambda p: p[::-1],
    5: lambda p: p.transpose(1, 0, 2),
    6: lambda p: np.rot90(p, -1),
    7: lambda p: np.rot90(p, 2).transpose(1, 0, 2),
    8: lambda p: np.rot90(p),
}
"""EXIF orientation -> how the stored picture is shown (EXIF 2.3, tag 274)."""


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("suffix", ["png", "webp"])
def test_exif_orientation_is_applied_to_picture_and_transparency(tmp_path, picture, orientation, suffix):
    exif = PillowImage.Exif()
    exif[0x0112] = orientation
    alpha = np.full(picture.shape[:2], 255, np.uint8)
    alpha[:30, :20] = 0
    path = tmp_path / f"a.{suffix}"
    PillowImage.fromarray(np.dstack([picture, alpha])).save(path, exif=exif, lossless=True)
    read, shown = read_picture(path), UPRIGHT[orientation](np.where(alpha[..., None] > 0, picture, 255))
    assert np.array_equal(read.image, shown)
    assert np.array_equal(read.alpha, UPRIGHT[orientation](alpha[..., None])[..., 0] / np.float32(255))


def test_cmyk_and_deep_colours_become_rgb(tmp_path):
    red = np.full((90, 120, 3), (200, 30, 30), np.uint8)
    PillowImage.fromarray(red).convert("CMYK").save(tmp_path / "a.jpg", quality=95)
    assert np.abs(read_image(tmp_path / "a.jpg").astype(int) - red).max() < 12
    cv2.imwrite(str(tmp_path / "b.png"), red[..., ::-1].astype(np.uint16) * 257)
    assert np.abs(read_image(tmp_path / "b.png").astype(int) - red).max() <= 1


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_of_an_animation_the_first_frame_is_taken(tmp_path, suffix):
    frames = [PillowImage.new("RGB", (80, 70), colour) for colour in ((250, 0, 0), (0, 0, 250))]
    frames[0].save(tmp_path / f"a.{suffix}", save_all=True, append_images=frames[1:], lossless=True)
    assert np.abs(read_image(tmp_path / f"a.{suffix}").astype(int) - (250, 0, 0)).max() < 8


def test_opaque_pictures_have_no_transparency(tmp_path, picture):
    PillowImage.fromarray(picture).convert("RGBA").save(tmp_path / "a.png")
    assert read_picture(tmp_path / "a.png").alpha is None


def test_a_palette_may_be_transparent(tmp_path, picture):
    palette = PillowImage.fromarray(picture).convert("P")
    palette.save(tmp_path / "a.png", transparency=int(np.asarray(palette)[5, 5]))
    alpha = read_picture(tmp_path / "a.png").alpha
    assert alpha is not None and alpha[5, 5] == 0 and alpha.max() == 1


def test_only_a_cut_out_counts_as_one():
    y, x = np.mgrid[:200, :160]
    head = (x - 80) ** 2 + (y - 70) ** 2 < 45**2
    bust = head | (((x - 80) / 70) ** 2 + ((y - 200) / 70) ** 2 < 1)
    avatar = (x - 80) ** 2 + (y - 100) ** 2 < 80**2
    corners = ~((x < 12) & (y < 12))
    found = [is_cut_out(shape.astype(np.float32)) for shape in (bust, avatar, corners, head & False, head | True)]
    assert found == [True, False, False, False, False]


def test_transparency_follows_the_picture(picture):
    alpha = np.zeros(picture.shape[:2], np.float32)
    alpha[:, 60:] = 1
    for longest_px in (60, 121, 400):
        framed = pad_to_even(fit_longest_side(picture, longest_px))
        fitted = fit_alpha(alpha, framed)
        assert fitted.shape == framed.shape[:2] and fitted.mean() == pytest.approx(0.5, abs=0.02)
    assert fit_alpha(alpha, picture) is alpha


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
    assert media_image.checked_picture(array).image.shape == (90, 120, 3)


@pytest.mark.parametrize("array", [np.zeros((90, 120, 3)), np.zeros((90, 120, 2), np.uint8), np.zeros(9, np.uint8)])
def test_arrays_that_are_no_picture_are_coded(array):
    with pytest.raises(InputError, match="image_format"):
        media_image.checked_picture(array)


def test_size_limits(tmp_path, picture, monkeypatch):
    write_image(tmp_path / "a.png", picture)
    write_image(tmp_path / "small.png", picture[:20])
    with pytest.raises(InputError, match="image_too_small"):
        read_image(tmp_path / "small.png")
    monkeypatch.setattr(pictures, "MAX_PICTURE_PIXELS", 100)
    with pytest.raises(InputError, match="image_too_large"):
        pictures.decode_picture(tmp_path / "a.png")
    with pytest.raises(InputError, match="image_too_small"):
        media_image.checked_picture(picture[:20])


def test_framing_keeps_aspect_and_evens_sides(picture):
    assert fit_longest_side(picture, 120) is picture
    assert fit_longest_side(picture, 240).shape == (180, 240, 3)
    assert fit_within(picture, 120) is picture and fit_within(picture, 60).shape == (45, 60, 3)
    odd = pad_to_even(picture[:89, :119])
    assert odd.shape == (90, 120, 3) and np.array_equal(odd[:89, :119], picture[:89, :119])
