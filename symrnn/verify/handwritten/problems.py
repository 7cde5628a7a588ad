"""What stops a comparison before a verdict: one line that names the object, what was expected, what was got, what to do."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any

from symrnn.errors import DataError
from symrnn.verify.balls.dual import Undecided


class Stopped(DataError):  # noqa: N818  # it names what happened to the code
    """The user's code cannot be compared: an exception inside, a wrong signature, results of a wrong shape or number."""


class NotOnBalls(Stopped):
    """The user's code runs on floats, not on balls: compiled calls, ``np.linalg`` and so on."""


def called(what: str, function: Callable[[], Any]) -> Any:
    """Run the user's code; what it raises becomes one line.

    Args:
        what: Name of what runs, such as ``the forward lstm_forward``.
        function: Runs it.

    Raises:
        Stopped: It raised an exception.
        Undecided: Balls overlap; more bits or another point may help.
    """
    try:
        return function()
    except (Undecided, Stopped):
        raise
    except (Exception, SystemExit) as error:
        text = " ".join(str(error).split()) or "no message"
        kind = Stopped if not is_of_balls(error) else NotOnBalls
        raise kind(f"{what} raised {type(error).__name__}{place(error.__traceback__)}: {text[:300]}") from error


def is_of_balls(error: BaseException) -> bool:
    """Tell whether an exception may come from balls in the place of floats: of types, not of shapes or names."""
    text = str(error)
    return isinstance(error, (TypeError, AttributeError, NotImplementedError)) or any(
        word in text for word in ("ball", "Dual", "dtype", "object array", "ufunc"))


def place(trace: TracebackType | None) -> str:
    """Say in which line of which file an exception was raised, of the user's files where there is one."""
    frames = [f for f in traceback.extract_tb(trace) if "symrnn/verify" not in f.filename.replace("\\", "/")]
    own = [f for f in frames if not ("site-packages" in f.filename or "/lib/python" in f.filename)]
    last = (own or frames)[-1] if frames else None
    return f" in line {last.lineno} of {last.filename.replace(chr(92), '/').rpartition('/')[2]}" if last is not None else ""
