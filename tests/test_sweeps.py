"""Sweeps: what is swept, the table that survives a kill, and that neither order nor machine change a result."""

from __future__ import annotations

import importlib.util
import inspect
import json
import os
import pickle
import random
import signal
import subprocess
import sys
import time

import pytest

from symrnn import DataError, NotSupportedError, OutputError, SpecError, cell
from symrnn.sweeps import COLUMNS, NAMES, Sweep, read_range, read_sweep, run_sweep, running
from symrnn.sweeps.table import MARK, RESULTS, head

pytest.importorskip("joblib")
SMALL = {"hidden": 4, "steps": 6}
RADII = (0.5, 0.9, 1.3)

PROGRAM = """
import sys, time
from symrnn import cell
from symrnn.sweeps import Sweep, run_sweep

def main():
    sweep = Sweep({{"rnn": cell("rnn")}}, {{"radius": (0.5, 0.9, 1.3), "gain": (0.5, 1.0)}}, repeat={repeat}, settings={{"hidden": 4, "steps": 6}})
    {body}

if __name__ == "__main__":
    main()
"""


def sweep(repeat=3, cells=("rnn",), ranges=None, **more):
    settings = {**SMALL, **more.pop("settings", {})}
    return Sweep({name: cell(name) for name in cells}, ranges or {"radius": RADII, "gain": (0.5, 1.0)}, repeat=repeat, settings=settings, **more)


def test_a_sweep_has_every_point_once():
    made = sweep(cells=("rnn", "gru"))
    points = list(made.points())
    assert len(points) == len(made) == 2 * 3 * 2 * 3
    assert len({point.key for point in points}) == len({point.seed for point in points}) == len(points)


def test_seeds_are_those_of_the_points():
    known = {point.key: point.seed for point in sweep().points()}
    wider = {point.key: point.seed for point in sweep(repeat=5, cells=("gru", "rnn"), ranges={"radius": (1.3, 0.5, 7.0), "gain": (1.0,)}).points()}
    assert len(known.keys() & wider.keys()) == 2 * 3
    assert all(known[key] == wider[key] for key in known.keys() & wider.keys())
    assert not set(known.values()) & {point.seed for point in sweep(seed=1).points()}


def test_rows_have_what_was_measured():
    rows = run_sweep(sweep(repeat=1))
    assert [row["radius"] for row in rows] == [0.5, 0.5, 0.9, 0.9, 1.3, 1.3]
    for row in rows:
        assert list(row) == ["cell", "radius", "gain", "draw", "seed", *RESULTS]
        assert row["spectral_radius"] == pytest.approx(row["radius"])
        assert row["sigma_max"] >= row["spectral_radius"] - 1e-9
        assert row["growth"] == pytest.approx(row["norm"] / 6)
        assert row["frobenius"] >= row["norm"] - 1e-9
    assert set(rows[0]) <= set(COLUMNS)


def test_the_table_is_read_as_it_was_written(tmp_path):
    path = tmp_path / "sweep.csv"
    rows = run_sweep(sweep(), csv=path)
    assert read_sweep(path) == rows
    first, second, *rest = path.read_text(encoding="utf-8").splitlines()
    assert json.loads(first.removeprefix(MARK))["repeat"] == 3
    assert second.split(",") == ["cell", "radius", "gain", "draw", "seed", *RESULTS]
    assert len(rest) == 18


def test_jobs_do_not_change_the_table(tmp_path):
    made = sweep()
    tables = []
    for jobs in (1, 2):
        run_sweep(made, csv=tmp_path / f"{jobs}.csv", jobs=jobs)
        tables.append((tmp_path / f"{jobs}.csv").read_bytes())
    assert tables[0] == tables[1]


def test_order_does_not_change_a_result(monkeypatch):
    made = sweep()
    rows = run_sweep(made)
    points = list(made.points())
    random.Random(1).shuffle(points)
    monkeypatch.setattr(Sweep, "points", lambda self: iter(points))
    shuffled = run_sweep(made)
    assert shuffled != rows
    assert sorted(shuffled, key=str) == sorted(rows, key=str)


