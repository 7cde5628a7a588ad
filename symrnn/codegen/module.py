"""Whole modules: the loss and its gradients of a derivation, or the outputs of any network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from sympy import Basic

from symrnn.codegen.arguments import SHARED
from symrnn.codegen.clipping import clipping_source
from symrnn.codegen.fast import (
    FEW,
    LAYOUTS,
    FastFunction,
    Plan,
    arranged,
    fast_module,
    memory_plan,
    memory_text,
    window_length,
)
from symrnn.codegen.formatting import paragraph
from symrnn.codegen.functions import Function, Result
from symrnn.codegen.optimizers import UpdateRule, optimizer_source, rule_of
from symrnn.codegen.program import Writer
from symrnn.derivation import Derivation, key_of
from symrnn.errors import SpecError, unknown
from symrnn.expr import Series
from symrnn.leftout import for_reading
from symrnn.networks.graph import Given, Network
from symrnn.scheduling.windows import check_windows
from symrnn.times import Span, hull

STYLES: Mapping[str, str] = MappingProxyType({
    "readable": "a loop over time, one line an equation",
    "fast": "in place, with everything outside the loop that does not depend on the recurrence",
})

ITEMSIZES: Mapping[str, int] = MappingProxyType({"float64": 8, "float32": 4})
"""Bytes of a number."""


def numpy_source(
    derivation: Derivation, *, style: str = "readable", notation: str = "indexed", wrt: str | Iterable[str] | None = None,
    layout: str | None = None, checkpoint: bool = False, compiled: bool = False, optimizer: str | UpdateRule | None = None,
) -> str:
    """Return a Python module that computes the loss and its gradients, with NumPy alone, or with Numba.

    Args:
        derivation: What to compute.
        style: A key of ``STYLES``.
        notation: The profile in which the formulas of the comments are printed; the code keeps the names that the
            quantities have.
        wrt: ``all``, ``parameters``, or names: what gradients are returned; by default all, and of fast code the parameters'.
        layout: How the arrays of fast code lie: ``batch-first``, ``feature-first``, or ``None``: by the size of the batch.
        checkpoint: Whether fast code keeps only the states between windows of a sequence, and computes each window anew in
            the backward pass: about a third more time, and memory for the root of the number of steps.
        compiled: Whether the loops over time of fast code are functions that Numba compiles, for calls with few sequences.
        optimizer: A key of ``OPTIMIZERS`` or a rule: a class that makes whole steps in place, and ``training_step``.

    Returns:
        The source. ``loss_and_gradients(params, x, y, *, h_0=None)`` returns the loss of a batch and a dictionary of
        gradients, ``loss(...)`` the loss alone; with clipping, ``clipped(gradients, limit=...)`` clips them afterwards.

    Raises:
        SpecError: Unknown style, notation, name, layout or optimizer, or an option of fast code with another style.
        NotSupportedError: Checkpoints for a network that cannot be computed in windows.
    """
    check_options(style, layout, checkpoint=checkpoint, compiled=compiled)
    network, functions = functions_of(derivation, ("parameters" if style == "fast" else "all") if wrt is None else wrt)
    title = f"{derivation.network.name}: the loss and its gradients by backpropagation through time."
    if style == "fast":
        source = fast_module(network, functions, title, layout=layout, notation=notation, checkpoint=checkpoint, compiled=compiled)
    else:
        source = module(network, functions, title, notation)
    return "\n\n".join([source, *clipping_source(derivation), *optimizing(derivation, functions[-1], optimizer)])


def optimizing(derivation: Derivation, function: Function, optimizer: str | UpdateRule | None) -> list[str]:
    """Return the parts of a module that make steps of training with the gradients of a function; nothing without an optimizer.

    Raises:
        SpecError: Unknown optimizer, or no gradient of a parameter.
    """
    if optimizer is None:
        return []
    rule = rule_of(optimizer)
    params = [g.name for g in derivation.as_network().givens if g.kind in SHARED]
    trained = [result.name for result in function.results if result.shared]
    if not trained:
        raise SpecError(f'an optimizer needs gradients of parameters; write wrt="parameters", or names of {", ".join(params)}')
    clipping = derivation.clipping
    return optimizer_source(rule, params, trained, (clipping.by, float(clipping.limit)) if clipping else ("norm", None))


def check_options(style: str, layout: str | None, *, checkpoint: bool, compiled: bool) -> None:
    """Refuse what is unknown, and what is for fast code only."""
    if style not in STYLES:
        raise unknown("style", style, STYLES)
    if layout is not None and layout not in LAYOUTS:
        raise unknown("layout", layout, LAYOUTS)
    if style != "fast" and (layout is not None or checkpoint):
        raise SpecError('a layout and checkpoints are for fast code; write style="fast"')
    if style != "fast" and compiled:
        raise SpecError('compiled loops are for fast code; write style="fast"')
    if compiled and layout == "feature-first":
        raise SpecError('compiled loops are batch-first; leave the layout out, or write layout="batch-first"')


def functions_of(derivation: Derivation, wrt: str | Iterable[str]) -> tuple[Network, list[Function]]:
    """Return the network that a module computes, and its functions."""
    network = for_reading(derivation).as_network()
    results = tuple(
        Result(g.name, key_of(derivation.by_quantity[g.quantity].lhs), g.span, g.kind in SHARED)
        for g in chosen(derivation, wrt)
    )
    functions = [
        Function("loss", "Return the loss, summed over the sequences of a batch.", (), "The loss.", alone=True),
        Function(
            "loss_and_gradients",
            "Return the loss, summed over the sequences of a batch, and its gradients.",
            results,
            "The loss, and a dictionary with the gradient in each of these arrays (targets and masks\n"
            "excepted), of the same shape.",
        ),
    ]
    return network, functions


def memory(
    derivation: Derivation, sizes: Mapping[str, int], *, dtype: str = "float64", wrt: str | Iterable[str] | None = None,
    layout: str | None = None, checkpoint: bool = False,
) -> str:
    """Return a table of the arrays of fast code, counted before they are made.

    Args:
        derivation: What is computed.
        sizes: A number for each size letter, the number ``B`` of sequences included.
        dtype: ``float64`` or ``float32``.
        wrt: What gradients are returned, as for :func:`numpy_source`.
        layout: How the arrays lie; by default as the code chooses for ``B`` sequences.
        checkpoint: Whether only the states between windows are kept: then the table is that of a window.

    Raises:
        SpecError: A size that is missing or strange, or an unknown dtype, name or layout.
    """
    if dtype not in ITEMSIZES:
        raise unknown("dtype", dtype, ITEMSIZES)
    network, functions = functions_of(derivation, "parameters" if wrt is None else wrt)
    few = sizes.get("B", 1) < FEW
    form = arranged(network, functions[-1])
    length = check_windows(form) if checkpoint else None
    batch_first = layout == "batch-first" if layout else few and not checkpoint
    fast = FastFunction(network, functions[-1], batch_first, plan=Plan(form), windowed=checkpoint)
    title = f"{derivation.network.name}: arrays of {dtype}"
    if length is not None:
        steps = window_length(sizes.get(str(length), 1))
        title += f" of one window of {steps} steps"
        sizes = {**sizes, str(length): steps}
    return memory_text(memory_plan(fast, sizes, ITEMSIZES[dtype]), title)


def chosen(derivation: Derivation, wrt: str | Iterable[str]) -> list[Given]:
    """Return what gradients are asked for.

    Raises:
        SpecError: A name that has no gradient.
    """
    if wrt == "all":
        return list(derivation.wanted)
    if wrt == "parameters":
        return [g for g in derivation.wanted if g.kind == "parameter"]
    names, known = [wrt] if isinstance(wrt, str) else list(wrt), {g.name: g for g in derivation.wanted}
    for name in names:
        if name not in known:
            raise unknown("gradient", name, known)
    return [known[name] for name in dict.fromkeys(names)]


def network_source(
    network: Network, outputs: Iterable[Basic] | None = None, *, notation: str = "indexed"
) -> str:
    """Return a Python module that computes quantities of a network: ``forward(params, x, *, h_0=None)``.

    Args:
        network: Any network, also one that holds a backward pass.
        outputs: Series and static quantities; by default the network's own.
        notation: The profile in which the formulas of the comments are printed.

    Returns:
        The source. ``forward`` returns a dictionary by name, time as the axis behind the batch; what belongs to one
        sequence is not summed over the batch.

    Raises:
        SpecError: Unknown notation.
    """
    wanted = tuple(network.outputs if outputs is None else outputs)
    results = tuple(Result(str(q.key), q, whole_span(network, q)) for q in wanted)
    function = Function(
        "forward", "Return quantities by name.", results, "A dictionary of arrays; time is the axis behind the batch.",
        loss=False,
    )
    return module(network, [function], f"{network.name}.", notation)


def whole_span(network: Network, quantity: Basic) -> Span | None:
    """Return the times at which a network computes a series."""
    spans = [e.span for e in network.equations if e.quantity == quantity and e.span is not None]
    return hull(spans, network.order) if isinstance(quantity, Series) else None


def module(network: Network, functions: Iterable[Function], title: str, notation: str) -> str:
    """Put functions of one network and their helpers together."""
    writer = Writer(network, notation)
    bodies = [writer.function(function) for function in functions]
    lines = ['"""' + title, "", "B sequences of a batch stand in rows: a column vector of size n is an array (B, n).", '"""']
    head = "\n".join(line for text in lines for line in (paragraph(text, hanging=0) or [""])) + "\n"
    helpers = [helper.strip() + "\n" for helper in writer.helpers.values()]
    return "\n\n".join([head + "\nimport numpy as np\n", *helpers, *bodies])
