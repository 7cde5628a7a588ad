"""Times as tables of ratios, and a page that holds them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import geometric_mean

from competitors import SIZES, TITLES

Key = tuple[str, str, str, int]
Times = dict[Key, dict[str, float]]
"""Seconds by name, for each size, cell, dtype and number of threads."""

GROUPS: tuple[tuple[str, Callable[[int], bool], str], ...] = (
    ("B = 1, float64", lambda B: B == 1, "float64"),
    ("B = 1, float32", lambda B: B == 1, "float32"),
    ("B ≥ 16, float64", lambda B: B >= 16, "float64"),
    ("B ≥ 16, float32", lambda B: B >= 16, "float32"),
)
SHORT = {"float64": "f64", "float32": "f32"}


def collected(records: Iterable[dict[str, object]], clock: str) -> Times:
    """Sort the records by one of the clocks; of the two layouts of the matrix products the faster one counts."""
    times: Times = {}
    for record in records:
        key = (str(record["size"]), str(record["cell"]), str(record["dtype"]), int(str(record["threads"])))
        name = str(record["name"]).partition(",")[0]
        seconds = float(str(record[clock]))
        known = times.setdefault(key, {})
        known[name] = min(seconds, known.get(name, seconds))
    return times


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return a table in Markdown, its columns aligned."""
    widths = [max(len(row[n]) for row in [head, *rows]) for n in range(len(head))]
    lines = [head, ["-" * width for width in widths], *rows]
    return "\n".join("| " + " | ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) + " |" for line in lines)


def means(times: Times, threads: int) -> str:
    """Return the geometric means of the ratios, by competitor and group: below 1, symrnn is faster."""
    rows = []
    for name, title in TITLES.items():
        groups = [
            [known["symrnn"] / known[name] for (size, _, dtype, n), known in times.items()
             if n == threads and dtype == wanted and within(SIZES[size][0]) and name in known]
            for _, within, wanted in GROUPS
        ]
        if any(groups):
            rows.append([title, *(f"{geometric_mean(ratios):.2f}" if ratios else "" for ratios in groups)])
    return table(["against", *(head for head, _, _ in GROUPS)], rows)


def ratios(times: Times, threads: int) -> str:
    """Return the ratios by size and cell, and the milliseconds of symrnn; where there are two dtypes, float64 stands first."""
    chosen = {key: known for key, known in times.items() if key[3] == threads}
    dtypes = [dtype for dtype in SHORT if any(key[2] == dtype for key in chosen)]
    names = [name for name in TITLES if any(name in known for known in chosen.values())]
    rows = []
    for size, cell in dict.fromkeys(key[:2] for key in chosen):
        lines = [chosen.get((size, cell, dtype, threads), {}) for dtype in dtypes]
        own = " / ".join(f"{1000 * known['symrnn']:.3g}" for known in lines)
        rows.append([size, cell, own, *(
            " / ".join(f"{known['symrnn'] / known[name]:.2f}" for known in lines if name in known) for name in names
        )])
    unit = " / ".join(SHORT[dtype] for dtype in dtypes)
    return table(["size", "cell", f"symrnn, ms ({unit})", *(TITLES[name] for name in names)], rows)


def write(page: Path, name: str, text: str) -> None:
    """Put a text between the markers of a page."""
    old = page.read_text(encoding="utf-8")
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    new, number = re.subn(f"{re.escape(begin)}.*?{re.escape(end)}", lambda _: f"{begin}\n\n{text}\n\n{end}", old, flags=re.DOTALL)
    if number != 1:
        raise SystemExit(f"{page.name} must have the markers {begin} and {end} once")
    page.write_text(new, encoding="utf-8")
