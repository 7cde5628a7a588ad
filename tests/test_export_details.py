"""Single formulas in every format, from Python and from the command line."""

from __future__ import annotations

import importlib
import xml.etree.ElementTree as ET
from functools import cache

import pytest

from symrnn import CELLS, PROFILES, NotSupportedError, SpecError, cell, derive, export, network
from symrnn.cli import main
from symrnn.exports import FORMATS
from symrnn.exports.programs import pandoc, typst
from tests.latex_structure import assert_well_formed

DW_F = r"\frac{\partial L}{\partial W_{f}} = \sum_{t=1}^{T} \delta a_{f,t} h_{t-1}^{\top}" + "\n"


@cache
def derivation(name="lstm"):
    return derive(network(cell(name)))


@pytest.mark.parametrize("name", ["dW_f", "d_W_f", "W_f", "delta_W_f"])
def test_one_gradient_is_one_formula(name):
    assert export(derivation(), name) == DW_F


def test_forward_and_adjoint_have_names_of_their_own():
    assert export(derivation(), "c", "unicode") == "c_t = f_t ⊙ c_{t-1} + i_t ⊙ c̃_t  t = 1, …, T\n"
    adjoint = export(derivation(), "delta_c", "unicode")
    assert adjoint == export(derivation(), ["d_c"], "unicode") == export(derivation(), "dc", "unicode")
    assert adjoint.splitlines()[1] == "δc_t = δs_{c,t} ⊙ (1 - s_{c,t} ⊙ s_{c,t}) + δc_{t+1} ⊙ f_{t+1}  t = T-1, …, 1"
    assert export(derivation(), "h_0", "unicode").startswith("∂L/∂h_0 = ")
    assert export(derivation(), "x", "unicode").startswith("∂L/∂x_t = ")


def test_times_stand_apart():
    assert export(derivation(), "h") == r"h_{t} = o_{t} \odot s_{c,t} \qquad t = 1, \dots, T" + "\n"


def test_several_formulas_are_one_block_each_once():
    text = export(derivation(), "dW_f, delta_c,dW_f,dc")
    assert text.startswith("\\begin{aligned}\n")
    assert text.endswith("\n\\end{aligned}\n")
    assert text.count("&=") == 3
    assert r"&& \qquad t = T-1, \dots, 1" in text


def test_all_is_every_line():
    made = derivation("gru")
    lines = export(made, "all", "unicode").splitlines()
    parts = [export(made, group, "unicode").splitlines() for group in ("forward", "backward", "gradients")]
    assert [" ".join(line.split()) for part in parts for line in part] == [" ".join(line.split()) for line in lines]
    assert sum(" = " in line.partition("  t =")[0] for line in lines) == len(made.lines) + len(made.network.equations)


def test_ascii():
    assert export(derivation(), "c,dW_f", "unicode", ascii=True).isascii()


@pytest.mark.sampled(11)
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", CELLS)
def test_every_cell_in_every_profile_is_well_formed(name, profile):
    assert_well_formed(export(derivation(name), "all", notation=profile))


@pytest.mark.sampled(7)
@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_becomes_a_picture(profile):
    for name in ("lstm", "gru-reset-after"):
        drawing = export(derivation(name), "all", "svg", notation=profile)
        root = ET.fromstring(drawing)
        assert root.tag.endswith("svg")
        assert float(root.attrib["height"].removesuffix("pt")) > 300
        assert len(list(root.iter("{http://www.w3.org/2000/svg}use"))) > 300  # one a sign


def test_a_png_has_the_size_of_its_formula():
    def size(picture):
        assert picture.startswith(b"\x89PNG")
        return [int.from_bytes(picture[at:at + 4]) for at in (16, 20)]

    one, several = (size(export(derivation(), what, "png")) for what in ("dW_f", "dW_f,dW_i"))
    assert several[1] > 1.5 * one[1]
    assert 300 < one[0] < 800


