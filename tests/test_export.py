"""Single formulas in every format: the text formats exactly, the others by their structure."""

from __future__ import annotations

import re
import struct
import xml.etree.ElementTree as ET

import pytest

from symrnn.bptt import derive
from symrnn.cells import CELLS, cell
from symrnn.cli import main
from symrnn.errors import NotSupportedError, SpecError
from symrnn.exports import FORMATS, export, format_of, programs
from symrnn.networks import network
from symrnn.notation import PROFILES

LSTM = derive(network(cell("lstm")))


def test_one_formula_is_one_line_of_latex():
    assert export(LSTM, "dW_f") == (
        r"\frac{\partial L}{\partial W_{f}} = \sum_{t=1}^{T} \delta a_{f,t} h_{t-1}^{\top}" + "\n"
    )


@pytest.mark.parametrize("alias", ["dW_f", "d_W_f", "W_f", "delta_W_f"])
def test_a_gradient_has_several_names(alias):
    assert export(LSTM, alias) == export(LSTM, ["dW_f"])


def test_several_formulas_are_one_aligned_block():
    block = export(LSTM, "dW_f,delta_c")
    assert block.startswith(r"\begin{aligned}")
    assert block.count("&=") == 3  # the adjoint of c has a line for the last time and one for the others
    assert export(LSTM, ["dW_f", "delta_c", "dW_f"]) == block


def test_forward_equations_and_groups():
    assert export(LSTM, "h", "unicode").startswith("h_t = o_t ⊙ s_{c,t}")
    groups = [export(LSTM, group, "unicode").splitlines() for group in ("forward", "backward", "gradients")]
    assert len(export(LSTM, "all", "unicode").splitlines()) == sum(map(len, groups))
    assert export(LSTM, "h", "unicode", ascii=True).isascii()


def test_letters_of_the_notation():
    assert r"\delta C^{(T)}" in export(LSTM, "delta_c", notation="notes-000")


def test_mathml_is_well_formed_and_says_the_formula():
    root = ET.fromstring(export(LSTM, "dW_f", "mathml"))
    assert root.tag.endswith("math")
    text = "".join(root.itertext())
    assert "∑" in text
    assert "∂" in text


def test_typst_is_what_pandoc_writes():
    source = export(LSTM, "dW_f", "typst")
    assert "sum" in source
    assert "frac(" in source


def test_pictures_have_content():
    svg = export(LSTM, "dW_f,delta_c", "svg").decode("utf-8")
    assert ET.fromstring(svg).tag.endswith("svg")
    assert len(re.findall("<use|<path", svg)) > 20
    png = export(LSTM, "dW_f", "png")
    assert png.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", png[16:24])
    assert width > 300
    assert 50 < height < width


@pytest.mark.full
@pytest.mark.parametrize("name", CELLS)
def test_every_cell_in_every_notation_becomes_a_picture(name):
    derivation = derive(network(cell(name)))
    for profile in PROFILES:
        assert export(derivation, "backward", "svg", notation=profile).startswith(b"<svg")


@pytest.mark.parametrize(
    ("what", "format", "message"),
    [
        ("dW_g", "latex", r"^unknown formula 'dW_g'; did you mean dW_"),
        ("dW_f", "pdf", r"^unknown format 'pdf'; "),
        (" , ", "latex", r"^nothing to export; name at least one formula"),
    ],
)
def test_what_cannot_be_exported_is_refused(what, format, message):
    with pytest.raises(SpecError, match=message):
        export(LSTM, what, format)


def test_a_missing_package_is_named_with_its_remedy(monkeypatch):
    monkeypatch.setattr(programs.importlib, "import_module", lambda name: (_ for _ in ()).throw(ImportError(name)))
    for cached in vars(programs).values():
        if hasattr(cached, "cache_clear"):
            cached.cache_clear()
    with pytest.raises(NotSupportedError, match=r"pip install 'symrnn\[export\]'"):
        export(LSTM, "dW_f", "mathml")


def test_format_by_the_ending_of_the_file():
    assert format_of(None, "a/delta.svg") == "svg"
    assert format_of(None, None) == "latex"
    assert format_of("png", "x.svg") == "png"
    assert set(FORMATS) == {"latex", "unicode", "mathml", "typst", "svg", "png"}


def test_command_line(tmp_path, capsys):
    target = tmp_path / "f.svg"
    assert main(["export", "gru", "--what", "dU", "-o", str(target)]) == 0
    assert target.read_bytes().startswith(b"<svg")
    assert main(["export", "gru", "--what", "dU", "-o", str(target)]) == 2
    assert "--force" in capsys.readouterr().err
    assert main(["export", "gru", "--what", "dQ"]) == 2
    assert capsys.readouterr().err.startswith("symrnn: error: unknown formula 'dQ'")
