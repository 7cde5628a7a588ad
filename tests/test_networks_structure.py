"""The size of a derivation follows from its different layers, not from its lengths; networks are plain values."""

from __future__ import annotations

import pickle
from itertools import pairwise
from typing import Any

import pytest
from sympy import preorder_traversal

from symrnn.bptt import derive
from symrnn.cells import cell
from symrnn.networks import NETWORKS, Network, architecture
from symrnn.printing import from_json, render

DEPTH: dict[str, dict[str, Any]] = {
    "stacked": {"layers": 2}, "bidirectional": {"layers": 2}, "encoder-decoder": {"attention": "additive", "source_mask": True},
    "captioning": {"attention": "general"}, "language-model": {"layers": 2, "task": "many-to-one"}, "single": {},
}


def nodes(network: Network) -> int:
    """Number of nodes of the formulas of a derivation."""
    derivation = derive(network)
    return sum(1 for line in (*network.equations, *derivation.lines) for _ in preorder_traversal(line.rhs))


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", NETWORKS)
def test_size_does_not_depend_on_the_lengths(name: str) -> None:
    network = architecture(name, cell("lstm"), **DEPTH[name])
    letters = {str(size) for size in network.sizes} & {"T", "S"}
    assert letters == {"encoder-decoder": {"S", "T"}, "captioning": {"S", "T"}}.get(name, {"T"})
    counts = [nodes(network.with_sizes(dict.fromkeys(letters, length))) for length in (10, 1000)]
    symbolic = nodes(network)
    assert counts[0] == counts[1]
    assert abs(symbolic - counts[0]) <= 0.05 * symbolic  # T + 1 is a number there


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", ["stacked", "bidirectional", "encoder-decoder", "language-model"])
def test_size_is_linear_in_the_number_of_layers(name: str) -> None:
    counts = [nodes(architecture(name, cell("lstm"), layers=layers)) for layers in (2, 3, 4, 5)]
    steps = [after - before for before, after in pairwise(counts)]
    assert steps[0] > 100
    assert len(set(steps)) == 1


def test_different_cells_add_up() -> None:
    """A layer costs what its cell costs, up to the few terms by which it meets the one above."""
    gru, lstm = cell("gru"), cell("lstm")
    pure = [nodes(architecture("stacked", (one,) * 3)) for one in (gru, lstm)]
    for cells, expected in (((gru, gru, lstm), 2 * pure[0] + pure[1]), ((lstm, gru, lstm), pure[0] + 2 * pure[1])):
        assert abs(3 * nodes(architecture("stacked", cells)) - expected) < 0.02 * expected


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_are_plain_values(name: str) -> None:
    network: Any = architecture(name, cell("gru"), **DEPTH[name])
    again = pickle.loads(pickle.dumps(network))
    assert again == network
    assert hash(again) == hash(network)
    assert derive(again).lines == derive(network).lines
    assert architecture(name, cell("gru"), **DEPTH[name]) == network


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", NETWORKS)
def test_json_carries_the_parts(name: str) -> None:
    derivation = derive(architecture(name, cell("gru"), **DEPTH[name]))
    text = render(derivation, "json")
    again = from_json(text)
    assert again == derivation
    assert again.network.parts == derivation.network.parts != ()
    assert render(again, "json") == text
