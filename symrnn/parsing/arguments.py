"""A parser that raises instead of printing, and the readers of values."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, NoReturn

from symrnn.errors import SpecError, unknown


class Parser(argparse.ArgumentParser):
    """A parser that raises instead of printing."""

    def error(self, message: str) -> NoReturn:
        """Raise ``SpecError`` with the command's name."""
        raise SpecError(f"{message}; see {self.prog} --help")

    def parse_strictly(self, args: Sequence[str]) -> argparse.Namespace:
        """Parse, and refuse what is left over with the nearest options.

        Raises:
            SpecError: An unknown option, a missing or a superfluous argument, a value that does not fit.
        """
        options = [option for option in self._option_string_actions if option.startswith("--")]
        for arg in args:
            name = arg.partition("=")[0]
            if name.startswith("--") and len(name) > 2 and name not in options:
                raise unknown("option", name, options)
        found, rest = self.parse_known_args(args)
        if rest:
            raise SpecError(f"unexpected argument '{rest[0]}'; see {self.prog} --help")
        return found


def parser(name: str, about: str, examples: str, *, takes: str = "CELL ") -> Parser:
    """Make the parser of a command; help and version are handled by the caller, who prints.

    Args:
        name: Of the command.
        about: What it does.
        examples: Lines that teach.
        takes: What stands before the options, with a blank after it.
    """
    made = Parser(
        prog=f"symrnn {name}", usage=f"symrnn {name} {takes}[options]", description=about,
        epilog="examples:\n" + examples, add_help=False, allow_abbrev=False,
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, max_help_position=26, width=110),
    )
    made.add_argument("--help", "-h", action="store_true", help="show this help")
    made.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return made


def size(text: str) -> tuple[str, int]:
    """Read ``D=1``."""
    letter, equals, number = text.partition("=")
    if not (letter.isalpha() and equals and number.isascii() and number.isdigit() and int(number) > 0):
        raise argparse.ArgumentTypeError(f"a size is a letter and a positive number, such as D=1; got '{text}'")
    return letter, int(number)


def whole(text: str) -> int:
    """Read a number from 0 on."""
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"expected a whole number from 0 on; got '{text}'")
    return int(text)


class Sizes(argparse.Action):
    """Collect ``--size D=1 --size H=2``, each letter once."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: Any = None) -> None:
        """Add one size to those that were given before."""
        letter, number = values
        found = getattr(namespace, self.dest)
        if letter in found:
            parser.error(f"argument --size: {letter} is given twice, {letter}={found[letter]} and {letter}={number}; keep one of them")
        setattr(namespace, self.dest, {**found, letter: number})


def window(text: str) -> int | str:
    """Read the number of steps of a window, or a letter for it."""
    if text.isascii() and text.isdigit():
        return int(text)
    if not (text.isascii() and text.isalpha() and len(text) == 1):
        raise argparse.ArgumentTypeError(f"expected a whole number of steps such as 5, or a letter such as J; got '{text}'")
    return text


def limit(text: str) -> float:
    """Read a positive number."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a positive number such as 5 or 0.5; got '{text}'")
    return number


def pair(text: str) -> tuple[str, str]:
    """Read ``h_old=h_prev``."""
    name, equals, meaning = text.partition("=")
    if not (equals and name.isidentifier() and meaning.isidentifier()):
        raise argparse.ArgumentTypeError(f"expected two names such as h_old=h_prev; got '{text}'")
    return name, meaning


def positive(text: str) -> int:
    """Read a number from 1 on."""
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 on; got '{text}'")
    return int(text)


def amount(text: str) -> float:
    """Read a number from 0 on."""
    number = real(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"expected a number from 0 on; got '{text}'")
    return number


def real(text: str) -> float:
    """Read a finite number."""
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not abs(number) < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a number such as 1 or 0.5; got '{text}'")
    return number


def workers(text: str) -> int:
    """Read a number of processes; -1 stands for every core."""
    return -1 if text == "-1" else positive(text)
