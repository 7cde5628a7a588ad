"""The parts of a network in headings: layers by number, direction and side, attention, readout."""

from __future__ import annotations

from symrnn.lecture.subject import Subject
from symrnn.networks import Part
from symrnn.notation import mark_of

SIDES = {"enc": "encoder", "dec": "decoder", "fw": "forward", "bw": "backward"}


def part_of(subject: Subject, name: str) -> str:
    """Name the part that a quantity belongs to; nothing where the network is one layer with a readout."""
    parts = subject.network.parts
    if sum(part.role not in {"readout", "previous"} for part in parts) < 2:
        return ""
    found = next((part for part in parts if name in part.names), None)
    text = subject.words("parts.other") if found is None else part_name(subject, found)
    return text[:1].upper() + text[1:]


def part_name(subject: Subject, part: Part) -> str:
    """Name a part."""
    words, mark = subject.words, mark_of(part.mark)
    if part.role != "layer":
        own = f"parts.{part.role}"
        return words.first(own, "parts.other")
    sides = [SIDES[word] for word in mark.words if word in SIDES]
    side = next((s for s in sides if s in {"forward", "backward"}), next(iter(sides), ""))
    values = {"cell": subject.shown(part.cell or subject.network.cell)}
    if mark.layer is not None:
        return words(f"parts.layer_number_{side}" if side else "parts.layer", number=mark.layer, **values)
    return words(f"parts.layer_{side}" if side else "parts.only_layer", **values)


__all__ = ["part_of"]
