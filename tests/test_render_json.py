"""JSON of a derivation: an exact round trip, a readable tree, one line for what cannot be read."""

from __future__ import annotations

import json

import pytest
from sympy import Float, Rational, Symbol
from test_render import CASES, T, backward_network, derivation_of

from symrnn.bptt import derive
from symrnn.cells import cell
from symrnn.derivation import hessian_vector_network
from symrnn.equations import Cell
from symrnn.errors import SpecError
from symrnn.expr import dim, t
from symrnn.functions import parameter, series, tanh
from symrnn.networks import network
from symrnn.printing import from_json, render


@pytest.mark.sampled(11)
@pytest.mark.parametrize(("name", "task"), CASES)
def test_json_reads_back_to_an_equal_derivation(name, task):
    derivation = derivation_of(name, task=task)
    text = render(derivation, "json")
    again = from_json(text)
    assert again == derivation
    assert again.lines == derivation.lines
    assert render(again, "json") == text
    assert render(again) == render(derivation)


@pytest.mark.parametrize("derivation", [
    derive(hessian_vector_network(derivation_of(task="many-to-one"))),
    derive(network(cell("gru"), over_time="mean", over_batch="mean", mask=True)),
    derive(network(cell("rnn")).with_sizes({T: 4, dim("H"): 3})),
    derivation_of().leading_to("W_hh"),
    derive(backward_network()),
], ids=["second order", "means and a mask", "numbers for sizes", "one gradient", "backward scan"])
def test_json_carries_every_kind_of_derivation(derivation):
    assert from_json(render(derivation, "json")) == derivation


def test_json_carries_numbers_and_letters_exactly():
    x, h, W = series("x", "H"), series("h", "H"), parameter("W", "H", "H")
    beta, size = Symbol("beta", positive=True), Symbol("H")
    formula = tanh(W @ h[t - 1]) + Float("0.1") * x[t] + beta**2 * x[t] + Rational(2, 3) * size * (x[t] * x[t])
    derivation = derive(network(Cell("own", [(h[t], formula)], inputs=[x])))
    assert from_json(render(derivation, "json")) == derivation


def test_json_is_a_readable_tree():
    tree = json.loads(render(derivation_of(task="many-to-one"), "json", notation="notes-000"))
    assert (tree["symrnn"], tree["kind"]) == (1, "derivation")
    assert tree["symbols"]["T"] == {"name": "T", "assumptions": {"integer": True, "positive": True}}
    assert tree["quantities"]["d_W_hh"] == {
        "kind": "static", "name": "W_hh", "orders": [1], "shape": [{"symbol": "H"}, {"symbol": "H"}],
    }
    adjoint = next(a for a in tree["derivation"]["adjoints"] if a["of"] == {"quantity": "h"})
    line = adjoint["lines"][-1]
    assert line["latex"] == r"\delta h^{(t)} = V^{\top} \delta a_{y}^{(t)}"
    assert line["rhs"] == {"node": "Product", "args": [
        {"node": "Transposed", "args": [{"quantity": "W_hy"}]}, {"quantity": "d_a_y", "time": {"symbol": "t"}},
    ]}


def test_json_of_another_version_or_kind_is_refused():
    tree = json.loads(render(derivation_of(), "json"))
    with pytest.raises(SpecError, match=r"^unknown version 2 of symrnn's JSON; this symrnn reads version 1$"):
        from_json(json.dumps({**tree, "symrnn": 2}))
    with pytest.raises(SpecError, match=r"^unknown kind 'cell' of symrnn's JSON; expected 'derivation'$"):
        from_json(json.dumps({**tree, "kind": "cell"}))
    with pytest.raises(SpecError, match=r'^this JSON is not from symrnn: it has no "symrnn" version'):
        from_json("[1, 2]")


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "not JSON"])
def test_what_is_not_json_is_refused(text):
    with pytest.raises(SpecError, match=r"^this is not JSON \(.*\); write it again with render\(derivation, 'json'\)$"):
        from_json(text)


def broken(path, value):
    """The JSON of a derivation with one place changed."""
    tree = json.loads(render(derivation_of(), "json"))
    place = tree
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return json.dumps(tree)


DAMAGE = [
    (("quantities",), {}),
    (("symbols",), []),
    (("symbols", "T", "assumptions"), {"integer": True, "real": False}),
    (("quantities", "h", "kind"), "matrix"),
    (("quantities", "h", "shape"), [{"symbol": "K"}, 1]),
    (("derivation",), {"record": "Derivation"}),
    (("derivation",), {"record": "os.system"}),
    (("derivation",), 7),
    (("derivation", "adjoints", 0), None),
    (("derivation", "network", "blocks"), []),
    (("derivation", "adjoints", 2, "lines", 0, "rhs"), {"node": "Plus", "args": [1, 2]}),
    (("derivation", "adjoints", 2, "lines", 0, "rhs"), {"node": "Explode", "args": []}),
    (("derivation", "adjoints", 2, "lines", 0, "span", "lo"), {"number": "1/0"}),
    (("derivation", "adjoints", 2, "lines", 0, "span", "lo"), {"number": "__import__('os')"}),
    (("derivation", "adjoints", 2, "lines", 0, "span", "lo"), "1 + 1"),
    (("derivation", "adjoints", 2, "lines", 0, "rhs"), {"node": "Scaled", "args": ["1 + 1", {"quantity": "h"}]}),
    (("derivation", "adjoints", 2, "lines", 0, "rhs"), {"node": "Zeros", "args": [["1 + 1"], 1]}),
    (("derivation", "adjoints", 2, "lines"), "none"),
    (("derivation", "least"), [["T"]]),
    (("derivation", "extra"), 1),
]


@pytest.mark.parametrize(("path", "value"), DAMAGE, ids=[".".join(map(str, path)) + f"={value}" for path, value in DAMAGE])
def test_a_damaged_derivation_gives_one_line(path, value):
    with pytest.raises(SpecError, match=r"^this derivation is damaged[^\n]*$") as caught:
        from_json(broken(path, value))
    assert "\n" not in str(caught.value)
