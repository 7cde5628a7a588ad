"""The table of a sweep: a CSV file that grows by a line a point, and with which a sweep that was killed goes on.

The first line says what was swept, after ``#``; the second names the columns. A line is complete when it ends: what a killed
process left half-written is cut off, and measured again. When all points are there, the lines are sorted, so that the file does
not depend on the order in which the points ended.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from symrnn.errors import DataError, OutputError, SpecError
from symrnn.output import replace_whole
from symrnn.sweeps.plan import NAMES, Point, Sweep

Row = dict[str, Any]
MARK = "# symrnn sweep 1 "
RESULTS = ("norm", "frobenius", "delta", "growth", "memory", "lyapunov", "sigma_max", "spectral_radius", "gamma")
"""What is measured at a point: ``log10`` of the norms of ``∂s_T/∂s_0`` and of ``δs_0``, the growth per step (``norm / steps``), the
length of the memory (empty where it is longer than ``steps``), the largest Lyapunov exponent, and of the recurrent matrix the
largest singular value and the spectral radius, with the largest slope of its activation."""
COLUMNS = ("cell", *NAMES, "draw", "seed", *RESULTS)
"""All columns; of the names, those that are swept."""


def columns_of(sweep: Sweep) -> list[str]:
    """Return the columns of a sweep."""
    return ["cell", *sweep.ranges, "draw", "seed", *RESULTS]


def key_of(row: Mapping[str, Any], names: Iterable[str]) -> str:
    """Return what tells rows apart, as ``Point.key``."""
    return json.dumps([row["cell"], {name: row[name] for name in names}, row["draw"]])


def line(values: Iterable[Any]) -> str:
    """Write one line of the table; numbers are written so that they are read back as they were."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerow(["" if value is None else repr(value) if isinstance(value, float) else value for value in values])
    return stream.getvalue()


def head(sweep: Sweep) -> str:
    """Write the first two lines."""
    return MARK + json.dumps(sweep.plan, ensure_ascii=False) + "\n" + line(columns_of(sweep))


def value_of(name: str, text: str) -> Any:
    """Read a value of the table."""
    if name in {"cell", "init"}:
        return text
    if text == "":
        return None
    return int(text) if name in {"draw", "seed", "memory", "hidden", "steps"} else float(text)


def read_rows(text: str, columns: Sequence[str], path: str | Path) -> list[Row]:
    """Read the lines below the head.

    Raises:
        DataError: A line that is none of a sweep.
    """
    rows = []
    for number, cells in enumerate(csv.reader(io.StringIO(text)), start=3):
        try:
            rows.append({name: value_of(name, cell) for name, cell in zip(columns, cells, strict=True)})
        except ValueError:
            raise DataError(f"{path}, line {number}: expected {len(columns)} values, {', '.join(columns[:4])}, …; delete the line, and resume") from None
    return rows


def split(path: str | Path) -> tuple[dict[str, Any], list[str], str, int]:
    """Read a table: what was swept, the columns, the complete lines, and the size of what is complete in bytes."""
    try:
        raw = Path(path).read_bytes()
        whole = raw[: raw.rfind(b"\n") + 1]
        first, _, rest = whole.decode("utf-8").partition("\n")
        second, _, body = rest.partition("\n")
    except OSError as error:
        raise SpecError(f"cannot read {path}: {(error.strerror or str(error)).lower()}") from None
    except UnicodeDecodeError:
        first = second = body = ""
    try:
        if not first.startswith(MARK) or not second:
            raise ValueError
        return json.loads(first.removeprefix(MARK)), next(csv.reader([second])), body, len(whole)
    except ValueError:
        raise DataError(f"{path} is not the table of a sweep: its first line should begin with '{MARK.strip()}'; give another file") from None


