from collections import Counter

import numpy as np
import pytest

from omnihuman.perception import mesh_topology as topology


def directed_edges(faces):
    return [pair for a, b, c in faces.tolist() for pair in ((a, b), (b, c), (c, a))]


def test_counts():
    assert topology.triangles().shape == (852, 3)
    assert topology.edges().shape == (1322, 2)
    assert set(topology.triangles().ravel().tolist()) == set(range(topology.NUM_BASE_POINTS))


def test_is_a_disc_with_three_holes():
    euler = topology.NUM_BASE_POINTS - len(topology.edges()) + len(topology.triangles())
    assert euler == 1 - 3


def test_neighbours_are_turned_alike():
    assert max(Counter(directed_edges(topology.triangles())).values()) == 1


def test_borders_are_the_named_rings():
    loops = topology.border_loops()
    assert [len(loop) for loop in loops] == [36, 20, 16, 16]
    named = {frozenset(ring) for ring in topology.HOLES.values()}
    assert {frozenset(loop) for loop in loops} == named


@pytest.mark.parametrize("ring", topology.HOLES.values(), ids=topology.HOLES)
def test_rings_run_along_edges(ring):
    edges = {frozenset(pair) for pair in topology.edges().tolist()}
    assert all(frozenset(pair) in edges for pair in zip(ring, ring[1:] + ring[:1], strict=True))


def test_mirror_is_its_own_inverse():
    mirror = topology.mirror()
    assert (mirror[mirror] == np.arange(topology.NUM_POINTS)).all()
    assert (mirror == np.arange(topology.NUM_POINTS)).sum() == 28


def test_mirror_keeps_the_mesh_nearly():
    """The published edge list is itself mirrored but for six diagonals."""
    mirror = topology.mirror()
    edges = {frozenset(pair) for pair in topology.edges().tolist()}
    assert sum(frozenset(mirror[list(pair)].tolist()) not in edges for pair in edges) <= 6


@pytest.mark.parametrize("part", ["EYE_{}_UPPER", "EYE_{}_LOWER", "BROW_{}_UPPER", "BROW_{}_LOWER"])
def test_left_parts_mirror_right_parts(part):
    right, left = (getattr(topology, part.format(side)) for side in ("RIGHT", "LEFT"))
    assert tuple(topology.mirror()[list(right)]) == left


@pytest.mark.parametrize("part", ["LIPS_INNER_UPPER", "LIPS_INNER_LOWER", "LIPS_OUTER_UPPER", "LIPS_OUTER_LOWER"])
def test_lips_mirror_themselves(part):
    row = getattr(topology, part)
    assert tuple(topology.mirror()[list(row)]) == row[::-1]
