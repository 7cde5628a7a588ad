"""Lectures as files: each format of a lecture that has everything, opened by a reader."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser

import nbformat
import pytest
from docx import Document as Word
from lecture_readers import OVER, WIDER, assert_compiles, browsing, needs_browser
from lecture_sample import SVG, sample
from nbclient import NotebookClient
from pptx import Presentation
from pypdf import PdfReader

from symrnn.errors import NotSupportedError, OutputError, SpecError
from symrnn.lecture.document import Box, Code, Document, Figure, Fold, Formula, Heading, Table, Term, Text
from symrnn.lecture.formats import FORMATS, format_of, write
from symrnn.lecture.formats import programs as installed
from symrnn.lecture.formats.files import ready
from symrnn.lecture.formats.html import page_of
from symrnn.lecture.formats.latex import declared
from symrnn.lecture.formats.paper import Paper, mended, paper_of
from symrnn.lecture.formats.portable import notebook_of
from symrnn.lecture.formats.presentation import ROOM, Slides
from symrnn.lecture.formats.programs import data
from symrnn.lecture.formats.slicing import height, slides
from symrnn.lecture.formats.source import LABELS, checked, text_width

LANGUAGES = ("en", "ko")
VOID = {"meta", "link", "img", "br", "hr", "col", "input"}


@cache
def made(name: str, language: str) -> bytes:
    return FORMATS[name].make(sample(language), "pictures")[0]


class Nesting(HTMLParser):
    """Reads a page: its anchors, its links, and whether its tags are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.sources: list[str] = []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.ids += [values["id"]] if "id" in values else []
        self.links += [values["href"]] if tag == "a" and "href" in values else []
        self.sources += [values[key] for key in ("src", "srcset") if key in values]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if self.open and self.open[-1] == tag:
            self.open.pop()
        else:
            self.wrong.append(tag)


def read(page: bytes) -> Nesting:
    reader = Nesting()
    reader.feed(page.decode())
    return reader


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["html", "slides"])
def test_page_is_whole_and_stands_alone(name, language):
    page = read(made(name, language))
    assert page.wrong == []
    assert page.open == []
    assert len(set(page.ids)) == len(page.ids)
    assert {link for link in page.links if link[1:] not in page.ids and link != "#"} == set()
    assert all(source.startswith("data:") for source in page.sources)
    text = made(name, language).decode()
    assert f'<html lang="{language}">' in text
    assert "{{" not in text.replace("{{x}}", "")
    assert not re.search(r"url\((?![\"']?data:)", re.search(r"<style>.*?</style>", text, re.DOTALL)[0])


def test_page_has_numbers_anchors_and_links_from_code():
    page = made("html", "en").decode()
    for anchor in ("eq-long", "eq-h", "fig-cell", "tab-all", "ex-one", "sec-first", "sub-first", "eq-in-fold"):
        assert f'id="{anchor}"' in page
    assert '<a href="#eq-long">(1)</a>' in page
    assert re.search(r'<span id="code-1-5">.*?</span> ?<a class="to" href="#eq-h">\(2\)</a> <a class="to" href="#eq-end">', page)
    assert page.count("<details>") == 2
    assert re.search(r"<details>\s*<summary>Step The gate", page)
    assert "\U0001d432" in page, "bold letters are upright"


def test_quantities_are_marked_where_they_stand():
    formulas = (
        Formula("h_{t} = W_{f} h_{t-1} + W", "a"), Formula(r"\delta h_{t}^{\top} W^{\top} + h_{t}^{2}"), Formula(r"h_{s} + W_{g} + \tilde{h}_{t} + W^{(t)}"),
    )
    terms = (Term("h_{t}", "state", "a"), Term("h_{t-1}", "state", "a"), Term("W_{f}", "gate"), Term(r"\delta h_{t}", "adjoint"), Term("W", "matrix"))
    page = page_of(Document("t", "s", "en", formulas, terms)).decode()
    meanings = [row["meaning"] for row in json.loads(re.search(r'id="terms">(.*?)</script>', page)[1])]
    marks = [[meanings[int(place)] for place in re.findall(r'data-q="(\d+)"', formula)] for formula in re.findall(r"<math .*?</math>", page)]
    assert marks == [["state", "gate", "state", "matrix"], ["adjoint", "matrix", "state"], []]


