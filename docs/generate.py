"""Write ``docs/reference/names.md`` from the docstrings of the public names, and ``docs/images``: ``python docs/generate.py``."""

from __future__ import annotations

import inspect
import textwrap
from pathlib import Path
from typing import Any

import symrnn
from symrnn.lecture.figures import LABELS, cell_figure, shapes_figure, unrolled_figure
from symrnn.style import Style

IMAGES = Path(__file__).parent / "images"
PAGE = Path(__file__).parent / "reference" / "names.md"
HEAD = """# Every public name

Written by `python docs/generate.py` from the docstrings; a test fails when this page is not up to date. The
[page before](python.md) says what belongs together.
"""


def signature(value: Any) -> str:
    """Return the arguments of a function or class, or nothing where there are none to show."""
    if not callable(value) or (isinstance(value, type) and issubclass(value, Exception)):
        return ""
    try:
        shown = inspect.signature(value)
    except (TypeError, ValueError):
        return ""
    plain = [p.replace(annotation=inspect.Parameter.empty) for p in shown.parameters.values() if p.name != "cls"]
    bare = [p.replace(default=...) if "0x" in repr(p.default) else p for p in plain]
    return str(shown.replace(parameters=bare, return_annotation=inspect.Signature.empty))


def methods(value: type) -> list[str]:
    """Return a line for each public method and property of a class of ours."""
    lines = []
    for name, member in vars(value).items():
        text = inspect.getdoc(member.func if hasattr(member, "func") else member)
        if name.startswith("_") or not text or not (callable(member) or hasattr(member, "fget") or hasattr(member, "func")):
            continue
        lines.append(f"* `{name}`: {text.splitlines()[0]}")
    return lines


def section(name: str) -> str:
    """Return the part of the page on one name."""
    value = getattr(symrnn, name)
    own = inspect.isclass(value) or inspect.isfunction(value)
    kind = "table" if hasattr(value, "keys") else type(value).__name__
    keys = ": " + ", ".join(f"`{key}`" for key in value) if kind == "table" else ""
    text = inspect.getdoc(value) if own else f"A {kind}{keys}."
    body = [f"## `{name}{signature(value) if own else ''}`", textwrap.dedent(f"```text\n{text}\n```") if own else text or ""]
    listed = methods(value) if inspect.isclass(value) and value.__module__.startswith("symrnn") else []
    return "\n\n".join([*body, *(["\n".join(listed)] if listed else [])])


def page() -> str:
    """Return the whole page."""
    return "\n\n".join([HEAD.rstrip(), *(section(name) for name in sorted(symrnn.__all__, key=str.lower))]) + "\n"


def pictures() -> dict[str, str]:
    """Return the pictures of the README, as SVG by file name."""
    lstm, rnn = (symrnn.network(symrnn.cell(name)) for name in ("lstm", "rnn"))
    style = Style.of(rnn, "indexed", "latex")
    weight = symrnn.derive(rnn).by_quantity[next(given.quantity for given in rnn.givens if str(given.quantity.name) == "W_hh")]
    return {
        "lstm-cell.svg": cell_figure(lstm, Style.of(lstm, "indexed", "latex"), LABELS),
        "rnn-unrolled.svg": unrolled_figure(rnn, style, LABELS),
        "rnn-shapes.svg": shapes_figure([rnn.equations[0], *weight.lines], style, LABELS),
    }


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    for name, svg in pictures().items():
        (IMAGES / name).write_text(svg, encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")