def read_sweep(path: str | Path) -> tuple[Row, ...]:
    """Read the table of a sweep, finished or not.

    Args:
        path: The file that ``run_sweep`` or ``symrnn flow --csv`` wrote.

    Returns:
        A mapping a point, from the names of the columns.

    Raises:
        SpecError: The file cannot be read.
        DataError: It is not the table of a sweep.
    """
    _, columns, body, _ = split(path)
    return tuple(read_rows(body, columns, path))


class Table:
    """The open table of a running sweep.

    Args:
        sweep: What is swept.
        path: Of the file, or ``None`` to keep the rows in memory only.
        resume: Go on with the file that is there.
        force: Replace the file that is there.

    Raises:
        OutputError: The file exists and is neither to be gone on with nor replaced, or cannot be written.
        SpecError: The file is about another sweep.
    """

    def __init__(self, sweep: Sweep, path: str | Path | None, *, resume: bool = False, force: bool = False) -> None:
        self.sweep, self.path = sweep, None if path is None else Path(path)
        self.rows: dict[str, Row] = {}
        self.stream: IO[bytes] | None = None
        if self.path is None:
            return
        there = self.path.exists() and not self.begun()
        if there and resume:
            self.go_on()
        elif there and not force:
            raise OutputError(f"{self.path} exists; use --resume to go on with it, --force to replace it, or choose another name")
        try:
            self.stream = self.path.open("ab" if there and resume else "wb")
            if not (there and resume):
                self.write(head(sweep))
        except OSError as error:
            raise OutputError(f"cannot write {self.path}: {(error.strerror or str(error)).lower()}") from None

    def begun(self) -> bool:
        """Tell whether the file holds no more than a beginning of the head of this sweep: it was killed at once."""
        assert self.path is not None
        if not self.path.is_file() or self.path.stat().st_size > 100_000_000:
            return False
        return head(self.sweep).encode().startswith(self.path.read_bytes())

    def go_on(self) -> None:
        """Take over the finished points, and cut off a half-written line."""
        assert self.path is not None
        plan, columns, body, size = split(self.path)
        ours = json.loads(json.dumps(self.sweep.plan))
        if plan != ours:
            name = next((name for name in ours if plan.get(name) != ours[name]), "its head")
            raise SpecError(f"{self.path} is the table of another sweep: {name} was {shortly(plan.get(name))}, and is {shortly(ours.get(name))} now; "
                            "ask for the same, or give another file")
        self.rows = {key_of(row, self.sweep.ranges): row for row in read_rows(body, columns, self.path)}
        os.truncate(self.path, size)

    def write(self, text: str) -> None:
        """Write, and see to it that it is in the file before the next point."""
        if self.stream is not None:
            self.stream.write(text.encode())
            self.stream.flush()
            os.fsync(self.stream.fileno())

    def add(self, point: Point, results: Mapping[str, Any]) -> None:
        """Add the row of a point."""
        row = {"cell": point.cell, **point.settings, "draw": point.draw, "seed": point.seed, **results}
        self.rows[point.key] = row
        try:
            self.write(line(row[name] for name in columns_of(self.sweep)))
        except OSError as error:
            raise OutputError(f"cannot write {self.path}: {(error.strerror or str(error)).lower()}; the finished points are kept: use --resume") from None

    def sorted(self) -> tuple[Row, ...]:
        """Return the rows in the order of the points, and write them in this order when all are there."""
        rows = tuple(self.rows[point.key] for point in self.sweep.points() if point.key in self.rows)
        if self.path is not None and len(rows) == len(self.sweep):
            lines = [line(row[name] for name in columns_of(self.sweep)) for row in rows]
            self.close()
            replace_whole(Path(os.path.realpath(self.path)), head(self.sweep) + "".join(lines))
        return rows

    def close(self) -> None:
        """Close the file."""
        if self.stream is not None:
            self.stream.close()
            self.stream = None

    def __enter__(self) -> Table:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def shortly(value: Any) -> str:
    """Write a setting in a few words."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."
