"""The parts of the generator of fast code: calls that are merged, and rows that values share."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from amounts import examples
from fast_cases import NAMED, WRT, case, form_of, memory_of
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from strategies import networks
from sympy import Integer

from symrnn.bptt import derive
from symrnn.codegen.fast.gradients import Copy, few_copies
from symrnn.codegen.fast.merging import merged
from symrnn.codegen.fast.overwriting import is_column
from symrnn.codegen.fast.places import Places
from symrnn.codegen.fast.steps import Call, Number, Ref, Times
from symrnn.expr import dim, t
from symrnn.scheduling import scheduled

QUIET = {"deadline": None, "suppress_health_check": list(HealthCheck), "database": None}
H = dim("H")

# Calls on rows of a few arrays, and what NumPy makes of them.

TALL, SIZE, TIMES, BATCH = 4, 3, 3, 2
TIMED, UNTIMED = ("a", "b"), ("k",)
FUNCTIONS = {"add": 2, "multiply": 2, "subtract": 2, "tanh": 1, "negative": 1, "copyto": 1}


def rows(array, lo, hi, time):
    """Rows of an array of ``4 H``, at ``t`` or beside it; an array without times has no time."""
    return Ref(array, lo * H, hi * H, TALL * H, time if array in TIMED else None)


@st.composite
def refs(draw, height):
    lo = draw(st.integers(0, TALL - height))
    return rows(draw(st.sampled_from([*TIMED, *UNTIMED])), lo, lo + height, draw(st.sampled_from([t, t, t, t - 1])))


@st.composite
def calls(draw):
    """A call whose result may lie where one of its inputs does."""
    height = draw(st.sampled_from([1, 1, 1, 2]))
    function = draw(st.sampled_from(list(FUNCTIONS)))
    inputs = [draw(refs(height)) for _ in range(FUNCTIONS[function])]
    if len(inputs) == 2 and draw(st.integers(0, 3)) == 0:
        inputs[1] = Number(Integer(2))
    out = inputs[0] if draw(st.booleans()) else draw(refs(height))
    return Call(function, tuple(inputs), out)


@st.composite
def bodies(draw):
    """Calls of which many can be merged: each is often followed by the same one on the next rows, or for the same value."""
    body = []
    for call in draw(st.lists(calls(), min_size=1, max_size=4)):
        body.append(call)
        for _ in range(draw(st.integers(0, 2))):
            kept = draw(st.integers(0, 1))  # the first input may stand for all of them
            last = body[-1]
            inputs = tuple(part if place == 0 and kept else shifted(part) for place, part in enumerate(last.inputs))
            out = shifted(last.out)
            if None not in (*inputs, out):
                body.append(Call(last.function, inputs, out))
        if draw(st.integers(0, 4)) == 0:
            body.append(Times("W", draw(st.booleans()), draw(refs(1)), draw(refs(1))))
    return draw(st.permutations(body)) if draw(st.booleans()) else body


def shifted(ref):
    """The rows behind some rows."""
    if isinstance(ref, Number):
        return ref
    height = ref.hi - ref.lo
    return None if ref.hi + height - TALL * H != 0 and (ref.hi + height) / H > TALL else replace(ref, lo=ref.hi, hi=ref.hi + height)


def view(arrays, ref, time):
    """The rows of an array that a call reads or writes, as pieces where it treats some of them alike."""
    lo, hi = (int(end.xreplace({H: Integer(SIZE)})) for end in (ref.lo, ref.hi))
    whole = arrays[ref.array] if ref.time is None else arrays[ref.array][int(ref.time.xreplace({t: Integer(time)}))]
    found = whole[lo:hi]
    if ref.spread:
        return found[None]
    return found.reshape(ref.pieces, -1, BATCH) if ref.pieces > 1 else found


def run(body):
    """Run calls for all times, and return the arrays."""
    rng = np.random.default_rng(0)
    arrays = {name: rng.standard_normal((TIMES, TALL * SIZE, BATCH)) for name in TIMED}
    arrays |= {name: rng.standard_normal((TALL * SIZE, BATCH)) for name in UNTIMED}
    weight = rng.standard_normal((SIZE, SIZE))
    with np.errstate(all="ignore"):
        for time in range(1, TIMES):
            for step in body:
                out = view(arrays, step.out, time)
                if isinstance(step, Times):
                    out[...] = (weight.T if step.turned else weight) @ view(arrays, step.operand, time)
                    continue
                inputs = [float(part.value) if isinstance(part, Number) else view(arrays, part, time) for part in step.inputs]
                assert np.shares_memory(out, arrays[step.out.array])
                if step.function == "copyto":
                    out[...] = inputs[0]
                else:
                    getattr(np, step.function)(*inputs, out)
    return arrays


def assert_same_arrays(first, second):
    for name, array in first.items():
        np.testing.assert_array_equal(array, second[name])


CHAIN = [Call("tanh", (rows("a", 0, 1, t),), rows("a", 1, 2, t)), Call("tanh", (rows("a", 1, 2, t),), rows("a", 2, 3, t))]
"""The second reads what the first writes."""
SPREAD = [
    Call("multiply", (rows("a", 0, 1, t), rows("k", place, place + 1, None)), rows("a", place, place + 1, t)) for place in (0, 1)
]
"""The first overwrites the value that stands for both."""


def test_merged_calls_compute_the_same():
    merges = Counter()

    @settings(max_examples=examples(600), **QUIET)
    @example(body=CHAIN)
    @example(body=SPREAD)
    @given(body=bodies())
    def same(body):
        new = merged(body)
        merges["calls"] += len(body) - len(new)
        merges["spread"] += any(isinstance(part, Ref) and part.spread for step in new if isinstance(step, Call) for part in step.inputs)
        assert_same_arrays(run(body), run(new))

    same()
    assert merges["calls"] > 30
    assert merges["spread"] > 3


def test_neighbours_are_one_call():
    tanh = [Call("tanh", (rows("a", place, place + 1, t),), rows("a", place, place + 1, t)) for place in range(3)]
    (one,) = merged(tanh)
    assert (one.out.lo, one.out.hi, one.out.pieces) == (0, 3 * H, 1)
    assert merged([tanh[2], tanh[0], tanh[1]]) == (one,)
    product = [Call("multiply", (rows("b", 0, 1, t), rows("k", place, place + 1, None)), rows("a", place, place + 1, t)) for place in range(3)]
    (one,) = merged(product)
    assert (one.out.pieces, one.inputs[1].pieces, one.inputs[0].spread) == (3, 3, True)
    assert_same_arrays(run(product), run([one]))


def test_what_stands_between_is_not_passed_over():
    first, last = (Call("tanh", (rows("a", place, place + 1, t),), rows("a", place, place + 1, t)) for place in (0, 1))
    for between in (
        Call("copyto", (rows("a", 1, 2, t),), rows("b", 0, 1, t)), Call("copyto", (rows("b", 0, 1, t),), rows("a", 1, 2, t)),
        Times("W", False, rows("a", 1, 2, t), rows("k", 0, 1, None)), Call("copyto", (rows("b", 0, 1, t),), rows("a", 0, 2, t)),
    ):
        assert merged([first, between, last]) == (first, between, last)
    for beside in (Call("copyto", (rows("a", 2, 3, t),), rows("b", 0, 1, t)), Call("copyto", (rows("a", 1, 2, t - 1),), rows("b", 0, 1, t))):
        assert len(merged([first, beside, last])) == 2


# Copies for gradients: rows that touch, at times that are near each other, are copied once.


@pytest.mark.parametrize(("wanted", "made"), [
    ([("a", 0, 3, 0), ("a", 1, 4, 0)], [("a", 0, 4, 0, 0)]),
    ([("a", 0, 1, 0), ("a", 0, 1, -1)], [("a", 0, 1, -1, 0)]),
    ([("a", 0, 1, 0), ("a", 2, 3, 0)], [("a", 0, 1, 0, 0), ("a", 2, 3, 0, 0)]),
    ([("a", 0, 1, 0), ("a", 2, 3, 0), ("a", 1, 2, 0)], [("a", 0, 3, 0, 0)]),
    ([("a", 0, 1, 0), ("b", 0, 1, 0)], [("a", 0, 1, 0, 0), ("b", 0, 1, 0, 0)]),
    ([("a", 0, 1, 0), ("a", 0, 1, -24)], [("a", 0, 1, 0, 0), ("a", 0, 1, -24, -24)]),
])
def test_few_copies(wanted, made):
    found = few_copies([Copy(rows(array, lo, hi, t), Integer(gap), Integer(gap)) for array, lo, hi, gap in wanted])
    assert found == [Copy(rows(array, lo, hi, t), Integer(first), Integer(last)) for array, lo, hi, first, last in made]


# Rows: what a value lies in is not written again before the value was read for the last time.


def assert_apart(form):
    memory = memory_of(form)
    assert not memory.faults
    assert memory.known
    return memory.overwritten


def form_scheduled(derivation, wrt="all"):
    start = form_of(derivation, wrt)
    return scheduled(start.network, start.results)


@pytest.mark.sampled(31, 2)
@pytest.mark.parametrize("wrt", WRT)
@pytest.mark.parametrize("name", NAMED)
def test_values_that_are_alive_at_once_share_no_rows(name, wrt):
    assert assert_apart(form_scheduled(case(name), wrt)) > 0


@settings(max_examples=examples(20), **QUIET)
@given(net=networks())
def test_values_of_random_networks_share_no_rows(net):
    assert_apart(form_scheduled(derive(net)))


def test_shared_rows_are_noticed():
    """Any two columns of a recurrence that are read later may not lie in one place."""
    form = form_scheduled(case("lstm, many-to-many"))
    for first, second in (("h", "c"), ("f", "o"), ("d_h", "d_c"), ("x", "y_hat")):
        wrong = Places(form)
        series = {str(q.key): q for q in wrong.of if is_column(q)}
        wrong.of[series[second]] = wrong.of[series[first]]
        assert memory_of(form, wrong).faults, (first, second)


def test_a_logarithm_takes_the_place_of_what_softmax_alone_reads_beside_it():
    form = form_scheduled(case("rnn, many-to-many"), "parameters")
    places = Places(form)
    of = {str(q.key): place for q, place in places.of.items()}
    assert {str(q.key) for q in places.pairs} == {"y_hat", "l_y_hat"}
    assert of["l_y_hat"] == of["a_y"] != of["y_hat"]
    read_again = form_scheduled(case("rnn, many-to-many"))
    assert "l_y_hat" in {str(q.key) for q in Places(read_again).pairs}


@pytest.mark.full
def test_places_do_not_depend_on_the_order_of_sets():
    """The source is the same in every process, whatever seed Python has for its sets."""
    code = "from symrnn import *; print(to_numpy(derive(network(cell('lstm'))), style='fast').source)"
    runs = [
        subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True)
        for seed in ("1", "3")
    ]
    assert len({finished.stdout for finished in runs}) == 1
