"""The words of a lecture: templates with named placeholders from one file a language; a key that is missing is an error."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

from symrnn.errors import SpecError, unknown

FOLDER = resources.files("symrnn.lecture") / "words"


@dataclass(frozen=True)
class Wording:
    """The words of one language.

    Attributes:
        language: Such as ``en``.
        tables: By section and key.
    """

    language: str
    tables: Mapping[str, Mapping[str, str]]

    def __call__(self, where: str, **values: Any) -> str:
        """Fill in a template.

        Args:
            where: ``section.key``.
            values: For its placeholders.

        Raises:
            SpecError: No such template, or a placeholder without a value.
        """
        section, _, key = where.partition(".")
        if key not in self.tables.get(section, {}):
            raise SpecError(f"the words of a lecture in '{self.language}' have no {where}; add it to words/{self.language}.toml")
        try:
            return self.tables[section][key].format(**values)
        except KeyError as error:
            raise SpecError(f"{where} in words/{self.language}.toml has the placeholder {error}, which nothing fills") from None

    def has(self, where: str) -> bool:
        """Tell whether there is a template."""
        section, _, key = where.partition(".")
        return key in self.tables.get(section, {})

    def first(self, *places: str) -> str:
        """Return the name under the first of some places that there is."""
        return self(next((place for place in places[:-1] if self.has(place)), places[-1]))


def languages() -> tuple[str, ...]:
    """Return the languages that there are words for."""
    return tuple(sorted(file.name.removesuffix(".toml") for file in FOLDER.iterdir() if file.name.endswith(".toml")))


@cache
def wording(language: str) -> Wording:
    """Load the words of a language.

    Raises:
        SpecError: There is no such language.
    """
    if language not in languages():
        raise unknown("language", language, languages())
    tables = tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    return Wording(language, MappingProxyType({name: MappingProxyType(table) for name, table in tables.items()}))


__all__ = ["Wording", "languages", "wording"]
