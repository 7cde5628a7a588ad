"""Names in foreign code: of what a function returns, and of which gradient belongs to which array."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterable
from typing import Any

PREFIX = re.compile(r"^(d_?l_?d|dl_|d_|d|grad_?|gradient_?|g_|delta_?|nabla_?|∇|δ)", re.IGNORECASE)
SUFFIX = re.compile(r"_?(grad|gradient|grads|gradients|diff|deriv|derivative|delta|_g|_d|bar)$", re.IGNORECASE)
GROUPS = {"grads", "gradients", "grad", "dparams", "d", "dweights", "derivatives", "g"}
WHOLES = {"params", "parameters", "weights", "model", "p", "theta", "w"}
VALUES = {"v", "val", "value", "values", "data", "w", "weight", "x", "p", "param"}
"""What the array of an object is called that keeps its gradient beside it."""
KEEPING = {"array", "asarray", "copy", "stack", "vstack", "hstack", "concatenate", "squeeze", "clip", "transpose", "reshape", "astype",
           "ravel", "flatten", "swapaxes", "moveaxis", "flip", "list", "tuple", "float", "deepcopy", "expand_dims"}
"""Functions whose result goes by the name of what goes in."""
MODULES = {"np", "numpy", "copy", "jnp", "anp", "sp", "scipy", "xp"}
LOSSES = ("loss", "cost", "total_loss", "error", "L", "J", "E", "nll", "ce", "objective")


def definition(function: Callable[..., Any]) -> ast.FunctionDef | None:
    """Return the tree of a function's source, or ``None`` where there is none to read."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError, IndentationError):
        return None
    return next((node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)), None)


def own_returns(function: ast.FunctionDef) -> list[ast.Return]:
    """Return the ``return`` statements of a function, without those of functions inside it."""
    inner = {n for node in ast.walk(function) if isinstance(node, (ast.FunctionDef, ast.Lambda)) and node is not function
             for n in ast.walk(node)}
    return [n for n in ast.walk(function) if isinstance(n, ast.Return) and n.value is not None and n not in inner]


def returned_names(function: Callable[..., Any]) -> tuple[str, ...]:
    """Name what a function returns, by its last ``return`` statement: ``h, cache``; an empty name where there is none.

    Of ``return h[:, 1:], h`` the second is ``h``, the first a part of it: it goes by its whole text.
    """
    tree = definition(function)
    found = sorted(own_returns(tree), key=lambda node: node.lineno) if tree is not None else []
    if not found or found[-1].value is None:
        return ()
    value = found[-1].value
    if isinstance(value, ast.Name):
        value = assigned(tree, value.id) or value
    parts = value.elts if isinstance(value, (ast.Tuple, ast.List)) else [value]
    names = [name_of(part) for part in parts]
    plain = {part.id for part in parts if isinstance(part, ast.Name)}
    return tuple(ast.unparse(part) if name in plain and not isinstance(part, ast.Name) else name for name, part in zip(names, parts, strict=True))


def assigned(function: ast.FunctionDef | None, name: str) -> ast.expr | None:
    """Return the tuple that a name was last bound to, as in ``grads = (dx, dW)`` before ``return grads``."""
    bound = [n.value for n in ast.walk(function) if isinstance(n, ast.Assign) and isinstance(n.targets[0], ast.Name)
             and n.targets[0].id == name] if function is not None else []
    return bound[-1] if bound and isinstance(bound[-1], ast.Tuple) else None


def name_of(expression: ast.expr) -> str:
    """Return the name that an expression goes by: of ``self.h``, ``np.array(dx)``, ``dx[:, 0]`` it is ``h``, ``dx``, ``dx``."""
    if isinstance(expression, ast.Name):
        return expression.id
    if isinstance(expression, ast.Attribute):
        return name_of(expression.value) if expression.attr in {"T", "copy"} else expression.attr
    if isinstance(expression, ast.Subscript):
        key = expression.slice
        return key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else name_of(expression.value)
    if isinstance(expression, ast.Call):
        called = expression.func.attr if isinstance(expression.func, ast.Attribute) else name_of(expression.func)
        if isinstance(expression.func, ast.Attribute) and called in KEEPING and not is_module(expression.func.value):
            return name_of(expression.func.value)
        return name_of(expression.args[0]) if called in KEEPING and expression.args else ""
    return ""


def is_module(expression: ast.expr) -> bool:
    """Tell whether a function is looked up in a module, as in ``np.copy(x)``, and not in an array, as in ``x.copy()``."""
    return isinstance(expression, ast.Name) and expression.id in MODULES


def parameters(function: Callable[..., Any]) -> tuple[inspect.Parameter, ...]:
    """Return the parameters of a function; none where it does not tell."""
    try:
        return tuple(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return ()


def bare(name: str) -> str:
    """Drop what only decorates a name: case, underscores."""
    return name.replace("_", "").lower()


def stems(name: str) -> list[str]:
    """Return what a name can be the gradient of: ``dWx`` of ``Wx``, ``dL_dh`` of ``h``, ``W_grad`` of ``W``."""
    matches = [match for pattern in (PREFIX, SUFFIX) if (match := pattern.search(name))]
    found = [rest for match in matches if (rest := name[: match.start()] + name[match.end():])]
    if re.match(r"^d[A-Za-z_]", name) and name[1:].lstrip("_") not in found:
        found.insert(0, name[1:].lstrip("_"))
    return found


def closeness(gradient: str, array: str) -> int:
    """Grade how well a name fits as the gradient of an array: 0 not at all, 4 exactly."""
    if not gradient or not array:
        return 0
    tried = stems(gradient)
    if array in tried:
        return 4
    if bare(array) in map(bare, tried):
        return 3
    tokens = sorted(array.lower().split("_"))
    return 2 if any(sorted(stem.lower().split("_")) == tokens for stem in tried) else 0


def best(name: str, candidates: Iterable[str], grade: Callable[[str, str], int] = closeness) -> str:
    """Return the one candidate that a name fits best; empty where none fits, or two fit as well."""
    graded = sorted(((grade(name, candidate), candidate) for candidate in candidates), reverse=True)
    if not graded or graded[0][0] == 0 or (len(graded) > 1 and graded[1][0] == graded[0][0]):
        return ""
    return graded[0][1]


def stem_of(name: str) -> str:
    """Return the variable that a text such as ``h[:, 1:]`` or ``np.flip(h)`` is a part of; a plain name as it is."""
    if not name or name.isidentifier():
        return name
    try:
        return name_of(ast.parse(name, mode="eval").body)
    except SyntaxError:
        return ""


def alike(name: str, other: str) -> int:
    """Grade how well two names mean the same thing."""
    if name == other:
        return 4
    if bare(name) == bare(other):
        return 3
    return 2 if sorted(name.lower().split("_")) == sorted(other.lower().split("_")) else 0


def is_loss(name: str) -> bool:
    """Tell whether a name is one that losses go by."""
    return name in LOSSES or bare(name) in {bare(known) for known in LOSSES if len(known) > 1} or "loss" in name.lower()