def test_progress_counts(tmp_path):
    seen = []
    run_sweep(sweep(repeat=1), progress=lambda done, of: seen.append((done, of)))
    assert seen == [(done, 6) for done in range(7)]


def killed(path, repeat, lines):
    """Start a sweep in a process of its own, and kill it when the table has some lines."""
    code = PROGRAM.format(repeat=repeat, body="run_sweep(sweep, csv=sys.argv[1], progress=lambda done, of: time.sleep(0.01))")
    started = subprocess.Popen([sys.executable, "-c", code, str(path)])
    deadline = time.monotonic() + 60
    while not path.exists() or path.read_bytes().count(b"\n") < lines:
        assert time.monotonic() < deadline
        assert started.poll() is None
        time.sleep(0.005)
    os.kill(started.pid, signal.SIGKILL)
    assert started.wait() == -signal.SIGKILL


def test_a_killed_sweep_goes_on_and_loses_no_point(tmp_path):
    path, made = tmp_path / "sweep.csv", sweep(repeat=15)
    killed(path, 15, lines=20)
    left = path.read_bytes()
    assert 18 <= left.count(b"\n") - 2 < len(made)
    kept = read_sweep(path)
    with path.open("ab") as stream:
        stream.write(left.splitlines(keepends=True)[2][:17])  # as if it had been killed while it wrote a line
    assert read_sweep(path) == kept
    seen = []
    rows = run_sweep(made, csv=path, resume=True, progress=lambda done, of: seen.append(done))
    assert seen[0] == len(kept)
    run_sweep(made, csv=tmp_path / "whole.csv")
    assert path.read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert read_sweep(path) == rows
    assert run_sweep(made, csv=path, resume=True, progress=lambda done, of: seen.append(done)) == rows
    assert seen[-1] == len(made)


@pytest.mark.parametrize("size", [0, 1, 40, -1])
def test_a_sweep_that_was_killed_at_once_begins_anew(tmp_path, size):
    path = tmp_path / "sweep.csv"
    path.write_bytes(head(sweep(repeat=1)).encode()[:size])
    assert len(run_sweep(sweep(repeat=1), csv=path, resume=True)) == 6
    assert len(read_sweep(path)) == 6


def test_interrupted_sweeps_keep_their_points(tmp_path):
    path = tmp_path / "sweep.csv"

    def stop(done, of):
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_sweep(sweep(), csv=path, progress=stop)
    assert len(read_sweep(path)) == 4


@pytest.mark.sampled(2)
@pytest.mark.parametrize(("change", "words"), [
    ({"repeat": 4}, "repeat was 3, and is 4 now"), ({"seed": 5}, "seed was 0, and is 5 now"),
    ({"ranges": {"radius": RADII}}, 'ranges was {"radius": [0.5, 0.9, 1.3], "gain": [0.5, 1.0]}, and is {"radius": [0.5, 0.9, 1.3]} now'),
    ({"settings": {"hidden": 5}}, 'settings was {"hidden": 4, "steps": 6}, and is {"hidden": 5, "steps": 6} now'),
    ({"cells": ("gru",)}, 'cells was {"rnn": '),
])
def test_other_settings_are_not_gone_on_with(tmp_path, change, words):
    path = tmp_path / "sweep.csv"
    run_sweep(sweep(), csv=path)
    before = path.read_bytes()
    with pytest.raises(SpecError, match=r"^.*sweep\.csv is the table of another sweep: .*; ask for the same, or give another file$") as caught:
        run_sweep(sweep(**change), csv=path, resume=True)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == before


def test_a_table_that_exists_is_not_overwritten(tmp_path):
    path = tmp_path / "sweep.csv"
    rows = run_sweep(sweep(repeat=1), csv=path)
    with pytest.raises(OutputError, match=r"^.*sweep\.csv exists; use --resume to go on with it, --force to replace it, or choose another name$"):
        run_sweep(sweep(repeat=1), csv=path)
    assert run_sweep(sweep(repeat=1), csv=path, force=True) == rows


