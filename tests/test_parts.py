"""Networks of several parts in print: marks, headings, layers that are alike, whatever the depth."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

import pytest
import wired
from test_notation import assert_prints_apart

from symrnn import writer
from symrnn.bptt import derive
from symrnn.cells import cell
from symrnn.derivation import hessian_vector_network
from symrnn.expr import Series, Static, t
from symrnn.networks import Part, architecture, network
from symrnn.notation import MEDIA, PROFILES, UNMARKED, Mark, Notation, mark_of, owners
from symrnn.printing import render
from symrnn.printing.fold import folded
from symrnn.printing.outline import outline
from symrnn.printing.parts import heading
from symrnn.printing.pieces import Equations
from symrnn.printing.words import when, within, written
from symrnn.style import Alike, Style

ARROWS = Notation("arrows", "", direction="arrows")
ABOVE = Notation("above", "", time="h^(t)")
WIRED = {
    "two layers": lambda: wired.stacked("rnn", "rnn"),
    "gru on lstm": lambda: wired.stacked("lstm", "gru"),
    "block of gates": lambda: wired.stacked("lstm-block", "gru-reset-after", "lstm-block"),
    "bidirectional": lambda: wired.bidirectional("lstm"),
    "bidirectional, two stories": lambda: wired.bidirectional("gru", 2),
    "attention": lambda: wired.attentive("lstm"),
    "attention, tied": lambda: wired.attentive(tied=True),
}


@pytest.mark.sampled(17)
@pytest.mark.parametrize("profile", [*PROFILES, ARROWS, ABOVE, Notation("bars", "", adjoint="bar", direction="arrows")], ids=str)
@pytest.mark.parametrize("name", WIRED)
def test_no_two_quantities_of_several_parts_print_alike(name, profile):
    for medium in MEDIA:
        net = WIRED[name]()
        assert_prints_apart(net, Style.of(net, profile, medium))
        assert_prints_apart(net, replace(Style.of(net, profile, medium), alike=Alike(2, "n")))


def test_no_two_quantities_of_a_second_derivation_print_alike():
    net = hessian_vector_network(derive(wired.stacked("rnn", "gru")))
    for medium in MEDIA:
        assert_prints_apart(net, Style.of(net, "goodfellow", medium))
    style = Style.of(net, "indexed", "unicode")
    assert writer.formula(Static("v_W_hh_l1", (), "H", "H"), style) == "v_{W,hh}^(1)"


@pytest.mark.parametrize(("text", "mark"), [
    ("", UNMARKED), ("l2", Mark((), 2)), ("enc_l1", Mark(("enc",), 1)), ("l2_bw", Mark(("bw",), 2)), ("lower", Mark(("lower",))),
    ("l1_l2", Mark(("l1",), 2)), ("left", Mark(("left",))),
])
def test_marks_are_taken_apart(text, mark):
    assert mark_of(text) == mark


def test_names_belong_to_parts():
    parts = (Part("layer", "l1", "lstm", ("h_l1", "odd")), Part("layer", "l2", "gru", ("h_l2",)), Part("readout", "", "", ("y",)))
    found = owners(["h_l1", "odd", "h_l2", "y", "v_W_l2", "z"], "rnn", parts)
    assert {name: (o.stem, o.mark.layer, o.cell) for name, o in found.items()} == {
        "h_l1": ("h", 1, "lstm"), "odd": ("odd", None, "lstm"), "h_l2": ("h", 2, "gru"), "y": ("y", None, "rnn"),
        "v_W_l2": ("v_W", 2, "gru"), "z": ("z", None, "rnn"),
    }


LOOKS = [
    ("indexed", "h_l2", r"h_{t}^{(2)}", "h_t^(2)"), ("indexed", "h_enc_l1", r"h_{\mathrm{enc},t}^{(1)}", "h_{enc,t}^(1)"),
    ("indexed", "h_fw", r"h_{\mathrm{fw},t}", "h_{fw,t}"), (ABOVE, "h_l2", "h_{2}^{(t)}", "h_2^(t)"),
    (ABOVE, "h_l2_bw", r"h_{\mathrm{bw},2}^{(t)}", "h_{bw,2}^(t)"), (ARROWS, "h_fw", r"\overrightarrow{h}_{t}", "h\u20d7_t"),
    (ARROWS, "h_l2_bw", r"\overleftarrow{h}_{t}^{(2)}", "h\u20d6_t^(2)"),
    (ARROWS, "c_tilde_bw", r"\overleftarrow{\tilde{c}}_{t}", "c\u0303\u20d6_t"),
]


@pytest.mark.parametrize(("profile", "name", "latex", "unicode"), LOOKS)
def test_marks_are_printed_apart_from_letters(profile, name, latex, unicode):
    mark = re.sub(r"^(h|c_tilde)_", "", name)
    net = replace(wired.without_parts(wired.stacked("rnn")), parts=(Part("layer", mark, "", (name,)),))
    style = Style.of(net, profile)
    style = replace(style, letters={**style.letters, name: name.removesuffix(f"_{mark}")}, marks={name: mark_of(mark)})
    assert writer.latex(Series(name, (), "H")[t], style) == latex
    assert writer.text(Series(name, (), "H")[t], style) == unicode


def test_each_part_has_the_letters_of_its_cell():
    style = Style.of(net := wired.stacked("lstm", "gru"), "pytorch", "unicode")
    printed = {e.name: writer.formula(e.rhs, style) for e in net.equations}
    assert printed["a_f_l1"] == "W_hf^(1) h_{t-1}^(1) + W_if^(1) x_t + b_f^(1)"
    assert printed["a_r_l2"] == "W_ir^(2) h_t^(1) + W_hr^(2) h_{t-1}^(2)"


def test_a_context_gives_way_to_a_cell_state_only():
    assert "c_t = E α_t" in compact(render(derive(wired.attentive("gru"))))
    text = render(derive(wired.attentive("lstm")))
    assert "ẑ_t = E α_t" in compact(text)
    assert "ẑ_t here is the c_t of indexed: in this network, c_{enc,t} is a cell state." in text
    assert "δe_t = α_t ⊙ (δα_t - 1 (α_tᵀ δα_t))" in compact(text)
    assert "E = [h_{enc,1} … h_{enc,S}]" in compact(text)


def compact(text):
    return [re.sub(r"  t = .*$", "", re.sub(r" +(?==)", " ", line.strip())).rstrip() for line in text.splitlines()]


def headings(text):
    lines = text.splitlines()
    return [line for before, line in pairwise(lines) if not before and line and not line.startswith(" ")]


def test_lines_stand_under_the_part_that_they_belong_to():
    assert headings(render(derive(wired.attentive()))) == [
        "Quantities", "Forward pass", "Embedding of the encoder", "Encoder (rnn)", "Embedding of the decoder", "Attention",
        "Decoder (rnn)", "Readout", "Backward pass", "Readout", "Decoder (rnn)", "Attention", "Embedding of the decoder",
        "Encoder (rnn)", "Embedding of the encoder", "Gradients", "Embedding of the encoder", "Encoder (rnn)", "Attention",
        "Decoder (rnn)", "Readout", "Conventions",
    ]


@pytest.mark.parametrize(("role", "mark", "cell_name", "expected"), [
    ("layer", "l2", "gru", "Layer 2 (gru)"), ("layer", "enc_l1", "lstm", "Encoder, layer 1 (lstm)"), ("layer", "bw", "rnn", "Backward layer (rnn)"),
    ("layer", "l2_fw", "rnn", "Layer 2, forward (rnn)"), ("layer", "lower", "rnn", "Layer lower (rnn)"), ("layer", "", "", "Layer"),
    ("attention", "", "", "Attention"), ("embedding", "dec", "", "Embedding of the decoder"), ("merge", "l3", "", "Merge, layer 3"),
    ("readout", "", "", "Readout"), ("layer", "enc_bw", "gru", "Encoder, backward (gru)"), ("attention", "img", "", "Attention img"),
])
def test_parts_have_names(role, mark, cell_name, expected):
    assert "".join(str(getattr(p, "number", p)) for p in heading(Part(role, mark, cell_name, ()))) == expected


def test_a_network_of_one_layer_has_no_headings_of_parts():
    assert headings(render(derive(network(cell("lstm"))))) == ["Quantities", "Forward pass", "Backward pass", "Gradients", "Conventions"]


def test_layers_that_are_alike_are_printed_once():
    text = render(derive(wired.stacked(*["rnn"] * 5)))
    assert [line for line in headings(text) if line.startswith("Layer")] == [
        "Layer 1 (rnn)", "Layer n (rnn), for n = 2, …, 5", "Layer 5 (rnn)", "Layer n (rnn), for n = 4, …, 1",
        "Layer 1 (rnn)", "Layer n (rnn), for n = 2, …, 5",
    ]
    lines = compact(text)
    assert "a_t^(n) = W_hh^(n) h_{t-1}^(n) + W_xh^(n) h_t^(n-1) + b_h^(n)" in lines
    assert "δh_t^(n) = W_xh^(n+1)ᵀ δa_t^(n+1) + W_hh^(n)ᵀ δa_{t+1}^(n)" in lines
    assert "∂L/∂W_xh^(n) = Σ_{t=1}^T δa_t^(n) h_t^(n-1)ᵀ" in lines
    assert "H×H  W_xh^(n) for n = 2, …, 5" in lines


def test_a_layer_on_one_of_another_cell_is_alike_where_it_reads_alike():
    text = render(derive(wired.stacked("rnn", "rnn", "gru", "gru", "rnn")))
    forward = [line for line in headings(text.split("Backward pass")[0]) if line.startswith("Layer")]
    assert forward == ["Layer 1 (rnn)", "Layer 2 (rnn)", "Layer n (gru), for n = 3, 4", "Layer 5 (rnn)"]
    backward = [line for line in headings(text.split("Backward pass")[1].split("Gradients")[0]) if line.startswith("Layer")]
    assert backward == [f"Layer {n} ({kind})" for n, kind in ((5, "rnn"), (4, "gru"), (3, "gru"), (2, "rnn"), (1, "rnn"))]


def rows_of(text):
    """Equations and table rows; an equation that is broken for its width counts once."""
    return sum(" = " in line or "&=" in line or "×" in line for line in text.splitlines())


@pytest.mark.sampled(6)
@pytest.mark.parametrize("format", ["unicode", "latex", "markdown"])
@pytest.mark.parametrize("name", ["stacked", "bidirectional"])
def test_the_length_of_a_print_does_not_depend_on_the_depth(name, format):
    counts = {rows_of(render(derive(architecture(name, cell("gru"), layers=depth)), format)) for depth in (4, 8)}
    assert len(counts) == 1
    flat = rows_of(render(derive(wired.without_parts(architecture(name, cell("gru"), layers=4))), format))
    assert flat > next(iter(counts))


def test_steps_are_folded_as_well():
    lengths = {depth: len(render(derive(wired.stacked(*["rnn"] * depth)), steps=True).splitlines()) for depth in (4, 7)}
    assert lengths[4] == lengths[7]
    assert "h_t^(n), hidden state, for n = 3, 2" in render(derive(wired.stacked(*["rnn"] * 4)), steps=True)


@pytest.mark.parametrize(("kinds", "letter"), [(["rnn"] * 3, "n"), (["gru-reset-after"] * 3, "u")])
def test_the_letter_for_the_number_is_one_that_the_network_does_not_use(kinds, letter):
    assert f"for {letter} = 2, 3" in render(derive(wired.stacked(*kinds)))


def test_the_letter_for_the_number_is_the_usual_one_where_it_is_free():
    mine = Notation("mine", "", letters={"ell": ("J",)})
    assert "for ℓ = 2, 3" in render(derive(wired.stacked(*["rnn"] * 3)), notation=mine)


def test_a_backward_layer_says_the_way_that_it_runs():
    lines = [re.sub(r" +", " ", line).strip() for line in render(derive(wired.bidirectional("rnn"))).splitlines()]
    assert "h_{bw,t} = tanh(a_{bw,t}) t = T, …, 1" in lines
    assert "δa_{bw,t} = δh_{bw,t} ⊙ (1 - h_{bw,t} ⊙ h_{bw,t}) t = 1, …, T" in lines
    assert "δa_{fw,t} = δh_{fw,t} ⊙ (1 - h_{fw,t} ⊙ h_{fw,t}) t = T, …, 1" in lines


def printed_lines(outlined, style):
    """The text of every equation, each folded one for every number of a layer that it stands for."""
    for section in outlined.sections:
        own = within(section.layers, style)
        for line in (line for part in section.body if isinstance(part, Equations) for line in part.lines):
            text = f"{written(line.left, own)} = {written(line.right, own)}  {when(line, own)}"
            span = section.layers
            numbers = [0] if span is None else range(min(span.first, span.last), max(span.first, span.last) + 1)
            for number in numbers:
                letter = rf"(?<![A-Za-z])({span.letter if span else '!'})([+-]\d)?(?![A-Za-z])"
                explicit = re.sub(letter, lambda found, number=number: str(number + int(found[2] or 0)), text)
                yield re.sub(r"_\{(\w)\}", r"_\1", explicit)


@pytest.mark.sampled(5)
@pytest.mark.parametrize("profile", ["indexed", "goodfellow", "d2l", "greff"])
@pytest.mark.parametrize("make", [lambda: wired.stacked(*["lstm"] * 5), lambda: wired.bidirectional("gru", 4)], ids=["stacked", "bidirectional"])
def test_a_folded_print_says_what_the_whole_one_says(make, profile):
    derivation = derive(make())
    style = Style.of(derivation.network, profile, "unicode")
    whole = outline(derivation)
    once = folded(whole, style)
    assert len(once.sections) < len(whole.sections)
    assert sorted(printed_lines(once, style)) == sorted(printed_lines(whole, style))


@pytest.mark.parametrize(("profile", "matrix", "gradient", "second"), [
    ("indexed", r"W_{hh}^{(2)\top}", r"\left(\frac{\partial L}{\partial W_{hh}^{(2)}}\right)^{\top}", r"\delta^{2} W_{hh}^{(2)\top}"),
    ("goodfellow", r"\mathbf{W}_{2}^{\top}", r"(\nabla_{\mathbf{W}_{2}} L)^{\top}", r"{\delta^{2} \mathbf{W}_{2}}^{\top}"),
])
def test_the_number_of_a_layer_shares_its_superscript_with_the_transpose(profile, matrix, gradient, second):
    style = Style.of(wired.stacked("rnn", "rnn"), profile)
    shown = [writer.latex(Static("W_hh_l2", orders, "H", "H").T, style) for orders in ((), (1,), (2,))]
    assert shown == [matrix, gradient, second]
