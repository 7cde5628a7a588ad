"""Times as tables of ratios."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from statistics import geometric_mean

from symrnn.benchmarks import TITLES
from symrnn.benchmarks.sizes import size_of

Key = tuple[str, str, str, int]
Times = dict[Key, dict[str, float]]
"""Seconds by name, for each size, cell, dtype and number of threads."""

GROUPS: tuple[tuple[str, Callable[[int], bool], str], ...] = (
    ("B = 1, float64", lambda B: B == 1, "float64"),
    ("B = 1, float32", lambda B: B == 1, "float32"),
    ("B > 1, float64", lambda B: B > 1, "float64"),
    ("B > 1, float32", lambda B: B > 1, "float32"),
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
    found: dict[tuple[str, str], list[float]] = {}
    for (size, _, dtype, number), known in times.items():
        for head in [head for head, within, wanted in GROUPS if number == threads and dtype == wanted and within(size_of(size)[0])]:
            for name in known.keys() & TITLES.keys():
                found.setdefault((name, head), []).append(known["symrnn"] / known[name])
    heads = [head for head, _, _ in GROUPS if any(head == other for _, other in found)]
    rows = [[title, *(f"{geometric_mean(found[name, head]):.2f}" if (name, head) in found else "" for head in heads)]
            for name, title in TITLES.items() if any(name == other for other, _ in found)]
    return table(["against", *heads], rows)


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


def report(head: str, times: Times, notes: Iterable[str] = ()) -> str:
    """Return all tables; means where there is more than one case, and somebody to compare with."""
    parts, several = [head], len({key[:2] for key in times}) > 1 and any(TITLES.keys() & known.keys() for known in times.values())
    for threads in sorted({key[3] for key in times}):
        title = "One thread" if threads == 1 else f"{threads} threads"
        parts += [f"{title}, geometric means:", means(times, threads)] if several else []
        parts += [f"{title}, each case:", ratios(times, threads)]
    return "\n\n".join([*parts, *(["\n".join(f"* {note}" for note in notes)] if notes else [])])
