"""The command that writes a lecture."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from symrnn.commands.setting import Result, Screen, use, wiring_of
from symrnn.errors import RefutedError, SpecError, unknown
from symrnn.parsing.options import CELL_OPTIONS, given


def run_lecture(options: argparse.Namespace, screen: Screen) -> Result:
    """``symrnn lecture``."""
    check_result(options)
    with screen.working("deriving"):
        networks = [use("load_network")(where, given(options, CELL_OPTIONS), wiring_of(options), options.size) for where in options.cells]
        derivations = [use("derive")(network, clip=options.clip) for network in networks]
        notation = use("load_notation")(options.notation, networks[0])
    try:
        document = use("lecture")(derivations, notation=notation, language=options.lang, level=options.level, compare=options.compare,
                                  cells=own_cells(options), before=screen.show)
    except RefutedError as error:
        screen.note(f"refuted: {error}")
        return "", 1
    with screen.working("writing"):
        use("write")(document, options.output, format=options.format, engine=options.engine, force=options.force)
    screen.note(f"wrote {options.output}")
    return "", 0


def check_result(options: argparse.Namespace) -> None:
    """Refuse, before the work, what cannot be written.

    Raises:
        SpecError: No file, an unknown format or language, several cells without ``--compare``.
        OutputError: No such folder, or the file exists.
    """
    if options.output is None:
        raise SpecError("a lecture is a file; give -o FILE, such as -o lecture.html")
    formats, languages = use("FORMATS"), use("languages")()
    if options.format and options.format not in formats:
        raise unknown("format", options.format, formats)
    target, endings = Path(options.output), sorted({format.ending for format in formats.values()})
    if not options.format and target.suffix.lower() not in endings:
        raise SpecError(f"{options.output} does not say which format it has; let it end in {', '.join(endings)}, or give --format")
    if options.lang not in languages:
        raise unknown("language", options.lang, languages)
    if len(options.cells) > 1 and not options.compare:
        raise SpecError(f"{len(options.cells)} cells in one lecture are compared; give --compare as well, or name one of them")
    use("check_writable")(target, force=options.force)


def own_cells(options: argparse.Namespace) -> list[Any]:
    """Return the cells of files, whose titles and sources a derivation does not have."""
    found = []
    for where in options.cells:
        if ".py:" in where and "," not in where:
            loaded = use("load")(where, given(options, CELL_OPTIONS))
            found += [loaded] if hasattr(loaded, "title") else []
    return found
