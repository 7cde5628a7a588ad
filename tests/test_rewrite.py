"""Named simplifications of derived terms."""

from __future__ import annotations

import pytest

from symrnn.expr import Ones, Plus, Product, Scaled, Stacked, Total, Transposed, Zeros, dim
from symrnn.functions import parameter
from symrnn.rewrite import added, local_derivative, stacked_rows

H, D = dim("H"), dim("D")
g, k, m, x = parameter("g", H), parameter("k", H), parameter("m", 2 * H), parameter("x", D)
whole, wide = parameter("q", 4 * H), parameter("z", H + D)

TOP, SECOND = Stacked(g, Zeros(3 * H, 1)), Stacked(Zeros(H, 1), k, Zeros(2 * H, 1))
REST = Stacked(Zeros(2 * H, 1), m)
BECOMES = {
    "one column": ((TOP, SECOND, REST), Stacked(g, k, m)),
    "any order": ((REST, TOP, SECOND), Stacked(g, k, m)),
    "scalars": ((Scaled(-1, TOP), Scaled(2, SECOND), REST), Stacked(-g, 2 * k, m)),
    "one block twice": ((TOP, SECOND, REST, Stacked(k, Zeros(3 * H, 1))), Stacked(g + k, k, m)),
    "with the whole": ((TOP, whole, SECOND, REST), Plus(whole, Stacked(g, k, m))),
    "sizes of two letters": ((Stacked(Zeros(H, 1), x), Stacked(g, Zeros(D, 1))), Stacked(g, x)),
    "matrices": (
        (Stacked(Ones(H, D), Zeros(D, D)), Stacked(Zeros(H, D), Ones(D, D))), Stacked(Ones(H, D), Ones(D, D))
    ),
}
STAYS = {
    "a gap": (TOP, REST),
    "no end": (TOP, SECOND),
    "no beginning": (SECOND, REST),
    "rows that overlap": (TOP, SECOND, REST, Stacked(m, Zeros(2 * H, 1))),
    "rows that overlap further down": (TOP, SECOND, REST, Stacked(Zeros(H, 1), m, Zeros(H, 1))),
    "two parts at once": (Stacked(g, k, Zeros(2 * H, 1)), REST),
    "no stack": (whole, parameter("r", 4 * H)),
}


@pytest.mark.parametrize("name", BECOMES)
def test_blocks_of_rows_become_one_stack(name: str) -> None:
    terms, stack = BECOMES[name]
    assert stacked_rows(Plus(*terms)) == added(*terms) == stack


@pytest.mark.parametrize("name", BECOMES)
def test_the_stack_has_the_entries_of_the_sum(name: str) -> None:
    terms, stack = BECOMES[name]
    sizes = {H: 2, D: 3}
    total = Plus(*terms).xreplace(sizes).as_explicit()
    assert (total - stack.xreplace(sizes).as_explicit()).expand().is_zero_matrix


@pytest.mark.parametrize("name", STAYS)
def test_what_does_not_fill_the_rows_stays(name: str) -> None:
    term = Plus(*STAYS[name])
    assert stacked_rows(term) == term


def test_one_term_stays() -> None:
    assert stacked_rows(TOP) == TOP
    assert stacked_rows(wide) == wide


def test_the_sum_of_a_product_has_as_many_ones_as_rows():
    """1ᵀ (Wᵀ g) = (W 1)ᵀ g, for a W that is not square."""
    w = parameter("W", H, D)
    assert local_derivative(Total(w.T @ g), g) == Transposed(Product(Ones(1, D), w.T))
