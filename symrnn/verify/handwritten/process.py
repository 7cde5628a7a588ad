"""A user's code is run in a process of its own, which is ended when its time is over.

Guarantees:
    An infinite loop ends after the time limit, a crash or an exit is reported as one line, what the code prints is
    dropped, files outside of a temporary folder are not changed through Python. On Windows there is no limit on memory.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from symrnn.errors import DataError
from symrnn.verify.handwritten.child import answer
from symrnn.verify.handwritten.report import Report

SECONDS, MEGABYTES = 60.0, 4096


def verify_file(
    path: str,
    *,
    forward: str = "",
    backward: str = "",
    args: str = "",
    cell: str = "",
    layout: str = "",
    in_process: bool = False,
    seconds: float = SECONDS,
    megabytes: int = MEGABYTES,
    before: Callable[[str], None] = lambda phase: None,
) -> Report:
    """Verify the gradients of a file.

    Args:
        path: ``my_rnn.py``, or ``my_rnn.py::RNN`` for a class.
        forward: Name of the forward function or method.
        backward: Name of the backward function or method.
        args: The file of settings; empty for none.
        cell: The cell that the code is meant to be: a name such as ``lstm``, or ``path.py:NAME``; empty where nothing says it.
        layout: A convention that names functions and says how arrays lie, such as ``cs231n``, or a file; empty for none.
        in_process: Whether the code runs in this process, without limits.
        seconds: Limit of time.
        megabytes: Limit of memory.
        before: Told of each phase.

    Raises:
        DataError: What went wrong, in one line: the code raised, hung, crashed, or something must be told.
    """
    file, _, target = path.partition("::")
    request = {"path": str(Path(file).absolute()), "target": target, "forward": forward, "backward": backward, "args": args,
               "cell": cell, "layout": layout, "memory": megabytes}
    found = answer(request, before) if in_process else in_child(request, seconds, before, Path(file).name)
    if "error" in found:
        raise DataError(found["error"])
    return Report.from_dict(found["report"])


def in_child(request: Mapping[str, Any], seconds: float, before: Callable[[str], None], name: str) -> dict[str, Any]:
    """Answer a request in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="symrnn-", ignore_cleanup_errors=True) as folder:
        quiet = {"PYTHONDONTWRITEBYTECODE": "1", "MPLBACKEND": "Agg", "MPLCONFIGDIR": folder, "OMP_NUM_THREADS": "1",
                 "OPENBLAS_NUM_THREADS": "1", "TMPDIR": folder, "TEMP": folder, "TMP": folder,
                 "PYTHONPATH": os.pathsep.join(filter(None, (str(Path(__file__).parents[3]), os.environ.get("PYTHONPATH", ""))))}
        child = subprocess.Popen(
            [sys.executable, "-m", "symrnn.verify.handwritten.child"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, env=os.environ | quiet, start_new_session=os.name == "posix",
        )
        try:
            return listen(child, request, seconds, before, name)
        finally:
            end(child)


def end(child: subprocess.Popen[bytes]) -> None:
    """End a process, with what it started."""
    if child.poll() is None:
        if os.name == "posix":
            os.killpg(child.pid, signal.SIGKILL)
        else:
            child.kill()
    child.wait()
    for stream in (child.stdin, child.stdout):
        if stream is not None:
            stream.close()


def listen(
    child: subprocess.Popen[bytes], request: Mapping[str, Any], seconds: float, before: Callable[[str], None], name: str,
) -> dict[str, Any]:
    """Hand over the request and read lines until the answer comes.

    Raises:
        DataError: The time is over, or the process ended without an answer.
    """
    assert child.stdin is not None and child.stdout is not None  # noqa: PT018  # for types: both are pipes
    lines: queue.Queue[bytes] = queue.Queue()
    reader = threading.Thread(target=read_into, args=(child.stdout, lines), daemon=True)
    reader.start()
    try:
        child.stdin.write(json.dumps(request).encode())
        child.stdin.close()
    except BrokenPipeError:
        pass
    phase, stop = "starting", time.monotonic() + seconds
    while True:
        try:
            line = lines.get(timeout=max(0.0, stop - time.monotonic()))
        except queue.Empty:
            raise DataError(hung(name, phase, seconds)) from None
        if not line:
            raise DataError(ended(name, phase, child.wait()))
        said = parsed(line)
        if "phase" in said:
            phase = said["phase"]
            before(phase)
        elif said:
            return said


def read_into(stream: IO[bytes], lines: queue.Queue[bytes]) -> None:
    """Put the lines of a stream into a queue; an empty one at its end."""
    for line in stream:
        lines.put(line)
    lines.put(b"")


def parsed(line: bytes) -> dict[str, Any]:
    """Read a line of JSON; anything else was not written by us."""
    try:
        said = json.loads(line)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def hung(name: str, phase: str, seconds: float) -> str:
    """Say that the time is over."""
    advice = 'put what runs at import under if __name__ == "__main__", or say only_definitions = true in args.toml' \
        if phase == "loading the file" else "look for a loop without end, or raise --timeout"
    return f"{name} did not end within {seconds:g} s (in: {phase}); {advice}"


def ended(name: str, phase: str, status: int) -> str:
    """Say that the process ended."""
    if status < 0:
        return f"the process of {name} crashed with {signal.Signals(-status).name} (in: {phase}); look for compiled code or a lack of memory"
    return f"the code of {name} ended its process with status {status} (in: {phase}); remove the exit"
