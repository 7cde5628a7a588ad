"""Whole modules of fast code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from sympy import Basic

from symrnn import writer
from symrnn.codegen.arguments import positional
from symrnn.codegen.fast.checkpoints import checkpointed
from symrnn.codegen.fast.function import FastFunction
from symrnn.codegen.formatting import paragraph, signature
from symrnn.codegen.functions import Function
from symrnn.networks.graph import Network
from symrnn.scheduling import PASSES, Form
from symrnn.style import Style
from symrnn.times import Span

LAYOUTS: Mapping[str, str] = MappingProxyType({"batch-first": "arrays (time, B, n)", "feature-first": "arrays (time, n, B)"})
"""How the arrays of a workspace lie. Batch-first is for few sequences, feature-first for many."""
FEW = 8
"""From so many sequences on the layout is feature-first where nobody chooses it."""
LEGEND = (
    "Names that end in _all are arrays over all times, those that end in _at lists of the same values by time, those that "
    "end in _now hold the value of one time. All of them belong to a workspace that is kept between calls."
)

IMPORTS = "import numpy as np\n"
COMPILED_IMPORTS = "import math\n\nimport numpy as np\nfrom numba import njit\n"

KEPT = '''
_kept = []


def take(kind, *sizes):
    """Return the arrays of an earlier call with these sizes that has ended, or new ones: no two running calls share them."""
    for workspace in list(_kept):
        if workspace.key == (kind, *sizes):
            try:
                _kept.remove(workspace)
            except ValueError:  # another thread took it
                continue
            return workspace
    return kind(*sizes)


def keep(workspace):
    """Keep arrays for a later call; those of the last four sizes are kept."""
    _kept.append(workspace)
    del _kept[:-4]
'''


def fast_module(
    network: Network, functions: Sequence[Function], title: str, *,
    layout: str | None = None, notation: str = "indexed", checkpoint: bool = False, compiled: bool = False,
) -> str:
    """Return a module with fast functions.

    Args:
        network: What is computed.
        functions: What is returned: the functions that return gradients come in both layouts where none is chosen.
        title: The first line of the module.
        layout: A key of ``LAYOUTS``, or ``None``: by the number of sequences of each call.
        notation: The notation of the comments.
        checkpoint: Whether only the states between windows of the sequence are kept.
        compiled: Whether Numba compiles the recurrent loops of what is batch-first.

    Raises:
        NotSupportedError: Checkpoints for a network that cannot be computed in windows.
    """
    helpers: dict[str, str] = {}
    parts: list[str] = []
    for function in functions:
        if checkpoint and not function.alone:
            windows, pieces = checkpointed(network, function, layout == "batch-first" or compiled, notation, compiled)
            helpers |= {name: code for fast in windows for name, code in fast.scope.used.helpers.items()}
            parts += pieces
            continue
        chosen = [layout] if layout else ["batch-first", "feature-first"]
        made: list[FastFunction] = []
        for name in chosen:
            plan = made[0].plan if made else None
            batch_first = name == "batch-first"
            own = class_name(function, name)
            made.append(FastFunction(network, function, batch_first, own, notation, plan, compiled=compiled and batch_first))
        both = len(made) == 2 and bool(positional(made[0].arguments))
        for fast in made if both else made[:1]:
            helpers |= fast.scope.used.helpers
            name = f"{function.name}_{'batch' if fast.batch_first else 'feature'}_first" if both else function.name
            words = f"The same, for arrays of the workspace {'(time, B, n)' if fast.batch_first else '(time, n, B)'}."
            parts += [fast.workspace(), fast.source(name, [f'"""{words}"""'] if both else fast.doc)]
        if both:
            parts.append(choosing(made[0], function.name))
    imports = COMPILED_IMPORTS if "compiled" in helpers else IMPORTS
    return "\n\n".join([heading(network, functions, title, notation) + imports, *(h.strip() + "\n" for h in helpers.values()), KEPT.strip() + "\n", *parts])


def class_name(function: Function, layout: str) -> str:
    """Return the name of the class of a workspace: ``LossBatchFirst``."""
    return "".join(word.capitalize() for word in f"{function.name}_{layout}".replace("-", "_").split("_"))


def choosing(fast: FastFunction, name: str) -> str:
    """Write the function that chooses the layout."""
    places, keywords = fast.taken
    head = signature(name, places, keywords)
    passed = ", ".join([*places, *(f"{word}={word}" for word in (keyword.partition("=")[0] for keyword in keywords))])
    line = f"    return ({name}_batch_first if len({places[1]}) < {FEW} else {name}_feature_first)({passed})"
    return "\n".join([*head, *(f"    {text}" if text else "" for text in fast.doc), line]) + "\n"


def heading(network: Network, functions: Sequence[Function], title: str, notation: str) -> str:
    """Write the docstring of the module: the equations that are computed, and what the names mean."""
    style = Style.of(network, notation, "unicode")
    results: dict[Basic, Span | None] = {r.quantity: r.span for function in functions for r in function.results}
    results[network.loss] = None
    needed = PASSES["needed"](Form(network, network.blocks, results)).equations
    equations = [f"    {writer.text(e.lhs, style)} = {writer.text(e.rhs, style)}" for e in needed]
    lines = [*paragraph(title, hanging=0), "", "The equations, backward pass included:", "", *equations, "", *paragraph(LEGEND, hanging=0)]
    return "\n".join(['"""' + lines[0], *lines[1:], '"""']) + "\n\n"
