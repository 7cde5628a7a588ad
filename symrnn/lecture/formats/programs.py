"""What the formats are made with: pandoc and Typst, two Python packages that carry their programs, and TeX where it is installed."""

from __future__ import annotations

import importlib
import importlib.util
import shutil
import subprocess
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from symrnn.errors import NotSupportedError

INSTALL = "pip install 'symrnn[lecture]'"
TEX = "apt-get install texlive-latex-extra texlive-fonts-recommended lmodern texlive-xetex texlive-lang-korean"
READER = (
    "markdown_strict+tex_math_dollars+raw_attribute+fenced_divs+bracketed_spans+pipe_tables+table_captions+fenced_code_attributes"
    "+backtick_code_blocks+header_attributes+link_attributes+space_in_atx_header+blank_before_header+fancy_lists+startnum"
    "+intraword_underscores+all_symbols_escapable+implicit_figures-raw_html"
)
"""The Markdown that is written here, and no more of it."""


def loaded(module: str, package: str, purpose: str) -> Any:
    """Load a package that only lectures need.

    Raises:
        NotSupportedError: It is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        raise NotSupportedError(f"{purpose} needs the package {package}, which is not installed; {INSTALL}") from None


def pandoc(source: str, target: str, *options: str, purpose: str) -> bytes:
    """Convert Markdown.

    Args:
        source: The text.
        target: The name of pandoc's writer.
        options: More of pandoc's.
        purpose: What it is done for, as messages begin.

    Raises:
        NotSupportedError: pandoc is not installed, or does not know a command of a formula.
    """
    package = loaded("pypandoc", "pypandoc_binary", purpose)
    try:
        done = subprocess.run(
            [package.get_pandoc_path(), f"--from={READER}", f"--to={target}", "--wrap=none", "--output=-", *options],
            input=source.encode(), capture_output=True, check=True,
        )
    except subprocess.CalledProcessError as error:
        raise NotSupportedError(f"{purpose}: pandoc stopped: {one_line(error.stderr)}") from None
    except OSError as error:
        raise NotSupportedError(f"{purpose} needs pandoc, which does not run ({one_line(str(error))}); {INSTALL}") from None
    if b"[WARNING]" in done.stderr:
        raise NotSupportedError(f"{purpose}: pandoc cannot read a part; use the format latex, or another notation: {one_line(done.stderr)}")
    return done.stdout


def typst(source: str, format: str, *, purpose: str, fonts: tuple[str, ...] = (), ppi: float = 144.0) -> bytes:
    """Compile Typst to ``pdf``, ``svg`` or ``png``, with the fonts that the package carries and those in the folders ``fonts``.

    Raises:
        NotSupportedError: It is not installed, or cannot set a formula.
    """
    package = loaded("typst", "typst", purpose)
    try:
        made = package.compile(source.encode(), format=format, font_paths=list(fonts), ignore_system_fonts=True, ppi=ppi)
    except RuntimeError as error:
        raise NotSupportedError(f"{purpose}: typst cannot set a part; use the format latex: {one_line(str(error))}") from None
    return bytes(made)


@cache
def korean_fonts() -> str:
    """Return the folder of NanumGothic, without loading the package that carries it.

    Raises:
        NotSupportedError: The package is not installed.
    """
    spec = importlib.util.find_spec("koreanize_matplotlib")
    folder = Path(spec.origin or "").parent / "fonts" if spec else None
    if folder is None or not (folder / "NanumGothic.ttf").is_file():
        raise NotSupportedError(f"Korean text on paper needs the font of the package koreanize-matplotlib, which is not installed; {INSTALL}")
    return str(folder)


def tex(name: str) -> str:
    """Return the path of a program of TeX.

    Raises:
        NotSupportedError: It is not installed.
    """
    found = shutil.which(name)
    if found is None:
        raise NotSupportedError(f"the engine latex needs {name}, which is not installed; {TEX}; or use the engine typst")
    return found


@cache
def data(name: str) -> str:
    """Return the text of a file of the package, such as ``templates/page.css``."""
    return files("symrnn.lecture.formats").joinpath(name).read_text(encoding="utf-8")


@cache
def data_path(name: str) -> str:
    """Return where a file of the package lies, for programs that read it."""
    return str(files("symrnn.lecture.formats").joinpath(name))


def filled(template: str, **parts: str) -> str:
    """Put parts in the place of ``{{name}}``."""
    for name, part in parts.items():
        template = template.replace("{{" + name + "}}", part)
    return template


def one_line(message: str | bytes, length: int = 200) -> str:
    """Return the beginning of a message of a program on one line."""
    text = " ".join((message.decode(errors="replace") if isinstance(message, bytes) else message).split())
    return text if len(text) <= length else text[: length - 1] + "…"
