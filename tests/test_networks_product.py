"""All judges on the named architectures with cells and options: every choice, with ``--full`` every pair and more."""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from itertools import combinations
from random import Random
from typing import Any

import pytest

from symrnn.bptt import derive
from symrnn.cells import CELLS, cell
from symrnn.codegen import to_numpy
from symrnn.errors import SpecError
from symrnn.expr import dim
from symrnn.networks import NETWORKS, architecture
from symrnn.networks.plan import Plan
from symrnn.networks.truncation import truncated
from symrnn.times import Span
from symrnn.verify.balls import judge_balls
from symrnn.verify.entrywise import judge_entrywise
from symrnn.verify.numeric import judge_numeric

T = dim("T")
TIMES = {"2..T": Span(2, T), "1,T": (1, T), "first": "first"}
AXES: dict[str, tuple[Any, ...]] = {
    "cell": ("rnn", "lstm", "gru", "gru-reset-after"),
    "task": ("many-to-many", "many-to-one", "one-to-one", "one-to-many"),
    "loss": ("cross-entropy", "binary-cross-entropy", "squared-error"),
    "over_time": ("sum", "mean"),
    "over_batch": ("sum", "mean"),
    "mask": (False, True),
    "bias": (True, False),
    "times": (None, *TIMES),
    "layers": (None, 1, 2),
    "merge": ("concat", "sum"),
    "attention": (None, "dot", "scaled-dot", "general", "additive"),
    "embed": (False, True),
    "tied": (False, True),
    "residual": (False, True),
    "dropout": (None, "each", "same"),
    "source_mask": (False, True),
    "image": (None, "first", "state", "every"),
    "feed": (None, "teacher", "output"),
    "truncate": (None, ("window", 2), ("lag", 2)),
}
EVERYWHERE = ("cell", "truncate")
SMALL = {"B": 2, "T": 4, "S": 3, "H": 2, "D": 3, "K": 2, "V": 3, "M": 3, "A": 2, "F": 2}
DRAWS, MORE = 10000, 100

Case = tuple[tuple[str, Any], ...]


def options_of(name: str) -> tuple[str, ...]:
    return tuple(axis for axis in AXES if axis in EVERYWHERE or axis in NETWORKS[name].options)


def fit(case: dict[str, Any]) -> bool:
    """Whether options go together; ``test_what_does_not_go_together_is_refused`` holds this against the package."""
    task, several = case.get("task", "many-to-many"), case["network"] in {"stacked", "single", "bidirectional"}
    embed = case.get("embed", case["network"] == "language-model")
    decoder = case["network"] in {"encoder-decoder", "captioning"}
    single = task in {"many-to-one", "one-to-one"}
    timed = case.get("times") is not None
    return not any((
        case.get("tied") and not embed,
        case.get("tied") and decoder and case["feed"] == "output",
        case.get("mask") and (single or case.get("times") in {"1,T", "first"}),
        case.get("feed") == "teacher" and several,
        case.get("feed") == "output" and several and task != "one-to-many",
        task == "one-to-many" and (embed or case["network"] == "language-model"),
        task == "one-to-one" and case["network"] == "language-model",
        single and timed,
        case.get("image") and case.get("attention"),
    ))


def drawn(random: Random) -> Case:
    name = random.choice(list(NETWORKS))
    return (("network", name), *((axis, random.choice(AXES[axis])) for axis in options_of(name)))


@cache
def draws() -> tuple[Case, ...]:
    """Many random cases that fit, the same ones in each run; one step has nothing to truncate."""
    random = Random(0)
    cases = (case for case in (drawn(random) for _ in range(DRAWS)) if fit(dict(case)))
    return tuple(dict.fromkeys(c for c in cases if ("task", "one-to-one") not in c or ("truncate", None) in c))


@cache
def numbered() -> tuple[dict[Any, int], tuple[int, ...]]:
    """A number for each pair of choices that occurs, and for each draw its pairs as bits."""
    numbers: dict[Any, int] = {}
    masks = [sum(1 << numbers.setdefault(pair, len(numbers)) for pair in combinations(case, 2)) for case in draws()]
    return numbers, tuple(masks)


