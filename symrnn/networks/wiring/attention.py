"""Attention: a weighted sum of all states of a sequence, or of the locations of an image, at each time of a query.

Sources: D. Bahdanau, K. Cho and Y. Bengio, Neural machine translation by jointly learning to align and translate, ICLR 2015
(additive scores); M.-T. Luong, H. Pham and C. D. Manning, Effective approaches to attention-based neural machine
translation, EMNLP 2015 (dot, general); A. Vaswani et al., Attention is all you need, NIPS 2017 (scaled dot).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sympy import Expr, sqrt

from symrnn.equations import Equation
from symrnn.errors import SpecError
from symrnn.expr import Columns, Elementwise, Node, Ones, Series, Softmax, Static, bound_index, dim, same, t
from symrnn.functions import check_size, parameter, series
from symrnn.networks.graph import Given
from symrnn.networks.wiring.layer import Layer
from symrnn.networks.wiring.links import Built, Link
from symrnn.networks.wiring.wires import Item, Wires, described, fits, suffixed

SCORES = ("dot", "scaled-dot", "general", "additive")
LOOKS = ("previous", "now")


@dataclass(frozen=True)
class Attention(Item):
    """``e_t = scores(q, E)``, ``α_t = softmax(e_t)``, ``ctx_t = E α_t``, with the states (or locations) as columns of ``E``.

    Attributes:
        name: Of the context, which others read.
        query: The layer whose output asks.
        over: What is summed: a series, or a given matrix with a column a location.
        score: ``dot``: ``Eᵀ q``; ``scaled-dot``: that over ``√H``; ``general``: ``Eᵀ W_a q``; ``additive``:
            ``tanh(W_a q 1ᵀ + U_a E)ᵀ v_a``.
        size: Size of the inner layer of additive scores.
        mask: A mask of size 1 over the times of ``over``; what it leaves out gets no weight.
        at: ``previous`` or ``now``: which output of the query; by default the previous one where the query reads the
            attention, directly or through others, else the one of the same time.

    Shapes:
        E: H×S, e_t and α_t: S×1, the context: H×1; W_a: H×H for general; W_a, U_a: A×H, v_a: A×1 for additive.

    Raises:
        SpecError: An unknown score, sizes that do not fit, a query or a source that cannot be used.
    """

    name: str = "ctx"
    query: str = "dec"
    over: str = "enc"
    score: str = "dot"
    size: Any = "A"
    mask: str | None = None
    at: str | None = None

    def check(self) -> None:
        self.choose("score", self.score, SCORES)
        check_size(self.name, self.size)
        if self.at is not None:
            self.choose("time of the query", self.at, LOOKS)

    def looks_back(self, wires: Wires) -> bool:
        """Tell whether the query is read at the time before."""
        if self.at is not None:
            return self.at == "previous"
        waiting, seen = [self.query], set()
        while waiting:
            name = waiting.pop()
            if name == self.name:
                return True
            if name not in seen and name in wires.items:
                seen.add(name)
                item = wires.items[name]
                waiting += [] if isinstance(item, Attention) else [link.name for link in item.links(wires) if link.now]
        return False

    def links(self, wires: Wires) -> Iterator[Link]:
        yield Link(self.query, "asks", now=not self.looks_back(wires))
        yield Link(self.over, "is over", now=False, whole=True)
        if self.mask is not None:
            yield Link(self.mask, "mask", now=False, whole=True)

    def mark(self, wires: Wires) -> str:
        return self.name if len(wires.of_type(Attention)) > 1 else ""

    def rows(self, wires: Wires) -> Expr:
        return wires.size(self.over)

    def asked(self, wires: Wires) -> Node:
        """Return the query.

        Raises:
            SpecError: It is no layer.
        """
        query = wires.items[self.query]
        if not isinstance(query, Layer):
            raise SpecError(f"{self.label}: the query must be a layer, whose state asks; '{self.query}' is {described(query)}")
        return query.state(query.cell.output.name, wires)[t - query.step if self.looks_back(wires) else t]

    def named(self, name: str, wires: Wires) -> str:
        """Return a name with the mark of this attention."""
        return suffixed(name, self.mark(wires))

    def columns(self, wires: Wires) -> tuple[Static, tuple[Equation, ...]]:
        """Return the matrix whose columns are summed, and the equation that collects it where there is one."""
        over = wires.signal(self.over)
        if over.span is None:
            if same(over.quantity.shape[1], 1) or isinstance(over.quantity, Series):
                raise SpecError(f"{self.label} is over '{self.over}', a single vector; give a series, or an Input with columns=")
            return over.quantity, ()
        k = bound_index(1)
        collected = Columns(over.quantity[k], k, over.span.lo, over.span.hi)
        keys = Static(self.named("E", wires), (), *collected.shape)
        return keys, (Equation(keys, collected, None, "states"),)

    def scores(self, keys: Static, wires: Wires) -> tuple[Node, list[Static], list[Equation], list[Equation]]:
        """Return the scores, their parameters, and equations that they need, without time and with."""
        q, size, span = self.asked(wires), self.size, wires.span(self.name)
        name = self.named("a", wires)
        if self.score in {"dot", "scaled-dot"}:
            fits(self, self.query, q.shape[0], keys.shape[0], f"the size of '{self.over}', for the score {self.score}; choose general or additive")
            scale = 1 if self.score == "dot" else 1 / sqrt(q.shape[0])
            return scale * (keys.T @ q), [], [], []
        if self.score == "general":
            weight = parameter(f"W_{name}", keys.shape[0], q.shape[0])
            return keys.T @ (weight @ q), [weight], [], []
        w, u, v = (parameter(f"W_{name}", size, q.shape[0]), parameter(f"U_{name}", size, keys.shape[0]),
                   parameter(f"v_{name}", size))
        projected = Static(self.named("P", wires), (), dim(size), keys.shape[1])
        inner = Series(self.named("M", wires), (), *projected.shape)
        pre = Series(self.named("Z", wires), (), *projected.shape)
        return inner[t].T @ v, [w, u, v], [Equation(projected, u @ keys, None, "value")], [
            Equation(pre[t], (w @ q) @ Ones(1, keys.shape[1]) + projected, span, "pre-activation"),
            Equation(inner[t], Elementwise("tanh", pre[t]), span, "value"),
        ]

    def build(self, wires: Wires) -> Built:
        span = wires.span(self.name)
        keys, static = self.columns(wires)
        scores, parameters, once, timed = self.scores(keys, wires)
        e, alpha = (series(self.named(name, wires), keys.shape[1]) for name in ("e", "alpha"))
        counts: list[Node] = []
        if self.mask is not None:
            mask, equation = self.masked(keys, wires)
            counts.append(mask)
            once.append(equation)
        return Built((
            *timed,
            Equation(e[t], scores, span, "scores"),
            Equation(alpha[t], Softmax(e[t], *counts), span, "weights"),
            Equation(wires.signal(self.name).now, keys @ alpha[t], span, "context"),
        ), tuple(Given(p, "parameter") for p in parameters), (*static, *once))

    def masked(self, keys: Static, wires: Wires) -> tuple[Static, Equation]:
        """Return the mask as one column, and the equation that collects it."""
        wires.mask(self, self.mask or "", 1, "mask")
        mask = wires.signal(self.mask or "")
        if mask.span is None or not same(mask.span.hi - mask.span.lo + 1, keys.shape[1]):
            times = "no times" if mask.span is None else f"times {mask.span}"
            raise SpecError(f"{self.label}: the mask '{self.mask}' has {times}; expected one for each of the {keys.shape[1]} columns "
                            f"of '{self.over}', as Input('{self.mask}', size=1, length='{keys.shape[1]}', kind='mask')")
        k = bound_index(1)
        column = Static(self.named("m_E", wires), (), keys.shape[1])
        return column, Equation(column, Columns(mask.quantity[k], k, mask.span.lo, mask.span.hi).T, None, "mask")
