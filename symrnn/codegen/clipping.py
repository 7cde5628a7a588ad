"""The function that clips gradients after the backward pass."""

from __future__ import annotations

from symrnn.codegen.formatting import paragraph
from symrnn.derivation import Derivation

FORMULAS = {
    "norm": ("g * min(1, c / |g|)", "|g| the norm over the gradients of all parameters together, c the limit"),
    "value": ("min(c, max(-c, g))", "entry by entry, c the limit"),
}
SOURCES = {"norm": "Pascanu, Mikolov and Bengio 2013, algorithm 1", "value": "Mikolov 2012"}
NORM = """    norm = float(np.sqrt(sum(np.sum(np.abs(gradients[name]) ** 2) for name in PARAMETERS)))
    scale = limit / max(norm, limit)
    return {name: gradient * scale if name in PARAMETERS else gradient for name, gradient in gradients.items()}
"""
VALUE = """    return {
        name: np.clip(gradient, -limit, limit) if name in PARAMETERS else gradient for name, gradient in gradients.items()
    }
"""


def clipping_source(derivation: Derivation) -> list[str]:
    """Return the function ``clipped(gradients, limit)`` of a derivation with clipping; nothing for one without."""
    if derivation.clipping is None:
        return []
    by, limit = derivation.clipping.by, float(derivation.clipping.limit)
    formula, meaning = FORMULAS[by]
    parameters = [g.name for g in derivation.network.givens if g.kind == "parameter"]
    listed = ", ".join(f'"{name}"' for name in parameters) + ("," if len(parameters) == 1 else "")
    names = paragraph(f"PARAMETERS = ({listed})", 0)
    doc = [
        f'    """Return gradients with those of the parameters clipped: {formula}.', "",
        *paragraph(f"{meaning[0].upper()}{meaning[1:]}. {SOURCES[by]}.", 4, 0), "",
        "    Args:",
        "        gradients: What loss_and_gradients returned; gradients in inputs and initial states are kept.",
        "        limit: The threshold c, a positive number.", '    """',
    ]
    body = NORM if by == "norm" else VALUE
    return ["\n".join(names) + "\n", "\n".join([f"def clipped(gradients, limit={limit!r}):", *doc, body])]
