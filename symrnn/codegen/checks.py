"""What is checked before generated code runs: names, shapes, lengths, kinds of numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from sympy import Expr, Integer

from symrnn.codegen.arguments import COUNTED, Argument
from symrnn.errors import DataError, SpecError, unknown
from symrnn.expr import same

Array = Any


def checked(
    values: Mapping[str, Any], arguments: Sequence[Argument], least: Mapping[Expr, int], *, check_finite: bool
) -> dict[str, Array]:
    """Return arrays that fit, by the name of the given quantity.

    Args:
        values: What was given, by name.
        arguments: What the code takes.
        least: The least length of each sequence.
        check_finite: Whether NaN and infinity are refused.

    Raises:
        SpecError: A name is missing.
        DataError: A shape, a length or a kind of number does not fit.
    """
    arrays = {a.given.name: as_array(values[a.given.name], a) for a in arguments if values.get(a.given.name) is not None}
    for argument in arguments:
        if argument.given.name not in arrays and argument.kind != "initial":
            raise SpecError(f"the {argument.kind} {argument.given.name} is missing; give an array {argument.text}")
    sizes: dict[Expr, tuple[int, str]] = {}
    present = [a for a in arguments if a.given.name in arrays]
    for argument in sorted(present, key=lambda a: any(not d.is_Atom for d in a.dims)):
        check_shape(argument, arrays[argument.given.name], sizes)
        check_lengths(sizes, least)
    floating = common_dtype(arrays[a.given.name] for a in present if a.shared)
    return {
        a.given.name: as_numbers(arrays[a.given.name], a, floating, sizes, check_finite=check_finite) for a in present
    }


def as_array(value: Any, argument: Argument) -> Array:
    """Make an array; leave out or put in an axis of length 1 where that is all that differs."""
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise DataError(f"{argument.given.name}: expected an array {argument.text}; {error}") from None
    missing = len(argument.dims) - array.ndim
    if missing == -1 and array.shape[-1:] == (1,):
        return array[..., 0]
    if missing == -1 and argument.shared and array.shape[:1] == (1,):
        return array[0]
    if missing == 1 and same(argument.dims[-1], 1):
        return array[..., None]
    return array


def dims_for(argument: Argument, array: Array) -> tuple[Expr, ...]:
    """Return the shape that is expected: without the last axis where classes are given as integers."""
    classes = argument.may_be_classes and array.ndim == len(argument.dims) - 1 and array.dtype.kind in "iu"
    return argument.dims[:-1] if classes else argument.dims


def check_shape(argument: Argument, array: Array, sizes: dict[Expr, tuple[int, str]]) -> None:
    """Compare one shape with the sizes that are known so far; learn those that are new."""
    name, dims = argument.given.name, dims_for(argument, array)
    if len(dims) != array.ndim:
        classes = ", or integers without the last axis" if argument.may_be_classes else ""
        raise DataError(f"{name}: expected shape {argument.text}{classes}; got {array.shape}")
    for dim, length in zip(dims, array.shape, strict=True):
        if dim.is_Symbol and dim not in sizes:
            sizes[dim] = (length, name)
    known = {size: Integer(number) for size, (number, _) in sizes.items()}
    expected = [dim.xreplace(known) for dim in dims]
    if any(e.is_Integer and int(e) != length for e, length in zip(expected, array.shape, strict=True)):
        used = {s for dim in dims for s in dim.free_symbols & sizes.keys()}
        origin = ", ".join(f"{s} = {sizes[s][0]} from {sizes[s][1]}" for s in sorted(used, key=str))
        raise DataError(f"{name}: expected shape {argument.text}, which is {numbers(expected)}; got {array.shape} ({origin})")


def numbers(shape: Iterable[Expr]) -> str:
    """Write a shape."""
    listed = [str(length) for length in shape]
    return f"({', '.join(listed)}{',' if len(listed) == 1 else ''})"


def check_lengths(sizes: Mapping[Expr, tuple[int, str]], least: Mapping[Expr, int]) -> None:
    """Refuse an empty axis, and a sequence for which the equations do not hold."""
    for size, (number, name) in sizes.items():
        wanted = max(1, least.get(size, 1))
        if number < wanted:
            raise DataError(f"{name}: {size} = {number}; expected at least {wanted}")


def common_dtype(arrays: Iterable[Array]) -> Any:
    """Return the dtype of the parameters; float64 where they are integers."""
    kinds = {array.dtype for array in arrays}
    joined = np.dtype(object) if np.dtype(object) in kinds else np.result_type(*kinds) if kinds else np.dtype(float)
    return joined if joined.kind in "fcO" else np.dtype(float)


def as_numbers(
    array: Array, argument: Argument, floating: Any, sizes: Mapping[Expr, tuple[int, str]], *, check_finite: bool
) -> Array:
    """Check the kind of the numbers; turn integers into numbers of the dtype of the parameters."""
    name = argument.given.name
    if argument.kind == "integer" and (array.dtype.kind not in "iu" or array.min() < 0):
        raise DataError(f"{name}: expected integers, counted from 0; got {described(array)}")
    if dims_for(argument, array) != argument.dims:
        check_classes(name, array, argument.dims[-1], sizes)
        return array
    if array.dtype.kind in "biu" and argument.kind not in COUNTED:
        array = array.astype(floating)
    if array.dtype.kind not in "biufcO":
        raise DataError(f"{name}: expected numbers; got {described(array)}")
    if check_finite and array.dtype.kind in "fc" and not np.isfinite(array).all():
        raise DataError(f"{name}: NaN or infinity among the numbers; clean the data, or pass check_finite=False")
    return array


def described(array: Array) -> str:
    """Say what an array holds."""
    return f"{array.dtype} with least entry {array.min()}" if array.dtype.kind in "iuf" else f"dtype {array.dtype}"


def check_classes(name: str, array: Array, classes: Expr, sizes: Mapping[Expr, tuple[int, str]]) -> None:
    """Refuse a class that does not exist."""
    number = int(classes.xreplace({size: Integer(value) for size, (value, _) in sizes.items()}))
    if array.min() < 0 or array.max() >= number:
        raise DataError(f"{name}: expected classes 0 … {number - 1}; got {array.min()} … {array.max()}")


def check_names(given: Iterable[str], known: Iterable[str], what: str) -> None:
    """Refuse a name that nobody takes.

    Raises:
        SpecError: With the nearest names.
    """
    names = list(known)
    for name in given:
        if name not in names:
            raise unknown(what, name, names)
