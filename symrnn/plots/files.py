"""Figures as files: SVG, PNG or PDF, by the ending of the name, the same bytes for the same figure."""

from __future__ import annotations

import io
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from symrnn.errors import SpecError
from symrnn.output import check_writable, write_whole
from symrnn.plots.canvas import settings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DATES: MappingProxyType[str, dict[str, Any]] = MappingProxyType({
    "svg": {"Date": None}, "png": {"Software": None}, "pdf": {"CreationDate": None},
})
"""Formats, with what would make two files of one figure differ."""


def plot_format(path: str | Path) -> str:
    """Return the format that the ending of a name asks for.

    Raises:
        SpecError: Another ending, or none.
    """
    ending = Path(path).suffix.lower().removeprefix(".")
    if ending not in DATES:
        got = f"'.{ending}'" if ending else "no ending"
        raise SpecError(f"a picture is a file that ends in .svg, .png or .pdf; got {got} in '{path}'; rename it")
    return ending


def save_figure(figure: Figure, path: str | Path, *, force: bool = False) -> None:
    """Write a figure, whole or not at all; the same figure is the same bytes.

    Args:
        figure: Any figure of matplotlib.
        path: Ends in ``.svg``, ``.png`` or ``.pdf``.
        force: Whether a file that exists may be replaced.

    Raises:
        SpecError: Another ending.
        OutputError: The file exists and ``force`` is false, or the path cannot be written.
        NotSupportedError: matplotlib is not installed.
    """
    format = plot_format(path)
    stream = io.BytesIO()
    with settings():
        figure.savefig(stream, format=format, metadata=DATES[format])
    write_whole(path, stream.getvalue(), force=force)


def writable(path: str | Path, *, force: bool = False) -> str:
    """Check that a picture can be written, before the work that it shows.

    Raises:
        SpecError: An ending that is none of the three.
        OutputError: No such folder, or the file exists and ``force`` is false.
    """
    plot_format(path)
    check_writable(path, force=force)
    return str(path)
