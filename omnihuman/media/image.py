"""Picture files -> RGB arrays and transparency, upright and in sRGB. Nothing learned, nothing drawn.

Files are decoded by `decoding.pictures` in a child process; arrays of the caller are looked at here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image as PillowImage

from omnihuman.errors import InputError
from omnihuman.media.colours import flatten
from omnihuman.media.files import LONGEST_NAME
from omnihuman.media.limits import MAX_PICTURE_PIXELS, MIN_SIDE_PX
from omnihuman.media.messages import Bound
from omnihuman.media.sandbox import Task, decode
from omnihuman.types import Float, Image

_TASK = Task(
    "picture",
    "image",
    {
        "picture": Bound("uint8", 2, MAX_PICTURE_PIXELS, (3,)),
        "alpha": Bound("uint8", 2, MAX_PICTURE_PIXELS),
    },
)


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
    """Decodes one picture the way a viewer shows it, in a child process.

    Args:
        path: A still picture; of an animation the first frame is taken.

    Raises:
        InputError: image_missing, image_format, image_unreadable, image_too_large or image_too_small.
    """
    found = {message.kind: message.array for message in decode(_TASK, path)}
    image, alpha = found.get("picture"), found.get("alpha")
    if image is None or (alpha is not None and alpha.shape != image.shape[:2]):
        raise InputError("image_unreadable", f"{path.name[:LONGEST_NAME]!r} is damaged", "Save the picture again.")
    return _picture(image, alpha)


def write_image(path: Path, image: Image) -> None:
    """Writes RGB uint8 `H W 3` in the format of the suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    PillowImage.fromarray(image).save(path)


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
        return _picture(*flatten(PillowImage.fromarray(squeezed)))
    return _picture(image, None)


def _picture(image: Image, alpha: Image | None) -> Picture:
    height, width = image.shape[:2]
    if min(height, width) < MIN_SIDE_PX:
        raise InputError(
            "image_too_small",
            f"the picture has only {width} x {height} pixels",
            f"Use one with at least {MIN_SIDE_PX} pixels on each side; a face wants 256 or more.",
        )
    return Picture(image, None if alpha is None else alpha.astype(np.float32) / np.float32(255))
