"""The words of the figures, in English; a lecture gives those of its language."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

LABELS: Mapping[str, str] = MappingProxyType({
    "cell": "One time step of {name}",
    "cell_description": "A graph of the equations of one time step: on the left what is read ({reads}), on the right what goes on ({results}).",
    "weights": "product with weights",
    "function": "function of each entry",
    "elementwise": "sum or product, entry by entry",
    "state_path": "path of the state: only {sign} and +",
    "unrolled": "{name}, unrolled over {steps} steps",
    "unrolled_description": "The values of {steps} steps beside each other: arrows show the forward pass, dashed arrows the gradients that flow back.",
    "forward": "forward pass",
    "backward": "gradients flow back (slopes of the activations left out)",
    "shapes": "Shapes",
    "shapes_description": "Each equation as grids: a matrix has a square for each entry, and what is multiplied fits together ({sizes}).",
    "sizes": "drawn for {sizes}",
})
"""Keys and English defaults; what stands in braces is filled in."""


def worded(labels: Mapping[str, str], key: str, **values: object) -> str:
    """Return a text in the language of the labels, or in English where they have none."""
    return labels.get(key, LABELS[key]).format(**values)
