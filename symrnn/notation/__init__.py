"""How names are printed: one frozen profile each; ``profiles/`` holds them as the same TOML that users write."""

from __future__ import annotations

from symrnn.notation.files import PROFILES, notation, notations_text, read_profile, refuse_unknown
from symrnn.notation.marks import UNMARKED, Mark, Owned, mark_of, marked, owners
from symrnn.notation.profile import CHOICES, INDEXED, Notation, wanted
from symrnn.notation.spelling import ACCENTS, LETTERS, MEDIA, Spelling, accented, function_name, spell
from symrnn.notation.start import start_text

__all__ = [
    "ACCENTS",
    "CHOICES",
    "INDEXED",
    "LETTERS",
    "MEDIA",
    "PROFILES",
    "UNMARKED",
    "Mark",
    "Notation",
    "Owned",
    "Spelling",
    "accented",
    "function_name",
    "mark_of",
    "marked",
    "notation",
    "notations_text",
    "owners",
    "read_profile",
    "refuse_unknown",
    "spell",
    "start_text",
    "wanted",
]
