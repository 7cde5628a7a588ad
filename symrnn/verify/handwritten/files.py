"""A user's file as a module, and what is to be verified in it."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from symrnn.conventions import Form, cells
from symrnn.errors import SpecError, unknown
from symrnn.verify.handwritten.conventional import Asked, forms_asked, known_of
from symrnn.verify.handwritten.inputs import drawn
from symrnn.verify.handwritten.judging import Plan
from symrnn.verify.handwritten.naming import parameters, returned_names
from symrnn.verify.handwritten.problems import called
from symrnn.verify.handwritten.program import Program
from symrnn.verify.handwritten.settings import Settings, inputs_of, settings_of
from symrnn.verify.handwritten.verifying import Request, spaces_of

LOADING = "symrnn.loading"
"""What loads cells; by name, since a judge does not import it."""
KEPT = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)


def load(path: Path, *, only_definitions: bool = False) -> ModuleType:
    """Run a user's file as a module.

    Args:
        path: The file.
        only_definitions: Whether only imports, functions, classes and constants of it are run.

    Raises:
        SpecError: It cannot be read or has a syntax error.
        Stopped: It raises.
    """
    try:
        source = path.read_text(encoding="utf-8")
        tree = ast.parse(source, str(path))
    except OSError as error:
        raise SpecError(f"cannot read {path}: {(error.strerror or str(error)).lower()}") from None
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        raise SpecError(f"{path.name} has a syntax error{f' in line {line}' if line else ''}: {getattr(error, 'msg', error)}") from None
    if only_definitions:
        tree.body = [node for node in tree.body if isinstance(node, KEPT) or is_constant(node)]
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None:
        raise SpecError(f"{path.name} is no Python file; its name must end in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(path.stem, module)
    sys.path.insert(0, str(path.parent))
    code = compile(tree, str(path), "exec")
    called(path.name, lambda: exec(code, vars(module)))  # the user asked for it
    return module


def is_constant(node: ast.stmt) -> bool:
    """Tell whether a statement binds names to numbers, texts or sums of such."""
    if not isinstance(node, ast.Assign):
        return False
    return all(isinstance(n, ast.Constant | ast.BinOp | ast.UnaryOp | ast.operator | ast.unaryop | ast.Tuple | ast.List | ast.Load)
               for n in ast.walk(node.value))


def function_in(module: ModuleType, name: str, file: str) -> Any:
    """Return a function of a module; ``A.b`` is a method that needs no object.

    Raises:
        SpecError: It is not there, or no function.
    """
    value: Any = module
    for part in name.split("."):
        known = [n for n, v in vars(value).items() if callable(v) and not n.startswith("__")]
        if part not in vars(value):
            raise unknown(f"function in {file}", part, known)
        value = vars(value)[part]
    value = value.__func__ if isinstance(value, staticmethod) else value
    if not callable(value):
        raise SpecError(f"{name} in {file} is {type(value).__name__}; expected a function")
    return value


def request_of(path: Path, asked: Asked, data: Mapping[str, Any], source: str = "args.toml") -> Request:
    """Return what is to be verified.

    Args:
        path: The user's file.
        asked: The names that the user gives: of a class, of its methods, of functions; of a cell and a convention.
        data: What the user's file of settings says.
        source: Its name, for messages.
    """
    own = settings_of(data, source)
    asked = replace(asked, cell=asked.cell or own.cell, layout=asked.layout or own.layout)
    forms = forms_asked(asked)
    alone = any(form.args.get("only_definitions") for form in forms) and "only_definitions" not in data
    module = load(path, only_definitions=own.only_definitions or alone)
    known = known_of(forms, module, asked, data, path.name)
    settings, names = settings_of(known.args, source) if known.form else own, known.asked
    program = program_of_class(module, names.target, names.forward, names.backward, settings, path.name) if names.target else \
        program_of_functions(module, names.forward, names.backward, settings, path.name)
    passes = " and ".join(filter(None, (names.forward or settings.forward.get("call", ""), names.backward)))
    return Request(with_names(program, known.form), f"{path.name}: {names.target or passes}", settings.backward.get("call", ""), settings.loss,
                   tuple(settings.backward.get("returns", ())), settings.accept, Plan(bits=settings.bits, seed=settings.seed),
                   known.notes, cell=cell_of(asked, known.form), layout=settings.patterns)


def cell_of(asked: Asked, form: Form | None) -> Any:
    """Return the cell that the code is meant to be: its name, or what a user's file defines; ``None`` where nothing says it.

    Raises:
        SpecError: Nobody defines it.
    """
    if form is not None and not asked.cell_is_file:
        return form.cell or None
    if not asked.cell or asked.cell in cells():
        return asked.cell or None
    found = importlib.import_module(LOADING).load_cell(asked.cell, {})
    return found if asked.cell_is_file else asked.cell


def with_names(program: Program, form: Form | None) -> Program:
    """Name results as the convention does, where the code has no names for them."""
    if form is None:
        return program
    return replace(program, returns=filled(program.returns, form.returns), gradients=filled(program.gradients, form.gradients))


def filled(own: tuple[str, ...], usual: tuple[str, ...]) -> tuple[str, ...]:
    """Fill in usual names where there are none."""
    if not own:
        return usual
    return tuple(name or ("" if other in own else other) for name, other in zip(own, usual, strict=True)) if len(own) == len(usual) else own


def program_of_functions(module: ModuleType, forward: str, backward: str, settings: Settings, file: str) -> Program:
    """Return the program of two functions, or of one that does all."""
    one = settings.forward.get("call") or function_in(module, forward, file)
    other = settings.backward.get("call") or (function_in(module, backward, file) if backward else None)
    reader = function_in(module, forward, file) if forward else None
    program = base_program(module, one, other, settings, reader)
    returned = tuple(settings.forward.get("returns", ())) or (returned_names(reader) if reader else ())
    gradients = returned_names(function_in(module, backward, file)) if backward else ()
    return replace(program, returns=returned, gradients=gradients)


def program_of_class(module: ModuleType, target: str, forward: str, backward: str, settings: Settings, file: str) -> Program:
    """Return the program of a class with two methods."""
    made = function_in(module, target, file)
    if not isinstance(made, type):
        raise SpecError(f"{target} in {file} is no class; name functions by --forward and --backward")
    one, other = forward or "forward", backward or ("backward" if hasattr(made, "backward") else "")
    for name in filter(None, (one, other)):
        if not hasattr(made, name):
            raise unknown(f"method of {target}", name, [n for n in dir(made) if not n.startswith("__")])
    bound = unbound_parameters(getattr(made, one))
    program = base_program(module, one, other or None, settings, None, bound, made)
    returned = tuple(settings.forward.get("returns", ())) or returned_names(getattr(made, one))
    return replace(program, returns=returned, gradients=returned_names(getattr(made, other)) if other else ())


def unbound_parameters(function: Callable[..., Any]) -> list[str]:
    """Return the names of a method's parameters without ``self``."""
    return [p.name for p in parameters(function)][1:]


