"""How a generated video is marked, and how a record of ours is told from a file of somebody else. Loads nothing.

The mark follows IPTC's vocabulary for synthetic media (digital source type).
"""

from __future__ import annotations

from pathlib import Path

SCHEMA = 1
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
NOTICE = "AI-generated: a still picture animated by OmniHuman (open implementation)"


def is_record(path: Path) -> bool:
    """Whether a file is a record that this program wrote."""
    try:
        return NOTICE in path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
