"""Exercises with solutions, made from the derivation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sympy import Integer

from symrnn import writer
from symrnn.counts import parameter_counts
from symrnn.equations import Equation
from symrnn.expr import At, Product, TimeSum, dim, t
from symrnn.lecture.document import Block, Box, Fold, Formula, Heading, Text
from symrnn.lecture.mistakes import Gap, Mistake, gaps, general_line, mistakes, terms_of
from symrnn.lecture.sections.backward import is_single, moved_reader
from symrnn.lecture.sections.counting import SIZES, formula, number, sizes_text
from symrnn.lecture.sections.gradients import gradients_of, line_of
from symrnn.lecture.sections.unrolled import recurrent_parameter, written_out
from symrnn.lecture.subject import EXERCISE, Subject
from symrnn.lecture.typeset import formula_of, formulas_of, stacked_rows
from symrnn.printing.latex import aligned_rows
from symrnn.printing.pieces import Line, Ratio
from symrnn.printing.words import written
from symrnn.rewrite import added
from symrnn.style import scalar, shape_text, span_text
from symrnn.unrolling.paths import summands

GAP = r"\boxed{\;?\;}"
AROUND = 3
"""Right lines that stand beside a wrong one."""
FACTORS = (0.9, 0.5)
LEFT = 1e-3


@dataclass(frozen=True)
class Exercise:
    """An exercise and its solution."""

    title: str
    question: tuple[Block, ...]
    solution: tuple[Block, ...]


def exercises(subject: Subject) -> Iterator[Block]:
    """Yield the exercises; solutions unfold below them, or stand at the end of a sheet of exercises."""
    words = subject.words
    yield Heading(subject.title("exercises.heading"), subject.anchored("exercises"))
    yield Text(words("exercises.text"))
    found = list(all_of(subject))
    sheet = subject.level == EXERCISE
    for place, one in enumerate(found, 1):
        folded = () if sheet else (Fold(words("labels.solution"), one.solution),)
        yield Box("exercise", one.title, (*one.question, *folded), subject.anchored(f"exercise-{place}"))
    if sheet:
        yield Heading(words("exercises.solutions"), subject.anchored("solutions"))
        for place, one in enumerate(found, 1):
            name = words("exercises.solution_of", exercise=f"@{{{subject.anchored(f'exercise-{place}')}}}")
            yield Box("solution", one.title, (Text(name), *one.solution))


def all_of(subject: Subject) -> Iterator[Exercise]:
    """Yield every exercise that the derivation gives rise to."""
    many = subject.level == EXERCISE
    for gap in gaps(subject.derivation, 3 if many else 1):
        yield fill(subject, gap)
    for mistake in mistakes(subject.derivation, 4 if many else 2):
        yield error(subject, mistake)
    yield from shape(subject)
    yield from boundary(subject)
    yield from sums(subject)
    yield from counts(subject)
    if subject.states:
        yield decay(subject)


def fill(subject: Subject, gap: Gap) -> Exercise:
    """Fill in a term."""
    words, line = subject.words, gap.line
    pieces = [written(line.lhs, subject.style) + " ="]
    for place, piece in enumerate(writer.terms(line.rhs, subject.style)):
        sign = "" if place == 0 else "- " if piece.startswith("-") else "+ "
        pieces.append(sign + GAP if place == gap.place else piece)
    times = f"${span_text(line.span, subject.style)}$" if line.span is not None else ""
    anchor = subject.anchors[gap.contribution.step.reader]
    solution = words("exercises.fill_solution", anchor=anchor, term=subject.formula(gap.contribution.term))
    return Exercise(
        words("exercises.fill"), (Text(words("exercises.fill_text")), Formula(" ".join(pieces), "", times)),
        (Text(solution), formula_of(subject.printed(gap.adjoint, line), subject.style), Text(words("exercises.fill_proof"))),
    )


def error(subject: Subject, mistake: Mistake) -> Exercise:
    """Find the planted mistake."""
    words, derivation = subject.words, subject.derivation
    others = [a for a in derivation.adjoints if a.of != mistake.adjoint.of and subject.on_the_way(a)]
    near = sorted(others, key=lambda a: abs(derivation.adjoints.index(a) - derivation.adjoints.index(mistake.adjoint)))[:AROUND]
    chosen = sorted([mistake.adjoint, *near], key=derivation.adjoints.index)
    place = chosen.index(mistake.adjoint) + 1
    lines = [mistake.wrong if a is mistake.adjoint else general_line(a) for a in chosen]
    found, total = mistake.refuted
    solution = words("exercises.error_solution", number=place, why=why(subject, mistake))
    return Exercise(
        words("exercises.error"), (Text(words("exercises.error_text")), numbered_lines(subject, lines)),
        (Text(solution), formula_of(subject.printed(mistake.adjoint, mistake.line), subject.style),
         Text(words("exercises.error_proof", found=found, total=total))),
    )


def numbered_lines(subject: Subject, lines: Iterable[Equation]) -> Formula:
    """Set lines below each other, each with a number in front."""
    rows: list[str] = []
    for place, line in enumerate(lines, 1):
        first, *more = aligned_rows([Line(line.lhs, line.rhs)], subject.style)
        rows += [rf"({place})\quad {first}", *more]
    return Formula(stacked_rows(rows))


def why(subject: Subject, mistake: Mistake) -> str:
    """Say what is wrong."""
    words = subject.words
    if mistake.kind == "dropped":
        reader = next((c for c in mistake.adjoint.contributions if c.term == mistake.term), None)
        if reader is not None:
            return words("exercises.why_dropped", reader=subject.formula(moved_reader(subject, reader)))
        return words("exercises.why_other", term=subject.formula(mistake.term))
    return words(f"exercises.why_{mistake.kind}", term=subject.formula(mistake.term))


def shape(subject: Subject) -> Iterator[Exercise]:
    """Check the shapes of an outer product."""
    words = subject.words
    for given, line in gradients_of(subject):
        body = line.rhs.args[0] if isinstance(line.rhs, TimeSum) else line.rhs
        if not isinstance(body, Product) or given.kind != "parameter" or len(body.args) != 2:
            continue
        gradient = f"${written(Ratio(subject.network.loss, given.quantity), subject.style)}$"
        factors = " ".join(words("exercises.shape_factor", factor=subject.formula(f), shape=subject.shape(f)) for f in line_factors(line, body))
        solution = words("exercises.shape_solution", gradient=gradient, shape=subject.shape(given.quantity), q=subject.formula(given.quantity), factors=factors,
                         order=other_order(subject, *line_factors(line, body)))
        yield Exercise(words("exercises.shape"), (Text(words("exercises.shape_text", gradient=gradient)),), (Text(solution),
                       formula_of(line_of(subject, given, line), subject.style)))
        return


def other_order(subject: Subject, left: Any, right: Any) -> str:
    """Say why two factors do not stand in the other order; where vectors are rows, the formula is printed the other way round."""
    style = subject.style
    if left.shape[0] != right.shape[1]:
        first, second, columns, rows = (left, right, left.shape[0], right.shape[1]) if style.notation.rows else \
            (right, left, right.shape[1], left.shape[0])
        return subject.words("exercises.shape_order_none", first=subject.formula(first), second=subject.formula(second),
                             columns=f"${scalar(columns, style)}$", rows=f"${scalar(rows, style)}$")
    wrong = shape_text((right.shape[0], left.shape[1]), r"\times ", style)
    return subject.words("exercises.shape_order_other", wrong=f"${wrong}$")


def line_factors(line: Equation, body: Product) -> list[Any]:
    """Return the factors of a term at the running time."""
    if not isinstance(line.rhs, TimeSum):
        return list(body.args)
    index = line.rhs.args[1]
    return [factor.xreplace({index: t}) for factor in body.args]


def boundary(subject: Subject) -> Iterator[Exercise]:
    """What a line becomes at the last step."""
    words = subject.words
    for adjoint in subject.derivation.adjoints:
        lines = subject.on_the_way(adjoint)
        general = general_line(adjoint)
        short = [line for line in lines if is_single(line) and len(terms_of(line.rhs)) < len(terms_of(general.rhs)) and line.span is not None]
        if short and general.rhs.atoms(At):
            times = f"${span_text(short[0].span, subject.style)}$"
            question = words("exercises.boundary_text", q=subject.formula(subject.value(adjoint.of)), times=times)
            yield Exercise(
                words("exercises.boundary"), (Text(question), formula_of(subject.printed(adjoint, general), subject.style)),
                (Text(words("exercises.boundary_solution")), formula_of(subject.printed(adjoint, short[0]), subject.style)))
            return


def sums(subject: Subject) -> Iterator[Exercise]:
    """The gradient for two steps without a sum."""
    words = subject.words
    if not subject.states:
        return
    whole = written_out(subject.derivation, 2)
    name = recurrent_parameter(whole)
    if name is None:
        return
    given = whole.explicit.given(name)
    body = added(*summands(whole.explicit.by_quantity[given.quantity].lines[0].rhs))
    line = Line(Ratio(whole.explicit.network.loss, given.quantity), body)
    yield Exercise(words("exercises.sum"), (Text(words("exercises.sum_text", q=subject.formula(given.quantity))),),
                   (Text(words("exercises.sum_solution")), formulas_of([line], subject.style)))


def counts(subject: Subject) -> Iterator[Exercise]:
    """Count the parameters, and see them grow with the square of the units."""
    words, hidden = subject.words, dim("H")
    count = parameter_counts(subject.network).of("cell")
    doubled = count.xreplace({hidden: 2 * hidden})
    if not number(count) or hidden not in count.free_symbols:
        return
    values = [int(c.xreplace({dim(letter): Integer(size) for letter, size in SIZES.items()})) for c in (count, doubled)]
    solution = words("exercises.count_solution", formula=formula(subject, count), number=number(count), doubled=number(doubled),
                     ratio=f"{values[1] / values[0]:.2f}")
    yield Exercise(words("exercises.count"), (Text(words("exercises.count_text", sizes=sizes_text(subject, count))),), (Text(solution),))


def decay(subject: Subject) -> Exercise:
    """After how many steps little is left."""
    words = subject.words
    steps = [next(n for n in range(1, 10_000) if factor ** n < LEFT) for factor in FACTORS]
    solution = words("exercises.decay_solution", lag="$n$", power=f"${FACTORS[0]}^n$", steps=steps[0], other=FACTORS[1], other_steps=steps[1])
    return Exercise(words("exercises.decay"), (Text(words("exercises.decay_text", factor=FACTORS[0], other=FACTORS[1])),), (Text(solution),))


__all__ = ["exercises"]
