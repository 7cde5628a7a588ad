"""LaTeX through pandoc to MathML and Typst, and through Typst to pictures; no TeX is needed.

Both come as Python packages, ``pypandoc_binary`` and ``typst``, which are loaded by name when they are first used.
"""

from __future__ import annotations

import importlib
import re
import subprocess
from typing import Any

from symrnn.errors import NotSupportedError

INSTALL = "pip install 'symrnn[export]'"
PAGE = "#set page(width: auto, height: auto, margin: 4pt)\n"
RESOLUTION = 300
"""Pixels an inch of a PNG."""
MATH = re.compile(r"<math .*</math>", re.DOTALL)

MENDED = (
    (re.compile(r"(\^\((?:\\[()]|[^()])*\)) ?\^"), r'\1 ""^'),  # x^((t))^⊤: the second mark would be raised twice
    (re.compile(r"(#h\([\w.]+\)) ([+-]) "), r'\1 "" \2 '),  # a sign that begins a row is spaced like one between terms
    (re.compile(r'("[a-z]+") (?=\\\()'), r"op(\1) "),  # softmax(a): a text would keep its distance
    (re.compile(r"& \+ ="), r'& class("relation", + =)'),
)
"""What pandoc writes as Typst, and what looks as the LaTeX does."""


def loaded(module: str, package: str, purpose: str) -> Any:
    """Load a package that only exports need.

    Raises:
        NotSupportedError: It is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        raise NotSupportedError(f"{purpose} needs the package {package}, which is not installed; {INSTALL}") from None


def pandoc(formula: str, target: str, *options: str) -> str:
    """Convert display mathematics.

    Raises:
        NotSupportedError: pandoc is not installed, or does not know a command of the formula.
    """
    package = loaded("pypandoc", "pypandoc_binary", f"the format {target}")
    try:
        done = subprocess.run(
            [package.get_pandoc_path(), "--from=latex", f"--to={target}", *options],
            input=rf"\[{formula}\]", capture_output=True, text=True, encoding="utf-8", check=True,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise NotSupportedError(f"pandoc does not run ({str(error).splitlines()[0]}); {INSTALL}") from None
    if "[WARNING]" in done.stderr:
        reason = " ".join(done.stderr.split())
        raise NotSupportedError(f"pandoc cannot read a formula in this notation; use the format latex: {reason}")
    return done.stdout.strip()


def mathml(formula: str) -> str:
    """Write a formula as MathML, which browsers show and Word takes when it is pasted."""
    match = MATH.search(pandoc(formula, "html", "--mathml"))
    if match is None:
        raise NotSupportedError("pandoc wrote no MathML; use the format latex")
    return match.group() + "\n"


def typst(formula: str) -> str:
    """Write a formula as Typst."""
    out = pandoc(formula, "typst")
    for pattern, replacement in MENDED:
        out = pattern.sub(replacement, out)
    return out + "\n"


def picture(formula: str, format: str) -> bytes:
    """Set a formula on a page of its own size, as ``svg`` or ``png``."""
    compiler = loaded("typst", "typst", f"the format {format}")
    source = (PAGE + typst(formula)).encode()
    more = {"ppi": float(RESOLUTION)} if format == "png" else {}
    try:
        made = compiler.compile(source, format=format, ignore_system_fonts=True, **more)
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise NotSupportedError(f"typst cannot set a formula in this notation; use the format latex: {reason}") from None
    return bytes(made)
