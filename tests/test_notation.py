"""Notation profiles: letters, injective within a network, and those of the source note."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from symrnn import writer
from symrnn.bptt import derive
from symrnn.cells import CELLS, cell
from symrnn.derivation import hessian_vector_network
from symrnn.errors import SpecError
from symrnn.expr import Series, Static, t
from symrnn.networks import TASKS, network
from symrnn.networks.truncation import truncated
from symrnn.notation import CHOICES, LETTERS, MEDIA, PROFILES, Notation, notation, spell
from symrnn.notation.spelling import fault
from symrnn.style import Style, shape_text

NOTES_000 = PROFILES["notes-000"]
ORDERS = ((), (1,), (2,), (1, 2))


def assert_prints_apart(net, style):
    """No two quantities of the network look the same, adjoints of two orders included."""
    seen = {}
    own = {q.quantity for q in net.givens} | {e.quantity for e in net.equations}
    for orders in ORDERS:
        for plain in sorted({(type(q), q.name, q.shape) for q in own if not q.orders}, key=str):
            kind, name, shape = plain
            quantity = kind(name, orders, *shape)
            node = quantity[t] if kind is Series else quantity
            printed = writer.formula(node, style)
            assert seen.setdefault(printed, quantity) == quantity, f"{printed}: {seen[printed].key} and {quantity.key}"
    assert len(seen) == len({q.name for q in own}) * len(ORDERS)


@pytest.mark.sampled(19)
@pytest.mark.parametrize("profile", list(PROFILES))
@pytest.mark.parametrize("task", list(TASKS))
@pytest.mark.parametrize("name", list(CELLS))
def test_no_two_quantities_print_alike(name, task, profile):
    net = network(cell(name), task=task)
    for medium in MEDIA:
        assert_prints_apart(net, Style.of(net, profile, medium))


@pytest.mark.sampled(13)
@pytest.mark.parametrize("profile", list(PROFILES))
@pytest.mark.parametrize("name", list(CELLS))
def test_no_two_quantities_of_a_second_derivation_print_alike(name, profile):
    net = hessian_vector_network(derive(network(cell(name))))
    for medium in MEDIA:
        assert_prints_apart(net, Style.of(net, profile, medium))


@pytest.mark.parametrize("adjoint", CHOICES["adjoint"])
def test_adjoints_print_apart_in_every_way(adjoint):
    net = hessian_vector_network(derive(network(cell("lstm"))))
    for medium in MEDIA:
        assert_prints_apart(net, Style.of(net, Notation("own", "", adjoint=adjoint), medium))


def test_a_quantity_with_a_bar_gives_way_where_adjoints_have_bars():
    bars = Notation("own", "", adjoint="bar", letters={"a": ("h_bar",)})
    assert bars.assign(["h", "a"]) == {"h": "h", "a": "a"}
    assert replace(bars, adjoint="delta").assign(["h", "a"]) == {"h": "h", "a": "h_bar"}


def test_the_test_of_injectivity_sees_two_that_print_alike():
    net = network(cell("rnn"))
    style = Style.of(net, "notes-000")
    clash = replace(style, letters={**style.letters, "W_xh": "W"})
    with pytest.raises(AssertionError, match=r"^W: "):
        assert_prints_apart(net, clash)


@pytest.mark.parametrize("names", [
    ("W_hh", "W"), ("W", "W_hh"), ("W_hh", "W", "W_2"), ("y_hat", "o"), ("lambda", "lambda_"), ("W_hh_2", "W_2"),
    ("a_b", "a_b_"), ("h", "h_bar"),
])
def test_letters_that_are_taken_give_way(names):
    for profile in PROFILES.values():
        given = profile.assign(names)
        assert sorted(given) == sorted(names)
        for medium in MEDIA:
            assert len({spell(letter, medium) for letter in given.values()}) == len(names)


def test_names_that_a_cell_repeats_keep_their_numbers():
    assert NOTES_000.assign(["W_hh_1", "W_hh_2", "b_h_1", "W_hy", "v_W_hh", "W_hh_fw"]) == {
        "W_hh_1": "W_1", "W_hh_2": "W_2", "b_h_1": "b_1", "W_hy": "V", "v_W_hh": "v_W_hh", "W_hh_fw": "W_hh_fw",
    }


def test_an_accent_is_no_mark():
    assert NOTES_000.assign(["c", "c_tilde", "c_hat", "c_1"], "lstm") == {
        "c": "C", "c_tilde": "C_tilde", "c_hat": "c_hat", "c_1": "C_1",
    }


@pytest.mark.parametrize(("letter", "latex", "unicode", "ascii_text"), [
    ("W^f", ("W", "", "f"), ("W", "", "f"), ("W", "", "f")),
    ("W_hh^out", ("W", "hh", r"\mathrm{out}"), ("W", "hh", "out"), ("W", "hh", "out")),
    (r"\mathcal{W}_{rec}", (r"\mathcal{W}", r"\mathrm{rec}", ""), ("W", "rec", ""), ("W", "rec", "")),
    (r"\tilde{\theta}^{\ast}_2", (r"\tilde{\theta}", "2", r"\ast"), ("θ\u0303", "2", "ast"), ("theta_tilde", "2", "ast")),
    ("W_{xi}", ("W", "xi", ""), ("W", "xi", ""), ("W", "xi", "")),
    ("W_xi", ("W", r"\xi", ""), ("W", "ξ", ""), ("W", "xi", "")),
    ("δ_h", (r"\delta", "h", ""), ("δ", "h", ""), ("delta", "h", "")),
    ("z_bar", (r"\bar{z}", "", ""), ("z\u0304", "", ""), ("z_bar", "", "")),
])
def test_letters_have_superscripts_and_may_be_latex(letter, latex, unicode, ascii_text):
    assert [spell(letter, medium) for medium in MEDIA] == [latex, unicode, ascii_text]


@pytest.mark.parametrize(("letter", "reason"), [
    ("", "a letter cannot be empty, or begin or end with a blank"), ("W ", "a letter cannot be empty, or begin or end with a blank"),
    ("W$", "a letter cannot hold '$'; write it in math mode, without dollars"),
    ("W h", "a letter cannot hold ' '; write it in math mode, without dollars"),
    ("é", "LaTeX has no letter 'é'; write it as a command"),
    ("W\\", "a backslash without a command"),
    (r"\mathbf{W", "a brace opens and does not close"), ("W}", "a brace closes and did not open"),
    ("W^a^b", "a second ^ on one base"), ("W^{a^b^c}", "a second ^ on one base"), (r"\tau_a_b", "a second _ on one base"),
    ("W_", "nothing after _ or ^"), ("W^", "nothing after _ or ^"), ("W_^a", "nothing after _ or ^"),
    ("_h", "nothing in front of the script"),
])
def test_a_letter_that_cannot_be_printed_is_refused(letter, reason):
    assert fault(letter) == reason


@pytest.mark.parametrize("letter", ["W", "W_hh", "W^f", r"\mathcal{W}_{rec}", r"W^{a^2 b^2}", "c_tilde", "h_enc_1", "τ"])
def test_a_letter_that_can_be_printed_has_no_fault(letter):
    assert fault(letter) == ""


@pytest.mark.parametrize(("name", "latex", "unicode", "ascii_text"), [
    ("h", ("h", ""), ("h", ""), ("h", "")),
    ("W_hh", ("W", "hh"), ("W", "hh"), ("W", "hh")),
    ("c_tilde", (r"\tilde{c}", ""), ("c\u0303", ""), ("c_tilde", "")),
    ("y_hat_2", (r"\hat{y}", "2"), ("\u0177", "2"), ("y_hat", "2")),
    ("ell", (r"\ell", ""), ("ℓ", ""), ("ell", "")),
    ("lambda", (r"\lambda", ""), ("λ", ""), ("lambda", "")),
    ("b_alpha", ("b", r"\alpha"), ("b", "α"), ("b", "alpha")),
    ("s_in", ("s", "in"), ("s", "in"), ("s", "in")),
    ("h_enc_1", ("h", r"\mathrm{enc},1"), ("h", "enc,1"), ("h", "enc,1")),
    ("gate_f", (r"\mathit{gate}", "f"), ("gate", "f"), ("gate", "f")),
])
def test_names_are_spelled_for_each_medium(name, latex, unicode, ascii_text):
    assert [spell(name, medium) for medium in MEDIA] == [(*parts, "") for parts in (latex, unicode, ascii_text)]


def test_letters_that_are_written_out_differ():
    assert len(set(LETTERS.values())) == len(LETTERS)


def printed_lines(name, **options):
    net = network(cell(name, **options), bias=options["bias"])
    style = Style.of(net, "notes-000")
    return {f"{writer.latex(e.lhs, style)} = {writer.latex(e.rhs, style)}" for e in net.equations}


def printed_cell(name, **options):
    source = cell(name, **options)
    style = Style.of_cell(source, "notes-000")
    return [f"{writer.latex(e.lhs, style)} = {writer.latex(e.rhs, style)}" for e in source.equations]


def test_note_000_rnn():
    assert printed_lines("rnn", bias=False) >= {
        r"a^{(t)} = W h^{(t-1)} + U x^{(t)}", r"h^{(t)} = \tau(a^{(t)})", r"a_{y}^{(t)} = V h^{(t)}",
        r"o^{(t)} = \operatorname{softmax}(a_{y}^{(t)})",
    }


def test_note_000_lstm():
    assert printed_cell("lstm", bias=False) == [
        r"f^{(t)} = \sigma(W_{f} h^{(t-1)} + U_{f} x^{(t)})",
        r"i^{(t)} = \sigma(W_{in} h^{(t-1)} + U_{in} x^{(t)})",
        r"\tilde{C}^{(t)} = \tau(W_{c} h^{(t-1)} + U_{c} x^{(t)})",
        r"C^{(t)} = f^{(t)} \ast C^{(t-1)} + i^{(t)} \ast \tilde{C}^{(t)}",
        r"o^{(t)} = \sigma(W_{o} h^{(t-1)} + U_{o} x^{(t)})",
        r"h^{(t)} = o^{(t)} \ast \tau(C^{(t)})",
    ]
    assert r"\hat{y}^{(t)} = \operatorname{softmax}(a_{y}^{(t)})" in printed_lines("lstm", bias=False)


def test_note_000_gru():
    assert printed_cell("gru", bias=False, update_gate="new") == [
        r"r^{(t)} = \sigma(U_{r} x^{(t)} + W_{r} h^{(t-1)})",
        r"u^{(t)} = \sigma(U_{u} x^{(t)} + W_{u} h^{(t-1)})",
        r"\tilde{h}^{(t)} = \tau(U x^{(t)} + W (r^{(t)} \ast h^{(t-1)}))",
        r"h^{(t)} = (1 - u^{(t)}) \ast h^{(t-1)} + u^{(t)} \ast \tilde{h}^{(t)}",
    ]


def test_note_000_gru_reset_after():
    assert printed_cell("gru-reset-after", bias=False, update_gate="new") == [
        r"r^{(t)} = \sigma(U_{r} x^{(t)} + W_{r} h^{(t-1)})",
        r"u^{(t)} = \sigma(U_{u} x^{(t)} + W_{u} h^{(t-1)})",
        r"\tilde{h}^{(t)} = \tau(U x^{(t)} + r^{(t)} \ast (W h^{(t-1)}))",
        r"h^{(t)} = (1 - u^{(t)}) \ast h^{(t-1)} + u^{(t)} \ast \tilde{h}^{(t)}",
    ]


def test_a_profile_passes_through():
    own = Notation("mine", "superscript time, nothing else", time="h^(t)")
    assert notation(own) is own
    assert notation("indexed") is PROFILES["indexed"]


def test_an_unknown_notation_is_refused_with_the_nearest_names():
    with pytest.raises(SpecError, match=r"^unknown notation 'pytorc'; did you mean pytorch\?$"):
        notation("pytorc")
    with pytest.raises(SpecError, match=rf"^unknown notation 'xyz'; known: {re.escape(', '.join(sorted(PROFILES)))}$"):
        Style.of(network(cell("rnn")), "xyz")


def test_a_size_keeps_its_letter_where_another_one_has_the_new_one():
    plain, windows = network(cell("rnn")), truncated(network(cell("rnn")), "J")
    assert "J" in {str(size) for size in windows.sizes}
    recurrent = next(p for p in plain.parameters if p.name == "W_hh")
    assert [Style.of(net, NOTES_000).notation.symbols.get("H") for net in (plain, windows)] == ["J", None]
    assert [shape_text(recurrent.shape, "×", Style.of(net, NOTES_000, "unicode")) for net in (plain, windows)] == ["J×J", "H×H"]


def test_a_static_and_a_series_keep_their_adjoint_marks_apart():
    style = Style(medium="unicode")
    shown = [writer.formula(q, style) for q in (Static("W"), Static("W", (1,)), Static("W", (2,)), Static("W", (1, 2)))]
    assert shown == ["W", "∂L/∂W", "δ²W", "δ²δW"]
