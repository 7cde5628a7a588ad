"""Hypothesis strategies: random wirings of the items of ``symrnn``, with what each of them is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

from hypothesis import strategies as st
from strategies import cells

from symrnn.cells import cell
from symrnn.expr import At, Product, Static, dim, same, t
from symrnn.networks import Network
from symrnn.networks.wiring import (
    MERGES,
    SCORES,
    Attention,
    Dense,
    Embedding,
    Input,
    Last,
    Layer,
    Merge,
    Previous,
    Readout,
    Tokens,
    wire,
)
from symrnn.times import Span

T, D, H = dim("T"), dim("D"), dim("H")
PUBLISHED = ("rnn", "lstm", "gru", "gru-reset-after", "lstm-peephole", "lstm-coupled", "mgu", "indrnn", "janet")
TIMES = {
    "all": "all", "last": "last", "first": "first", "number": 2, "letter": T - 1, "span": Span(2, T),
    "inner": Span(2, T - 1), "several": (1, Span(3, T)), "ends": (1, T),
}
FEATURES = {
    *(f"direction {way}" for way in ("forward", "backward", "both")), *(f"merge {how}" for how in MERGES),
    *(f"score {score}" for score in SCORES), *(f"over {what}" for what in ("encoder", "layer", "matrix")),
    *(f"query {when}" for when in ("now", "previous", "circle")), "score mask",
    *(f"starts {what}" for what in ("layer", "last", "dense", "by name")), *(f"fed back {what}" for what in ("output", "layer")),
    *(f"times {kind}" for kind in TIMES), *(f"cell {what}" for what in ("published", "random")),
    *(f"dropout {what}" for what in ("each", "same", "recurrent")), "padding", "residual", "skip", "dense", "size", "static input",
    "summary", "tied", "shared table", "embedding", "loss mask", *(f"depth {n}" for n in (1, 2, 3)),
}
"""Everything that can occur."""


@dataclass
class Draft:
    """A wiring in the making.

    Attributes:
        draw: Draws from a strategy.
        random: Chooses the structure: Hypothesis, which varies what it drew before, would choose too many alike.
        items: So far.
        sizes: Of what can be read at each time, by name.
        seen: What it has of ``FEATURES``.
        circle: Whether the output, or the highest layer, is fed back, so that no scan ends before it.
        encoder: Names of the encoder's layers.
    """

    draw: Any
    random: Random
    items: list[Any] = field(default_factory=list)
    sizes: dict[str, Any] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    circle: bool = False
    encoder: list[str] = field(default_factory=list)

    def chance(self, feature: str, one_in: int = 2) -> bool:
        """Draw whether the wiring has a feature."""
        chosen = self.random.randrange(one_in) == 0
        if chosen and feature in FEATURES:
            self.seen.add(feature)
        return chosen

    def choose(self, what: str, choices: Any) -> Any:
        """Draw one of several."""
        chosen = self.random.choice(list(choices))
        if f"{what} {chosen}" in FEATURES:
            self.seen.add(f"{what} {chosen}")
        return chosen

    def add(self, item: Any, size: Any = None) -> str:
        """Add an item; one with a size can be read at each time."""
        self.items.append(item)
        if size is not None:
            self.sizes[item.name] = size
        return item.name


def draw_cell(draft: Draft) -> Any:
    if draft.choose("cell", ["published", "random"]) == "published":
        return cell(draft.random.choice(PUBLISHED))
    return draft.draw(cells(max_equations=3))


def draw_given(draft: Draft) -> str:
    """What is read at the bottom: vectors, or tokens by an embedding."""
    if not draft.chance("embedding", 3):
        return draft.add(Input("x", length=T), D)
    draft.add(Tokens("w", length=T))
    return draft.add(Embedding("u", reads="w", size="D"), D)


def draw_encoder(draft: Draft) -> None:
    """A sequence of another length, read by a layer in either direction."""
    if any(item.name == "u" for item in draft.items) and draft.chance("shared table"):
        draft.add(Tokens("w_src", length="S"))
        draft.add(Embedding("u_src", reads="w_src", size="D"))
        reads = "u_src"
    else:
        reads = draft.add(Input("x_src", length="S"))
    if draft.chance("source mask"):
        draft.add(Input("m_src", size=1, length="S", kind="mask"))
    mask = "m_src" if draft.items[-1].name == "m_src" and draft.chance("padding") else None
    way = draft.choose("direction", ["forward", "backward"])
    draft.encoder.append(draft.add(Layer("enc", draw_cell(draft), reads=reads, direction=way, mask=mask)))


def draw_masks(draft: Draft, own: Any, name: str, size: Any, hidden: Any) -> dict[str, str]:
    """Masks of a layer: padding, and dropout."""
    found = {}
    if draft.chance("padding", 4):
        found["mask"] = draft.add(Input(f"m_pad_{name}", size=1, length=T, kind="mask"))
    if draft.chance("dropout", 3):
        length = T if draft.choose("dropout", ["each", "same"]) == "each" else None
        found["dropout"] = draft.add(Input(f"m_in_{name}", size=size, length=length, kind="mask"))
    products = [p.args[1] for e in own.equations for p in e.rhs.atoms(Product) if isinstance(p.args[0], Static)]
    if any(own.output[t - 1] in factor.atoms(At) for factor in products) and draft.chance("dropout recurrent"):
        found["recurrent_dropout"] = draft.add(Input(f"m_rec_{name}", size=hidden, length=None, kind="mask"))
    return found


def draw_start(draft: Draft, name: str, own: Any, size: Any) -> Any:
    """What the states of a layer start from."""
    kinds = ["nothing", "dense"]
    if draft.encoder:
        theirs = next(item.cell for item in draft.items if item.name == "enc")
        shared = own.output.name in {q.name for q in theirs.states} and same(size, H)
        kinds += ["last"] * 2 + ["by name"] * 2 * shared
        kinds += ["layer"] * 2 * (shared and "random" not in {own.name, theirs.name})  # states of random cells differ in size
    if own.output not in own.states:
        return None
    kind = draft.choose("starts", kinds)
    if kind in {"layer", "nothing"}:
        return "enc" if kind == "layer" else None
    if kind == "by name":
        return {own.output.name: "enc"}
    read = draft.add(Last(f"end_{name}", reads="enc")) if kind == "last" else draft.add(Input(f"v_{name}", size="F", length=None))
    return draft.add(Dense(f"start_{name}", reads=read, size=size, activation="tanh", bias=draft.random.random() < 0.5))


def draw_attention(draft: Draft, name: str) -> tuple[str, Any] | None:
    """An attention that a layer reads: asked by the layer itself, or by a layer below."""
    below = [item.name for item in draft.items if isinstance(item, Layer) and item.name in draft.sizes and not item.residual]
    over = {"matrix": "A"} | ({"encoder": "enc"} if draft.encoder else {}) | ({"layer": below[-1]} if below and not draft.circle else {})
    what = draft.choose("over", over)
    size, mask = {"encoder": H, "matrix": D}.get(what) or draft.sizes[below[-1]], None
    if what == "matrix" and "A" not in {item.name for item in draft.items}:
        draft.add(Input("A", size="D", columns="S", length=None))
    if what != "layer" and "m_src" in {item.name for item in draft.items} and draft.chance("score mask"):
        mask = "m_src"
    query = name if draft.circle or not below else draft.choose("asked by", [name, *[below[-1]] * 4])
    asks = draft.sizes.get(query, H)
    score = draft.choose("score", [*SCORES, *SCORES[:2]] if same(asks, size) else SCORES[2:])
    when = draft.choose("query", ["previous", "now"]) if query != name else None
    draft.seen |= {"query circle"} if query == name else set()
    ctx = f"ctx_{name}"
    return draft.add(Attention(ctx, query=query, over=over[what], score=score, mask=mask, at=when)), size


def draw_layer(draft: Draft, number: int, reads: str) -> str:
    """A story: one direction or both, with all that a layer can read."""
    own, name = draw_cell(draft), f"l{number}"
    way = "forward" if draft.circle else draft.choose("direction", ["forward", "backward", "both", "both"])
    size = D if draft.chance("size", 4) else H
    names, total = [reads], draft.sizes[reads]
    if number > 1 and draft.chance("skip", 3):
        names.append(next(iter(draft.sizes)))
        total += draft.sizes[names[-1]]
    if draft.chance("static input", 5):
        names.append(draft.add(Input(f"v_in_{name}", size="F", length=None)))
        total += dim("F")
    if way != "both" and size == H and draft.chance("attention", 1 if number == 2 else 3):
        attention = draw_attention(draft, name)
        names.append(attention[0])
        total += attention[1]
    options = draw_masks(draft, own, name, total, size)
    if way == "both":
        how = draft.choose("merge", MERGES)
        for mark in ("fw", "bw"):
            draft.add(Layer(f"{name}_{mark}", own, reads=names, size=size, direction={"fw": "forward", "bw": "backward"}[mark], **options))
        return draft.add(Merge(f"h_{name}", reads=(f"{name}_fw", f"{name}_bw"), how=how), size * (2 if how == "concat" else 1))
    residual = len(names) == 1 and same(total, size) and draft.chance("residual")
    starts = draw_start(draft, name, own, size)
    return draft.add(
        Layer(name, own, reads=names, size=size, direction=way, starts=starts, residual=residual, **options), size)


def draw_readout(draft: Draft, reads: str) -> None:
    """The readout, with the times that carry loss; perhaps of a summary, perhaps tied to the embedding."""
    options: dict[str, Any] = {"loss": draft.random.choice(["cross-entropy", "squared-error", "binary-cross-entropy"])}
    options["bias"] = draft.random.random() < 0.5
    if not draft.circle and draft.chance("summary", 10):
        reads = draft.add(Last("end", reads=reads), draft.sizes[reads])
    elif not draft.circle and draft.chance("loss mask", 10):
        options |= {"mask": draft.add(Input("m", size=1, length=T, kind="mask")), "over_time": draft.choose("mean", ["sum", "mean"])}
    if reads != "end":
        kinds = [k for k in TIMES if k in {"all", "span", "inner", "several"} or "mask" not in options]
        kind = draft.choose("times", kinds)
        options["times"] = TIMES[kind]
    if any(item.name == "u" for item in draft.items) and not draft.circle and draft.chance("tied"):
        reads = draft.add(Dense("out", reads=reads, size="D"))
        options["tied"] = "u"
    draft.add(Readout(reads=reads, **options))


@st.composite
def wirings(draw: Any, number: int) -> tuple[Network, set[str]]:
    """A random network of one to three stories, and what it is made of: the wiring by its number, the formulas of cells drawn."""
    draft = Draft(draw, Random(number))
    bottom = draw_given(draft)
    if draft.chance("encoder"):
        draw_encoder(draft)
    depth = draft.choose("depth", [1, 2, 2, 3])
    if draft.chance("circle", 5):
        draft.circle = True
        what = draft.choose("fed back", ["output", "layer"])
        back = draft.add(Previous("back", reads="y_hat" if what == "output" else "top", length=T))
        size = dim("K") if what == "output" else H
        bottom = draft.add(Merge("both", reads=(bottom, back)), draft.sizes[bottom] + size)
    for number in range(1, depth + 1):
        bottom = draw_layer(draft, number, bottom)
        if draft.chance("dense", 5):
            bottom = draft.add(Dense(f"d{number}", reads=bottom, size="H", activation="tanh"), H)
    if "fed back layer" in draft.seen:
        bottom = draft.add(Dense("top", reads=bottom, size="H", activation="tanh"), H)
    draw_readout(draft, bottom)
    items = reached(draft)
    draft.random.shuffle(items)
    return wire(*items), draft.seen


def reached(draft: Draft) -> list[Any]:
    """Leave out an encoder or a mask that nothing reads."""
    text = {item.name: repr(item) for item in draft.items}
    items = list(draft.items)
    while True:
        names = " ".join(text[item.name] for item in items)
        idle = [i for i in items if not isinstance(i, Readout) and names.count(f"'{i.name}'") == 1]
        if not idle:
            return items
        items = [item for item in items if item not in idle]
