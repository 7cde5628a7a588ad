"""Figures of a lecture: nothing overlaps, nothing is outside, lines run through nothing; what is drawn is what the equations say."""

import itertools
import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings

from symrnn import CELLS, NETWORKS, PROFILES, NotSupportedError, SpecError, architecture, cell, derive, layer_normalised, network
from symrnn.lecture.figures import LABELS, cell_figure, shapes_figure, unrolled_figure
from symrnn.lecture.figures.arranging import Arrangement, arrange
from symrnn.lecture.figures.dataflow import dataflow
from symrnn.lecture.figures.graph_places import Places
from symrnn.lecture.figures.letters import lettering
from symrnn.lecture.figures.steps import steps_of
from symrnn.style import Style
from symrnn.unrolling import unroll
from tests.strategies import cells

SVG = "{http://www.w3.org/2000/svg}"


def boxes_of(places):
    """Rectangles of shapes and names."""
    shapes = [(s.x, s.y, s.x + s.width, s.y + s.height, s.vertex.text) for s in places.shapes]
    names = [(x, y - 8, x + lettering(name, 13.0).width, y + 1, name) for name, (x, y) in places.names]
    return shapes, names


def overlap(a, b, by=0.5):
    return a[0] < b[2] - by and b[0] < a[2] - by and a[1] < b[3] - by and b[1] < a[3] - by


def pieces_of(places):
    return [(line.net, a, b) for line in places.lines for a, b in itertools.pairwise(line.points) if a != b]


def runs_through(box, piece):
    """Whether a piece of a line is inside of a box."""
    _, (ax, ay), (bx, by) = piece
    return overlap(box, (min(ax, bx) - 0.01, min(ay, by) - 0.01, max(ax, bx) + 0.01, max(ay, by) + 0.01), by=0.6)


def on_top(one, other):
    """Whether two pieces of lines of different values lie on each other."""
    if one[0] == other[0]:
        return False
    for k in (0, 1):
        ends = [sorted((p[1][1 - k], p[2][1 - k])) for p in (one, other)]
        same = abs(one[1][k] - one[2][k]) < 0.01 and abs(other[1][k] - other[2][k]) < 0.01 and abs(one[1][k] - other[1][k]) < 2.0
        if same and min(ends[0][1], ends[1][1]) - max(ends[0][0], ends[1][0]) > 1.0:
            return True
    return False


def assert_clear(places: Arrangement):
    shapes, names = boxes_of(places)
    for a, b in itertools.combinations(shapes + names, 2):
        assert not overlap(a, b), f"{a} and {b} overlap"
    for box in shapes + names:
        assert box[0] >= 0 and box[1] >= 0 and box[2] <= places.width and box[3] <= places.height, f"{box} is outside"
    pieces = pieces_of(places)
    for _, a, b in pieces:
        assert a[0] == pytest.approx(b[0]) or a[1] == pytest.approx(b[1]), "a line runs askew"
        assert all(0 <= x <= places.width and 0 <= y <= places.height for x, y in (a, b))
    for box in shapes:
        for piece in pieces:
            assert not runs_through(box, piece), f"{piece} runs through {box}"
    for one, other in itertools.combinations(pieces, 2):
        assert not on_top(one, other), f"{one} lies on {other}"


def assert_connected(places, flow):
    """Each read of each node has a line that ends at the node with the head of an arrow."""
    heads = sum(line.arrow for line in places.lines)
    assert heads == sum(len(vertex.reads) for vertex in flow.vertices)
    assert len(places.shapes) == len(flow.vertices)


@pytest.mark.parametrize("name", CELLS)
def test_the_figure_of_each_cell_is_clear(name):
    net = network(cell(name))
    places = arrange(net, Style.of(net))
    assert_clear(places)
    assert_connected(places, dataflow(net, Style.of(net)))


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(cells())
def test_the_figure_of_a_random_cell_is_clear(found):
    net = network(found)
    places = arrange(net, Style.of(net))
    assert_clear(places)
    assert_connected(places, dataflow(net, Style.of(net)))