def test_font_of_formulas_has_their_letters():
    known = set(data("fonts/characters.txt"))
    page = made("html", "en").decode() + made("html", "ko").decode()
    letters = {sign for formula in re.findall(r"<math .*?</math>", page, re.DOTALL) for sign in re.sub(r"<[^>]*>|&#\d+;", "", formula) if not sign.isspace()}
    assert len(letters) > 40
    assert {sign for sign in letters if not "가" <= sign <= "힣"} <= known


@pytest.mark.parametrize("language", LANGUAGES)
def test_pdf_has_text_links_and_fonts(language, tmp_path):
    reader = PdfReader(io.BytesIO(made("pdf", language)))
    text = "\n".join(page.extract_text() for page in reader.pages)
    assert 3 <= len(reader.pages) <= 6
    assert sample(language).title in text
    assert "(5)" in text
    assert ("망각" in text) == (language == "ko")
    fonts = {str(font.get_object()["/BaseFont"]) for page in reader.pages for font in page["/Resources"]["/Font"].values()}
    assert any("NewCMMath" in font for font in fonts)
    assert any("NanumGothic" in font for font in fonts) == (language == "ko")
    assert sum(len(page.get("/Annots", ())) for page in reader.pages) >= 8


@pytest.mark.parametrize("language", LANGUAGES)
def test_word_has_equations_styles_and_pictures(language):
    document = Word(io.BytesIO(made("docx", language)))
    xml = document.element.xml
    assert xml.count("<m:oMath>") >= 20
    assert "<m:eqArr>" in xml
    assert len(document.tables) == 4
    assert len(document.inline_shapes) == 1
    styles = {paragraph.style.name for paragraph in document.paragraphs}
    assert {"Heading 1", "Heading 2", "Lecture Definition", "Lecture Exercise", "Lecture Fold", "Lecture Solution", "Source Code"} <= styles
    assert {"eq-long", "ex-one", "fig-cell"} <= set(re.findall(r'w:bookmarkStart [^>]*w:name="([^"]+)"', xml))
    assert set(re.findall(r'w:hyperlink [^>]*w:anchor="([^"]+)"', xml)) <= set(re.findall(r'w:bookmarkStart [^>]*w:name="([^"]+)"', xml))


