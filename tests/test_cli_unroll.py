"""``symrnn unroll``: formats, files, bad input in one line."""

from __future__ import annotations

import pytest
from test_cli import refused

from symrnn import cli


def run(capsys, *args):
    assert cli.main(args) == 0
    return capsys.readouterr()


def test_formats(capsys):
    assert run(capsys, "unroll", "rnn").out.startswith("Unrolled over 3 steps: rnn, many-to-many\n")
    assert r"\begin{align*}" in run(capsys, "unroll", "lstm", "--steps", "2", "--wrt", "W_f", "--format", "latex").out
    assert run(capsys, "unroll", "gru", "--format", "markdown").out.startswith("# Unrolled over 3 steps: gru")
    assert run(capsys, "unroll", "rnn", "--format", "svg").out.startswith("<svg ")
    assert r"\begin{tikzpicture}" in run(capsys, "unroll", "rnn", "--format", "tikz").out


def test_the_format_follows_the_name_of_the_file(capsys, tmp_path):
    for name, start in (("a.svg", "<svg "), ("a.tex", "% Unrolled"), ("a.md", "# Unrolled"), ("a.tikz", "% pdflatex"), ("a", "Unrolled")):
        assert run(capsys, "unroll", "rnn", "-o", str(tmp_path / name)).err == f"symrnn: wrote {tmp_path / name}\n"
        assert (tmp_path / name).read_text(encoding="utf-8").startswith(start)
    assert "exists" in refused(capsys, "unroll", "rnn", "-o", str(tmp_path / "a.svg"))


def test_options_reach_the_network(capsys):
    assert "τ[W τ(W h^(t-2) + U x^(t-1)) + U x^(t)]" in run(
        capsys, "unroll", "rnn", "--no-bias", "--back-to", "2", "--notation", "notes-000").out
    assert "h_{bw,1}" in run(capsys, "unroll", "rnn", "--network", "bidirectional", "--steps", "2").out
    assert "σ(W_o h_0" in run(capsys, "unroll", "lstm", "--substitute", "everything").out


def test_a_long_text_has_a_note(capsys):
    assert run(capsys, "unroll", "lstm", "--steps", "90").err.startswith("symrnn: note: 90 steps are 1,")
    assert run(capsys, "unroll", "rnn", "--steps", "3").err == ""


@pytest.mark.parametrize(("args", "start"), [
    (("--steps", "0"), "argument --steps: expected a whole number from 1 on; got '0'"),
    (("--back-to", "21"), "back_to must be a whole number from 1 to 20; got 21"),
    (("--wrt", "W_hx"), "unknown quantity 'W_hx'; did you mean"),
    (("--format", "pdf"), "unknown format 'pdf'"),
    (("--substitute", "gates"), "unknown substitution 'gates'"),
    (("--network", "encoder-decoder", "--attention", "dot", "--format", "svg"), "the drawing shows who reads whom at which time"),
])
def test_bad_input(capsys, args, start):
    assert refused(capsys, "unroll", "rnn", *args).startswith(start)
