"""The page of a text coloured by the activity of a unit."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from symrnn import activity_html
from symrnn.errors import DataError, SpecError

SIGHTS = {  # G. M. Machado, M. M. Oliveira and L. A. F. Fernandes, IEEE TVCG 15 (2009), severity 1
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


class Reader(HTMLParser):
    """Collects what stands in the text, with the class and the title of each character."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.inside, self.shown, self.spans, self.open, self.tags = False, "", [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs) -> None:
        own = dict(attrs)
        self.tags.append((tag, own))
        if tag not in {"meta", "!doctype"}:
            self.open.append(tag)
        self.inside = self.inside or own.get("class") == "text"
        if self.inside and tag == "span":
            self.spans.append(own)

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag, "tags are closed in the order in which they were opened"
        self.inside = self.inside and tag != "div"

    def handle_data(self, data) -> None:
        if self.inside:
            self.shown += data


def schemes(page: str) -> list[dict[str, str]]:
    """For light and for dark: the colours of the text, of the page, and of each shade."""
    light, _, dark = page.partition("prefers-color-scheme: dark")
    found = []
    for part in (light, dark):
        shades = dict(re.findall(r"^\.([np]\d+) \{ background: (#\w{6}); \}$", part, re.MULTILINE))
        body = re.search(r"^body \{ background: (#\w{6}); color: (#\w{6}); \}$", part, re.MULTILINE)
        found.append({**shades, "page": body[1], "text": body[2]})
    return found


def linear(colour: str) -> np.ndarray:
    parts = np.array([int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)])
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """Contrast as WCAG 2.2 defines it."""
    low, high = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (one, other))
    return (high + 0.05) / (low + 0.05)


@pytest.fixture(scope="module")
def page() -> str:
    return activity_html("Hi 한글\n<&>\t!", np.linspace(-1, 1, 11), title="A & <B>", unit="unit 3 of h")


def test_text_is_kept(page) -> None:
    read = Reader(page)
    assert read.open == []
    assert read.shown == "Hi 한글↵\n<&>→\t!"
    assert len(read.spans) == 11
    assert "<h1>A &amp; &lt;B&gt;</h1>" in page
    assert "the activity of unit 3 of h after" in page
    page.encode("utf-8")


def test_values_are_shown(page) -> None:
    spans = Reader(page).spans
    assert [s["title"] for s in spans][:3] == ["-1.00", "-0.80", "-0.60"]
    assert [s["class"].split()[0] for s in spans] == ["n20", "n16", "n12", "n8", "n4", "p0", "p4", "p8", "p12", "p16", "p20"]
    assert [s["class"].split()[1:] for s in spans[::5]] == [["down"], [], ["up"]]


def test_contrast_at_every_value(page) -> None:
    assert len(schemes(page)) == 2
    for scheme in schemes(page):
        shades = {f"{sign}{k}" for sign in "np" for k in range(1, 21)} | {"p0"}
        assert scheme.keys() == shades | {"page", "text"}
        assert min(contrast(scheme[shade], scheme["text"]) for shade in [*shades, "page"]) >= 4.5
        assert scheme["p0"] == scheme["page"]


@pytest.mark.parametrize("sight", SIGHTS)
def test_ends_differ_for_all_kinds_of_sight(page, sight) -> None:
    for scheme in schemes(page):
        ends = [np.array(SIGHTS[sight]) @ linear(scheme[shade]) for shade in ("n20", "p20", "p0")]
        apart = [np.abs(a - b).max() for k, a in enumerate(ends) for b in ends[:k]]
        assert min(apart) > 0.1


def test_nothing_is_loaded(page) -> None:
    assert not re.search(r"https?:|url\(|@import|<script|<link|<img|src=|href=", page)


def test_what_html_cannot_hold_is_replaced() -> None:
    shown = Reader(activity_html("a\x00\r\ud800b\x85", [0] * 6)).shown
    assert shown == "a\ufffd\ufffd\ufffdb\ufffd"


def test_an_empty_text_is_a_page() -> None:
    assert Reader(activity_html("", [])).spans == []


@pytest.mark.parametrize(("text", "values", "message"), [
    ("abc", [0, 0], r"activity_html: expected one value for each of the 3 characters; got 2$"),
    ("ab", [0, float("nan")], r"activity_html: value 2 must lie from -1 to 1; got nan; scale the values first, as with tanh$"),
    ("ab", [1.5, 0], r"activity_html: value 1 must lie from -1 to 1; got 1\.5; scale .*$"),
    ("ab", [0, "x"], r"activity_html: value 2 is no number; got str$"),
    ("ab", np.zeros((2, 3)), r"activity_html: value 1 is no number; got ndarray$"),
])
def test_values_that_do_not_fit(text, values, message) -> None:
    with pytest.raises(DataError, match="^" + message):
        activity_html(text, values)


@pytest.mark.parametrize(("options", "message"), [
    ({"text": b"ab"}, r"activity_html: text must be a text; got bytes$"),
    ({"text": "ab", "unit": 3}, r"activity_html: unit must be a text; got int$"),
])
def test_no_text(options, message) -> None:
    with pytest.raises(SpecError, match="^" + message):
        activity_html(values=[0, 0], **options)


def test_a_half_is_not_yet_strong():
    page = activity_html("abcd", [-0.5, -0.56, 0.5, 0.56])
    assert re.findall(r'class="[np]\d+( up| down)?" title', page) == ["", " down", "", " up"]
