"""Why gradients vanish or explode: the Jacobian of a step, its bound, what follows for many steps, and a measurement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from sympy import Symbol

from symrnn import writer
from symrnn.errors import NotSupportedError, SpecError
from symrnn.expr import Diag, Series, t
from symrnn.flow.record import THRESHOLD, Flow
from symrnn.jacobians import StepJacobian, step_jacobian
from symrnn.lecture.citing import short_form
from symrnn.lecture.decay import HIDDEN, SEED, STEPS, decay_svg, measured
from symrnn.lecture.document import Block, Box, Figure, Formula, Heading, Text
from symrnn.lecture.subject import FULL, Subject
from symrnn.lecture.typeset import formula_of
from symrnn.lecture.uses import is_gate
from symrnn.networks.graph import Network
from symrnn.norm_bounds import Bounds, bounds, contraction
from symrnn.norm_bounds.norms import NormBound
from symrnn.notation import spell
from symrnn.printing.pieces import Line, Ratio
from symrnn.style import Style, derivative, free_letter

EXPONENT = r"^{t-k}"
J, K = Symbol("j", integer=True), Symbol("k", integer=True)


@cache
def bounds_of(network: Network) -> Bounds | None:
    """Return the bounds of the steps of a network; nothing where their Jacobian is no matrix, or there is no recurrence."""
    try:
        return bounds(step_jacobian(network))
    except (NotSupportedError, SpecError):
        return None


def flow(subject: Subject) -> Iterator[Block]:
    """The formula, the bound, the theorems, the picture."""
    words = subject.words
    yield Heading(subject.title("flow.heading"), subject.anchored("flow"))
    found = bounds_of(subject.network)
    if found is None:
        yield Text(words("flow.no_jacobian"))
        return
    style = found.jacobian.style(subject.style.notation)
    yield Text(words("flow.text", lag="$t-k$"))
    yield from jacobian(subject, found.jacobian, style)
    if subject.level == FULL:
        yield from bounded(subject, found, style)
        yield Heading(words("flow.theorem"), subject.anchored("flow-theorem"), 2)
    yield from theorems(subject, found, style)
    yield from pictures(subject)


def jacobian(subject: Subject, of: StepJacobian, style: Style) -> Iterator[Block]:
    """The blocks of the Jacobian of a step."""
    words = subject.words
    yield Text(words("flow.jacobian_one" if len(of.states) == 1 else "flow.jacobian"))
    for number, e in enumerate(of.lines, 1):
        yield formula_of(Line(Ratio(*of.ratio(*of.ends[e.quantity])), e.rhs, e.span), style, subject.anchored(f"jacobian-{number}"))
    if any(key not in of.paths for key in of.blocks):
        yield Text(words("flow.zero"))
    for (new, old), gate in direct_paths(of).items():
        block = ratio(*of.ratio(new, old), style)
        yield Text(words("flow.direct", block=f"${block}$", term=f"${writer.formula(Diag(gate), style)}$"))


def ratio(above: Any, below: Any, style: Style) -> str:
    """Write ``∂above/∂below``."""
    return derivative(writer.formula(above, style), writer.formula(below, style), style)


def direct_paths(of: StepJacobian) -> Mapping[Any, Any]:
    """Return what is on the diagonal of the direct path of each state that has one."""
    return {
        key: path.term.args[0] for key, paths in of.paths.items() for path in paths
        if key[0] == key[1] and path.name == "direct" and isinstance(path.term, Diag)
    }


def bounded(subject: Subject, found: Bounds, style: Style) -> Iterator[Block]:
    """The bound of each block, for one step and for all values."""
    words = subject.words
    yield Text(words("flow.bound"))
    for number, (series, bound) in enumerate(found.blocks.items(), 1):
        rows = bound_rows(rf"\left\lVert {found.name(series, style)} \right\rVert", bound, style)
        if found.uniform[series] != bound:
            rows += bound_rows("", found.uniform[series], style)
        body = " \\\\\n".join(rows)
        yield Formula(f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}", subject.anchored(f"bound-{number}"))
    yield Text(words("flow.bound_uniform"))


def bound_rows(left: str, bound: NormBound, style: Style) -> list[str]:
    """Write a bound with a row for each of its terms."""
    terms = [term.text(style) for term in bound.terms] or ["0"]
    return [rf"{left} &\le {terms[0]}".strip(), *(rf"&\quad + {term}" for term in terms[1:])]


def theorems(subject: Subject, found: Bounds, style: Style) -> Iterator[Block]:
    """What follows for many steps: the formula in the letters of the lecture, the condition in words."""
    of = found.jacobian
    state = of.states[0] if len(of.states) == 1 else Series("s", (), *of.states[0].shape)
    lettered = style if len(of.states) == 1 else replace(style, letters={**style.letters, "s": state_letter(subject)})
    if len(of.states) > 1:
        yield Text(subject.words("flow.stacked", state=f"${writer.formula(state[t], lettered)}$", states=subject.listed(q[t] for q in of.states)))
    norm = rf"\left\lVert {ratio(state[t], state[K], lettered)} \right\rVert"
    simple = contraction(next(iter(found.uniform.values()))) if len(found.uniform) == 1 else None
    sigma = simple[1].text(style) if simple is not None else ""
    for name, theorem in found.theorems.items():
        kind = name.partition(" of ")[0]
        gates = [gate for (new, _), gate in direct_paths(of).items() if name == kind or name.endswith(f" of {new.name}")]
        gate = writer.formula(gates[0].xreplace({t: J}), style) if gates else ""
        told = statement(subject, kind, norm, sigma, gate)
        if told is None or (subject.level != FULL and kind in {"linear", "scalar", "product"}):
            continue
        text, latex = told
        source = subject.words("flow.theorem_source", source=short_form(theorem.source))
        yield Box("theorem", "", (Text(f"{text} {source}"), Formula(latex or theorem.latex)), subject.anchored(f"theorem-{name.replace(' ', '-')}"))


def statement(subject: Subject, kind: str, norm: str, sigma: str, gate: str) -> tuple[str, str] | None:
    """Return a theorem in words, and as a formula; an empty one stands for that of the theorem."""
    words, product = subject.words, r"\prod_{j=k+1}^{t}"
    base = rf"\left(\gamma \, {sigma}\right)"
    told = {
        "product": ("theorem_product", {}, rf"{norm} \le {product} \beta_j"),
        "vanishing": ("theorem_vanishing_contraction", {"condition": rf"$\gamma \, {sigma} < 1$", "gamma": r"$\gamma$"}, rf"{norm} \le {base}{EXPONENT} \to 0")
        if sigma else ("theorem_vanishing", {}, rf"{norm} \le \beta{EXPONENT} \to 0"),
        "no explosion": ("theorem_no_explosion", {"condition": rf"$\gamma \, {sigma} \le 1$", "sigma": f"${sigma}$", "limit": r"$1/\gamma$"}, rf"{norm} \le 1"),
        "direct path": ("theorem_direct_path", {"gate": rf"$\left|{gate}\right|$"}, rf"\max_i {product} \left|{gate}\right|_i"),
        "constant error carousel": ("theorem_carousel", {"condition": f"${gate} = 1$"}, rf"{product} \operatorname{{diag}}({gate}) = I"),
        "linear": ("theorem_linear", {"radius": r"$\rho(W)$", "sigma": r"$\sigma_{\max}(W)$"}, ""),
        "scalar": ("theorem_scalar", {}, ""),
    }.get(kind)
    return None if told is None else (words(f"flow.{told[0]}", **told[1]), told[2])


def state_letter(subject: Subject) -> str:
    """Return the letter of the state, or a free one for several states below each other."""
    if len(subject.states) == 1:
        return spell(subject.style.letters[subject.states[0].name], "latex").base
    return free_letter(("s", "z", "q", "m"), subject.style)


def pictures(subject: Subject) -> Iterator[Block]:
    """The measurement."""
    words, found = subject.words, measured(subject.network, subject.name)
    if found is None:
        yield Text(words("flow.no_plot"))
        return
    yield Text(words("flow.plot_text", hidden=HIDDEN, steps=STEPS, seed=SEED) + " " + result(subject, found))
    letter = state_letter(subject)
    caption = words("flow.plot_caption", jacobian=rf"$\partial {letter}_T / \partial {letter}_{{T-j}}$", lag="$j$", hidden=HIDDEN, steps=STEPS)
    picture = decay_svg([found], letter, words("flow.plot_title"), words("flow.plot_alt"))
    yield Figure(picture, words("flow.plot_alt"), caption, subject.anchored("fig-decay"))
    if direct_paths_of(subject) and any(is_gate(e, subject.network) for e in subject.network.equations):
        yield Text(words("flow.gates_matter", value=r"$\tfrac{1}{2}$"))


def direct_paths_of(subject: Subject) -> Mapping[Any, Any]:
    """Return the direct paths of the network of a subject."""
    found = bounds_of(subject.network)
    return {} if found is None else direct_paths(found.jacobian)


def result(subject: Subject, found: Flow) -> str:
    """Say what was measured."""
    words, threshold = subject.words, rf"$10^{{{THRESHOLD:g}}}$"
    if found.memory is not None:
        return words("flow.measured_memory", name=found.name, threshold=threshold, lag=found.memory)
    end = words("flow.measured_end", name=found.name, lag=found.steps, value=power(float(found.spectral[-1])))
    return f"{words('flow.measured_stays', name=found.name, threshold=threshold, steps=found.steps)} {end}"


def power(exponent: float) -> str:
    """Write a number from its logarithm: ``3.2 · 10^-4``, or plainly where it is near 1."""
    if -2 <= exponent <= 3:
        return f"{10 ** exponent:.3g}"
    whole = int(exponent // 1)
    return rf"${10 ** (exponent - whole):.1f} \cdot 10^{{{whole}}}$"


__all__ = ["bounds_of", "direct_paths_of", "flow", "power"]
