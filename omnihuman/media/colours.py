"""A Pillow picture of any mode -> RGB as a viewer shows it, and its transparency. Opens no file.

Used by the decoding child on files and by `image` on arrays that a caller hands in.
"""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageCms

BACKDROP = (255, 255, 255)
_BAND_ROWS = 256
"""Deep grey is worked through in bands: a whole large picture in float64 would take gigabytes."""


def flatten(picture: PillowImage.Image) -> tuple[np.ndarray, np.ndarray | None]:
    """RGB uint8 `H W 3`, transparent parts on white; and how opaque it is, uint8 `H W`, None where all of it is."""
    if picture.mode.startswith(("I", "F")):
        return _from_deep_grey(np.asarray(picture)), None
    picture, alpha = _to_srgb(picture), None
    if picture.has_transparency_data:
        rgba = picture.convert("RGBA")
        opaque = np.asarray(rgba.getchannel("A"))
        alpha = opaque if opaque.min(initial=255) < 255 else None
        picture = PillowImage.alpha_composite(PillowImage.new("RGBA", rgba.size, (*BACKDROP, 255)), rgba)
        del rgba
    return np.ascontiguousarray(np.asarray(picture.convert("RGB"), np.uint8)), alpha


def _from_deep_grey(grey: np.ndarray) -> np.ndarray:
    """16-bit or float grey `H W` -> RGB; white is the smallest usual white that holds the brightest pixel."""
    brightest = float(np.fmax.reduce(grey, axis=None, initial=0))
    white = next((w for w in (1.0, 255.0, 65535.0) if brightest <= w), brightest)
    image = np.empty((*grey.shape, 3), np.uint8)
    for top in range(0, len(grey), _BAND_ROWS):
        band = np.nan_to_num(grey[top : top + _BAND_ROWS].astype(np.float64))
        image[top : top + _BAND_ROWS] = np.clip(band / white * 255.0, 0, 255).round().astype(np.uint8)[..., None]
    return image


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