def base_program(
    module: ModuleType, one: Any, other: Any, settings: Settings, reader: Any, names: list[str] | None = None, made: type | None = None,
) -> Program:
    """Return a program with the arguments that the settings describe."""
    taken = parameters(reader) if reader is not None else parameters(getattr(made, one)) if made is not None else ()
    wanted = names if names is not None else [p.name for p in taken]
    inputs = inputs_of(settings, wanted)
    required = [p.name for p in taken if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD) and p.name in wanted]
    built = [p.name for p in parameters(made)] if made is not None else []
    if not (isinstance(one, str) and not one.isidentifier()):
        missing = [name for name in required if name not in inputs.templates]
        if missing:
            lines = " and ".join(f'{name} = ["N", "D"]' for name in missing)
            raise SpecError(f"nothing says what the argument{'s' * (len(missing) > 1)} {', '.join(missing)} of the forward look like; "
                            f"add to args.toml, with their shapes: {lines}")
        extra = {n: t for n, t in inputs.templates.items() if n in wanted}
        strange = inputs.templates.keys() - set(wanted) - set(built)
        if strange and not settings.setup:
            raise unknown("argument in args.toml", min(strange), wanted)
        inputs = replace(inputs, templates=extra)
    spaces = spaces_of(*(f for f in (reader, other) if callable(f))) or (vars(module),)
    for name in settings.numbers:
        vars(module).setdefault(name, None)
    own = spaces if any(space is vars(module) for space in spaces) else (*spaces, vars(module))
    return Program(one, other, inputs, build=builder(module, made, settings), spaces=own, given=settings.globals)


def builder(module: ModuleType, made: type | None, settings: Settings) -> Callable[[Mapping[str, int]], dict[str, Any]]:
    """Return what makes the objects that the code keeps, at given sizes."""
    def build(sizes: Mapping[str, int]) -> dict[str, Any]:
        return {name: sizes[number.letter] for name, number in settings.numbers.items()} | objects(sizes)

    def objects(sizes: Mapping[str, int]) -> dict[str, Any]:
        if settings.setup:
            space: dict[str, Any] = {}
            exec(compile(settings.setup, "<setup>", "exec"), vars(module) | dict(sizes), space)  # the user's own words
            return {"self" if made is not None and isinstance(v, made) else name: v for name, v in space.items()}
        return {"self": made(**arguments(made, settings, sizes))} if made is not None else {}

    return build


def arguments(made: type, settings: Settings, sizes: Mapping[str, int]) -> dict[str, Any]:
    """Return the arguments of a constructor.

    Raises:
        SpecError: Nothing says what one of them is.
    """
    found = {}
    inputs = replace(inputs_of(settings, []), sizes=sizes)
    values = {slot.name: built_array(slot, sizes) for slot in inputs.slots}
    assembled = inputs.assembled(values)
    for p in parameters(made):
        if isinstance(p.default, int | float | str) and p.name not in sizes and isinstance(assembled.get(p.name), np.ndarray | list | dict):
            continue  # an array of this name is an argument of the method
        if p.name in sizes or p.name in assembled:
            found[p.name] = sizes[p.name] if p.name in sizes else assembled[p.name]
        elif p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
            raise SpecError(f"nothing says what the argument {p.name} of {made.__name__}(…) is; add to args.toml a number "
                            f"({p.name} = 5), a shape, or setup = \"net = {made.__name__}(…)\"")
    return found


def built_array(slot: Any, sizes: Mapping[str, int]) -> Any:
    """Draw the numbers that a constructor gets, as floats."""
    values = drawn(slot, sizes, "setup")
    return values if values.dtype.kind in "iub" else values.astype(float)


__all__ = ["Asked", "load", "request_of"]
