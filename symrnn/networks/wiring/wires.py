"""What every item of a network has: a name, links to others by their names, and the signal that others read.

Links are names, so that an item may read one that is written later. A link to a series means its value at the same time;
``Previous`` and an attention's query look one step back, ``Last`` takes the value at the end.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sympy import Expr

from symrnn.errors import SpecError, unknown
from symrnn.expr import Node, Series, Stacked, Static, same
from symrnn.functions import check_name, series
from symrnn.networks.wiring.links import Built, Link, Signal
from symrnn.times import Span

VALUES = frozenset({"reads", "is over", "starts from", "first"})
"""Links over which numbers are read, not integers or masks."""


@dataclass(frozen=True)
class Item:
    """What has a name, and reads others by theirs.

    Attributes:
        name: By which others read it; letters, digits and ``_``.
    """

    name: str

    def __post_init__(self) -> None:
        """Check the name, the choices and the names that are read."""
        if not isinstance(self.name, str):
            raise SpecError(f"an item has a name first, as in Layer('l1', cell('lstm')); got {brief(self.name)}")
        check_name(self.name)
        self.check()

    @property
    def label(self) -> str:
        """How the item is called in a message: ``layer 'dec'``."""
        return f"{type(self).__name__.lower()} '{self.name}'"

    @property
    def role(self) -> str:
        """What kind of part it is."""
        return type(self).__name__.lower()

    @property
    def cell_name(self) -> str:
        """Name of its cell, for notation."""
        return ""

    def check(self) -> None:
        """Check the choices of the item."""

    def links(self, wires: Wires) -> Iterator[Link]:
        """Yield what the item reads."""
        yield from ()

    def mark(self, wires: Wires) -> str:
        """What its names end in."""
        return ""

    def own_span(self, wires: Wires) -> Span | None:
        """The times that it says itself; ``None``: they follow from what it reads."""
        return None

    def rows(self, wires: Wires) -> Expr:
        """Number of rows of what it offers."""
        raise SpecError(f"{self.label} cannot be read")

    def quantity(self, wires: Wires) -> Series | Static:
        """What it offers: by default a vector of its name."""
        size = wires.size(self.name)
        return Static(self.name, (), size) if wires.span(self.name) is None else series(self.name, size)

    @property
    def step(self) -> int:
        """1 where it is computed from the first time to the last, -1 the other way."""
        return 1

    def ended(self, wires: Wires) -> Node:
        """Its value where its scan ends; of a merge, those of what is merged, each where its own scan ends."""
        return wires.signal(self.name).last

    def build(self, wires: Wires) -> Built:
        """What it adds to the network."""
        return Built()

    def choose(self, what: str, name: Any, known: Collection[str]) -> None:
        """Refuse a choice that nobody defines."""
        if name not in known:
            raise SpecError(f"{self.label}: {unknown(what, str(name), known)}")

    def names_in(self, what: str, links: Any) -> tuple[str, ...]:
        """Return links as a tuple of names, and refuse what is none."""
        listed = (links,) if isinstance(links, str) else links
        if not isinstance(listed, tuple | list) or not listed or not all(isinstance(name, str) for name in listed):
            items = [f"write '{link.name}'" for link in (links if isinstance(links, tuple | list) else (links,)) if isinstance(link, Item)]
            got = items[0] if items else f"got {brief(links)}"
            raise SpecError(f"{self.label}: {what} takes the name of an item, or a tuple of names; {got}")
        return tuple(listed)

    def name_in(self, what: str, link: Any) -> str:
        """Return a link as a name, and refuse what is none, and several."""
        names = self.names_in(what, link)
        if not isinstance(link, str):
            raise SpecError(f"{self.label}: {what} takes one name; got {brief(link)}; put a Merge of {' and '.join(names)} between")
        return names[0]


class Wires:
    """The items by name, and what they offer; lengths and sizes are found by following the links.

    Args:
        items: In any order.
    """

    def __init__(self, items: Iterable[Item]) -> None:
        self.items: dict[str, Item] = {}
        for item in items:
            if not isinstance(item, Item):
                raise SpecError(f"wire takes items such as Input('x') and Layer('l1', cell('lstm')); got {brief(item)}")
            if item.name in self.items:
                raise SpecError(f"two items are called '{item.name}': {described(self.items[item.name])} and {described(item)}; rename one")
            self.items[item.name] = item
        self._sizes: dict[str, Expr] = {}
        self._open: list[str] = []
        for item in self.items.values():
            for link in item.links(self):
                if item.name_in(link.what, link.name) not in self.items:
                    raise SpecError(f"{item.label} {link.what} '{link.name}': {unknown('item', link.name, self.items)}")
                if self.items[link.name].role == "tokens" and item.role != "embedding" and link.what in VALUES:
                    raise SpecError(f"{item.label} {link.what} '{link.name}', integers; put an Embedding between")
        self._spans = self._found_spans()

    def of_type(self, kind: type) -> list[Any]:
        """Return the items of a type, in order."""
        return [item for item in self.items.values() if isinstance(item, kind)]

    def _found_spans(self) -> dict[str, Span | None]:
        """Follow the links from what has a length; what reads nothing that has one is static."""
        known: dict[str, Span | None] = {}
        shared = {name: [k.name for k in item.links(self) if not k.whole] for name, item in self.items.items()}
        for name, item in self.items.items():
            own = item.own_span(self)
            if own is not None or not shared[name]:
                known[name] = own
        while len(known) < len(self.items):
            size = len(known)
            for name, links in shared.items():
                spans = [known[link] for link in links if link in known]
                if name not in known and (len(spans) == len(links) or any(spans)):
                    known[name] = next((span for span in spans if span is not None), None)
            if len(known) == size:
                item = next(item for name, item in self.items.items() if name not in known)
                raise SpecError(f"{item.label}: nothing says how many times it has; its links run in a circle; give an "
                                "item among them a length, such as Previous(..., length='T')")
        return known

    def span(self, name: str) -> Span | None:
        """Return the times of an item, or ``None`` where it is static."""
        return self._spans[name]

    def check_lengths(self) -> None:
        """Refuse what is read together and has different lengths.

        Raises:
            SpecError: The first such item, with its links.
        """
        for item in self.items.values():
            seen = [(k.name, span) for k in item.links(self) if k.now and not k.whole and (span := self.span(k.name)) is not None]
            own = item.own_span(self)
            for name, span in seen:
                if own is not None and not alike(span, own):
                    raise SpecError(f"{item.label} has times {own}, but reads '{name}' at times {span}; leave its length out, "
                                    "or make them equal")
            for name, span in seen[1:]:
                if not alike(span, seen[0][1]):
                    raise SpecError(f"{item.label} reads '{seen[0][0]}' at times {seen[0][1]} and '{name}' at times {span}; "
                                    "what is read at one time must have one length")

    def size(self, name: str) -> Expr:
        """Return the number of rows of what an item offers.

        Raises:
            SpecError: Sizes that follow from each other in a circle.
        """
        if name not in self._sizes:
            if name in self._open:
                circle = " → ".join([*self._open[self._open.index(name):], name])
                raise SpecError(f"the sizes of {circle} follow from each other in a circle; put a Dense between two of them")
            self._open.append(name)
            try:
                self._sizes[name] = self.items[name].rows(self)
            finally:
                self._open.pop()
        return self._sizes[name]

    def signal(self, name: str) -> Signal:
        """Return what an item offers."""
        item = self.items[name]
        return Signal(item.quantity(self), self.span(name), item.step)

    def last(self, name: str) -> Node:
        """Return the value of an item where its scan ends."""
        return self.items[name].ended(self)

    def ends(self, name: str) -> Expr | None:
        """Return the last time of the sequence that an item comes from, or ``None`` where there is none."""
        span = self.span(name)
        if span is not None:
            return span.hi
        found = (self.ends(link.name) for link in self.items[name].links(self))
        return next((end for end in found if end is not None), None)

    def joined(self, item: Item, links: Iterable[str]) -> Node:
        """Return what an item reads at the generic ``t``, on top of each other where there are several.

        Raises:
            SpecError: A matrix, which cannot be read as a vector.
        """
        values = []
        for name in links:
            value = self.signal(name).now
            if not same(value.shape[1], 1):
                raise SpecError(f"{item.label} reads '{name}', a matrix; put an attention over its columns")
            values.append(value)
        return values[0] if len(values) == 1 else Stacked(*values)

    def mask(self, item: Item, name: str, size: Any, what: str) -> Node:
        """Return a mask at the generic ``t``.

        Raises:
            SpecError: No mask, or one of another size.
        """
        signal = self.signal(name)
        if getattr(self.items[name], "kind", "") != "mask":
            raise SpecError(f"{item.label}: {what} must be an Input of kind='mask'; '{name}' is none")
        if not same(signal.size, size):
            raise SpecError(f"{item.label}: {what} '{name}' has size {signal.size}; expected {size}")
        return signal.now


def alike(a: Span, b: Span) -> bool:
    """Tell whether two spans have the same times."""
    return same(a.lo, b.lo) and same(a.hi, b.hi)


def described(item: Item) -> str:
    """Return what kind of item it is, for a message: ``a layer``."""
    return f"{'an' if item.role[0] in 'aeiou' else 'a'} {item.role}"


def brief(value: Any) -> str:
    """Return a value for a message; of a large one what kind it is."""
    text = repr(value)
    return text if len(text) <= 60 and "\n" not in text else f"a {type(value).__name__}"


def fits(item: Item, name: str, size: Any, expected: Any, why: str) -> None:
    """Refuse sizes that differ where they must agree."""
    if not same(size, expected):
        raise SpecError(f"{item.label} reads '{name}' of size {size}; expected {expected}, {why}")


def suffixed(name: str, mark: str) -> str:
    """Return a name with a mark: ``W_hh_l2``."""
    return f"{name}_{mark}" if mark else name
