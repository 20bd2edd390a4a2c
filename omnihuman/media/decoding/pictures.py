"""A picture file -> RGB and transparency, by Pillow with a list of formats. Runs in the decoding child."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np

# Named, so that Pillow does not load its seventy other readers to look for these.
from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    ImageOps,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)
from PIL import Image as PillowImage

from omnihuman.errors import InputError
from omnihuman.media.colours import flatten
from omnihuman.media.files import LONGEST_NAME
from omnihuman.media.limits import MAX_PICTURE_PIXELS, PICTURE_FORMATS
from omnihuman.media.messages import Message

_PLUGINS = (BmpImagePlugin, GifImagePlugin, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin)
_BOMBS = (PillowImage.DecompressionBombWarning, PillowImage.DecompressionBombError)


def answer_picture(path: Path) -> Iterator[Message]:
    """The messages `picture`, and `alpha` where a part is transparent."""
    image, alpha = decode_picture(path)
    yield Message("picture", image)
    if alpha is not None:
        yield Message("alpha", alpha)


def decode_picture(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """The picture, or the first of an animation, upright in sRGB.

    Returns:
        RGB uint8 `H W 3` and uint8 `H W`, 255 = opaque, or None where all of it is.

    Raises:
        InputError: image_format, image_unreadable or image_too_large.
    """
    name = path.name[:LONGEST_NAME]
    PillowImage.MAX_IMAGE_PIXELS = MAX_PICTURE_PIXELS
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", PillowImage.DecompressionBombWarning)
            with PillowImage.open(path, formats=PICTURE_FORMATS) as picture:
                return flatten(ImageOps.exif_transpose(picture))
    except UnidentifiedImageError:
        hint = f"Save it as one of {', '.join(PICTURE_FORMATS)}."
        raise InputError("image_format", f"{name!r} is not a picture that can be read", hint) from None
    except _BOMBS:
        cause = f"the picture has more than {MAX_PICTURE_PIXELS // 10**6} megapixels"
        raise InputError("image_too_large", cause, "Scale it down first.") from None
    except (OSError, ValueError, SyntaxError) as error:
        raise InputError("image_unreadable", f"{name!r} is damaged: {error}", "Save the picture again.") from None
