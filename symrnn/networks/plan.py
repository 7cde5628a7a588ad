"""What can be chosen about an architecture, and the pieces that several architectures are made of."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sympy import Expr

from symrnn.equations import Cell
from symrnn.errors import SpecError, unknown
from symrnn.expr import dim
from symrnn.networks.readout import MASK, Y_HAT
from symrnn.networks.wiring import (
    MERGES,
    SCORES,
    Embedding,
    Input,
    Item,
    Layer,
    Previous,
    Readout,
    Tokens,
)

TASKS: Mapping[str, str] = MappingProxyType({
    "many-to-many": "an input and an output at each time",
    "many-to-one": "an input at each time, an output at the last",
    "one-to-one": "one step",
    "one-to-many": "an input at the first time, an output at each",
})
IMAGES: Mapping[str, str] = MappingProxyType({
    "first": "the image is the first input",
    "state": "the image is the initial state",
    "every": "the image is read at every step",
})
DROPOUTS: Mapping[str, str] = MappingProxyType({
    "each": "a mask for each time", "same": "one mask for all times",
})
FEEDS = ("nothing", "output", "teacher")
SCALES = ("sum", "mean")
LAYER = "layer"
CHOICES: Mapping[str, Collection[str]] = MappingProxyType({
    "task": TASKS, "merge": MERGES, "attention": SCORES, "image": IMAGES, "dropout": DROPOUTS, "feed": FEEDS,
    "over_time": SCALES, "over_batch": SCALES,
})


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The options of an architecture; each architecture takes some of them.

    Attributes:
        task: A key of ``TASKS``.
        readout: ``softmax``, ``sigmoid`` or ``linear``; by default the one that goes with the loss.
        loss: ``cross-entropy``, ``binary-cross-entropy`` or ``squared-error``; by default the one that goes with the readout.
        over_time: ``sum`` or ``mean`` of the losses of the times.
        over_batch: ``sum`` or ``mean`` over the sequences of a batch.
        mask: Whether the loss of each time is weighted by a given ``m_t``.
        bias: Whether readout and inner affine maps have a bias.
        times: Which times carry loss, instead of those of the task: a time, a ``Span``, or a tuple of such.
        layers: Depth.
        merge: How the two directions are put together: ``concat`` or ``sum``.
        attention: The score: ``dot``, ``scaled-dot``, ``general`` or ``additive``; ``None`` for no attention.
        embed: Whether tokens come in, by an embedding, instead of vectors.
        tied: Whether the readout's weight is the transposed table of the embedding.
        residual: Whether each layer but the first adds what it reads to its output.
        dropout: A key of ``DROPOUTS``: the input of each layer is multiplied by a given mask.
        source_mask: Whether a mask says which positions of the source count (padding).
        image: A key of ``IMAGES``.
        feed: What a decoder reads: ``teacher`` for the given previous word, ``output`` for its own; of one-to-many:
            ``nothing`` or ``output`` after the first time.
    """

    task: str = "many-to-many"
    readout: str | None = None
    loss: str | None = None
    over_time: str = "sum"
    over_batch: str = "sum"
    mask: bool = False
    bias: bool = True
    times: Any = None
    layers: int | None = None
    merge: str = "concat"
    attention: str | None = None
    embed: bool = False
    tied: bool = False
    residual: bool = False
    dropout: str | None = None
    source_mask: bool = False
    image: str | None = None
    feed: str | None = None

    def __post_init__(self) -> None:
        """Refuse what nobody defines, and options that do not go together."""
        for option, known in CHOICES.items():
            value = getattr(self, option)
            if value is not None and value not in known:
                raise unknown(option, str(value), known)
        for option in ("mask", "bias", "embed", "tied", "residual", "source_mask"):
            if not isinstance(getattr(self, option), bool):
                raise SpecError(f"{option} is True or False; got {getattr(self, option)!r}")
        if self.layers is not None and (isinstance(self.layers, bool) or not isinstance(self.layers, int) or self.layers < 1):
            raise SpecError(f"layers is a whole number from 1 on; got {self.layers!r}")
        if self.tied and not self.embed:
            raise SpecError("tied: the readout's weight is the embedding's table; with vectors as inputs there is none; add embed")
        if self.times is not None and self.task in {"many-to-one", "one-to-one"}:
            raise SpecError(f"times says which times carry loss, and so does {self.task}; leave one of them out")
        if self.mask and self.times is None and self.task in {"many-to-one", "one-to-one"}:
            raise SpecError(
                f"a mask weights the losses of several times; the task {self.task} has one output; for sequences of different "
                "lengths take many-to-many and a mask that is 1 at the last time of each sequence"
            )

    @property
    def length(self) -> Any:
        """The last time."""
        return 1 if self.task == "one-to-one" else "T"

    def masks(self, name: str, size: Any, length: Any) -> list[Item]:
        """Return the mask by which the input of a layer is multiplied, where there is dropout."""
        if self.dropout is None:
            return []
        return [Input(name, size=size, length=length if self.dropout == "each" else None, kind="mask")]

    def ends(self, reads: Any, *, size: Any = "K", tied: str | None = None, single: bool = False) -> list[Item]:
        """Return the readout, and the mask of its loss.

        Args:
            reads: What is read.
            size: Size of the output.
            tied: The embedding whose table is the weight.
            single: Whether what is read has one value only.
        """
        last = self.task == "many-to-one" and not single
        readout = Readout(
            reads=reads, size=size, readout=self.readout, loss=self.loss,
            times=self.times if self.times is not None else "last" if last else "all", tied=tied if self.tied else None,
            bias=self.bias, mask=MASK if self.mask else None, over_time=self.over_time, over_batch=self.over_batch,
        )
        weights = [Input(MASK, size=1, length=self.length, kind="mask")] if self.mask else []
        return [*weights, readout]


