"""Picture files -> RGB arrays: EXIF rotation, alpha, size limits. Nothing learned, nothing drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageOps, UnidentifiedImageError

from omnihuman.errors import InputError
from omnihuman.types import Image

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF")
MAX_PIXELS = 64_000_000
MIN_SIDE_PX = 64
BACKDROP = (255, 255, 255)


def read_image(path: Path) -> Image:
    """Decodes one picture the way a viewer shows it.

    Args:
        path: A still picture; of an animation the first frame is taken.

    Returns:
        RGB uint8 `H W 3`, upright; transparent parts lie on white.

    Raises:
        InputError: image_missing, image_format, image_unreadable, image_too_large or image_too_small.
    """
    if not path.is_file():
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
            upright = ImageOps.exif_transpose(picture)
            return checked_image(_flatten(upright))
    except UnidentifiedImageError:
        hint = f"Save it as one of {', '.join(FORMATS)}."
        raise InputError("image_format", f"{path.name!r} is not a picture that can be read", hint) from None
    except (OSError, ValueError, SyntaxError, PillowImage.DecompressionBombError) as error:
        raise InputError("image_unreadable", f"{path.name!r} is damaged: {error}", "Save the picture again.") from None


def write_image(path: Path, image: Image) -> None:
    """Writes RGB uint8 `H W 3` in the format of the suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    PillowImage.fromarray(image).save(path)


def _flatten(picture: PillowImage.Image) -> Image:
    if picture.has_transparency_data:
        rgba = picture.convert("RGBA")
        backdrop = PillowImage.new("RGBA", rgba.size, (*BACKDROP, 255))
        picture = PillowImage.alpha_composite(backdrop, rgba)
    return np.ascontiguousarray(np.asarray(picture.convert("RGB"), np.uint8))


def checked_image(image: Image) -> Image:
    """The same picture, RGB uint8 `H W 3`; raises InputError image_too_small."""
    height, width = image.shape[:2]
    if min(height, width) < MIN_SIDE_PX:
        raise InputError(
            "image_too_small",
            f"the picture has only {width} x {height} pixels",
            f"Use one with at least {MIN_SIDE_PX} pixels on each side; a face wants 256 or more.",
        )
    return image