def test_mathml_is_one_formula_that_says_what_the_latex_says():
    root = ET.fromstring(export(derivation(), "dW_f", "mathml"))
    mark = "{http://www.w3.org/1998/Math/MathML}"
    assert root.tag == f"{mark}math"
    shown = "".join(e.text or "" for e in root.iter() if e.tag in {f"{mark}{kind}" for kind in ("mi", "mo", "mn")})
    assert shown == "∂L∂Wf=∑t=1Tδaf,tht−1⊤"
    assert root.find(f".//{mark}annotation").text.strip() == DW_F.strip()


def test_typst_raises_the_transpose_beside_a_time():
    assert 'h^(\\( t - 1 \\)) ""^top' in export(derivation(), "dW_f", "typst", notation="notes-000")
    assert typst(r"\operatorname{softmax}(a)") == '$ op("softmax") \\( a \\) $\n'
    assert '#h(2em) "" + b' in typst("\\begin{aligned} a &= b \\\\ &\\qquad + b \\end{aligned}")


@pytest.mark.parametrize(("what", "message"), [
    ("dW_g", r"^unknown formula 'dW_g'; did you mean dW_o or dW_i or dW_f\?$"),
    ("dy", r"^no gradient is taken in y, a target; choose one of W_f, "),
    (" , ", r"^nothing to export; name at least one formula, such as dW_f, delta_c or all$"),
    ([], r"^nothing to export; name at least one formula, such as dW_f, delta_c or all$"),
])
def test_unknown_names(what, message):
    with pytest.raises(SpecError, match=message):
        export(derivation(), what)


def test_unknown_format_and_notation():
    with pytest.raises(SpecError, match=r"^unknown format 'pmg'; did you mean png\?$"):
        export(derivation(), "c", "pmg")
    with pytest.raises(SpecError, match=r"^unknown notation 'gref'; did you mean greff"):
        export(derivation(), "c", notation="gref")


@pytest.mark.parametrize(("format", "package"), [("mathml", "pypandoc_binary"), ("typst", "pypandoc_binary"), ("png", "typst")])
def test_a_missing_package_is_named(format, package, monkeypatch):
    load = importlib.import_module
    missing = package.removesuffix("_binary")

    def without(name, *rest):
        if name == missing:
            raise ImportError(name)
        return load(name, *rest)

    monkeypatch.setattr(importlib, "import_module", without)
    with pytest.raises(NotSupportedError, match=rf"^the format \w+ needs the package {package}, which is not installed; "
                                                r"pip install 'symrnn\[export\]'$"):
        export(derivation(), "c", format)


def test_what_pandoc_cannot_read_is_refused():
    with pytest.raises(NotSupportedError, match=r"^pandoc cannot read a formula in this notation; use the format latex: "):
        pandoc(r"\frac{1}", "typst")


@pytest.mark.sampled(2)
@pytest.mark.parametrize(("ending", "start"), [
    ("tex", b"\\frac"), ("txt", "∂L/∂W_f".encode()), ("mml", b"<math"), ("typ", b"$ frac"), ("svg", b"<svg"), ("png", b"\x89PNG"),
])
def test_a_file_gets_the_format_of_its_name(ending, start, tmp_path, capsys):
    path = tmp_path / f"formula.{ending}"
    assert main(["export", "lstm", "--what", "dW_f", "-o", str(path)]) == 0
    assert path.read_bytes().startswith(start)
    assert capsys.readouterr().out == ""
    assert main(["export", "lstm", "-o", str(path)]) == 2
    assert "exists; use --force" in capsys.readouterr().err


def test_standard_output(capsysbinary):
    assert main(["export", "lstm", "--what", "dW_f"]) == 0
    assert capsysbinary.readouterr().out == DW_F.encode()
    assert main(["export", "lstm", "--what", "dW_f", "--format", "png"]) == 0
    assert capsysbinary.readouterr().out.startswith(b"\x89PNG")


@pytest.mark.parametrize(("args", "message"), [
    (("--format", "pdf"), f"unknown format 'pdf'; known: {', '.join(sorted(FORMATS))}"),
    (("--what", "dV"), "unknown formula 'dV'; did you mean "),
])
def test_bad_input_is_one_line(args, message, capsys):
    assert main(["export", "lstm", *args]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"symrnn: error: {message}")
    assert err.count("\n") == 1