@pytest.mark.parametrize(("text", "message"), [
    (b"a,b\n1,2\n", r"^.*t\.csv is not the table of a sweep: its first line should begin with '# symrnn sweep 1'; give another file$"),
    (b"\xff\xfe\n", r"^.*t\.csv is not the table of a sweep"), (b"# symrnn sweep 1 {\ncell\n", r"^.*t\.csv is not the table of a sweep"),
    (head(sweep()).encode() + b"rnn,0.5\n", r"^.*t\.csv, line 3: expected 14 values, cell, radius, gain, draw, …; delete the line, and resume$"),
    (head(sweep()).encode() + b"rnn" + b",x" * 13 + b"\n", r"^.*t\.csv, line 3: expected 14 values, "),
])
def test_what_is_no_table_is_one_line(tmp_path, text, message):
    path = tmp_path / "t.csv"
    path.write_bytes(text)
    with pytest.raises(DataError, match=message):
        read_sweep(path)
    with pytest.raises(DataError, match=message):
        run_sweep(sweep(), csv=path, resume=True)
    assert path.read_bytes() == text


def test_tables_that_cannot_be_read_or_written(tmp_path):
    with pytest.raises(SpecError, match=r"^cannot read .*none\.csv: no such file or directory$"):
        read_sweep(tmp_path / "none.csv")
    with pytest.raises(OutputError, match=r"^cannot write .*sweep\.csv: no such file or directory$"):
        run_sweep(sweep(), csv=tmp_path / "none" / "sweep.csv")


@pytest.mark.parametrize(("text", "values"), [
    ("radius=0.5:1.5:3", ("radius", (0.5, 1.0, 1.5))), ("forget-bias=0,1,5", ("forget_bias", (0.0, 1.0, 5.0))), ("hidden=16,32", ("hidden", (16, 32))),
    ("steps=10:30:3", ("steps", (10, 20, 30))), ("init=orthogonal, identity", ("init", ("orthogonal", "identity"))), ("gain=2", ("gain", (2.0,))),
    ("radius=0:0.3:4", ("radius", (0.0, 0.1, 0.2, 0.3))),
])
def test_ranges(text, values):
    assert read_range(text) == values


@pytest.mark.parametrize(("text", "message"), [
    ("radius", r"^'radius' is no range; write name=first:last:number, such as radius=0\.5:1\.5:21, or name=1,2,5$"),
    ("radis=1", r"^unknown name to sweep 'radis'; did you mean radius\?$"),
    ("radius=0.5:1.5", r"^'radius=0\.5:1\.5' is no range; write first:last:number with a number from 2 on, such as radius=0\.5:1\.5:21$"),
    ("radius=0.5:1.5:1", r"^'radius=0\.5:1\.5:1' is no range; "), ("radius=0.5:1.5:x", r"^'radius=0\.5:1\.5:x' is no range; "),
    ("radius=-1:1:3", r"^radius must be at least 0; got -1$"), ("radius=nan", r"^radius is a number; got 'nan'$"),
    ("radius=a,b", r"^radius is a number; got 'a'$"), ("hidden=1.5", r"^hidden is a whole number; got '1\.5'$"), ("steps=0", r"^steps must be at least 1; got 0$"),
    ("steps=1:4:3", r"^steps is a whole number, and 1:4:3 has 2\.5 in it; write steps=16,32,64$"),
    ("init=1:2:3", r"^init has names, not numbers; write init=gaussian,orthogonal$"), ("radius=1,1", r"^sweep: radius has the value 1\.0 twice; "),
    ("radius=1,,2", r"^radius is a number; got ''$"), ("radius=0:1:2000000", r"^'radius=0:1:2000000' has 2,000,000 values; at most 1,000,000$"),
])
def test_bad_ranges_are_one_line(text, message):
    with pytest.raises(SpecError, match=message):
        read_range(text)


