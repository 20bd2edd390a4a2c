"""What tells one drawn person from another: outline, colours, hair, clothes. Data only."""

from __future__ import annotations

from dataclasses import dataclass

from studio.canvas import Colour, Points, rgb

Ramp = tuple[tuple[float, Colour], ...]


def stops(*pairs: tuple[float, str]) -> Ramp:
    """Colour stops from hexadecimal codes, dark to light."""
    return tuple((at, rgb(code)) for at, code in pairs)


@dataclass(frozen=True)
class Look:
    """One person.

    Attributes:
        seed: Seed of strands and freckles.
        face: Right half of the face outline, forehead to chin.
        skin: Colours of lit skin by brightness.
        blush: Colour of cheeks, nose tip and ears.
        lips: Colours of lit lips by brightness.
        lip_line: Colour between the lips.
        iris: Outer, middle and inner colour of the iris.
        lash: Colour of lashes and lid line.
        brow: Dark and light colour of the brows.
        brow_weight: Thickness of the brows, 1 = slender.
        brow_lift: Pixels that the arch of the brows is raised.
        hair: Strand colours by brightness.
        nose_width: 1 = slender.
        jaw: Strength of the jaw and cheek relief, 1 = soft.
        age: 0 = smooth skin, 1 = lines of a lifetime.
        eye: Size of the eyes, 1 = as in life.
        smile: Pixels that the mouth corners are raised.
        neck: Half width of the neck, pixels.
        shoulder: Half width of the shoulders, pixels.
        cloth: Colours of lit clothing by brightness.
        background: Centre and edge colour of the background.
    """

    seed: int
    face: Points
    skin: Ramp
    blush: Colour
    lips: Ramp
    lip_line: Colour
    iris: tuple[Colour, Colour, Colour]
    lash: Colour
    brow: tuple[Colour, Colour]
    brow_weight: float
    brow_lift: float
    hair: Ramp
    nose_width: float
    jaw: float
    age: float
    eye: float
    smile: float
    neck: float
    shoulder: float
    cloth: Ramp
    background: tuple[Colour, Colour]


# fmt: off
ADA = Look(
    seed=7,
    face=[
        (0, -186), (62, -176), (106, -132), (124, -70), (126, -10), (122, 40), (114, 84), (100, 120),
        (78, 152), (50, 176), (24, 187), (0, 190),
    ],
    skin=stops(
        (0.10, "6e3a30"), (0.38, "b06d57"), (0.60, "dba083"), (0.78, "efc2a4"), (0.93, "f9dcc4"), (1.0, "fff0e0")
    ),
    blush=rgb("d8624f"),
    lips=stops((0.2, "7c2f33"), (0.55, "b5534f"), (0.8, "cf746a"), (0.97, "eeb0a2")),
    lip_line=rgb("6a262c"),
    iris=(rgb("2f2417"), rgb("6f5a2f"), rgb("a58a45")),
    lash=rgb("241613"),
    brow=(rgb("3a231a"), rgb("5d3d2c")),
    brow_weight=1.0,
    brow_lift=3.0,
    hair=stops((0.0, "1d0f0b"), (0.35, "3b2116"), (0.65, "66402a"), (0.88, "996943"), (1.0, "c79a6c")),
    nose_width=0.92,
    jaw=0.55,
    age=0.0,
    eye=1.17,
    smile=4.5,
    neck=50,
    shoulder=236,
    cloth=stops((0.1, "123a40"), (0.45, "1f6168"), (0.7, "338389"), (0.95, "62abab")),
    background=(rgb("f3ead9"), rgb("bccbc6")),
)

OMAR = Look(
    seed=11,
    face=[
        (0, -186), (66, -178), (112, -134), (130, -72), (132, -10), (129, 44), (123, 92), (112, 132),
        (91, 168), (62, 192), (30, 203), (0, 205),
    ],
    skin=stops(
        (0.10, "22110c"), (0.38, "4c2a1d"), (0.60, "7d4b32"), (0.78, "a0674a"), (0.93, "bf8a68"), (1.0, "dcb394")
    ),
    blush=rgb("8a3a28"),
    lips=stops((0.2, "331616"), (0.55, "6d3b35"), (0.8, "8d544a"), (0.97, "b98074")),
    lip_line=rgb("2b1112"),
    iris=(rgb("140b07"), rgb("3a2314"), rgb("5d3a20")),
    lash=rgb("150c0a"),
    brow=(rgb("3b3733"), rgb("77726c")),
    brow_weight=1.45,
    brow_lift=-3.0,
    hair=stops((0.0, "2c2a29"), (0.35, "57534f"), (0.65, "8d8883"), (0.88, "bcb7b1"), (1.0, "e2ded9")),
    nose_width=1.32,
    jaw=1.25,
    age=1.0,
    eye=1.0,
    smile=3.0,
    neck=69,
    shoulder=276,
    cloth=stops((0.1, "1c2536"), (0.45, "33415a"), (0.7, "4c5e7b"), (0.95, "7f93ad")),
    background=(rgb("f1e2c9"), rgb("d2b795")),
)
# fmt: on
