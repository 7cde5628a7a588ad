"""What the arguments of a forward pass look like, and numbers for them.

Numbers are chosen where mistakes cannot hide: reals of a size around ½, none of them 0, sizes of letters that are
pairwise coprime, batch 3, at least six times.
"""

from __future__ import annotations

import ast
import itertools
import operator
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Protocol, runtime_checkable

import numpy as np

from symrnn.errors import SpecError
from symrnn.verify.handwritten.structures import leaves, mapped, written

KINDS = ("real", "integers", "one_hot", "positive", "probabilities", "zeros", "kept")
USUAL = {"N": 3, "B": 3, "T": 7, "D": 4, "H": 5, "V": 11, "K": 11, "O": 11}
MOST_RELATIONS = 60
SPARE = (13, 17, 19, 23)
OPERATIONS: dict[type, Callable[[int, int], int]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.FloorDiv: operator.floordiv,
}


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for an array in the arguments.

    Attributes:
        path: Where it stands, such as ``("params", "['Wx']")``.
        shape: Sizes, as numbers or as text such as ``H`` and ``4*H``.
        kind: One of ``KINDS``; a gradient is taken in reals.
        below: Integers and one-hot columns are below this size.
        kept: The array itself, for values that are not drawn.
        aslist: Whether the code gets a list instead of an array.
    """

    path: tuple[str, ...]
    shape: tuple[int | str, ...] = ()
    kind: str = "real"
    below: int | str = 2
    kept: Any = None
    aslist: bool = False

    @property
    def name(self) -> str:
        """How the code would write it."""
        return written(self.path)

    @property
    def moves(self) -> bool:
        """Whether a derivative can be taken in it."""
        return self.kind in ("real", "positive", "probabilities")


@dataclass(frozen=True, slots=True)
class Size:
    """An argument that is the number of a letter."""

    letter: str


@runtime_checkable
class Repeated(Protocol):
    """A list of arrays, one for each time: its slots are known when sizes are."""

    @property
    def length(self) -> int | str:
        """How many there are."""

    def slots_at(self, sizes: Mapping[str, int]) -> list[Any]:
        """Return the slots of the list."""


def letters_of(size: int | str) -> set[str]:
    """Return the letters in a size."""
    if isinstance(size, int):
        return set()
    try:
        return {node.id for node in ast.walk(ast.parse(size, mode="eval")) if isinstance(node, ast.Name)}
    except SyntaxError:
        raise SpecError(f"a size is a number, a letter or a sum such as 4*H or H+D; got '{size}'") from None


def evaluated(size: int | str, sizes: Mapping[str, int]) -> int:
    """Return a size as a number.

    Raises:
        SpecError: It is no number, letter, sum or product of these; or a letter has no number.
    """
    def walk(node: ast.AST) -> int:
        if isinstance(node, ast.Constant) and isinstance(node.value, int):
            return node.value
        if isinstance(node, ast.Name) and isinstance(sizes.get(node.id), int):
            return sizes[node.id]
        if isinstance(node, ast.BinOp) and type(node.op) in OPERATIONS:
            return OPERATIONS[type(node.op)](walk(node.left), walk(node.right))
        raise SpecError(f"a size is a number, a letter or a sum such as 4*H or H+D; got '{size}'")

    letters_of(size)
    return size if isinstance(size, int) else walk(ast.parse(size, mode="eval").body)


def with_usual(sizes: Mapping[str, int], slots: Iterator[Slot] | list[Slot]) -> dict[str, int]:
    """Give each letter that has no number one that makes mistakes visible."""
    found = dict(sizes)
    for slot in slots:
        for letter in sorted({letter for size in (*slot.shape, slot.below) for letter in letters_of(size)} - found.keys()):
            usual = USUAL.get(letter, 0)
            found[letter] = usual if usual and usual not in found.values() else next(
                (n for n in SPARE if n not in found.values()), 29)
    return found


@dataclass(frozen=True)
class Inputs:
    """The arguments of a forward pass, with a slot in the place of each array.

    Attributes:
        templates: By name of the argument; numbers, texts and the like stand as they are.
        sizes: Numbers by letter.
        others: The same with other relations between sizes, such as 20 = 4·5, where it was told by an example only.
        labels: What letters are called in the report, where they were made up.
    """

    templates: Mapping[str, Any]
    sizes: Mapping[str, int] = field(default_factory=dict)
    others: tuple[Inputs, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def expanded(self) -> dict[str, Any]:
        """The templates, with lists of arrays written out."""
        return {name: t.slots_at(self.sizes) if isinstance(t, Repeated) else t for name, t in self.templates.items()}

    @property
    def slots(self) -> list[Slot]:
        """The slots of all arguments, in order."""
        return [leaf for template in self.expanded.values() for _, leaf in leaves(template) if isinstance(leaf, Slot)]

    def at(self, sizes: Mapping[str, int]) -> Inputs:
        """Return the inputs at other sizes: what is kept is cut to sizes that are smaller than before."""
        cuts = {n: sizes[x] for x, n in self.sizes.items() if 0 < sizes.get(x, n) < n}

        def cut(path: Any, leaf: Any) -> Any:
            if not (isinstance(leaf, Slot) and leaf.kind == "kept"):
                return leaf
            kept = np.asarray(leaf.kept)[tuple(slice(cuts.get(n, n)) for n in np.shape(leaf.kept))]
            return replace(leaf, kept=kept, shape=kept.shape)

        def shorter(value: Any) -> Any:
            if isinstance(value, list) and value and all(isinstance(part, int) for part in value):
                return value[: cuts.get(len(value), len(value))]
            return mapped(value, cut) if not isinstance(value, Repeated) else value

        return replace(self, sizes=sizes, templates={name: shorter(t) for name, t in self.templates.items()} if cuts else self.templates)

    def assembled(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Put arrays in the place of slots."""
        def fill(path: Any, leaf: Any) -> Any:
            if isinstance(leaf, Size):
                return self.sizes[leaf.letter]
            if not isinstance(leaf, Slot):
                return leaf
            array = values[leaf.name]
            return array.tolist() if leaf.aslist else array

        return {name: mapped(template, fill) for name, template in self.expanded.items()}