@pytest.mark.parametrize(("make", "message"), [
    (lambda: Sweep({}, {"radius": (1.0,)}), r"^a sweep needs a cell; got none$"),
    (lambda: sweep(repeat=0), r"^a sweep draws each point at least once; got repeat=0$"),
    (lambda: sweep(ranges={"radius": ()}), r"^sweep: radius has no values; "),
    (lambda: sweep(settings={"radius": 1.0}), r"^radius is swept and set to 1\.0 as well; leave one of them out$"),
    (lambda: sweep(settings={"steps": 0}), r"^steps must be at least 1; got 0$"),
    (lambda: sweep(repeat=10**6), r"^a sweep of 6,000,000 points is too long; at most 1,000,000; make a range coarser$"),
    (lambda: run_sweep(sweep(), jobs=0), r"^jobs is a number of processes from 1 on, or -1 for every core; got 0$"),
    (lambda: run_sweep(sweep(), backend="ray"), r"^unknown backend 'ray'; known: dask, loky$"),
    (lambda: run_sweep(sweep(), cluster="tcp://a:1"), r"^cluster is the address of a Dask scheduler; got tcp://a:1 with backend='loky'; use backend='dask'$"),
    (lambda: run_sweep(sweep(ranges={"init": ("gausian",)})), r"^rnn, init gausian: unknown .* 'gausian'; did you mean gaussian\?$"),
])
def test_bad_sweeps_are_one_line(make, message):
    with pytest.raises(SpecError, match=message):
        make()


@pytest.mark.parametrize(("package", "backend", "extra"), [("joblib", "loky", "sweeps"), ("distributed", "dask", "cluster")])
def test_a_missing_package_is_one_line(monkeypatch, package, backend, extra):
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == package else real(name, *rest))
    with pytest.raises(NotSupportedError, match=rf"^{package} is not installed; for sweeps, pip install 'symrnn\[{extra}\]'$"):
        run_sweep(sweep(), backend=backend)


def test_workers_have_one_thread(monkeypatch):
    def threads():
        return [pool["num_threads"] for pool in pools.threadpool_info()]

    pools = pytest.importorskip("threadpoolctl")
    seen = []
    monkeypatch.setattr(running, "gradient_flow", lambda of, **settings: seen.append(threads()))
    monkeypatch.setattr(running, "row_of", lambda flow: {})
    with pools.threadpool_limits(2):
        assert 2 in threads()
        running.measure(0, (cell("rnn"),), {})
    assert set(seen[0]) == {1}


def test_names_are_arguments_of_gradient_flow():
    assert set(NAMES) <= set(inspect.signature(running.gradient_flow).parameters)


CLUSTER = """
    import os, signal, threading
    from distributed import Client, LocalCluster
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster, Client(cluster) as client:
        first = cluster.workers[0].process.pid
        killed = []
        def progress(done, of):
            time.sleep(0.02)
            if done == of // 4 and not killed:
                killed.append(first)
                os.kill(first, signal.SIGKILL)
        run_sweep(sweep, csv=sys.argv[1], backend="dask", progress=progress)
        assert killed == [first]
        assert all(worker.process.pid != first for worker in cluster.workers.values() if worker.process)
"""


@pytest.mark.full
def test_a_cluster_that_loses_a_worker_gives_the_serial_result(tmp_path):
    pytest.importorskip("distributed")
    program = tmp_path / "program.py"
    program.write_text(PROGRAM.format(repeat=15, body=CLUSTER.strip()), encoding="utf-8")
    done = subprocess.run([sys.executable, str(program), str(tmp_path / "dask.csv")], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    run_sweep(sweep(repeat=15), csv=tmp_path / "serial.csv")
    assert (tmp_path / "dask.csv").read_bytes() == (tmp_path / "serial.csv").read_bytes()


def test_cells_travel_to_other_processes():
    for name in ("rnn", "lstm"):
        made = cell(name)
        assert pickle.loads(pickle.dumps(made)).equations == made.equations


def test_no_cluster_is_one_line():
    pytest.importorskip("distributed")
    with pytest.raises(SpecError, match=r"^no Dask client is open; give cluster='tcp://host:8786', or open one: dask\.distributed\.Client\(\)$"):
        run_sweep(sweep(), backend="dask")
