"""Checkpoints: only the states between windows of a sequence are kept, and each window is computed anew in the backward pass."""

from __future__ import annotations

from symrnn.codegen.arguments import positional
from symrnn.codegen.fast.function import FastFunction
from symrnn.codegen.fast.plan import Plan, arranged
from symrnn.codegen.formatting import paragraph, signature
from symrnn.codegen.functions import Function, Result
from symrnn.errors import NotSupportedError
from symrnn.networks.graph import Network
from symrnn.scheduling.windows import check_windows, states_of
from symrnn.times import Span

EVERY = "every: Number of steps of a window; by default the root of the number of all steps."
BODY = '''
    steps = {first}.shape[1]
    every = max(1, round(steps ** 0.5)) if every is None else every
    starts = range(0, steps, every)
    states = [{start}]
    for first in starts[:-1]:
        here = slice(first, first + every)
        states.append(states_after(params, {inputs}, **states[-1]))
    loss, gradients, edges = 0, None, None
    for first, state in zip(reversed(starts), reversed(states)):
        here = slice(first, first + every)
        more, found, edges = window(params, {all_inputs}, **state, edges=edges)
        loss = loss + more
        gradients = {{name: array + gradients[name] for name, array in found.items()}} if gradients else found
    return loss, gradients
'''


def checkpointed(network: Network, function: Function, batch_first: bool, notation: str, compiled: bool) -> tuple[list[FastFunction], list[str]]:
    """Return the functions of one window, and the source of all.

    Raises:
        NotSupportedError: The network cannot be computed in windows.
    """
    if any(not r.shared for r in function.results):
        raise NotSupportedError('checkpoints are for the gradients of parameters; write wrt="parameters"')
    form = arranged(network, function)
    length = check_windows(form)
    window = FastFunction(network, function, batch_first, "Window", notation, Plan(form), windowed=True, compiled=compiled)
    states = states_of(window.form)
    names = {g.quantity: a.name for a in window.arguments if a.kind == "initial" for g in (a.given,)}
    results = tuple(Result(names[q], q, Span(length, length)) for q in states)
    after = FastFunction(network, Function("states_after", "Return the states at the end of a window.", results, "Arrays by name.", False),
                         batch_first, "States", notation, compiled=compiled)
    pieces = [
        after.workspace(), after.source("states_after", after.doc), window.workspace(),
        window.source("window", ['"""Return the loss and the gradients of a window, and what the window before it needs."""']),
        whole(window, after, [names[q] for q in states], function),
    ]
    return [after, window], pieces


def whole(window: FastFunction, after: FastFunction, states: list[str], function: Function) -> str:
    """Write the function that goes through the windows, and back."""
    places, keywords = window.taken
    lasting = {a.name for a in window.arguments if a.lasts}
    masks = [a.name for a in window.arguments if a.kind == "mask"]
    kept = [word for word in keywords if word != "edges=None"]
    head = signature(function.name, places, [*kept, "every=None"])
    doc: list[str] = list(window.doc)
    place = doc.index("Returns:") - 1
    doc[place:place] = [f"    {line}" for line in paragraph(EVERY, 4)] if len(EVERY) > 90 else [f"    {EVERY}"]

    def passed(fast: FastFunction) -> str:
        values = {a.name: f"{a.name}[:, here]" if a.name in lasting else a.name for a in fast.arguments}
        words = [name for name in masks if name in values]
        extra = [word for word in kept if "=" not in word and word not in masks]
        own = [values[a.name] for a in positional(fast.arguments)]
        return ", ".join([*own, *(f"{name}={values[name]}" for name in words), *(f"{word}={word}" for word in extra)])

    start = "{" + ", ".join(f'"{name}": {name}' for name in states) + "}"
    body = BODY.format(first=next(iter(a.name for a in window.arguments if a.lasts)), start=start, inputs=passed(after), all_inputs=passed(window))
    return "\n".join([*head, *(f"    {line}" if line else "" for line in doc), body.strip("\n")]) + "\n"
