"""Real lectures in every format, in both languages: opened, compiled, executed."""

from __future__ import annotations

import io
import shutil

import nbformat
import pytest
from docx import Document as Word
from lecture_readers import OVER, WIDER, assert_compiles, browsing, chromium
from nbclient import NotebookClient
from pptx import Presentation
from pypdf import PdfReader

from symrnn.bptt import derive
from symrnn.cells import cell
from symrnn.lecture.formats import FORMATS
from symrnn.lecture.writing import lecture
from symrnn.networks import network

pytestmark = [pytest.mark.full, pytest.mark.filterwarnings("default")]  # those of the packages that a notebook's kernel loads
LECTURES = [(name, language) for name in ("rnn", "lstm", "gru", "gru-reset-after") for language in ("en", "ko")]


@pytest.mark.parametrize(("name", "language"), LECTURES)
def test_lecture_in_every_format(name, language, tmp_path):
    document = lecture(derive(network(cell(name), task="many-to-one")), language=language)
    made = {format: known.make(document, "figures")[0] for format, known in FORMATS.items()}
    assert len(PdfReader(io.BytesIO(made["pdf"])).pages) > 5
    assert len(Presentation(io.BytesIO(made["pptx"])).slides) > 20
    assert Word(io.BytesIO(made["docx"])).element.xml.count("<m:oMath>") > 50
    NotebookClient(nbformat.reads(made["notebook"], as_version=4), timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    if shutil.which("xelatex"):
        assert_compiles(document, "xelatex" if language == "ko" else "pdflatex", tmp_path)
    if chromium():
        assert_shown(made, tmp_path)


def assert_shown(made, folder):
    with browsing(folder) as opened:
        for width in (400, 1200):
            page = opened(made["html"], width)
            page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
            assert page.evaluate(WIDER) == []
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        page = opened(made["slides"], 1280)
        page.wait_for_function("window.lectureDeck && lectureDeck.isReady()")
        for _ in range(page.evaluate("lectureDeck.getTotalSlides()")):
            assert page.evaluate(OVER) == []
            page.evaluate("lectureDeck.next()")
