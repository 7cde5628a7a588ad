"""The formats by name, and files that are written whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from symrnn.errors import OutputError, SpecError, unknown
from symrnn.lecture.document import Document
from symrnn.lecture.formats.html import page_of
from symrnn.lecture.formats.latex import compiled, engine_of, latex_of
from symrnn.lecture.formats.office import docx_of, pptx_of
from symrnn.lecture.formats.paper import paper_of
from symrnn.lecture.formats.pictures import figure_files
from symrnn.lecture.formats.portable import markdown_of, notebook_of
from symrnn.lecture.formats.presentation import presentation_of
from symrnn.lecture.formats.programs import loaded, tex
from symrnn.output import check_writable, write_whole

Made = tuple[bytes, Mapping[str, bytes]]
"""The content of a file, and what lies in the folder beside it, by name."""
ENGINES = ("typst", "latex")


@dataclass(frozen=True)
class Format:
    """A format of lectures.

    Attributes:
        ending: How names of its files end; the first format with an ending is the one that the ending means.
        about: What it is, in a few words.
        make: Writes a document, given what the folder beside the file is called.
        needs: Modules and packages that it is made with.
    """

    ending: str
    about: str
    make: Callable[[Document, str], Made]
    needs: tuple[tuple[str, str], ...] = ()


def alone(make: Callable[[Document], bytes]) -> Callable[[Document, str], Made]:
    """Make a file that nothing lies beside."""
    return lambda document, folder: (make(document), {})


PANDOC = ("pypandoc", "pypandoc_binary")
TYPST = ("typst", "typst")
FORMATS: Mapping[str, Format] = MappingProxyType({
    "html": Format(".html", "a page that stands alone", alone(page_of), (PANDOC,)),
    "slides": Format(".html", "slides (reveal.js) in one file", alone(presentation_of), (PANDOC,)),
    "markdown": Format(".md", "Markdown, with a folder of pictures", lambda d, folder: (markdown_of(d, folder), figure_files(d, "svg"))),
    "latex": Format(".tex", "LaTeX, with a folder of pictures", latex_of, (PANDOC, TYPST)),
    "pdf": Format(".pdf", "PDF, by Typst or by LaTeX", alone(paper_of), (PANDOC, TYPST)),
    "docx": Format(".docx", "Word, with equations", alone(docx_of), (PANDOC, TYPST)),
    "notebook": Format(".ipynb", "a Jupyter notebook whose code runs", alone(notebook_of)),
    "pptx": Format(".pptx", "PowerPoint, with equations", alone(pptx_of), (PANDOC, TYPST)),
})
"""The formats of lectures, by name."""


def format_of(path: str | Path, format: str = "") -> str:
    """Return the name of a format, by its name or by the ending of a file.

    Args:
        path: The file.
        format: A name of ``FORMATS``; empty where the ending says it.

    Raises:
        SpecError: Another name or ending.
    """
    if format:
        if format not in FORMATS:
            raise unknown("format", format, FORMATS)
        return format
    ending = Path(path).suffix.lower()
    found = next((name for name, known in FORMATS.items() if known.ending == ending), "")
    if not found:
        known = ", ".join(dict.fromkeys(format.ending for format in FORMATS.values()))
        got = f"'{ending}'" if ending else "no ending"
        raise SpecError(f"a lecture is a file that ends in {known}; got {got} in '{path}'; rename it, or name the format, such as --format html")
    return found


def ready(path: str | Path, *, format: str = "", engine: str = "typst", force: bool = False) -> str:
    """Check that a lecture can be written, before the work that it is made of, and return the name of its format.

    Args:
        path: Where it will be written.
        format: A name of ``FORMATS``; empty where the ending says it.
        engine: What makes a PDF: ``typst``, or ``latex`` where TeX is installed.
        force: Whether a file that exists may be replaced.

    Raises:
        SpecError: Another format, ending or engine.
        OutputError: No such folder, or the file exists and ``force`` is false.
        NotSupportedError: What the format is made with is not installed.
    """
    name = format_of(path, format)
    if engine not in ENGINES:
        raise unknown("engine", engine, ENGINES)
    if engine != "typst" and name != "pdf":
        raise SpecError(f"the engine {engine} makes PDF, and the format is {name}; leave the engine out, or write a .pdf")
    check_writable(path, force=force)
    for module, package in FORMATS[name].needs:
        loaded(module, package, f"the format {name}")
    if engine == "latex":
        tex("pdflatex")
    return name


def write(document: Document, path: str | Path, *, format: str = "", engine: str = "typst", force: bool = False) -> None:
    """Write a lecture, whole or not at all; Markdown and LaTeX have their pictures in a folder beside, ``NAME_figures``.

    Args:
        document: The lecture.
        path: The file.
        format: A name of ``FORMATS``; empty where the ending of the file says it.
        engine: What makes a PDF: ``typst``, or ``latex`` where TeX is installed.
        force: Whether a file that exists may be replaced.

    Raises:
        SpecError: Another format, ending or engine, or a document that refers to what it does not have.
        OutputError: The file exists and ``force`` is false, or the path cannot be written.
        NotSupportedError: What the format is made with is not installed, or cannot set a part of the document.
    """
    name = ready(path, format=format, engine=engine, force=force)
    if engine == "latex":
        tex(engine_of(document))
    target = Path(path)
    folder = target.with_name(f"{target.stem.replace(' ', '_')}_figures")
    content, beside = (compiled(document), {}) if engine == "latex" else FORMATS[name].make(document, folder.name)
    if beside:
        write_folder(folder, beside)
    write_whole(path, content, force=force)


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files into a folder.

    Raises:
        OutputError: The folder cannot be made.
    """
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {folder}: {(error.strerror or str(error)).lower()}") from None
    for name, content in files.items():
        write_whole(folder / name, content, force=True)