def drawn(slot: Slot, sizes: Mapping[str, int], seed: object, *, small: bool = False) -> Any:
    """Draw exact numbers for a slot.

    Args:
        slot: The place.
        sizes: Numbers by letter.
        seed: The same numbers for the same seed.
        small: Small integers instead of fractions, for an example that a person can follow.
    """
    if slot.kind == "kept":
        return np.array(slot.kept)
    shape = tuple(evaluated(size, sizes) for size in slot.shape)
    rng = random.Random(f"{seed}, {slot.name}")
    if slot.kind in ("integers", "one_hot"):
        below = evaluated(slot.below, sizes) if slot.kind == "integers" else shape[-1]
        chosen = np.array([rng.randrange(max(1, below)) for _ in range(count(shape if slot.kind == "integers" else shape[:-1]))], int)
        return chosen.reshape(shape) if slot.kind == "integers" else one_hot(chosen, shape)
    array = np.empty(shape, dtype=object)
    for index in np.ndindex(shape):
        array[index] = entry(rng, slot.kind, small)
    if slot.kind == "probabilities":
        array = array / array.sum(axis=-1, keepdims=True)
    return array


def entry(rng: random.Random, kind: str, small: bool) -> Fraction:
    """Draw one number."""
    if kind == "zeros":
        return Fraction(0)
    positive = kind != "real"
    if small:
        return Fraction(rng.choice((1, 2) if positive else (-1, 0, 1, 1, 2)))
    return Fraction(rng.randint(16, 48), 64) * (1 if positive else rng.choice((-1, 1)))


def one_hot(chosen: Any, shape: tuple[int, ...]) -> Any:
    """Return rows with a single 1, as exact numbers."""
    rows = np.full((chosen.size, shape[-1]), Fraction(0), dtype=object)
    rows[np.arange(chosen.size), chosen] = Fraction(1)
    return rows.reshape(shape)


def count(shape: tuple[int, ...]) -> int:
    """Return the number of entries of a shape."""
    return int(np.prod(shape, dtype=int))


def slot_of_example(path: tuple[str, ...], value: Any, letters: Mapping[int, str], keep: bool) -> Any:
    """Return the slot for an example of an array; anything else stands as it is.

    Args:
        path: Where it stands.
        value: The example.
        letters: Letters that stand for sizes.
        keep: Whether the numbers of the example are kept.
    """
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        if keep or is_selection(value):
            return Slot(path, value.shape, "kept", kept=np.array(value))
        return Slot(path, tuple(letters.get(size, size) for size in value.shape))
    if isinstance(value, (np.ndarray, np.generic)):
        return Slot(path, np.shape(value), "kept", kept=value) if isinstance(value, np.ndarray) else value.item()
    return value


def is_selection(value: Any) -> bool:
    """Tell whether an array holds both 0 and 1 and nothing else, as one-hot rows and masks do."""
    return value.size > 1 and bool(np.isin(value, (0.0, 1.0)).all()) and 0 < value.sum() < value.size


def inputs_of_examples(examples: Mapping[str, Any], keep: tuple[str, ...] = ()) -> Inputs:
    """Make slots of example arguments; each size that is met becomes a letter.

    Args:
        examples: Arrays, numbers and structures of these, by name of the argument.
        keep: Arguments whose numbers are kept.
    """
    found = [(path, leaf) for name, value in examples.items() for path, leaf in leaves(value, (name,))
             if isinstance(leaf, np.ndarray) and leaf.dtype.kind == "f"]
    numbers = sorted({size for _, array in found for size in array.shape if size > 1})
    labels = {f"size{size}": f"{written(path)}.shape[{axis}]" for path, array in reversed(found)
              for axis, size in reversed(list(enumerate(array.shape))) if size > 1}

    def made(letters: Mapping[int, str]) -> dict[str, Any]:
        return {name: mapped(value, lambda path, leaf: slot_of_example(path, leaf, letters, path[0] in keep), (name,))
                for name, value in examples.items()}

    sizes = {f"size{size}": size for size in numbers}
    first, *others = [Inputs(made(letters), sizes, (), labels) for letters in itertools.islice(relations(numbers), MOST_RELATIONS)]
    return Inputs(first.templates, sizes, tuple(others), labels)


def relations(numbers: list[int]) -> Iterator[dict[int, str]]:
    """Yield the ways in which sizes can belong together, those with the fewest relations first: 20 is 4·5, 9 is 4+5."""
    options = []
    for size in numbers:
        mine = [f"size{size}"]
        mine += [f"{k}*size{m}" for k in (4, 3, 2) for m in numbers if k * m == size]
        mine += [f"size{a} + size{b}{extra}" for a, b in itertools.combinations(numbers, 2)
                 for extra, one in (("", 0), (" + 1", 1)) if a + b + one == size]
        mine += [f"size{m} + 1" for m in numbers if m + 1 == size]
        options.append(mine)
    ways = sorted(itertools.product(*(range(len(o)) for o in options)), key=lambda w: sum(map(bool, w)))
    for way in ways[:1000]:
        yield {size: o[k] for size, o, k in zip(numbers, options, way, strict=True)}
