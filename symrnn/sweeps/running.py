"""Run the points of a sweep: one after another, on the cores of this machine, or on a Dask cluster."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from symrnn.equations import Cell
from symrnn.errors import NotSupportedError, SpecError, SymrnnError, unknown
from symrnn.flow.measure import gradient_flow
from symrnn.flow.record import Flow
from symrnn.networks.graph import Network
from symrnn.sweeps.plan import Point, Sweep
from symrnn.sweeps.table import Row, Table

BACKENDS = ("loky", "dask")
NEEDS = (("joblib", "loky", "sweeps"), ("threadpoolctl", "loky", "sweeps"), ("distributed", "dask", "cluster"))
"""Packages that a backend needs, and the extra that installs them; what loky needs, dask needs too."""

LIGHT = MappingProxyType({"lags": (), "removed": False})
"""What no row needs is not measured."""


def run_sweep(
    sweep: Sweep, *, csv: str | Path | None = None, resume: bool = False, force: bool = False, jobs: int = 1, backend: str = "loky",
    cluster: str | None = None, progress: Callable[[int, int], None] | None = None,
) -> tuple[Row, ...]:
    """Measure the flow at every point of a sweep.

    Args:
        sweep: The points.
        csv: A table that grows by a line a point, and is sorted at the end.
        resume: Go on with the table that is there: its finished points are not measured again.
        force: Replace the table that is there.
        jobs: Number of processes on this machine, each with one thread for its matrices; 1 runs in this process, -1 uses every core.
        backend: ``loky`` (this machine), or ``dask``.
        cluster: Address of the scheduler of a Dask cluster, such as ``tcp://10.0.0.1:8786``; without it, the client of
            ``dask.distributed`` that is open.
        progress: Is called with the number of finished points and of all points.

    Returns:
        A mapping a point, in order: the settings, ``draw`` and ``seed``, and what was measured. It does not depend on ``jobs``,
        on ``backend``, or on the order in which the points end.

    Raises:
        SpecError: An unknown backend, bad settings, a table of another sweep, no cluster.
        OutputError: The table cannot be written, or exists.
        NotSupportedError: A package is not installed.
    """
    check_backend(backend, jobs, cluster)
    with Table(sweep, csv, resume=resume, force=force) as table:
        rest = [point for point in sweep.points() if point.key not in table.rows]
        report = progress or (lambda done, of: None)
        report(len(table.rows), len(sweep))
        with contextlib.closing(results(sweep, rest, jobs, backend, cluster)) as found:
            for point, measured in found:
                if isinstance(measured, str):
                    raise SpecError(f"{described(point)}: {measured}")
                table.add(point, measured)
                report(len(table.rows), len(sweep))
        return table.sorted()


def check_backend(backend: str, jobs: int, cluster: str | None) -> None:
    """Refuse what cannot run.

    Raises:
        SpecError: Unknown backend, a bad number of jobs.
        NotSupportedError: A package is missing.
    """
    if backend not in BACKENDS:
        raise unknown("backend", backend, BACKENDS)
    if jobs == 0 or jobs < -1:
        raise SpecError(f"jobs is a number of processes from 1 on, or -1 for every core; got {jobs}")
    if cluster is not None and backend != "dask":
        raise SpecError(f"cluster is the address of a Dask scheduler; got {cluster} with backend='{backend}'; use backend='dask'")
    for package, wanted_by, extra in NEEDS:
        if wanted_by in ("loky", backend) and importlib.util.find_spec(package) is None:
            raise NotSupportedError(f"{package} is not installed; for sweeps, pip install 'symrnn[{extra}]'")


def results(sweep: Sweep, points: Sequence[Point], jobs: int, backend: str, cluster: str | None) -> Generator[tuple[Point, Row | str]]:
    """Measure points, and give each as it ends."""
    tasks = ((place, (sweep.cells[p.cell],), {**LIGHT, **sweep.settings, **p.settings, "seed": p.seed}) for place, p in enumerate(points))
    with contextlib.ExitStack() as stack:
        if backend == "loky" and jobs == 1:
            found: Any = (measure(*task) for task in tasks)
        else:
            joblib = importlib.import_module("joblib")
            settings: dict[str, Any] = {"backend": "loky", "n_jobs": jobs, "inner_max_num_threads": 1}
            if backend == "dask":
                settings = {"backend": "dask", "client": stack.enter_context(client_of(cluster))}
            stack.enter_context(joblib.parallel_config(**settings))
            parallel = joblib.Parallel(return_as="generator_unordered", batch_size=1)
            found = stack.enter_context(contextlib.closing(parallel(joblib.delayed(measure)(*task) for task in tasks)))
        yield from ((points[place], row) for place, row in found)


@contextlib.contextmanager
def client_of(cluster: str | None) -> Iterator[Any]:
    """Connect to a Dask cluster, or use the client that is open.

    Raises:
        SpecError: There is none.
    """
    distributed = importlib.import_module("distributed")
    if cluster is None:
        try:
            yield distributed.get_client()
        except ValueError:
            raise SpecError("no Dask client is open; give cluster='tcp://host:8786', or open one: dask.distributed.Client()") from None
        return
    try:
        client = distributed.Client(cluster, timeout="10s", set_as_default=False)
    except (OSError, ValueError) as error:
        raise SpecError(f"no Dask scheduler answers at {cluster}: {str(error).partition(chr(10))[0]}; start one with dask scheduler") from None
    with client:
        yield client


def measure(place: int, of: tuple[Cell | Network], settings: dict[str, Any]) -> tuple[int, Row | str]:
    """Measure one point with one thread; what is wrong with it is returned as a text, which any backend can carry.

    Args:
        place: Of the point, which is returned as well.
        of: The cell, in a tuple, which Dask sends with the task: what it would keep on one worker is lost with that worker.
        settings: For ``gradient_flow``.
    """
    limits = importlib.import_module("threadpoolctl").threadpool_limits
    try:
        with limits(1):
            return place, row_of(gradient_flow(of[0], **settings))
    except SymrnnError as error:
        return place, str(error)


def row_of(flow: Flow) -> Row:
    """Return what the table keeps of a flow."""
    norm, exponents = float(flow.spectral[-1]), flow.lyapunov
    return {
        "norm": norm, "frobenius": float(flow.frobenius[-1]), "delta": float(flow.delta[-1]), "growth": norm / flow.steps,
        "memory": flow.memory, "lyapunov": None if exponents is None or not len(exponents) else float(exponents[0]),
        "sigma_max": number(flow.sigma_max), "spectral_radius": number(flow.radius), "gamma": number(flow.gamma),
    }


def number(value: Any) -> float | None:
    """Return a number of Python's."""
    return None if value is None else float(value)


def described(point: Point) -> str:
    """Name a point."""
    return ", ".join([point.cell, *(f"{name} {value}" for name, value in point.settings.items())])
