"""A derivation as JSON that reads back to an equal derivation.

The document is a tree. A formula is ``{"node": type, "args": […]}``; a named quantity is ``{"quantity": key}`` with an
entry in ``quantities``, and ``"time"`` where it is a value at a time; a number is an integer, or ``{"number": …}``; the
name of a function is ``{"name": …}``; a size or a time is ``{"symbol": name}`` with its assumptions in ``symbols``; sums and products of these are
``{"operation": …, "args": […]}``. Everything else is a record, ``{"record": type, …}`` with its fields. Each equation
carries its print as ``"latex"``, which is not read back.
"""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any, get_args, get_origin, get_type_hints

from sympy import Add, Basic, Dummy, Expr, Float, Integer, Mul, Pow, Rational, Symbol
from sympy.core.symbol import Str

from symrnn import writer
from symrnn.clipping import Clipping
from symrnn.derivation import Adjoint, Contribution, Derivation, Step
from symrnn.equations import Equation
from symrnn.errors import SpecError, SymrnnError
from symrnn.expr import At, Node, Series, Static
from symrnn.networks import Given, Network, Part, Scan
from symrnn.networks.graph import Relation
from symrnn.style import Style
from symrnn.times import Span

VERSION = 1
KIND = "derivation"
RECORDS: dict[str, Any] = {
    cls.__name__: cls
    for cls in (Adjoint, Clipping, Contribution, Derivation, Equation, Given, Network, Part, Relation, Scan, Span, Step)
}
HINTS: dict[str, dict[str, Any]] = {name: get_type_hints(cls) for name, cls in RECORDS.items()}
OPERATIONS: dict[str, Any] = {"+": Add, "*": Mul, "^": Pow}
NODES: dict[str, Any] = {name: cls for name, cls in Node.registry.items() if name not in {"Leaf", "At", "Static"}}


def to_json(derivation: Derivation, style: Style) -> str:
    """Write a derivation as JSON.

    Args:
        derivation: What is written.
        style: How the texts of the equations are printed.
    """
    encoder = _Encoder(style)
    tree = encoder.encode(derivation)
    head = {"symrnn": VERSION, "kind": KIND, "symbols": encoder.symbols, "quantities": encoder.quantities}
    return json.dumps({**head, KIND: tree}, ensure_ascii=False, indent=1) + "\n"


