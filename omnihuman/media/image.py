"""Picture files -> RGB arrays and transparency: EXIF rotation, colours, size limits. Nothing learned, nothing drawn."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageCms, ImageOps, UnidentifiedImageError

from omnihuman.errors import InputError
from omnihuman.media.files import is_readable_file
from omnihuman.types import Float, Image

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")
MAX_PIXELS = 64_000_000
MIN_SIDE_PX = 64
BACKDROP = (255, 255, 255)


@dataclass(frozen=True)
class Picture:
    """A picture as a viewer shows it.

    Attributes:
        image: RGB uint8 `H W 3`, upright; transparent parts lie on white.
        alpha: `H W` float32 in 0..1, how opaque it is; None where all of it is.
    """

    image: Image
    alpha: Float | None = None


def read_image(path: Path) -> Image:
    """As `read_picture`, without the transparency."""
    return read_picture(path).image


def read_picture(path: Path) -> Picture:
    """Decodes one picture the way a viewer shows it.

    Args:
        path: A still picture; of an animation the first frame is taken.

    Raises:
        InputError: image_missing, image_format, image_unreadable, image_too_large or image_too_small.
    """
    if not is_readable_file(path):
        raise InputError("image_missing", f"there is no picture {path.name!r}", "Check the path.")
    try:
        with PillowImage.open(path, formats=FORMATS) as picture:
            width, height = picture.size
            if width * height > MAX_PIXELS:
                raise InputError(
                    "image_too_large",
                    f"the picture has {width} x {height} pixels, over the limit of {MAX_PIXELS // 10**6} megapixels",
                    "Scale it down first.",
                )
            return _checked_size(_flatten(ImageOps.exif_transpose(picture)))
    except UnidentifiedImageError:
        hint = f"Save it as one of {', '.join(FORMATS)}."
        raise InputError("image_format", f"{path.name!r} is not a picture that can be read", hint) from None
    except (OSError, ValueError, SyntaxError, PillowImage.DecompressionBombError) as error:
        raise InputError("image_unreadable", f"{path.name!r} is damaged: {error}", "Save the picture again.") from None


def write_image(path: Path, image: Image) -> None:
    """Writes RGB uint8 `H W 3` in the format of the suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    PillowImage.fromarray(image).save(path)


def _flatten(picture: PillowImage.Image) -> Picture:
    if picture.mode.startswith(("I", "F")):
        return Picture(_from_deep_grey(np.asarray(picture, np.float64)))
    picture, alpha = _to_srgb(picture), None
    if picture.has_transparency_data:
        rgba = picture.convert("RGBA")
        opaque = np.asarray(rgba.getchannel("A"), np.float32) / np.float32(255)
        alpha = opaque if opaque.min() < 1 else None
        backdrop = PillowImage.new("RGBA", rgba.size, (*BACKDROP, 255))
        picture = PillowImage.alpha_composite(backdrop, rgba)
    return Picture(np.ascontiguousarray(np.asarray(picture.convert("RGB"), np.uint8)), alpha)


def _from_deep_grey(grey: np.ndarray) -> Image:
    """16-bit or float grey `H W` -> RGB; white is the smallest usual white that holds the brightest pixel."""
    brightest = float(np.nanmax(grey, initial=0.0))
    white = next((w for w in (1.0, 255.0, 65535.0) if brightest <= w), brightest)
    levels = np.clip(np.nan_to_num(grey) / white * 255.0, 0, 255).round().astype(np.uint8)
    return np.repeat(levels[..., None], 3, axis=2)


def _to_srgb(picture: PillowImage.Image) -> PillowImage.Image:
    """Colours of a wide-gamut picture as sRGB; as they are when the profile is missing or broken."""
    profile = picture.info.get("icc_profile")
    if not profile or picture.mode not in ("RGB", "RGBA", "CMYK", "L"):
        return picture
    target = picture.mode if picture.mode in ("RGB", "RGBA") else "RGB"
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        converted = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode=target)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture
    return converted or picture


def checked_picture(image: np.ndarray) -> Picture:
    """An array as a picture: uint8 `H W 3`, grey `H W` or `H W 1`, or RGBA `H W 4`.

    Raises:
        InputError: image_format or image_too_small.
    """
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] not in (1, 3, 4)):
        cause = f"an array of {image.dtype} with shape {image.shape} is no picture"
        raise InputError("image_format", cause, "Give uint8 of shape (H, W, 3), 0..255.")
    if image.ndim == 2 or image.shape[2] != 3:
        squeezed = image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image
        return _checked_size(_flatten(PillowImage.fromarray(squeezed)))
    return _checked_size(Picture(image))


def _checked_size(picture: Picture) -> Picture:
    height, width = picture.image.shape[:2]
    if min(height, width) < MIN_SIDE_PX:
        raise InputError(
            "image_too_small",
            f"the picture has only {width} x {height} pixels",
            f"Use one with at least {MIN_SIDE_PX} pixels on each side; a face wants 256 or more.",
        )
    return picture
