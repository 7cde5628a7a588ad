"""Several cells side by side: a table with a column each, and one picture of how their gradients decay."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from symrnn.counts import parameter_counts
from symrnn.expr import Diag, t
from symrnn.flow.record import THRESHOLD, Flow
from symrnn.lecture.decay import HIDDEN, STEPS, decay_svg, measured
from symrnn.lecture.document import Block, Figure, Heading, Table, Text
from symrnn.lecture.sections.counting import formula, number, sizes_text
from symrnn.lecture.sections.flow import bounds_of, direct_paths_of, power
from symrnn.lecture.subject import Subject
from symrnn.lecture.uses import is_gate

Row = Callable[[Subject, Flow | None], str]


def comparison(subjects: Sequence[Subject]) -> Iterator[Block]:
    """Compare cells."""
    first, flows = subjects[0], [measured(subject.network, subject.name) for subject in subjects]
    words, threshold = first.words, rf"$10^{{{THRESHOLD:g}}}$"
    yield Heading(words("compare.heading"), "compare")
    yield Text(words("compare.text"))
    names = {
        "parameters_for": words("compare.parameters_for", sizes=sizes_text(first, parameter_counts(first.network).of("cell"))),
        "norm": words("compare.norm", lag=STEPS), "memory": words("compare.memory", threshold=threshold),
    }
    rows = []
    for key, row in ROWS.items():
        values = [row(subject, flow) for subject, flow in zip(subjects, flows, strict=True)]
        if any(values):
            rows.append((names.get(key) or words(f"compare.{key}"), *values))
    yield Table((words("compare.head"), *(s.name for s in subjects)), tuple(rows), words("compare.caption"), "tab-compare")
    drawn = [flow for flow in flows if flow is not None]
    if drawn:
        caption = words("flow.plot_caption_compared", jacobian=r"$\partial s_T / \partial s_{T-j}$", lag="$j$", hidden=HIDDEN, steps=STEPS,
                        names=", ".join(flow.name for flow in drawn))
        yield Text(words("compare.plot"))
        yield Figure(decay_svg(drawn, "s", words("flow.plot_title"), words("flow.plot_alt")), words("flow.plot_alt"), caption, "fig-compare")


def gates(subject: Subject, flow: Flow | None) -> str:
    """Return the gates."""
    found = dict.fromkeys(e.quantity for e in subject.network.equations if is_gate(e, subject.network))
    return subject.listed(q[t] for q in found) or subject.words("compare.none")


def direct(subject: Subject, flow: Flow | None) -> str:
    """Return the direct paths."""
    found = [Diag(gate) for gate in direct_paths_of(subject).values()]
    return subject.listed(found) or subject.words("compare.none")


def blocks(subject: Subject, flow: Flow | None) -> str:
    """Return how many blocks of the Jacobian there are, without zeros."""
    found = bounds_of(subject.network)
    return "" if found is None else str(len(found.jacobian.paths))


def memory(subject: Subject, flow: Flow | None) -> str:
    """Return how long the norm stays above the threshold."""
    if flow is None:
        return ""
    return subject.words("compare.memory_more", steps=flow.steps) if flow.memory is None else str(flow.memory)


def verified(subject: Subject, flow: Flow | None) -> str:
    """Return how many findings agree."""
    agree, total = subject.record.findings
    return f"{agree} / {total}"


ROWS: dict[str, Row] = {
    "source": lambda s, flow: s.cell.source if s.cell is not None else "",
    "states": lambda s, flow: s.listed(q[t] for q in s.states) or s.words("compare.none"),
    "gates": gates,
    "equations": lambda s, flow: str(sum(e.span is not None for e in s.network.equations)),
    "direct": direct,
    "jacobian": blocks,
    "parameters": lambda s, flow: formula(s, parameter_counts(s.network).of("cell")),
    "parameters_for": lambda s, flow: number(parameter_counts(s.network).of("cell")),
    "adjoints": lambda s, flow: str(sum(bool(s.on_the_way(a)) and a.lines[0].span is not None for a in s.derivation.adjoints)),
    "norm": lambda s, flow: "" if flow is None else power(float(flow.spectral[-1])),
    "memory": memory,
    "verified": verified,
}
"""The rows of the table; one that says nothing of any cell is left out."""

__all__ = ["comparison"]
