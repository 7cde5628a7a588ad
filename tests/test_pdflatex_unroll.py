"""Unrolled derivations are set by pdflatex with amsmath alone, in every notation, and stay on the page."""

from __future__ import annotations

import pytest
from test_pdflatex import compiled, document

from symrnn.cells import CELLS, cell
from symrnn.networks import architecture, network
from symrnn.notation import PROFILES
from symrnn.unrolling import unroll

WIDEST = 10.0  # points that a box may stick out
pytestmark = pytest.mark.full


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
def test_every_notation_compiles(name, tmp_path):
    parts = [unroll(network(cell(name)), 3, notation=profile).render("latex") for profile in PROFILES]
    parts.append(unroll(network(cell(name)), 3, substitute="everything").render("latex"))
    errors, overfull = compiled(document(parts), tmp_path)
    assert errors == []
    assert [width for width in overfull if width > WIDEST] == []


def test_every_cell_and_networks_of_several_parts_compile(tmp_path):
    networks = [network(cell(name)) for name in CELLS] + [
        architecture("stacked", cell("gru"), layers=2), architecture("bidirectional", cell("rnn")),
        architecture("encoder-decoder", cell("rnn")),
    ]
    errors, overfull = compiled(document([unroll(net, 3).render("latex") for net in networks]), tmp_path)
    assert errors == []
    assert [width for width in overfull if width > WIDEST] == []
