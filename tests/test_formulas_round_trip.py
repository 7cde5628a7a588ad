"""What symrnn prints is read back: each formula of each derivation, in LaTeX and as text, in every notation."""

from __future__ import annotations

from functools import cache

import pytest
from amounts import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import cells, networks
from sympy import Integer

from symrnn import writer
from symrnn.bptt import derive
from symrnn.cells import CELLS, cell
from symrnn.derivation import Derivation, hessian_vector_network
from symrnn.errors import SymrnnError
from symrnn.expr import At, Node, Static
from symrnn.formulas import FormulaError
from symrnn.formulas.letters import Letters
from symrnn.formulas.reading import UNDECIDED, read_with
from symrnn.formulas.same import equal_values
from symrnn.layernorm import layer_normalised
from symrnn.loading import load_network
from symrnn.networks import Network, network
from symrnn.notation import PROFILES, Notation
from symrnn.style import Style

MEDIA = ("latex", "unicode")
WIRED = {
    "stacked": ("lstm,gru", {"network": "stacked", "residual": True}),
    "four layers": ("gru", {"network": "stacked", "layers": 4}),
    "bidirectional": ("lstm", {"network": "bidirectional", "layers": 2}),
    "scaled dot": ("lstm", {"network": "encoder-decoder", "attention": "scaled-dot", "source_mask": True}),
    "additive": ("gru", {"network": "encoder-decoder", "attention": "additive"}),
    "captions": ("lstm", {"network": "captioning", "attention": "additive"}),
    "language model": ("lstm", {"network": "language-model"}),
    "embedding": ("gru", {"embed": True}),
    "windows": ("lstm", {"truncate": "J"}),
    "lag": ("rnn", {"truncate": 3, "truncate_form": "lag"}),
    "dropout": ("gru", {"dropout": "same", "mask": True, "over_time": "mean", "over_batch": "mean"}),
    "many to one": ("gru-reset-after", {"loss": "binary-cross-entropy", "task": "many-to-one"}),
    "squared error": ("lstm-peephole", {"loss": "squared-error", "readout": "linear"}),
}
OWN = (
    Notation("arrows", "", direction="arrows", time="h^(t)"), Notation("rows and bars", "", form="rows", adjoint="bar", time="h^t"),
    Notation("rows and nablas", "", form="rows", adjoint="nabla", time="h^(t)"), Notation("fractions", "", adjoint="fraction", time="h^t"),
)
MANNERS = (*PROFILES.values(), *OWN)


@cache
def derivation_of(name: str) -> Derivation:
    if name == "layer-normalised":
        return derive(network(layer_normalised(cell("lstm-block"))))
    if name == "open function":
        return derive(network(cell("rnn", activation="phi")))
    if name == "second order":
        return derive(hessian_vector_network(derive(network(cell("rnn")))))
    if name in WIRED:
        made, options = WIRED[name]
        return derive(load_network(made, {}, options, {}))
    return derive(network(cell(name)))


def assert_read_back(derivation: Derivation, notation: Notation, medium: str) -> int:
    """Hold every line against what is read from its text; return how many formulas were undecided, and refused."""
    whole = derivation.as_network()
    letters = Letters.of(whole, notation)
    style = Style.of(whole, notation, medium)
    refused = 0
    for line in (*derivation.network.equations, *derivation.lines):
        text = writer.formula(line.rhs, style)
        try:
            found = read_with(text, letters, line.rhs.shape)
        except FormulaError as error:
            if error.reason != UNDECIDED or not ("0" in text or "e_{" in text):
                raise AssertionError(f"{text}: {error}") from None
            refused += 1
            continue
        assert found == line.rhs or equal_values(found, line.rhs), (text, writer.text(found))
    return refused


@pytest.mark.sampled(11)
@pytest.mark.parametrize("notation", MANNERS, ids=[m.name for m in MANNERS])
@pytest.mark.parametrize("name", CELLS)
def test_cells_are_read_back(name: str, notation: Notation) -> None:
    medium = MEDIA[(list(CELLS).index(name) + MANNERS.index(notation)) % 2]
    assert assert_read_back(derivation_of(name), notation, medium) == 0


@pytest.mark.full
@pytest.mark.sampled(5, 5)
@pytest.mark.parametrize("notation", MANNERS, ids=[m.name for m in MANNERS])
@pytest.mark.parametrize("name", [*CELLS, *WIRED, "layer-normalised", "open function", "second order"])
@pytest.mark.parametrize("medium", MEDIA)
def test_everything_is_read_back(name: str, notation: Notation, medium: str) -> None:
    assert assert_read_back(derivation_of(name), notation, medium) == 0


@pytest.mark.sampled(7)
@pytest.mark.parametrize("name", [*WIRED, "layer-normalised", "open function", "second order"])
def test_networks_are_read_back(name: str) -> None:
    place = ([*WIRED, "layer-normalised", "open function", "second order"]).index(name)
    for number, medium in enumerate(MEDIA):
        assert assert_read_back(derivation_of(name), MANNERS[(2 * place + number) % len(MANNERS)], medium) == 0


def drawn_derivation(drawn: Network) -> Derivation | None:
    try:
        return derive(drawn)
    except SymrnnError:
        return None


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(cells(), st.sampled_from(MANNERS), st.sampled_from(MEDIA))
def test_random_cells_are_read_back(drawn: object, notation: Notation, medium: str) -> None:
    derivation = drawn_derivation(network(drawn))
    if derivation is not None:
        assert_read_back(derivation, notation, medium)


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=examples(15))
@given(networks(), st.sampled_from(MANNERS), st.sampled_from(MEDIA))
def test_random_networks_are_read_back(drawn: Network, notation: Notation, medium: str) -> None:
    derivation = drawn_derivation(drawn)
    if derivation is not None:
        assert_read_back(derivation, notation, medium)


def assert_different(a: Node, b: Node) -> None:
    assert not equal_values(a, b)


def test_the_comparison_of_values_can_fail() -> None:
    line = derivation_of("lstm").lines
    rhs = next(e.rhs for e in line if e.lhs.key == "d_c_t" and len(e.rhs.args) == 2)
    later = next(leaf for leaf in rhs.atoms(At) if leaf.name == "f")
    assert_different(rhs, rhs.xreplace({later: later.series[later.time - 1]}))
    assert_different(rhs, rhs.args[0])
    matrix = Static("W", (), "H", "H")
    assert_different(matrix, matrix.T)
    assert_different(matrix, Integer(2) * matrix)
