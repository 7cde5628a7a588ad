"""Figures of a lecture: nothing overlaps, nothing is outside, lines run through nothing; what is drawn is what the equations say."""

import itertools
import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from strategies import cells

from symrnn import (
    CELLS,
    NETWORKS,
    PROFILES,
    Cell,
    Equation,
    Given,
    Network,
    NotSupportedError,
    Span,
    SpecError,
    Total,
    architecture,
    cell,
    derive,
    dim,
    layer_normalised,
    network,
    parameter,
    series,
    t,
    tanh,
    time_sum,
    truncated,
)
from symrnn.expr import Static
from symrnn.lecture.figures import LABELS, cell_figure, fonts, shapes_figure, unrolled_figure
from symrnn.lecture.figures.arranging import Arrangement, arrange
from symrnn.lecture.figures.dataflow import dataflow
from symrnn.lecture.figures.graph_places import Places
from symrnn.lecture.figures.letters import lettering
from symrnn.lecture.figures.shapes import GRADIENT, WEIGHT, Drawer
from symrnn.lecture.figures.steps import steps_of
from symrnn.lecture.figures.unrolled import said
from symrnn.style import Style
from symrnn.unrolling import unroll

SVG = "{http://www.w3.org/2000/svg}"


def test_the_gradient_of_a_parameter_has_the_colour_of_gradients():
    net = network(cell("rnn"))
    adjoint = next(line.lhs for line in derive(net).lines if isinstance(line.lhs, Static) and line.lhs.orders)
    drawer = Drawer.of(net.equations, Style.of(net, "indexed", "latex"))
    assert (drawer.fill(adjoint), drawer.fill(net.parameters[0])) == (GRADIENT, WEIGHT)


def boxes_of(places):
    """Rectangles of shapes and names."""
    shapes = [(s.x, s.y, s.x + s.width, s.y + s.height, s.vertex.text) for s in places.shapes]
    names = [(x, y - 8, x + lettering(name, 13.0).width, y + 1, name) for name, (x, y) in places.names]
    return shapes, names


def overlap(a, b, by=0.5):
    return a[0] < b[2] - by and b[0] < a[2] - by and a[1] < b[3] - by and b[1] < a[3] - by


def is_inside(box, width, height):
    return box[0] >= 0 and box[1] >= 0 and box[2] <= width and box[3] <= height


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
        assert is_inside(box, places.width, places.height), f"{box} is outside"
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


@settings(max_examples=6, suppress_health_check=list(HealthCheck))
@given(cells())
def test_the_figure_of_a_random_cell_is_clear(found):
    assert_figure_is_clear(found)


@pytest.mark.full
@settings(max_examples=120, suppress_health_check=list(HealthCheck))
@given(cells())
def test_the_figures_of_many_random_cells_are_clear(found):
    assert_figure_is_clear(found)


def assert_figure_is_clear(found):
    net = network(found)
    places = arrange(net, Style.of(net))
    assert_clear(places)
    assert_connected(places, dataflow(net, Style.of(net)))


@pytest.mark.sampled(3)
@pytest.mark.parametrize("profile", PROFILES)
def test_the_figure_is_clear_in_each_notation(profile):
    net = network(cell("lstm-peephole"))
    assert_clear(arrange(net, Style.of(net, profile)))


@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_the_figure_of_a_normalised_cell_is_clear(name):
    net = network(layer_normalised(cell(name)))
    assert_clear(arrange(net, Style.of(net)))


def test_the_check_of_figures_sees_what_is_wrong():
    net = network(cell("lstm"))
    style = Style.of(net)
    boxed = next(k for k, shape in enumerate(arrange(net, style).shapes) if shape.vertex.kind == "weights")
    for change in ("onto another", "outside", "line"):
        places = arrange(net, style)
        shape = places.shapes[boxed]
        if change == "onto another":
            places.shapes[boxed] = places.shapes[boxed - 1].__class__(shape.vertex, *places.shapes[boxed - 1].middle, 20, 20, False)
        elif change == "outside":
            places.height = 100.0
        else:
            line = places.lines[0]
            (x, y), wide = shape.middle, shape.width
            places.lines.append(line.__class__(-2, ((x - wide, y), (x + wide, y)), frozenset(), False, False))
        with pytest.raises(AssertionError):
            assert_clear(places)


def test_a_state_that_only_gates_touch_is_a_straight_line():
    net = network(cell("lstm"))
    places = arrange(net, Style.of(net))
    ways = [line for line in places.lines if line.highway]
    assert {y for line in ways for _, y in line.points} == {ways[0].points[0][1]}
    assert min(x for line in ways for x, _ in line.points) < 70
    ends = {shape.middle[1] for shape in places.shapes if shape.vertex.text in {"c_{t-1}", "c_{t}"}}
    assert ends == {ways[0].points[0][1]}
    assert all(shape.middle[1] >= ways[0].points[0][1] for shape in places.shapes)


def test_a_plain_network_has_no_such_line():
    net = network(cell("rnn"))
    assert not any(line.highway for line in arrange(net, Style.of(net)).lines)