@cache
def sample() -> tuple[Case, ...]:
    """Draws that together have every pair of choices: always the one with the most that are missing."""
    numbers, masks = numbered()
    missing, chosen = (1 << len(numbers)) - 1, []
    while missing:
        best = max(range(len(masks)), key=lambda i: (masks[i] & missing).bit_count())
        missing &= ~masks[best]
        chosen.append(draws()[best])
    return tuple(chosen)


def label(case: Case) -> str:
    """What differs from the first choice of each axis."""
    said = [f"{k}={v}" if isinstance(v, bool) else str(v) for k, v in case if k in {"network", "cell"} or v != AXES[k][0]]
    return "-".join(said).replace(" ", "")


def built(case: Case) -> Any:
    options = dict(case)
    name, kind, truncate = (options.pop(key) for key in ("network", "cell", "truncate"))
    options["times"] = TIMES.get(options["times"])
    net = architecture(name, cell(kind), **options)
    return truncated(net, truncate[1], form=truncate[0]) if truncate else net


def assert_judges_agree(case: Case) -> None:
    derivation = derive(built(case))
    sizes = {letter: number for letter, number in SMALL.items() if letter in {*map(str, derivation.network.sizes), "B"}}
    sizes |= {str(letter): max(sizes[str(letter)], number) for letter, number in derivation.least}
    program = to_numpy(derivation)
    for report in (
        judge_entrywise(derivation, sizes={k: v for k, v in sizes.items() if k != "B"}),
        judge_balls(program, sizes=sizes, directions=1), judge_numeric(program, sizes=sizes),
    ):
        report.assert_ok()
        assert len(report.findings) >= len(derivation.wanted)


def test_every_option_is_an_axis() -> None:
    assert {axis for name in NETWORKS for axis in NETWORKS[name].options} == {f.name for f in fields(Plan)}
    assert {f.name for f in fields(Plan)} - AXES.keys() == {"readout"}  # follows from the loss; see test_product
    assert set(AXES["cell"]) < set(CELLS)


def test_the_sample_has_every_pair() -> None:
    """Each pair of choices that is in any of thousands of draws; each architecture with each cell and each of its choices."""
    pairs = {pair for case in sample() for pair in combinations(case, 2)}
    assert pairs == set(numbered()[0])
    for name in NETWORKS:
        for axis in options_of(name):
            for choice in AXES[axis]:
                expected = any(fit({**dict(case), axis: choice}) for case in draws() if case[0] == ("network", name))
                assert expected == ((("network", name), (axis, choice)) in pairs), (name, axis, choice)


def test_what_does_not_go_together_is_refused() -> None:
    random, refused = Random(1), 0
    while refused < 60:
        case = drawn(random)
        if not fit(dict(case)):
            refused += 1
            with pytest.raises(SpecError, match=r"^[^\n]{20,240}$"):
                built(case)


@cache
def few() -> tuple[Case, ...]:
    """Cases of the sample that together have every single choice; the run without ``--full`` judges each second of them."""
    missing, chosen = {choice for case in sample() for choice in case}, []
    while missing:
        chosen.append(max(sample(), key=lambda case: len(missing.intersection(case))))
        missing.difference_update(chosen[-1])
    return tuple(chosen)


def test_few_cases_have_every_choice() -> None:
    assert {choice for case in few() for choice in case} == {choice for case in draws() for choice in case}


SAMPLE = [*few(), *(pytest.param(case, marks=pytest.mark.full) for case in sample() if case not in few())]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("case", SAMPLE, ids=label)
def test_judges_agree(case: Case) -> None:
    assert_judges_agree(case)


@pytest.mark.full
@pytest.mark.parametrize("case", [case for case in draws() if case not in sample()][:MORE], ids=label)
def test_judges_agree_on_more(case: Case) -> None:
    assert_judges_agree(case)
