"""Networks of one layer: a cell, a task, a readout and a loss."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

from symrnn.equations import Cell
from symrnn.errors import SpecError, unknown
from symrnn.networks.graph import Network
from symrnn.networks.readout import MASK, Y_HAT
from symrnn.networks.wiring import Input, Item, Layer, Previous, Readout, wire

SCALES = ("sum", "mean")
TASKS: Mapping[str, str] = MappingProxyType({
    "many-to-many": "an input and an output at each time",
    "many-to-one": "an input at each time, an output at the last",
    "one-to-one": "one step",
    "one-to-many": "an input at the first time, an output at each",
})
LAYER = "layer"


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
    check_cell(cell)
    known_or_refused(task=task, over_time=over_time, over_batch=over_batch, feed=feed)
    if feed != "nothing" and task != "one-to-many":
        raise SpecError(f"feeding the output back is for one-to-many; in {task} there is an input at each time; leave feed out")
    length = 1 if task == "one-to-one" else "T"
    check_mask(task, mask=mask)
    return wire(
        *inputs_of(cell, task, feed, length),
        Layer(LAYER, cell, reads={x.name: x.name for x in cell.inputs}, length=None if cell.inputs else length),
        *([Input(MASK, size=1, length=length, kind="mask")] if mask else []),
        Readout(
            reads=LAYER, readout=readout, loss=loss, times="last" if task == "many-to-one" else "all", bias=bias,
            mask=MASK if mask else None, over_time=over_time, over_batch=over_batch,
        ),
        name=f"{cell.name}, {task}",
    )


def inputs_of(cell: Cell, task: str, feed: str, length: Any) -> list[Item]:
    """Return the items that a cell reads.

    Raises:
        SpecError: Feeding back an output to a cell with several inputs.
    """
    if task != "one-to-many":
        return [Input(x.name, size=x.shape[0], length=length) for x in cell.inputs]
    if feed == "nothing":
        return [Input(x.name, size=x.shape[0], length=length, first=True) for x in cell.inputs]
    if len(cell.inputs) != 1:
        raise SpecError(f"feeding the output back needs one input; cell '{cell.name}' has {len(cell.inputs)}")
    return [Previous(cell.inputs[0].name, reads=Y_HAT, length=length)]


def check_mask(task: str, *, mask: bool) -> None:
    """Refuse a mask where one time carries loss."""
    if mask and task in {"many-to-one", "one-to-one"}:
        raise SpecError(
            f"a mask weights the losses of several times; the task {task} has one output; for sequences of different "
            "lengths take many-to-many and a mask that is 1 at the last time of each sequence"
        )


def check_cell(cell: Any) -> None:
    """Refuse what is no cell."""
    if not isinstance(cell, Cell):
        raise SpecError(f"network takes a cell; got {cell!r}; write network(cell('lstm')) or build a Cell of your own")


def known_or_refused(**options: str) -> None:
    """Refuse an option that nobody defines, with the nearest ones."""
    known: dict[str, Collection[str]] = {
        "task": TASKS, "feed": ("nothing", "output"), "over_time": SCALES, "over_batch": SCALES,
    }
    for what, name in options.items():
        if name not in known[what]:
            raise unknown(what, name, known[what])