def test_the_graph_is_what_the_equations_say():
    net = network(cell("gru"))
    flow = dataflow(net, Style.of(net))
    texts = [vertex.text for vertex in flow.vertices]
    assert sorted(v.text for v in flow.vertices if v.kind == "weights") == ["U", "U_{r}", "U_{z}", "W", "W_{r}", "W_{z}"]
    assert [v.name for v in flow.vertices if v.name] == ["r_{t}", "z_{t}", r"\tilde{h}_{t}"]
    reset = next(v for v in flow.vertices if v.text == "U")
    assert {texts[k] for k in flow.vertices[reset.reads[0]].reads} == {"h_{t-1}", r"\sigma"}
    assert "1-" in texts


def test_what_goes_on_is_the_state_and_nothing_else():
    for name in ("encoder-decoder", "stacked", "bidirectional"):
        net = architecture(name, cell("gru"))
        flow = dataflow(net, Style.of(net), 1)
        assert [v.text.replace("{", "").partition("_")[0] for v in flow.vertices if v.kind == "result"] in (["h"], ["h^(2)"])


def test_a_truncated_gradient_has_no_way_back_where_it_is_cut():
    net = truncated(network(cell("lstm")), 2)
    found = steps_of(unroll(net, 3), Style.of(net))
    cut = {str(arrow.start) for arrow in found.arrows if not arrow.back}
    assert cut == {"x_1", "x_2", "x_3", "h_2", "c_2"}


def test_what_is_subtracted_has_its_sign():
    h, x, W = series("h", "H"), series("x", "H"), parameter("W", "H", "H")
    net = network(Cell("minus", [(h[t], tanh(W @ h[t - 1] - x[t]))], inputs=[x]))
    flow = dataflow(net, Style.of(net))
    assert next(v.signs for v in flow.vertices if v.kind == "sum") == ["", "-"]


def layouts():
    plain = cell("gru")
    yield "many-to-many", network(cell("lstm"))
    yield "many-to-one", network(cell("rnn"), task="many-to-one")
    yield from ((name, architecture(name, plain)) for name in NETWORKS if name not in {"single", "captioning"})
    yield "fed by its output", network(cell("rnn"), task="one-to-many", feed="output")
    h, x, W = series("h", "H"), series("x", "D"), parameter("W", "H", "H")
    U = parameter("U", "H", "D")
    yield "two steps back", network(Cell("far", [(h[t], tanh(W @ h[t - 1] + U @ x[t] + h[t - 2]))], inputs=[x]))
    yield "three layers", architecture("stacked", [plain, plain, plain])


UNROLLED = dict(layouts())


@pytest.mark.sampled(3)
@pytest.mark.parametrize("steps", [3, 5])
@pytest.mark.parametrize("name", UNROLLED)
def test_the_unrolled_figure_is_clear(name, steps):
    net = UNROLLED[name]
    places = Places(steps_of(unroll(net, steps), Style.of(net)))
    boxes = {key: (s.middle[0] - s.width / 2, s.middle[1] - s.height / 2, s.middle[0] + s.width / 2, s.middle[1] + s.height / 2)
             for key, s in places.spots.items()}
    for a, b in itertools.combinations(boxes.values(), 2):
        assert not overlap(a, b)
    for box in boxes.values():
        assert box[0] >= 0
        assert box[1] >= 0
        assert box[2] <= places.width
        assert box[3] <= places.height
    assert all(arrow.start in boxes and arrow.end in boxes for arrow in places.found.arrows)
    for arrow in places.found.arrows:
        way = places.way(arrow.start, arrow.end)
        for a, b in itertools.pairwise(way):
            assert a[0] == pytest.approx(b[0]) or a[1] == pytest.approx(b[1])
            for key, box in boxes.items():
                assert key in (arrow.start, arrow.end) or not runs_through(box, (0, a, b)), f"{arrow} runs through {key}"


@pytest.mark.parametrize("profile", ["indexed", "d2l", "goodfellow"])
def test_what_is_said_beside_arrows_stays_inside(profile):
    net = network(cell("lstm"))
    style = Style.of(net, profile)
    places = Places(steps_of(unroll(net, 3, notation=profile), style))
    texts = [one for arrow in places.found.arrows for one in said(arrow, places.way(arrow.start, arrow.end))]
    width = float(ET.fromstring(unrolled_figure(net, style, LABELS)).get("width"))
    assert len(texts) > 12
    assert all(one.ends[0] > 0 and one.ends[1] < width for one in texts)


def test_the_unrolled_figure_says_what_flows_back():
    net = network(cell("lstm"))
    found = steps_of(unroll(net, 3), Style.of(net))
    assert len(found.steps) == 3
    assert {arrow.back_text for arrow in found.arrows} >= {rf"\delta {q}_{{{k}}}" for q in "hc" for k in (1, 2, 3)}
    assert r"W_{hy}^{\top} \delta a_{y,2}" in {arrow.back_text for arrow in found.arrows}
    assert not any(arrow.back for arrow in found.arrows if found.values.get(arrow.start) == "input")


