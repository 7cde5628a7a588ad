"""The command line: the only module that prints or exits.

Results go to standard output, everything else to standard error. Exit status: 0, or 1 where something was refuted, 3
where something could not be decided, 2 for bad input.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence

import symrnn
from symrnn.commands import MODULES, RUN, Result, Screen, use
from symrnn.errors import OutputError, SpecError, SymrnnError, unknown
from symrnn.parsing import COMMANDS, overview
from symrnn.starting import light_sympy

__all__ = ["MODULES", "RUN", "main"]

PATIENCE = 1.0
"""Seconds after which a command says on a terminal that it works."""
SAMPLE = "h̃ᵀ⊙Σ…"  # where the terminal can show this, it can show a formula


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: The arguments without the program's name; those of the process by default.

    Returns:
        The exit status.
    """
    args = list(sys.argv[1:] if argv is None else argv)
    try:
        text, status = run(args)
        emit(text)
    except KeyboardInterrupt:
        return complain("interrupted", 130)
    except SymrnnError as error:
        return complain(str(error), 2, debug="--debug" in args)
    except Exception as error:  # a bug of ours: one line, and how to see more
        what = f"internal error, {type(error).__name__}: {error}; run again with --debug and report what it shows"
        return complain(what, 2, debug="--debug" in args)
    return status


def run(args: list[str]) -> Result:
    """Dispatch on the first argument."""
    if not args:
        raise SpecError(f"no command; one of {', '.join(COMMANDS)}; see symrnn --help")
    if args[0] in {"-h", "--help"}:
        return overview(), 0
    if args[0] == "--version":
        return f"symrnn {symrnn.__version__}\n", 0
    if args[0] not in COMMANDS:
        raise unknown("option" if args[0].startswith("-") else "command", args[0], [*COMMANDS, "--help", "--version"])
    parser = COMMANDS[args[0]].parser()
    if {"-h", "--help"} & set(args):
        return parser.format_help(), 0
    options = parser.parse_strictly(args[1:])
    with light_sympy(), working(args[0]):
        return RUN[args[0]](options, Screen(not can_print(SAMPLE), note, progress(), working))


def note(text: str) -> None:
    """Say something beside the result, on standard error."""
    if sys.stderr is not None:
        print(f"symrnn: {text}", file=sys.stderr)


def on_terminal() -> bool:
    """Tell whether somebody reads standard error as it is written."""
    return sys.stderr is not None and sys.stderr.isatty()


def progress() -> Callable[[str], None]:
    """Return what the names of judges and other news are reported to: a line on a terminal, nothing elsewhere."""
    if not on_terminal():
        return lambda name: None
    return lambda name: print(f"\r\x1b[K{name} ..." if name else "\r\x1b[K", end="", file=sys.stderr, flush=True)


@contextlib.contextmanager
def working(what: str) -> Iterator[None]:
    """On a terminal, say what takes longer than a moment; ``check`` and ``lecture`` name each judge as it runs."""
    if what in {"check", "lecture"} or not on_terminal():
        yield
        return
    show = progress()
    timer = threading.Timer(PATIENCE, show, [what])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        show("")


def can_print(text: str) -> bool:
    """Tell whether standard output can show a text."""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def emit(text: str | bytes) -> None:
    """Print a result, in ASCII where the terminal knows no better."""
    if not text:
        return
    if sys.stdout is None:
        raise OutputError("standard output is closed; use -o FILE")
    if isinstance(text, bytes) and sys.stdout.isatty():
        raise OutputError("a picture is not shown on a terminal; use -o FILE")
    try:
        if isinstance(text, bytes):
            sys.stdout.buffer.write(text)
        else:
            sys.stdout.write(text if can_print(text) else use("to_ascii")(text))
        sys.stdout.flush()
    except BrokenPipeError:
        silence()
    except OSError as error:
        silence()
        raise OutputError(f"cannot write to standard output: {(error.strerror or str(error)).lower()}") from None


def silence() -> None:
    """Drop what is left for a closed pipe or a full disk, so that Python does not complain when it exits."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def complain(message: str, status: int, *, debug: bool = False) -> int:
    """Print one line to standard error, after the traceback where it is wanted."""
    if sys.stderr is None:
        return status
    if debug:
        traceback.print_exc()
    line = " ".join(message.split())
    with contextlib.suppress(OSError):
        print(f"symrnn: error: {line}".encode(sys.stderr.encoding or "ascii", "backslashreplace").decode(
            sys.stderr.encoding or "ascii"), file=sys.stderr)
    return status
