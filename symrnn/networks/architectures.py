"""The architectures by name: each is a list of items for ``wire``, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any

from symrnn.equations import Cell
from symrnn.errors import SpecError, unknown
from symrnn.expr import dim
from symrnn.networks.graph import Network
from symrnn.networks.plan import Plan, Stack, of_depth, source, stack_of, word_size
from symrnn.networks.wiring import (
    Attention,
    Dense,
    Embedding,
    Input,
    Item,
    Last,
    Layer,
    Merge,
    Previous,
    Tokens,
    wire,
)

Build = Callable[[Sequence[Cell], Plan], list[Item]]
T = dim("T")


def single(cells: Sequence[Cell], plan: Plan) -> list[Item]:
    """One layer."""
    return stacked(of_depth(cells, 1, 1), plan, usual=1)


def stacked(cells: Sequence[Cell], plan: Plan, *, usual: int = 2) -> list[Item]:
    """Layers on top of each other; inner ones hand on the whole sequence."""
    own = of_depth(cells, plan.layers, usual)
    given, reads, size = source(own[0], plan, word_size(own, plan))
    stack = stack_of(own, plan, reads, size)
    return [*given, *stack.items, *plan.ends(stack.top, tied="u" if plan.embed else None)]


def bidirectional(cells: Sequence[Cell], plan: Plan) -> list[Item]:
    """In each layer one scan from 1 to T and one from T to 1, read together."""
    own = of_depth(cells, plan.layers, 1)
    items, reads, size = source(own[0], plan, word_size(own, plan, 2 if plan.merge == "concat" else 1))
    marks = [f"l{number}" for number in range(1, len(own) + 1)] if len(own) > 1 else [""]
    names: list[str] = []
    for mark, one in zip(marks, own, strict=True):
        names = ["_".join(part for part in (mark, way) if part) for way in ("fw", "bw")]
        merged = "_".join(part for part in (one.output.name, mark) if part)
        dropout = plan.masks("_".join(part for part in ("m_x", mark) if part), size, plan.length)
        items += dropout
        items += [
            Layer(name, one, reads=reads, direction=way, dropout=dropout[0].name if dropout else None)
            for name, way in zip(names, ("forward", "backward"), strict=True)
        ]
        items.append(Merge(merged, reads=tuple(names), how=plan.merge))
        reads, size = merged, one.output.shape[0] * (2 if plan.merge == "concat" else 1)
    tied = "u" if plan.embed else None
    if plan.task != "many-to-one":
        return [*items, *plan.ends(reads, tied=tied)]
    top = own[-1].output.name
    lasts = [Last(f"{top}_end_{name}", reads=name) for name in names]
    summary = Merge(f"{top}_end", reads=tuple(last.name for last in lasts), how=plan.merge)
    return [*items[:-1], *lasts, summary, *plan.ends(summary.name, tied=tied, single=True)]


def encoder_decoder(cells: Sequence[Cell], plan: Plan) -> list[Item]:
    """A source of length S is read; its last states start what writes a target of length T."""
    own = of_depth(cells, plan.layers, 1)
    mask = "m_src" if plan.source_mask else None
    items: list[Item] = [Input(mask, size=1, length="S", kind="mask")] if mask else []
    if plan.embed:
        items += [Tokens("w_src", vocabulary="M", length="S"), Embedding("x", reads="w_src", table="E_src")]
    else:
        items.append(Input("x", length="S"))
    encoder = stack_of(own, plan, "x", dim("D"), prefix="enc", length="S", mask=mask)
    given, reads, size = target_words(own, plan)
    decoder = decoder_of(own, plan, reads, size, over=encoder.top, columns=own[-1].output.shape[0], mask=mask, starts=encoder.names)
    return [*items, *encoder.items, *given, *decoder.items, *words_out(plan, decoder.top)]


def words_out(plan: Plan, reads: str) -> list[Item]:
    """Return the readout of a decoder: words of the vocabulary that its embedding has, where it has one."""
    if plan.embed and plan.feed != "output":
        return plan.ends(reads, size="V", tied="u")
    if plan.tied:
        raise SpecError("tied: a decoder that reads its own output has no embedding; leave tied out")
    return plan.ends(reads)


def target_words(cells: Sequence[Cell], plan: Plan) -> tuple[list[Item], str, Any]:
    """Return what a decoder reads of its target: the word before, given by a teacher or fed back."""
    if plan.feed == "nothing":
        raise SpecError("a decoder reads the word before: choose feed teacher (given) or output (its own)")
    if plan.feed == "output":
        return [Previous("u", length=T)], "u", dim("K")
    if plan.embed:
        size = word_size(cells, plan)
        return [Tokens("w"), Embedding("u", reads="w", size=size)], "u", size
    return [Input("u")], "u", dim("D")


def decoder_of(
    cells: Sequence[Cell], plan: Plan, reads: str, size: Any, *, over: str, columns: Any, starts: Sequence[Any] = (),
    mask: str | None = None,
) -> Stack:
    """Return the layers of a decoder, and their attention where there is one, over columns of a size."""
    if plan.attention is None:
        return stack_of(cells, plan, reads, size, prefix="dec", starts=starts)
    top = "dec" if len(cells) == 1 else f"dec_l{len(cells)}"
    attention = Attention("ctx", query=top, over=over, score=plan.attention, mask=mask)
    layers = stack_of(cells, plan, (reads, "ctx"), size + columns, prefix="dec", starts=starts)
    return Stack((attention, *layers.items), layers.names)


def captioning(cells: Sequence[Cell], plan: Plan) -> list[Item]:
    """An image (a vector, or locations to attend to) starts what writes a text."""
    own = of_depth(cells, plan.layers, 1)
    words, reads, size = target_words(own, plan)
    if plan.attention is not None:
        if plan.image is not None:
            raise SpecError("attention reads the image's locations at every step; leave image out")
        columns = own[-1].output.shape[0] if plan.attention in {"dot", "scaled-dot"} else dim("D")
        decoder = decoder_of(own, plan, reads, size, over="X", columns=columns)
        return [Input("X", size=columns, columns="S", length=None), *words, *decoder.items, *words_out(plan, decoder.top)]
    image = Input("v", size="F", length=None)
    if plan.image == "state":
        start = Dense("v_h", reads="v", size=own[0].output.shape[0], activation="tanh", bias=plan.bias)
        stack = stack_of(own, plan, reads, size, prefix="dec", starts=[start.name, *[None] * (len(own) - 1)])
    elif plan.image == "every":
        start = Dense("v_x", reads="v", size="D", bias=plan.bias)
        stack = stack_of(own, plan, (reads, start.name), size + dim("D"), prefix="dec")
    else:
        return [image, *image_first(own, plan)]
    return [image, start, *words, *stack.items, *words_out(plan, stack.top)]


def image_first(cells: Sequence[Cell], plan: Plan) -> list[Item]:
    """Return the items after an image that is the first input; the words follow it, one step later."""
    size = dim("K") if plan.feed == "output" else word_size(cells, plan)
    start = Dense("v_x", reads="v", size=size, bias=plan.bias)
    words: list[Item] = []
    if plan.feed == "output":
        back = Previous("x", reads="y_hat", first="v_x", length=T)
    elif plan.embed:
        words, back = [Tokens("w", length=T - 1), Embedding("u", reads="w", size=size)], Previous("x", reads="u", first="v_x", length=T)
    else:
        words, back = [Input("u", length=T - 1)], Previous("x", reads="u", first="v_x", length=T)
    stack = stack_of(cells, plan, "x", size, prefix="dec")
    return [start, *words, back, *stack.items, *words_out(plan, stack.top)]


def language_model(cells: Sequence[Cell], plan: Plan) -> list[Item]:
    """Characters or words in, the next one out; with many-to-one, only the last is predicted."""
    if plan.task not in {"many-to-many", "many-to-one"}:
        raise SpecError(f"a language model reads a word at each time: the task is many-to-many or many-to-one; got {plan.task}")
    own = of_depth(cells, plan.layers, 1)
    size = word_size(own, plan)
    stack = stack_of(own, plan, "u", size)
    return [Tokens("w"), Embedding("u", size=size), *stack.items, *plan.ends(stack.top, size="V", tied="u")]


ENDS = ("readout", "loss", "over_time", "over_batch", "mask", "bias", "times")
TRAINING = ("dropout",)


@dataclass(frozen=True)
class Architecture:
    """An architecture that has a name.

    Attributes:
        sketch: What it is, in a line.
        build: Makes its items.
        options: The fields of ``Plan`` that it takes.
        sets: Fields of ``Plan`` that it fixes.
    """

    sketch: str
    build: Build
    options: tuple[str, ...]
    sets: tuple[tuple[str, Any], ...] = ()


NETWORKS: Mapping[str, Architecture] = MappingProxyType({
    "single": Architecture(
        "x_t → layer → ŷ_t", single, ("task", *ENDS, "feed", "embed", "tied", *TRAINING)),
    "stacked": Architecture(
        "x_t → layer 1 → … → layer L → ŷ_t", stacked, ("layers", "task", *ENDS, "feed", "embed", "tied", "residual", *TRAINING)),
    "bidirectional": Architecture(
        "x_t → [1…T; T…1] → ŷ_t", bidirectional, ("layers", "merge", "task", *ENDS, "embed", "tied", *TRAINING)),
    "encoder-decoder": Architecture(
        "x_1…x_S → encoder → decoder → ŷ_1…ŷ_T", encoder_decoder,
        ("layers", "attention", "source_mask", "feed", *ENDS, "embed", "tied", "residual", *TRAINING)),
    "captioning": Architecture(
        "image → decoder → ŷ_1…ŷ_T", captioning, ("image", "attention", "layers", "feed", *ENDS, "embed", "tied", *TRAINING)),
    "language-model": Architecture(
        "w_1…w_t → embedding → layers → ŵ_{t+1}", language_model, ("layers", "task", *ENDS, "tied", "residual", *TRAINING),
        (("embed", True),)),
})
"""The architectures."""


def architecture(name: str, cells: Cell | Sequence[Cell], **options: Any) -> Network:
    """Build a network by the name of its architecture.

    Args:
        name: A key of ``NETWORKS``.
        cells: A cell, or one for each layer.
        options: Fields of ``Plan`` that the architecture takes (``NETWORKS[name].options``).

    Shapes:
        Inputs: D×1 (an image F×1, or D×S), hidden states: H×1, outputs and targets: K×1 (V×1 for tokens); a source has S
        times, a target T.

    Raises:
        SpecError: An unknown name, an option that the architecture does not take, options that do not go together.
    """
    if name not in NETWORKS:
        raise unknown("network", name, NETWORKS)
    chosen = NETWORKS[name]
    for option in options:
        if option not in chosen.options:
            known = {f.name for f in fields(Plan)}
            if option not in known:
                raise unknown("option", option, chosen.options)
            raise SpecError(f"the network {name} has no option {option}; it takes {', '.join(chosen.options)}")
    given = tuple(cells) if isinstance(cells, tuple | list) else (cells,)
    plan = Plan(**{**dict(chosen.sets), **options})
    items = chosen.build(of_depth(given, len(given), 1), plan)
    kind = f"{name}, {plan.task}" if "task" in chosen.options else name
    title = f"{', '.join(one.name for one in given)}, {plan.task if name == 'single' else kind}"
    return wire(*items, name=title)


def network(
    cell: Cell, *, task: str = "many-to-many", readout: str | None = None, loss: str | None = None,
    over_time: str = "sum", over_batch: str = "sum", mask: bool = False, feed: str = "nothing", bias: bool = True,
) -> Network:
    """Wire a cell into a network of one layer.

    Args:
        cell: The equations of a step.
        task: A key of ``TASKS``.
        readout: A key of ``READOUTS``; by default the one that goes with the loss.
        loss: A key of ``LOSSES``; by default the one that goes with the readout, or cross-entropy.
        over_time: ``sum`` or ``mean`` of the losses of the times.
        over_batch: ``sum`` or ``mean`` over the sequences of a batch; formulas are per sequence and carry ``1/B``.
        mask: Weight the loss of each time with a given ``m_t`` (0 or 1); a mean is then over the times that count.
        feed: For one-to-many, what the cell reads after the first time: ``nothing`` or the previous ``output``.
        bias: Whether the readout has a bias.

    Shapes:
        x_t: D×1, h_t: H×1, ŷ_t and y_t: K×1, W_hy: K×H, b_y: K×1, L: 1×1.

    Raises:
        SpecError: Unknown names, or options that do not go together.
    """
    return architecture(
        "single", cell, task=task, readout=readout, loss=loss, over_time=over_time, over_batch=over_batch, mask=mask,
        feed=feed, bias=bias,
    )
