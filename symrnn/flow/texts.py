"""What was measured, as a table for a terminal and as JSON."""

from __future__ import annotations

import json
import math
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from symrnn.flow.record import THRESHOLD, Flow

WIDTH = 110
VERSION = 1
"""Version of the JSON."""
FIELDS = ("spectral", "frobenius", "smallest", "singular", "direct", "bound", "delta", "inputs", "removed", "heat")
"""Arrays of logarithms."""
MAPPINGS = ("gates", "gates_low", "gates_high", "shares", "paths")
SETTINGS = ("radius", "gain", "forget_bias", "hidden", "steps", "init")


def power(value: float) -> str:
    """Write a logarithm as a number: ``1.3e-19``, at any size."""
    if math.isnan(value):
        return ""
    if math.isinf(value):
        return "0" if value < 0 else "inf"
    exponent = math.floor(value)
    digits = f"{10 ** (value - exponent):.2f}"
    if digits == "10.00":
        digits, exponent = "1.00", exponent + 1
    return f"{float(digits) * 10**exponent:.3g}" if -3 <= exponent <= 3 else f"{digits}e{exponent:+03d}"


def lags_shown(steps: int) -> list[int]:
    """Return the lags of the table: 0, 1, 2, 5, 10, … and the last."""
    ladder = (digit * 10**power for power in range(len(str(steps))) for digit in (1, 2, 5))
    return sorted({0, steps, *(lag for lag in ladder if lag < steps)})


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Set a table with its numbers at the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  " + "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def flow_text(flow: Flow) -> str:
    """Describe one flow: the norms at some lags, and what follows from all."""
    state = flow.states[0] + "_t" if len(flow.states) == 1 else "(" + ", ".join(f"{name}_t" for name in flow.states) + ")"
    held: list[tuple[str, Any]] = [("‖∂s_T/∂s_{T-j}‖", flow.spectral), ("bound", flow.bound), ("direct path", flow.direct), ("‖δs_{T-j}‖", flow.delta)]
    present = [(title, values) for title, values in held if values is not None]
    rows = [["lag j", *(title for title, _ in present)]]
    rows += [[str(lag), *(power(float(values[lag])) for _, values in present)] for lag in lags_shown(flow.steps)]
    memory = f"more than {flow.steps} steps" if flow.memory is None else f"{flow.memory} steps"
    facts = [("memory", f"{memory} (the first lag with a norm below 1e{THRESHOLD:g})")]
    if flow.lyapunov is not None and len(flow.lyapunov):
        facts.append(("Lyapunov", f"{flow.lyapunov[0]:.3g} a step, the largest of {len(flow.lyapunov)}"))
    if flow.sigma_max is not None and flow.radius is not None:
        facts.append(("matrix", f"σ_max {flow.sigma_max:.4g}, spectral radius {flow.radius:.4g}" + (f", γ {flow.gamma:g}" if flow.gamma is not None else "")))
    if flow.loss is not None:
        facts.append(("loss", f"{flow.loss:.4g}"))
    facts += [(name, text) for name, text in (("bound", flow.bound_text), ("note", flow.note)) if text]
    lines = [line for name, text in facts for line in textwrap.wrap(text, WIDTH, initial_indent=f"  {name:<10}", subsequent_indent=" " * 12,
                                                                    break_on_hyphens=False, break_long_words=False)]
    return "\n".join([f"{flow.name}: H = {flow.hidden}, T = {flow.steps}, s_t = {state}", *columns(rows), *lines])


def flows_text(flows: Iterable[Flow]) -> str:
    """Describe flows, one after the other."""
    return "\n\n".join(map(flow_text, flows)) + "\n"


def plain(value: Any) -> Any:
    """Return what JSON has: no NaN, and nothing infinite."""
    if isinstance(value, np.ndarray):
        return [plain(part) for part in value.tolist()]
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value


def flow_json(flow: Flow) -> dict[str, Any]:
    """Return a flow as JSON has it."""
    zero = np.flatnonzero(np.isneginf(flow.spectral))
    numbers = ("steps", "hidden", "memory", "sigma_max", "radius", "gamma", "error", "loss")
    return {
        "name": flow.name, "states": list(flow.states), **{name: plain(getattr(flow, name)) for name in numbers},
        "log10": {name: plain(getattr(flow, name)) for name in FIELDS if getattr(flow, name) is not None},
        "zero_from": int(zero[0]) if zero.size else None, "singular_lags": plain(flow.singular_lags), "angle": plain(flow.angle),
        "lyapunov": plain(flow.lyapunov), "bound_text": flow.bound_text, "note": flow.note,
        **{name: {key: plain(values) for key, values in getattr(flow, name).items()} for name in MAPPINGS},
    }


def flows_json(flows: Iterable[Flow]) -> str:
    """Write flows as JSON; norms are logarithms to base 10, ``null`` where there is none, and 0 from the lag ``zero_from`` on."""
    return json.dumps({"version": VERSION, "flows": [flow_json(flow) for flow in flows]}, ensure_ascii=False) + "\n"


def rows_json(rows: Iterable[Mapping[str, Any]]) -> str:
    """Write the rows of a sweep as JSON."""
    return json.dumps({"version": VERSION, "rows": [{name: plain(value) for name, value in row.items()} for row in rows]}, ensure_ascii=False) + "\n"


def rows_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Write the medians of a sweep, a line for each point."""
    names = ["cell", *(name for name in SETTINGS if name in rows[0])]
    points: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        points.setdefault(tuple(row[name] for name in names), []).append(row)
    table = [[*(name.replace("_", " ") for name in names), "draws", "‖∂s_T/∂s_0‖", "growth", "memory", "Lyapunov", "γ σ_max"]]
    for point, draws in points.items():
        memories = [math.inf if row["memory"] is None else row["memory"] for row in draws]
        promised = [row["gamma"] * row["sigma_max"] for row in draws if row["gamma"] is not None and row["sigma_max"] is not None]
        table.append([
            *(value if isinstance(value, str) else f"{value:g}" for value in point), str(len(draws)),
            power(middle([row["norm"] for row in draws])), shortly(middle([row["growth"] for row in draws])),
            "more" if math.isinf(middle(memories)) else f"{middle(memories):g}",
            shortly(middle([row["lyapunov"] for row in draws if row["lyapunov"] is not None])), shortly(middle(promised)),
        ])
    growth = "Medians over the draws. Growth: powers of 10 per step; memory: the first lag with a norm below 1e-3."
    return "\n".join([*columns(table), "", growth]) + "\n"


def middle(values: Sequence[float]) -> float:
    """Return the median, or NaN of nothing."""
    found = sorted(values)
    half = len(found) // 2
    if not found:
        return math.nan
    return float(found[half] if len(found) % 2 or found[half - 1] == found[half] else (found[half - 1] + found[half]) / 2)


def shortly(value: float) -> str:
    """Write a number with three digits, or nothing for none."""
    return "" if math.isnan(value) else f"{value:.3g}"