def unwrapped(content: bytes) -> io.BytesIO:
    """The slides without the frames around formulas, which the reader does not look into."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            text = re.sub(rb"</?mc:(AlternateContent|Choice)[^>]*>", b"", old.read(name)) if name.startswith("ppt/slides/slide") else old.read(name)
            new.writestr(name, text.replace(b"<p:sld ", b'<p:sld xmlns:a14="http://schemas.microsoft.com/office/drawing/2010/main" ', 1))
    return out


@pytest.mark.parametrize("language", LANGUAGES)
def test_powerpoint_opens_and_its_slides_are_not_too_full(language):
    Presentation(io.BytesIO(made("pptx", language)))
    show = Presentation(unwrapped(made("pptx", language)))
    titles = [slide.shapes.title.text_frame.text for slide in show.slides]
    assert titles[0] == sample(language).title
    assert len(titles) > 8
    tables = [shape.table for slide in show.slides for shape in slide.shapes if shape.has_table]
    assert len(tables) == 4
    for slide in show.slides:
        for shape in slide.shapes:
            if shape.has_text_frame:
                lines = sum(1 + text_width(part) // 95 for paragraph in shape.text_frame.paragraphs for part in paragraph.text.split("\v"))
                assert lines <= 18, titles
    with zipfile.ZipFile(io.BytesIO(made("pptx", language))) as archive:
        slides_xml = [archive.read(name).decode() for name in archive.namelist() if name.startswith("ppt/slides/slide")]
    assert sum(xml.count("<a14:m>") for xml in slides_xml) >= 20
    assert not [xml for xml in slides_xml if "<a14:m>" in re.sub(r"<mc:AlternateContent.*?</mc:AlternateContent>", "", xml, flags=re.DOTALL)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_notebook_is_valid(language):
    notebook = nbformat.reads(made("notebook", language), as_version=4)
    nbformat.validate(notebook)
    assert [cell.cell_type for cell in notebook.cells].count("code") == 1
    attached = [name for cell in notebook.cells for name in cell.get("attachments", {})]
    assert attached == ["figure-1.svg"]
    text = "".join(cell.source for cell in notebook.cells)
    assert r"\tag{1}" in text
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= set(re.findall(r'<a id="([^"]+)">', text))


@pytest.mark.full
@pytest.mark.filterwarnings("default")  # those of the kernel's own packages
def test_notebook_runs(tmp_path):
    notebook = nbformat.reads(notebook_of(sample("en")), as_version=4)
    done = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in done.cells if cell.cell_type == "code" for output in cell.outputs]
    assert outputs[-1]["data"]["text/plain"] == "(3,)"


def test_code_that_runs_in_a_fold_is_a_cell():
    inner = (Text("before"), Code("x = 2", runs=True), Text("after"))
    cells = json.loads(notebook_of(Document("t", "s", "en", (Box("note", "", inner),))))["cells"]
    assert [cell["cell_type"] for cell in cells] == ["markdown", "code", "markdown"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("ending", [".md", ".tex"])
def test_pictures_lie_beside(ending, language, tmp_path):
    target = tmp_path / f"week 9{ending}"
    write(sample(language), target)
    text = target.read_text(encoding="utf-8")
    names = re.findall(r"week_9_figures/figure-\d\.\w+", text)
    assert names == [f"week_9_figures/figure-1.{'svg' if ending == '.md' else 'pdf'}"]
    assert (tmp_path / names[0]).stat().st_size > 100
    assert sorted(path.name for path in tmp_path.iterdir()) == [target.name, "week_9_figures"]


def test_markdown_is_read_by_pandoc_without_a_warning():
    package = pytest.importorskip("pypandoc")
    text = made("markdown", "ko").decode()
    done = subprocess.run([package.get_pandoc_path(), "-f", "gfm", "-t", "html", "--mathml"], input=text.encode(), capture_output=True, check=True)
    assert b"WARNING" not in done.stderr
    assert done.stdout.count(b"<math") > 20
    assert done.stdout.count(b"<table") == 4


def test_text_that_is_markup_elsewhere_stays_text():
    strange = "5% & 3 < 4 _ # ~ {x} a*b"
    assert "5% &amp; 3 &lt; 4 _ # ~ {x} a*b $3." in made("html", "en").decode()
    assert r"5\% \& 3 \textless{} 4 \_ \# \textasciitilde{} \{x\} a*b \$3." in made("latex", "en").decode()
    text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(made("pdf", "en"))).pages)
    assert strange in " ".join(text.split())


def test_every_slide_has_room():
    source = Slides(replace(sample("en", 3), labels={}))
    for slide in slides(source, ROOM):
        assert len(slide.blocks) == 1 or sum(height(block, ROOM) for block in slide.blocks) <= ROOM.lines + 0.01, slide.title


def test_long_code_and_tables_are_cut():
    code = Code("\n".join(f"x{line} = {line}" for line in range(40)), links=((1, "a"), (20, "a")))
    table = Table(("n", "m"), tuple((str(row), "word") for row in range(20)), "caption", "tab")
    source = Slides(Document("t", "s", "en", (Heading("Section", "sec"), Formula("x", "a"), code, table)))
    shown = [block for slide in slides(source, ROOM) for block in slide.blocks]
    codes = [block for block in shown if isinstance(block, Code)]
    assert "\n".join(block.source for block in codes) == code.source
    assert [block.links for block in codes] == [((1, "a"),), ((4, "a"),), ()]
    tables = [block for block in shown if isinstance(block, Table)]
    assert tuple(row for block in tables for row in block.rows) == table.rows
    assert [block.anchor for block in tables] == ["tab"] + [""] * (len(tables) - 1)


@pytest.mark.parametrize(
    ("name", "format", "message"),
    [
        ("x.xyz", "", r"^a lecture is a file that ends in \.html, \.md, .*; got '\.xyz' in '.*x\.xyz'; rename it, or name the format"),
        ("x", "", r"^a lecture is a file that ends in .*; got no ending in "),
        ("x.pdf", "pfd", r"^unknown format 'pfd'; did you mean pdf"),
    ],
)
def test_unknown_formats(name, format, message, tmp_path):
    with pytest.raises(SpecError, match=message):
        write(sample(), tmp_path / name, format=format)
    assert list(tmp_path.iterdir()) == []


def test_endings_and_names():
    assert [format_of(f"x{known.ending}") for known in FORMATS.values()] == [name if name != "slides" else "html" for name in FORMATS]
    assert format_of("x.HTML") == "html"
    assert format_of("x.html", "slides") == "slides"


def test_places_that_cannot_be_written(tmp_path):
    with pytest.raises(OutputError, match=r"^cannot write .*: no such folder: .*; make it first$"):
        write(sample(), tmp_path / "no" / "x.html")
    taken = tmp_path / "x.md"
    taken.write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match=r"exists; use --force"):
        write(sample(), taken)
    assert taken.read_text(encoding="utf-8") == "mine"
    with pytest.raises(SpecError, match=r"^unknown engine 'tex'"):
        ready(tmp_path / "x.pdf", engine="tex")
    with pytest.raises(SpecError, match=r"^the engine latex makes PDF, and the format is html"):
        ready(tmp_path / "x.html", engine="latex")


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ((Text("see @{nobody}"),), r"^the lecture refers to 'nobody', and no block with a number has this anchor$"),
        ((Text("see [it](#nobody)"),), r"^the lecture links to '#nobody'"),
        ((Code("x = 1", links=((1, "nobody"),)),), r"^the lecture refers to 'nobody'"),
        ((Formula("x", "a"), Formula("y", "a")), r"^two blocks of the lecture have the anchor 'a'"),
        ((Formula("x", "식"),), r"^the anchor '식' of the lecture is not of Latin letters"),
        ((Box("frame", "", ()),), r"^a box of a lecture is one of definition, .*; got 'frame'$"),
        ((Figure("<p>", "no picture"),), r"^a figure of the lecture is no SVG"),
    ],
)
def test_documents_that_are_wrong(blocks, message, tmp_path):
    with pytest.raises(SpecError, match=message):
        write(Document("t", "s", "en", blocks), tmp_path / "x.html")
    assert list(tmp_path.iterdir()) == []


def test_formula_that_pandoc_cannot_read(tmp_path):
    for ending in (".html", ".pdf", ".docx"):
        with pytest.raises(NotSupportedError, match=r"pandoc cannot read a part; use the format latex"):
            write(Document("t", "s", "en", (Formula(r"\frac{1"),)), tmp_path / f"x{ending}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("module", "ending"), [("pypandoc", ".html"), ("typst", ".pdf"), ("typst", ".docx")])
def test_missing_packages(module, ending, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(NotSupportedError, match=r"needs the package .*, which is not installed; pip install 'symrnn\[lecture\]'$"):
        ready(tmp_path / f"x{ending}")


def test_missing_font_and_missing_tex(tmp_path, monkeypatch):
    installed.korean_fonts.cache_clear()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(NotSupportedError, match=r"^Korean text on paper needs the font of .*; pip install 'symrnn\[lecture\]'$"):
        write(sample("ko"), tmp_path / "x.pdf")
    monkeypatch.undo()
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(NotSupportedError, match=r"^the engine latex needs pdflatex, which is not installed; apt-get install texlive"):
        write(sample(), tmp_path / "x.pdf", engine="latex")
    assert list(tmp_path.iterdir()) == []


def test_signs_that_tex_does_not_know():
    assert r"\newunicodechar{δ}{\ensuremath{\delta}}" in declared("a δ")
    with pytest.raises(NotSupportedError, match=r"^the format latex does not know the sign '☃' \(SNOWMAN\)"):
        declared("☃")


def test_labels_of_the_language_are_used():
    assert "그림 1." in made("html", "ko").decode()
    assert set(LABELS) <= set(sample("ko").labels)
    assert "Figure 1." in page_of(Document("t", "s", "en", (Figure(SVG.format(word="x"), "a", "c", "fig"),))).decode()
    assert checked(sample())["eq-end"] == "(5)"


@pytest.fixture
def browse(tmp_path):
    with browsing(tmp_path) as opened:
        yield opened


@pytest.mark.parametrize("language", LANGUAGES)
class TestInBrowser:
    pytestmark = needs_browser

    @pytest.mark.parametrize("width", [400, 1200])
    def test_page_fits_and_unfolds(self, browse, language, width):
        page = browse(made("html", language), width)
        folds = page.locator("main details:not([open]) > summary")
        count = page.locator("details").count()
        assert folds.count() == 2
        while folds.count():
            folds.first.click()
        assert page.locator("details[open]").count() == count
        assert page.evaluate(WIDER) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate("document.fonts.check('16px \"Lecture Math\"')")

    def test_quantity_explains_itself(self, browse, language):
        page = browse(made("html", language), 1200)
        page.locator("#eq-h .q").first.hover()
        assert page.locator("#tip").inner_text().startswith("hidden state, H")
        assert page.locator("#eq-h .q.on").count() == 2
        page.goto(page.url + "#eq-in-fold")
        assert page.locator("#eq-in-fold").is_visible()

    def test_page_without_script(self, browse, language):
        page = browse(made("html", language), 1200, script=False)
        page.locator("main details:not([open]) > summary").first.click()
        assert page.locator("#eq-in-fold").is_visible()

    def test_slides_fit(self, browse, language):
        page = browse(made("slides", language), 1280)
        page.wait_for_function("window.lectureDeck && lectureDeck.isReady()")
        for _ in range(page.evaluate("lectureDeck.getTotalSlides()")):
            assert page.evaluate(OVER) == []
            page.evaluate("lectureDeck.next()")
        assert page.evaluate("lectureDeck.isLastSlide()")


@pytest.mark.full
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs TeX")
@pytest.mark.parametrize(("language", "engine"), [("en", "pdflatex"), ("ko", "xelatex")])
def test_latex_compiles_without_wide_boxes(language, engine, tmp_path):
    assert_compiles(sample(language), engine, tmp_path)


@pytest.mark.full
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs TeX")
def test_latex_makes_the_pdf(tmp_path):
    write(sample(), tmp_path / "x.pdf", engine="latex")
    assert len(PdfReader(tmp_path / "x.pdf").pages) > 2
    assert [path.name for path in tmp_path.iterdir()] == ["x.pdf"]


def test_line_that_announces_a_formula_stands_with_it():
    lines = tuple(block for place in range(30) for block in (Text("The term that is added:"), Formula(f"x_{{{place}}} = 1")))
    shown = slides(Slides(Document("t", "s", "en", (Heading("Section", "sec"), *lines))), ROOM)
    assert len(shown) > 3
    assert [slide.title for slide in shown if isinstance(slide.blocks[-1], Text)] == []
    assert tuple(block for slide in shown for block in slide.blocks) == lines


def test_update_is_one_sign():
    page = page_of(Document("t", "s", "en", (Formula(r"\delta h_{t} \mathrel{+}= 1"),))).decode()
    assert "<mo>+=</mo>" in page


def test_norm_on_paper_grows():
    assert mended("$ ∥frac(a, b)∥ lt.eq ∥c∥ $") == "$ lr(‖frac(a, b)‖) lt.eq lr(‖c‖) $"


def test_korean_words_stay_whole_on_paper():
    words = ("기울기에서는", "역전파하였다", "0.5배이므로", "매개변수마다")
    text = " ".join(words[place * place % 7 % 4] + "." * (place % 3) for place in range(120))
    source = paper_of(Document("t", "s", "ko", (Heading("절", "sec"), Text(text), Text("$h_t$에서"))))
    lines = [line.split() for page in PdfReader(io.BytesIO(source)).pages for line in page.extract_text().splitlines()]
    body = [word.rstrip(".") for line in lines for word in line if any(sign in word for sign in "울전배매")]
    assert len(body) == 120
    assert set(body) <= set(words)


def test_high_picture_floats_and_a_text_stays_with_its_formula():
    high = Figure('<svg xmlns="http://www.w3.org/2000/svg" width="500" height="600"></svg>', "", "caption", "fig")
    source = Paper(Document("t", "s", "en", (high, Text("The term:"), Formula("x = 1"), Fold("f", (Figure(high.svg, ""),))))).write()
    assert source.count("#place(bottom, float: true") == 1
    assert source.count("#block(sticky: true") == 1
    assert source.index("#place(") < source.index("sticky") < source.rindex("#image(")
    assert "width: 56.3%" in source


def test_a_formula_in_a_cell_can_be_broken_in_latex(tmp_path):
    table = Table(("read", "back"), ((r"$n = \tanh \left( W x + b + r \cdot \left( U h + c \right) \right)$", "same " * 30),))
    write(Document("t", "", "en", (table,)), tmp_path / "t.tex")
    text = (tmp_path / "t.tex").read_text(encoding="utf-8")
    assert r"\tanh ( W x + b + r \cdot ( U h + c ) )" in text
    assert r"\left(" not in text
