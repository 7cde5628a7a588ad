"""Cells by name or from a user's own file, ``my_cell.py:CELL``."""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from symrnn.cells import CELLS, cell
from symrnn.equations import Cell
from symrnn.errors import SpecError, SymrnnError, unknown
from symrnn.layernorm import layer_normalised
from symrnn.networks import Network


def load_cell(where: str, options: dict[str, Any]) -> Cell:
    """Find a cell.

    Args:
        where: A name of ``CELLS``, or ``path.py:NAME`` for a ``Cell`` that a file defines.
        options: Options of a published cell, such as ``{"activation": "relu"}``, of which a file has none; and ``layer_norm``,
            which normalises any cell.

    Raises:
        SpecError: Unknown name or option, or a file that cannot be used, with the line at fault.
    """
    found = load(where, options)
    if isinstance(found, Network):
        raise SpecError(f"{where} is a network; here a cell is needed; derive, code, check, export and params take networks")
    return found


def load(where: str, options: dict[str, Any]) -> Cell | Network:
    """Find a cell, or a network that a file has wired.

    Args:
        where: A name of ``CELLS``, or ``path.py:NAME``.
        options: As for ``load_cell``; a network has none.

    Raises:
        SpecError: As for ``load_cell``.
    """
    path, colon, name = where.rpartition(":")
    if where.endswith(".py"):
        raise SpecError(f"which cell of {where}? write {where}:NAME, where NAME is a symrnn.Cell that the file defines")
    own = {option: value for option, value in options.items() if option != "layer_norm"}
    if not colon or not path.endswith(".py"):
        found: Cell | Network = published_cell(where, own)
    else:
        given = [name for name in own if name != "bias"]  # --no-bias is about the readout as well
        if given:
            raise SpecError(f"{dashed(given[0])} is an option of the published cells; {where} has its own equations")
        found = bound_to(Path(path), name)
    if isinstance(found, Network):
        if options:
            raise SpecError(f"{dashed(next(iter(options)))} is for cells; the network {where} has its own equations")
        return found
    return layer_normalised(found) if options.get("layer_norm") else found


def dashed(option: str) -> str:
    """Spell an option as the command line does."""
    return "--" + option.replace("_", "-")


def options_of(where: str) -> tuple[str, ...]:
    """Return the options that a cell takes; one of a file takes ``bias``, which is about the readout as well.

    Raises:
        SpecError: Unknown name.
    """
    if ".py" in where:
        return ("bias",)
    if where not in CELLS:
        error = unknown("cell", where, CELLS)
        raise SpecError(f"{error}; your own cell is path.py:NAME")
    return tuple(inspect.signature(CELLS[where]).parameters)


def published_cell(name: str, options: dict[str, Any]) -> Cell:
    """Build a published cell, and refuse an option that it does not have."""
    takes = options_of(name)
    for option in options:
        if option not in takes:
            raise SpecError(f"cell '{name}' has no option {dashed(option)}; it takes {', '.join(map(dashed, takes))}")
    return cell(name, **options)


def bound_to(path: Path, name: str) -> Cell | Network:
    """Run a file and return the cell or network that it binds to a name."""
    module = module_of(path)
    known = [key for key, value in vars(module).items() if isinstance(value, Cell | Network)]
    if not hasattr(module, name):
        if not known:
            raise SpecError(f"{path} defines no '{name}' and no symrnn.Cell at all; add {name or 'CELL'} = symrnn.Cell(...)")
        raise unknown(f"cell of {path}", name, known)
    found = getattr(module, name)
    if not isinstance(found, Cell | Network):
        hint = f"; the file's cells: {', '.join(known)}" if known else ""
        raise SpecError(f"{path}: {name} is of type {type(found).__name__}; expected a symrnn.Cell{hint}")
    return found


def module_of(path: Path) -> ModuleType:
    """Run a user's file as Python would run a script; what it prints goes to standard error."""
    if path.is_dir() or not path.exists():
        raise SpecError(f"no such file: {path}" if not path.exists() else f"{path} is a directory; expected a Python file")
    module_spec = importlib.util.spec_from_file_location(f"symrnn_user_{path.stem}", path)
    if module_spec is None or module_spec.loader is None:
        raise SpecError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(module_spec)
    try:
        with beside(path), contextlib.redirect_stdout(sys.stderr):
            module_spec.loader.exec_module(module)
    except SyntaxError as error:
        own = error.filename is None or Path(error.filename).resolve() == path.resolve()
        raise SpecError(f"{path if own else error.filename}, line {error.lineno}: {error.msg}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"cannot read {path}: {error}") from error
    except (Exception, SystemExit) as error:
        raise SpecError(f"{path}, line {line_at_fault(error, path)}: {described(error)}") from error
    return module


@contextlib.contextmanager
def beside(path: Path) -> Iterator[None]:
    """Let a file import its neighbours, and leave no bytecode beside it."""
    folder, written = str(path.resolve().parent), sys.dont_write_bytecode
    sys.path.insert(0, folder)
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.dont_write_bytecode = written
        sys.path.remove(folder)


def described(error: BaseException) -> str:
    """Say what a user's file raised, in a line."""
    message = str(error).strip().partition("\n")[0]
    return message if isinstance(error, SymrnnError) else f"{type(error).__name__}: {message}"


def line_at_fault(error: BaseException, path: Path) -> int:
    """Return the last line of the file that took part in an error."""
    frames = traceback.extract_tb(error.__traceback__)
    return next((f.lineno or 0 for f in reversed(frames) if Path(f.filename).name == path.name), 0)
