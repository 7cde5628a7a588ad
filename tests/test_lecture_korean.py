"""The Korean words of a lecture: the keys and placeholders of the English ones, Korean in each, particles that fit whatever is put in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from symrnn import cell, derive, network
from symrnn.derivation import Derivation
from symrnn.lecture.checking import Record
from symrnn.lecture.citing import sources
from symrnn.lecture.document import Document, Figure, Heading
from symrnn.lecture.figures.labels import LABELS
from symrnn.lecture.known_cell import display_name
from symrnn.lecture.wording import wording
from symrnn.lecture.writing import lecture

NAMES = {"BPTT", "GRU", "Keras", "LSTM", "NumPy", "PyTorch", "RNN", "SymPy", "latexify-py", "symrnn"}
"""What stays in Latin letters in a Korean sentence."""
HANGUL = re.compile(r"[가-힣]")
WORD = re.compile(r"[A-Za-z][A-Za-z-]*")
NO_PROSE = re.compile(r"`[^`]*`|@?\{+[^{}]*\}+|\$[^$]*\$")
"""What is put in, code, formulas: no prose."""
DEPENDENT = re.compile(r"[}$`](?:은|는|이|가|을|를|와|과|로|으로|로써|로서|라|이라|나|이나|란|이란|랑|이랑|든|이든)(?![가-힣])|[}$`](?:로|으로|라|이라|라는|라고|란|와|과)(?=[가-힣])")
"""A particle right behind something put in, whose form would depend on the sound before it."""
OPEN_BOLD = re.compile(r"[.,:;!?)\]}'\"]\*+(?=[가-힣A-Za-z0-9])")
"""Emphasis that ends with punctuation and runs on into a letter: CommonMark does not close it there."""
KEPT = re.compile(r"`[^`]*`|@\{+[^{}]*\}+|\]\([^)]*\)")
"""What stays as it is: code, references, the targets of links."""
POLITE = re.compile(rf"(?:[{''.join(chr(c) for c in range(0xAC00, 0xD7A4) if (c - 0xAC00) % 28 == 17)}]니다|[어아여해세커지]요|죠)$")
"""An ending of the polite style; the plain style of a textbook is ``다``."""
ENGLISH, KOREAN = wording("en").tables, wording("ko").tables
TEXTS = [(f"{section}.{key}", ENGLISH[section][key], text) for section, table in KOREAN.items() for key, text in table.items()
         if key in ENGLISH.get(section, {})]


def placeholders(text: str) -> set[str]:
    """Return the names that a template has filled in, and what it leaves in braces."""
    return {name for _, name, *_ in Formatter().parse(text) if name is not None}


def prose(text: str) -> str:
    """Return a template without what is put in, code and formulas."""
    return NO_PROSE.sub(" ", text)


def test_sections_and_keys_are_those_of_english() -> None:
    assert list(KOREAN) == list(ENGLISH)
    assert {s: list(t) for s, t in KOREAN.items()} == {s: list(t) for s, t in ENGLISH.items()}


def test_labels_of_pictures_are_all_there() -> None:
    assert set(KOREAN["figures"]) >= set(LABELS)
    for key, text in LABELS.items():
        assert placeholders(KOREAN["figures"][key]) <= placeholders(text), key


def faults(english: str, korean: str) -> list[str]:
    """Return what is wrong with a Korean text, compared with the English one."""
    foreign = [word for word in WORD.findall(prose(korean)) if word not in NAMES]
    held = {
        "placeholders differ": placeholders(korean) == placeholders(english),
        "code, references or links differ": sorted(KEPT.findall(korean)) == sorted(KEPT.findall(english)),
        "no Korean": bool(HANGUL.search(korean)) or not WORD.search(prose(english)),
        f"English words: {foreign}": not foreign,
        "a particle that depends on what is put in": not DEPENDENT.search(korean),
        "bold that does not close": not OPEN_BOLD.search(korean) and korean.count("**") == english.count("**"),
        "blanks": "  " not in korean and korean.strip() == korean,
        "polite style": not any(POLITE.search(sentence) for sentence in re.findall(r"[가-힣]+(?=[.?])", prose(korean))),
    }
    return [fault for fault, well in held.items() if not well]


def test_texts() -> None:
    found = {name: wrong for name, english, korean in TEXTS if (wrong := faults(english, korean))}
    assert not found


@pytest.mark.parametrize(("fault", "korean"), [
    ("placeholders", "{p}의 값은 크다."), ("no Korean", "{q} 1."), ("English words", "{q}의 gate 값은 크다."), ("particle", "{q}는 크다."),
    ("bold", "**{q} 값(큰 값)**은 크다."), ("blanks", "{q}의  값은 크다."), ("polite", "{q}의 값은 큽니다."), ("polite", "{q}의 값은 커요."),
    ("code", "{q}의 값은 `x`보다 크다."),
])
def test_a_fault_is_found(fault: str, korean: str) -> None:
    assert any(fault in one for one in faults("{q} is large.", korean))


def test_a_good_text_has_no_fault() -> None:
    assert not faults("{q} is large, not small.", "{q}의 값은 작은 것이 아니다.")


@pytest.mark.parametrize("text", ["{q}는 게이트다.", "식 {q}이 있다.", "`{q}`로 쓴다.", "${q}$과 같다.", "{q}를, 구한다.", "{q}라는 값", "{q}으로부터"])
def test_a_particle_that_depends_on_the_sound_is_found(text: str) -> None:
    assert DEPENDENT.search(text)


@pytest.mark.parametrize("text", ["{q}의 값은", "{q}이다.", "{q}이며,", "{q}에서", "{q}일 때", "{q}보다", "{q} 이하", "{steps}개 시점", "{q}이면"])
def test_a_particle_that_fits_everything_passes(text: str) -> None:
    assert not DEPENDENT.search(text)


def test_bold_that_would_not_close_is_found() -> None:
    assert OPEN_BOLD.search("**역전파(BPTT)**는")
    assert not OPEN_BOLD.search("**역전파**(BPTT)는 **소실.** 모든")


def prose_of(document: Document) -> Iterator[str]:
    """Yield what a lecture says in words: texts, titles, cells of tables, captions, the words inside of pictures."""
    for block in document.walk():
        if isinstance(block, Heading) and block.anchor == "references":
            return
        for field in ("text", "title", "caption", "alt", "note"):
            yield getattr(block, field, "")
        yield from getattr(block, "items", ())
        yield from getattr(block, "header", ())
        for row in getattr(block, "rows", ()):
            yield from row
        if isinstance(block, Figure):
            yield from re.findall(r"<text[^>]*>([^<]*)</text>", block.svg)


def english_in(document: Document, allowed: set[str]) -> set[str]:
    """Return the words in Latin letters that a Korean lecture should not have."""
    texts = (re.sub(r"`[^`]*`|\$[^$]*\$|@\{[^}]*\}", " ", text) for text in prose_of(document))
    return {word for text in texts for word in re.findall(r"[A-Za-z][A-Za-z-]+", text)} - NAMES - allowed


def names_in(document_of: Derivation, name: str) -> set[str]:
    """Return the names that may stand in a lecture: the cell, and the authors of what it cites."""
    cited = " ".join([*sources(), cell(name).source])
    return {*re.findall(r"[A-Za-z][A-Za-z-]+", cited), name, display_name(name), document_of.network.name}


@pytest.mark.parametrize(("name", "level"), [
    ("rnn", "short"), *(pytest.param(name, "full", marks=pytest.mark.full) for name in ("rnn", "lstm", "gru", "mgu")),
])
def test_a_korean_lecture_has_no_english_words(name: str, level: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SYMRNN_CACHE", str(tmp_path))
    if level == "short":
        monkeypatch.setattr("symrnn.lecture.writing.record_of", lambda *_: Record(()))
    derivation = derive(network(cell(name)))
    document = lecture(derivation, language="ko", level=level)
    assert not english_in(document, names_in(derivation, name))
    assert document.language == "ko"
    assert sum(bool(HANGUL.search(text)) for text in prose_of(document)) > 50


def test_english_words_in_a_lecture_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("symrnn.lecture.writing.record_of", lambda *_: Record(()))
    derivation = derive(network(cell("rnn")))
    assert {"forward", "pass"} <= english_in(lecture(derivation, level="short"), names_in(derivation, "rnn"))