def from_json(text: str) -> Derivation:
    """Read what ``render(derivation, "json")`` wrote.

    Returns:
        A derivation equal to the one that was written.

    Raises:
        SpecError: The text is not JSON, not a derivation of a version that is known here, or damaged.
    """
    try:
        document = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise SpecError(f"this is not JSON ({error}); write it again with render(derivation, 'json')") from None
    if not isinstance(document, dict) or "symrnn" not in document:
        raise SpecError('this JSON is not from symrnn: it has no "symrnn" version; write it with render(derivation, "json")')
    if document["symrnn"] != VERSION:
        raise SpecError(f"unknown version {document['symrnn']!r} of symrnn's JSON; this symrnn reads version {VERSION}")
    if document.get("kind") != KIND:
        raise SpecError(f"unknown kind {document.get('kind')!r} of symrnn's JSON; expected {KIND!r}")
    try:
        found = _Decoder(document["symbols"], document["quantities"]).decode(document[KIND])
    except (SymrnnError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise SpecError(f"this derivation is damaged ({reason}); write it again with render(derivation, 'json')") from None
    if not isinstance(found, Derivation):
        raise SpecError(f"this derivation is damaged: it holds a {type(found).__name__}; write it again")
    return found


class _Encoder:
    """Encodes, and collects the symbols and quantities that occur."""

    def __init__(self, style: Style) -> None:
        self.style = style
        self.symbols: dict[str, Any] = {}
        self.quantities: dict[str, Any] = {}
        self._keys: dict[Any, str] = {}

    def encode(self, value: Any) -> Any:
        if value is None or isinstance(value, str | int):
            return value
        if isinstance(value, tuple | list):
            return [self.encode(item) for item in value]
        if type(value).__name__ in RECORDS:
            return self._record(value)
        if isinstance(value, At):
            return {"quantity": self._key(value.series), "time": self.encode(value.time)}
        if isinstance(value, Static | Series):
            return {"quantity": self._key(value)}
        if isinstance(value, Node):
            return {"node": type(value).__name__, "args": [self.encode(arg) for arg in value.args]}
        return self._scalar(value)

    def _record(self, value: Any) -> dict[str, Any]:
        out = {"record": type(value).__name__}
        if isinstance(value, Equation):
            out["latex"] = " = ".join(writer.formula(side, self.style) for side in (value.lhs, value.rhs))
        return out | {f.name: self.encode(getattr(value, f.name)) for f in fields(value) if f.compare}

    def _scalar(self, value: Any) -> Any:
        if isinstance(value, Str):
            return {"name": str(value)}
        if isinstance(value, Symbol):
            return {"symbol": self._symbol(value)}
        if isinstance(value, Integer):
            return int(value)
        if isinstance(value, Rational):
            return {"number": str(value)}
        if isinstance(value, Float):
            numerator, denominator = Rational(value).as_numer_denom()
            return {"number": f"{numerator}/{denominator}", "bits": int(value._prec)}
        for sign, operation in OPERATIONS.items():
            if isinstance(value, operation):
                return {"operation": sign, "args": [self.encode(arg) for arg in value.args]}
        raise SpecError(f"JSON cannot carry {value!r}, a {type(value).__name__}; use numbers, letters, +, * and powers")

    def _symbol(self, symbol: Symbol) -> str:
        entry = {"name": symbol.name, "assumptions": {k: v for k, v in symbol._assumptions_orig.items() if v is not None}}
        if isinstance(symbol, Dummy):
            entry["dummy"] = symbol.dummy_index
        return self._name_for(symbol, symbol.name, entry, self.symbols)

    def _key(self, quantity: Any) -> str:
        entry = {"kind": "series" if isinstance(quantity, Series) else "static", "name": quantity.name,
                 "orders": list(quantity.orders), "shape": [self.encode(size) for size in quantity.shape]}
        return self._name_for(quantity, quantity.key, entry, self.quantities)

    def _name_for(self, item: Any, name: str, entry: Any, table: dict[str, Any]) -> str:
        if item not in self._keys:
            number = 1 + sum(other == name or other.startswith(name + "#") for other in table)
            self._keys[item] = name if number == 1 else f"{name}#{number}"
            table[self._keys[item]] = entry
        return self._keys[item]


class _Decoder:
    """Decodes with the tables of symbols and quantities."""

    def __init__(self, symbols: dict[str, Any], quantities: dict[str, Any]) -> None:
        self._symbols = {key: self._symbol(entry) for key, entry in symbols.items()}
        self._quantities = {key: self._quantity(entry) for key, entry in quantities.items()}

    def _symbol(self, entry: dict[str, Any]) -> Symbol:
        if "dummy" in entry:
            return Dummy(entry["name"], dummy_index=entry["dummy"], **entry["assumptions"])
        return Symbol(entry["name"], **entry["assumptions"])

    def _quantity(self, entry: dict[str, Any]) -> Any:
        cls = {"series": Series, "static": Static}[entry["kind"]]
        orders = tuple(int(order) for order in entry["orders"])
        return cls(entry["name"], orders, *self._operands(entry["shape"]))

    def decode(self, value: Any) -> Any:
        if isinstance(value, list):
            return tuple(self.decode(item) for item in value)
        return self._tagged(value) if isinstance(value, dict) else value

    def _tagged(self, value: dict[str, Any]) -> Any:
        if "record" in value:
            return self._record(value)
        if "quantity" in value:
            quantity = self._quantities[value["quantity"]]
            return quantity[self._operands([value["time"]])[0]] if "time" in value else quantity
        if "node" in value:
            return NODES[value["node"]](*self._operands(value["args"]))
        if "symbol" in value:
            return self._symbols[value["symbol"]]
        if "operation" in value:
            return OPERATIONS[value["operation"]](*self._operands(value["args"]))
        if "name" in value:
            return Str(value["name"])
        number = Rational(value["number"])
        return Float(number, precision=value["bits"]) if "bits" in value else number

    def _record(self, value: dict[str, Any]) -> Any:
        name, hints = value["record"], HINTS[value["record"]]
        found = {key: self.decode(part) for key, part in value.items() if key not in {"record", "latex"}}
        for key, part in found.items():
            if not fits(part, hints[key]):
                raise ValueError(f"{name}.{key} cannot be {part!r:.60}")
        return RECORDS[name](**found)

    def _operands(self, values: list[Any]) -> tuple[Any, ...]:
        """Decode what a constructor takes; a plain text is refused, since SymPy would evaluate it."""
        found = tuple(self.decode(value) for value in values)
        for part in found:
            if not isinstance(part, Basic | int):
                raise ValueError(f"a formula cannot hold {part!r:.60}")
        return found


def fits(value: Any, hint: Any) -> bool:
    """Tell whether a value is what a field of a record is declared to be."""
    inner = get_args(hint)
    if get_origin(hint) is tuple:
        if not isinstance(value, tuple):
            return False
        hints = inner[:1] * len(value) if inner[-1] is Ellipsis else inner
        return len(hints) == len(value) and all(map(fits, value, hints))
    if inner:
        return any(fits(value, option) for option in inner)
    return isinstance(value, Expr | int if hint is Expr else hint)