def test_attention_is_refused_in_one_line():
    net = architecture("captioning", cell("gru"))
    with pytest.raises(NotSupportedError, match=r"^the drawing shows who reads whom at which time, .* draw the network without attention$"):
        unrolled_figure(net, Style.of(net), LABELS)


def test_a_network_without_states_and_outputs_is_refused_in_one_line():
    L, x = Static("L"), series("x", "D")
    net = Network("sum", (Given(x, "input", Span(1, dim("T"))),), (Equation(L, time_sum(Total(x[t]), 1, dim("T")), None, "loss"),), L)
    with pytest.raises(NotSupportedError, match=r"^the drawing shows who reads whom at which time, and this network has neither"):
        unrolled_figure(net, Style.of(net), LABELS)


def test_shapes_have_a_square_for_each_entry():
    net = network(cell("rnn"))
    equation = net.equations[0]
    root = ET.fromstring(shapes_figure([equation], Style.of(net), LABELS))
    grids = [r for r in root.iter(f"{SVG}rect") if r.get("rx") == "1.5"]
    sizes = sorted((round(float(r.get("height")) / 11), round(float(r.get("width")) / 11)) for r in grids)
    assert sizes == sorted([(4, 1), (4, 4), (4, 1), (4, 3), (3, 1), (4, 1)])


@pytest.mark.parametrize("profile", ["indexed", "d2l", "goodfellow"])
@pytest.mark.parametrize("name", ["lstm", "rnn-block", "gru-reset-after"])
def test_shapes_of_all_lines_stay_inside(name, profile):
    net = network(cell(name))
    style = Style.of(net, profile)
    derivation = derive(net)
    lines = [line for adjoint in derivation.adjoints for line in adjoint.lines]
    root = ET.fromstring(shapes_figure([*net.equations, *lines], style, LABELS))
    width, height = (float(root.get(side)) for side in ("width", "height"))
    grids = [tuple(float(r.get(k)) for k in ("x", "y", "width", "height")) for r in root.iter(f"{SVG}rect") if r.get("rx") == "1.5"]
    assert grids
    for x, y, wide, high in grids:
        assert x >= 0
        assert y >= 0
        assert x + wide <= width
        assert y + high <= height
    for a, b in itertools.combinations([(x, y, x + w, y + h) for x, y, w, h in grids], 2):
        assert not overlap(a, b)


def test_shapes_need_an_equation():
    net = network(cell("rnn"))
    with pytest.raises(SpecError, match=r"^the figure of shapes needs at least one equation; "):
        shapes_figure([], Style.of(net), LABELS)


def figures():
    net = network(cell("gru"))
    style = Style.of(net)
    return {"cell": lambda labels: cell_figure(net, style, labels), "unrolled": lambda labels: unrolled_figure(net, style, labels),
            "shapes": lambda labels: shapes_figure(net.equations, style, labels)}


@pytest.mark.parametrize("kind", ["cell", "unrolled", "shapes"])
def test_a_figure_stands_alone(kind):
    text = figures()[kind](LABELS)
    assert text == figures()[kind](LABELS)
    root = ET.fromstring(text)
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    assert root.get("viewBox")
    assert root.find(f"{SVG}title").text
    assert root.find(f"{SVG}desc").text
    assert not re.search(r"href|url\(|@import|<image|<style| id=", text), "a figure needs nothing from elsewhere"
    assert "nan" not in text
    assert "inf" not in re.sub(r"<text.*?</text>|<desc>.*?</desc>", "", text)
    assert "{" not in "".join(element.text or "" for element in root.iter(f"{SVG}text"))


@pytest.mark.parametrize("kind", ["cell", "unrolled", "shapes"])
def test_a_figure_speaks_the_language_of_its_labels(kind):
    labels = {key: f"말 {key}" for key in LABELS}
    root = ET.fromstring(figures()[kind](labels))
    said = [element.text for tag in ("text", "title", "desc") for element in root.iter(SVG + tag)]
    assert sum(text.startswith("말 ") for text in said) >= 3
    assert not set(said) & set(LABELS.values())


def test_letters_sit_where_mathematics_has_them():
    plain, low, high, both = (lettering(text, 10.0) for text in ("h", "h_{t-1}", "h^{(t)}", "W_{f}^{\\top}"))
    assert low.width > plain.width
    assert low.below > plain.below
    assert high.above > plain.above
    assert both.width < lettering(r"W_{f}\top", 10.0).width + 1
    assert lettering(r"\tilde{h}", 10.0).above > plain.above


def test_a_derivative_on_one_line_ends_where_it_ends():
    alone, followed = (["".join(p.letter for p in lettering(text, 10.0).placed)] for text in (r"\frac{\partial L}{\partial b}", r"\frac{\partial L}{\partial b} W"))
    assert alone == ["∂𝐿/∂𝑏"]
    assert followed == ["(∂𝐿/∂𝑏)𝑊"]


def test_without_the_font_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr(fonts, "find_spec", lambda name: None)
    with pytest.raises(NotSupportedError, match=r"^figures of a lecture need .* pip install 'symrnn\[lecture\]'$"):
        fonts.font.__wrapped__()