def of_depth(cells: Sequence[Cell], layers: int | None, usual: int) -> list[Cell]:
    """Return one cell a layer.

    Raises:
        SpecError: No cell, or numbers that do not fit.
    """
    for one in cells:
        if not isinstance(one, Cell):
            raise SpecError(f"network takes a cell; got {one!r}; write network(cell('lstm')) or build a Cell of your own")
    depth = layers if layers is not None else max(usual, len(cells))
    if len(cells) not in {1, depth}:
        raise SpecError(f"{len(cells)} cells for {depth} layer{'s' if depth > 1 else ''}; give one for all, or one for each")
    return list(cells) * (depth if len(cells) == 1 else 1)


def word_size(cells: Sequence[Cell], plan: Plan, times: int = 1) -> Expr:
    """Return the size of an embedded word: ``D``, or with tied weights the size of what is read out.

    Args:
        cells: One for each layer.
        plan: The options.
        times: How many outputs of the last layer are put on top of each other.
    """
    size: Expr = cells[-1].output.shape[0] * times if plan.tied else dim("D")
    return size


def source(cell: Cell, plan: Plan, size: Expr) -> tuple[list[Item], dict[str, str] | str, Any]:
    """Return what the lowest layer reads: the items, the link, and its size.

    Args:
        cell: The cell of that layer.
        plan: The options.
        size: Size of an embedded word.

    Raises:
        SpecError: Options that do not go together.
    """
    feed = plan.feed or "nothing"
    if feed != "nothing" and plan.task != "one-to-many":
        raise SpecError(f"feed says what is read after the first time in one-to-many; in {plan.task} there is an input at "
                        "each time; leave feed out")
    if feed == "teacher":
        raise SpecError("feed teacher is for decoders, which read the word before; here choose nothing or output")
    if plan.embed:
        if plan.task == "one-to-many":
            raise SpecError("one-to-many reads one vector; leave embed out, or take the network captioning")
        return [Tokens("w", length=plan.length), Embedding("u", reads="w", size=size)], "u", size
    inputs = cell.inputs
    own = inputs[0].shape[0] if len(inputs) == 1 else None
    if feed == "output":
        if len(inputs) != 1:
            raise SpecError(f"feeding the output back needs one input; cell '{cell.name}' has {len(inputs)}")
        return [Previous(inputs[0].name, reads=Y_HAT, length=plan.length)], inputs[0].name, dim("K")
    first = plan.task == "one-to-many"
    items: list[Item] = [Input(x.name, size=x.shape[0], length=plan.length, first=first) for x in inputs]
    return items, {x.name: x.name for x in inputs}, own


@dataclass(frozen=True)
class Stack:
    """Layers on top of each other.

    Attributes:
        items: The layers, with the masks of their inputs.
        names: Names of the layers, from the lowest to the highest.
    """

    items: tuple[Item, ...]
    names: tuple[str, ...]

    @property
    def top(self) -> str:
        """Name of the highest layer."""
        return self.names[-1]


def stack_of(
    cells: Sequence[Cell], plan: Plan, reads: Any, size: Any, *, prefix: str = "", length: Any = None,
    mask: str | None = None, starts: Sequence[Any] = (),
) -> Stack:
    """Put layers on top of each other: each reads the one below.

    Args:
        cells: One for each layer.
        plan: The options.
        reads: What the lowest reads.
        size: Size of that.
        prefix: What the names of the layers begin with, such as ``enc``.
        length: Last time.
        mask: The mask of padded times.
        starts: What the states of each layer start from.
    """
    length = length or plan.length
    items: list[Item] = []
    names: list[str] = []
    for number, own in enumerate(cells, start=1):
        name = "_".join(part for part in (prefix, f"l{number}" if len(cells) > 1 else "") if part) or LAYER
        dropout = plan.masks(f"m_x_{name}" if name != LAYER else "m_x", size, length)
        items += dropout
        items.append(Layer(
            name, own, reads=reads, mask=mask, dropout=dropout[0].name if dropout else None,
            residual=plan.residual and number > 1, starts=starts[number - 1] if starts else None,
            length=None if own.inputs else length,
        ))
        names.append(name)
        reads, size = name, own.output.shape[0]
    return Stack(tuple(items), tuple(names))
