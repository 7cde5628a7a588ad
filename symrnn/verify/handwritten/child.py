"""The process in which a user's code runs: limited in memory, mute, and unable to change files.

It reads one request as JSON from standard input and writes lines of JSON: the phases as they begin, then the report or
the one line that says what went wrong. What the code prints goes nowhere; what it writes, deletes or starts is refused.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from symrnn.errors import SymrnnError
from symrnn.verify.handwritten.files import Asked, request_of
from symrnn.verify.handwritten.settings import read_data
from symrnn.verify.handwritten.timing import Clock
from symrnn.verify.handwritten.verifying import verified

try:
    import resource
except ImportError:  # on Windows there is no such limit: time is limited all the same
    resource = None  # type: ignore[assignment]  # a module that is not there

CHANGES = {"os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.truncate", "os.chmod", "os.chown", "os.link", "os.symlink",
           "shutil.rmtree", "shutil.move", "shutil.copyfile"}
STARTS = {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.forkpty", "os.spawn"}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def guard(allowed: str) -> Callable[[str, tuple[Any, ...]], None]:
    """Return the hook that refuses to change files outside of a folder, and to start programs."""
    def is_elsewhere(path: Any) -> bool:
        if isinstance(path, int) or path in (os.devnull, None):
            return False
        return not os.path.realpath(os.fsdecode(path)).startswith(allowed + os.sep)

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event == "open":
            if isinstance(args[2], int) and args[2] & WRITES and is_elsewhere(args[0]):
                raise PermissionError(f"the code writes to {os.fsdecode(args[0])}, which is refused while it is verified")
        elif event in CHANGES and is_elsewhere(args[0]):
            raise PermissionError(f"the code changes {os.fsdecode(args[0])}, which is refused while it is verified")
        elif event in STARTS:
            raise PermissionError("the code starts another program, which is refused while it is verified")

    return hook


def limit(megabytes: int) -> None:
    """Limit the memory of this process, where the system can."""
    if resource is not None:
        size = megabytes * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (size, size))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def answer(request: Mapping[str, Any], before: Callable[[str], None]) -> dict[str, Any]:
    """Verify what a request names; errors become one line.

    Args:
        request: ``path``, ``target``, ``forward``, ``backward``, ``args``, ``cell``, ``layout``.
        before: Told of each phase.
    """
    clock = Clock(before=before)
    try:
        data = read_data(request["args"]) if request["args"] else {}
        asked = Asked(**{name: request.get(name, "") for name in ("target", "forward", "backward", "cell", "layout")})
        with clock.phase("loading the file"):
            wanted = request_of(Path(request["path"]), asked, data, request["args"] or "args.toml")
        return {"report": verified(wanted, clock).as_dict()}
    except SymrnnError as error:
        return {"error": str(error)}
    except MemoryError:
        return {"error": f"the code needs more memory than it may have while running: {request['path']}; raise --memory"}
    except RecursionError:
        return {"error": f"the code of {request['path']} calls itself without end"}


def serve(stream: Any, descriptor: int) -> None:
    """Answer one request.

    Args:
        stream: Where the request is read.
        descriptor: Where the lines are written.
    """
    request = json.loads(stream.read())
    last = ""

    def say(line: Mapping[str, Any]) -> None:
        data = (json.dumps(line) + "\n").encode()
        while data:
            data = data[os.write(descriptor, data):]

    def before(phase: str) -> None:
        nonlocal last
        if phase != last:
            last = phase
            say({"phase": phase})

    limit(request["memory"])
    sys.addaudithook(guard(os.path.realpath(tempfile.gettempdir())))
    sys.argv = [request["path"]]
    say(answer(request, before))


if __name__ == "__main__":
    channel = os.dup(1)
    silence = os.open(os.devnull, os.O_RDWR)
    for standard in (1, 2):
        os.dup2(silence, standard)
    serve(sys.stdin, channel)
