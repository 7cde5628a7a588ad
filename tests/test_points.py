"""Random points: coprime sizes, and numbers that satisfy what the network says of them."""

from __future__ import annotations

from itertools import combinations
from math import gcd

import numpy as np
import pytest
from hypothesis import given
from strategies import networks

from symrnn.bptt import derive
from symrnn.cells import cell
from symrnn.equations import Equation
from symrnn.errors import DataError, NotSupportedError
from symrnn.expr import Divides, Gather, OneHot, Ones, Static, Total, dim, t, time_sum
from symrnn.functions import parameter, series
from symrnn.networks import Given, Network, Relation, Scan, network
from symrnn.times import Span
from symrnn.verify.points import default_sizes, given_shape, lengths, random_point

T, S = dim("T"), dim("S")


def tokens() -> Network:
    """An embedding and a one-hot column of two integers, over sequences of two lengths."""
    table, weight = parameter("E", "D", "V"), parameter("W", "D", "K")
    w, v, e, ell = series("w", 1), series("v", 1), series("e", "D"), series("ell", 1)
    scan = Scan((Equation(e[t], Gather(table, w[t]), Span(1, S)),))
    late = Equation(ell[t], Total(e[S] * (weight @ OneHot(v[t], dim("K")))), Span(1, T))
    loss = Static("L")
    return Network(
        "tokens",
        (Given(table, "parameter"), Given(weight, "parameter"), Given(w, "integer", Span(1, S)),
         Given(v, "integer", Span(1, T))),
        (scan, Scan((late,)), Equation(loss, time_sum(ell[t], 1, T), None, "loss")), loss,
    )


@given(networks())
def test_sizes_are_pairwise_coprime_and_long_enough(random: Network) -> None:
    derivation = derive(random)
    sizes = default_sizes(derivation)
    assert {s.name for s in random.sizes} | {"B"} == set(sizes)
    windows = {letter.name for e in random.equations for node in e.rhs.atoms(Divides) for letter in node.args[0].free_symbols}
    widths = [number for name, number in sizes.items() if name not in windows]
    assert all(gcd(a, b) == 1 for a, b in combinations(widths, 2))
    assert all(sizes[letter.name] > least for letter, least in derivation.least)
    point = random_point(random, sizes, np.random.default_rng(0))
    assert {name: array.shape for name, array in point.items()} == {g.name: given_shape(g, sizes) for g in random.givens}


def test_lengths_are_told_from_widths() -> None:
    assert lengths(tokens()) == (S, T)
    assert default_sizes(tokens()) == {"B": 2, "S": 7, "T": 9, "D": 5, "K": 11, "V": 13}
    assert default_sizes(tokens(), {T: 20})["T"] == 23


def test_layout() -> None:
    shapes = {
        task: {name: v.shape for name, v in random_point(n, default_sizes(n), np.random.default_rng(0)).items()}
        for task in ("many-to-one", "one-to-many")
        for n in [network(cell("rnn"), task=task, mask=task == "one-to-many")]
    }
    assert shapes["many-to-one"] == {
        "W_hh": (5, 5), "W_xh": (5, 3), "b_h": (5,), "W_hy": (11, 5), "b_y": (11,), "x": (2, 7, 3), "h_0": (2, 5),
        "y": (2, 11),
    }
    assert shapes["one-to-many"]["x"] == (2, 3)
    assert shapes["one-to-many"]["m"] == (2, 7)
    assert shapes["one-to-many"]["y"] == (2, 7, 11)


@pytest.mark.parametrize("seed", range(5))
def test_targets_masks_and_states(seed: int) -> None:
    masked = network(cell("lstm"), mask=True)
    point = random_point(masked, {**default_sizes(masked), "B": 5}, np.random.default_rng(seed))
    np.testing.assert_allclose(point["y"].sum(axis=-1), 1, rtol=1e-15)
    assert np.all(point["y"] > 0)
    assert set(np.unique(point["m"])) == {0.0, 1.0}
    assert np.all(point["m"].max(axis=1) == 1)
    assert np.all(point["m"].min(axis=1) == 0)
    assert all(np.all(point[name] != 0) for name in ("h_0", "c_0", "b_f", "W_f", "x"))
    assert 0.3 < np.std(point["W_f"]) < 0.8


def test_integers_stay_in_their_tables() -> None:
    sizes = {**default_sizes(tokens()), "S": 400, "T": 400}
    point = random_point(tokens(), sizes, np.random.default_rng(0))
    assert (point["w"].min(), point["w"].max()) == (0, sizes["V"] - 1)
    assert (point["v"].min(), point["v"].max()) == (0, sizes["K"] - 1)
    assert point["w"].dtype.kind == "i"


def test_the_seed_and_the_dtype_count() -> None:
    plain = network(cell("rnn"))
    sizes = default_sizes(plain)
    first, again, other = (random_point(plain, sizes, np.random.default_rng(s), np.float32) for s in (1, 1, 2))
    assert {v.dtype for v in first.values()} == {np.dtype("float32")}
    assert all(np.array_equal(first[k], again[k]) and not np.array_equal(first[k], other[k]) for k in first)


def test_a_missing_size_is_named() -> None:
    with pytest.raises(DataError, match=r"^the size D has no number; give sizes for D$"):
        random_point(network(cell("rnn")), {"B": 2, "H": 3, "T": 4, "K": 5}, np.random.default_rng(0))


def test_other_relations_are_refused() -> None:
    y = series("y", "K")
    odd = network(cell("rnn"))
    odd = Network(odd.name, odd.givens, odd.blocks, odd.loss, (Relation(Total(y[t]), 2 * Ones(1, 1)),))
    with pytest.raises(NotSupportedError, match=r"^no random numbers satisfy .* = 2.*; only sums of entries equal to 1"):
        random_point(odd, default_sizes(odd), np.random.default_rng(0))
