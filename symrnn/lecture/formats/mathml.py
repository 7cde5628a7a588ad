"""Formulas of a page: MathML as pandoc writes it, with the occurrences of quantities marked."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from xml.etree import ElementTree

from symrnn.lecture.document import Term

NAMESPACE = "http://www.w3.org/1998/Math/MathML"
MATH = re.compile(r"<math .*?</math>", re.DOTALL)
BOLD = re.compile(r"\\mathbf\{([A-Za-z0-9])\}")
SCRIPTS = {"msubsup": "msub", "msup": "", "munderover": "", "msub": ""}
"""What is left of a letter with marks when the upper one, such as a transpose, is taken away."""
BASES = ("A", 0x1D400), ("a", 0x1D41A), ("0", 0x1D7CE)
"""Where the bold letters of Unicode begin."""

Key = tuple[str, ...]


def bold(latex: str) -> str:
    r"""Write ``\mathbf{W}`` as the bold letter of Unicode: pandoc would make it slanted."""
    def letter(found: re.Match[str]) -> str:
        first, start = next(base for base in sorted(BASES, reverse=True) if found[1] >= base[0])
        return chr(start + ord(found[1]) - ord(first))

    return BOLD.sub(letter, latex)


def marked(html: str, terms: Sequence[Term], samples: str) -> str:
    """Return a page in which each occurrence of a quantity is a group of the class ``q`` with the number of its term.

    Args:
        html: The page.
        terms: The quantities.
        samples: A page with the formula of each, in the same order.
    """
    meanings = {meaning: place for place, meaning in enumerate(dict.fromkeys(term.meaning for term in terms))}
    known: dict[Key, int] = {}
    for term, sample in zip(terms, MATH.findall(samples), strict=True):
        parts = children_of(content(ElementTree.fromstring(sample)))
        known.setdefault(tuple(key(part) for part in parts), meanings[term.meaning])
    lengths = sorted({len(parts) for parts in known}, reverse=True)
    done: dict[str, str] = {}

    def formula(found: re.Match[str]) -> str:
        if found[0] not in done:
            done[found[0]] = marked_formula(found[0], known, lengths)
        return done[found[0]]

    return MATH.sub(formula, html)


def content(root: ElementTree.Element) -> ElementTree.Element:
    """Take a formula out of the wrapping that carries its LaTeX."""
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    if len(root) and root[0].tag == "semantics":
        inner = root[0][0]
        root.remove(root[0])
        root.insert(0, inner)
    return root


def children_of(root: ElementTree.Element) -> list[ElementTree.Element]:
    """Return the parts of a formula."""
    parts = list(root)
    return list(parts[0]) if len(parts) == 1 and parts[0].tag == "mrow" else parts


def marked_formula(source: str, known: dict[Key, int], lengths: Iterable[int]) -> str:
    """Mark one formula."""
    root = content(ElementTree.fromstring(source))
    mark(root, known, tuple(lengths))
    for element in root.iter():
        join_letters(element)
    root.set("xmlns", NAMESPACE)
    return ElementTree.tostring(root, encoding="unicode")


def mark(parent: ElementTree.Element, known: dict[Key, int], lengths: tuple[int, ...]) -> None:
    """Mark what stands in an element: the longest runs of neighbours first, from the left, and inside of what is no quantity."""
    place = 0
    while place < len(parent):
        run = next((length for length in lengths if found_at(parent, place, length, known) is not None), 0)
        if run and parent.tag in {"math", "mrow", "mtd"} | ({parent.tag} if run == 1 else set()):
            group = ElementTree.Element("mrow", {"class": "q", "data-q": str(found_at(parent, place, run, known))})
            group.extend(list(parent)[place : place + run])
            for part in list(group):
                parent.remove(part)
            parent.insert(place, group)
        elif not (parent.tag in SCRIPTS and place == 0 and parent[0].tag == "mi"):
            mark(parent[place], known, lengths)
        place += 1


def found_at(parent: ElementTree.Element, place: int, length: int, known: dict[Key, int]) -> int | None:
    """Return the term that a run of neighbours is; its last may be transposed, and the base of a letter with marks is none by itself."""
    parts = list(parent)[place : place + length]
    if len(parts) < length or ((parent.tag in SCRIPTS and not transposed(parent)) and place == 0):
        return None
    *first, last = (key(part) for part in parts)
    whole = known.get((*first, last))
    return whole if whole is not None else known.get((*first, key(parts[-1], plain=True)))


def transposed(element: ElementTree.Element) -> bool:
    """Whether an element has one mark, above, that is a transpose, a square or a prime."""
    return element.tag == "msup" and "".join(element[1].itertext()).strip() in {"⊤", "T", "2", "′"}


def key(element: ElementTree.Element, *, plain: bool = False) -> str:
    """Return an element as text to compare, without its upper mark where ``plain`` and the mark is a transpose or the like."""
    if plain and element.tag == "msubsup" and "".join(element[2].itertext()).strip() in {"⊤", "T", "2", "′"}:
        return f"<msub>{key(element[0])}{key(element[1])}</msub>"
    inside = "".join(key(part) for part in element)
    return f"<{element.tag}>{(element.text or '').strip()}{inside}</{element.tag}>"


def join_letters(element: ElementTree.Element) -> None:
    """Make upright letters that stand beside each other one word, and ``+`` and ``=`` one sign."""
    letters = [part for part in element if part.tag == "mi" and part.get("mathvariant") == "normal" and len(part.text or "") == 1]
    if element.tag == "mrow" and len(letters) == len(element) > 1:
        letters[0].text = "".join(part.text or "" for part in letters)
        for part in letters[1:]:
            element.remove(part)
    for left, right in reversed(list(itertools.pairwise(element))):
        if (left.tag, left.text, right.tag, right.text) == ("mo", "+", "mo", "="):
            left.text = "+="
            element.remove(right)
