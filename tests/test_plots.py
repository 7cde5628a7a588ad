"""Pictures: what is drawn is what the record holds, with axes that say what it is; files are the same bytes each time."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from symrnn import NotSupportedError, OutputError, SpecError, cell
from symrnn.flow.measure import gradient_flow
from symrnn.plots import (
    canvas,
    lettering,
    plot_decay,
    plot_gates,
    plot_heat,
    plot_phase,
    plot_remedies,
    plot_singular_values,
    plot_training,
    save_figure,
)
from symrnn.plots.canvas import SETTINGS, STROKES, set_in_type
from symrnn.plots.wording import MEASURES

matplotlib = pytest.importorskip("matplotlib")
from matplotlib import font_manager  # noqa: E402  # after it is known to be there
from matplotlib.figure import Figure  # noqa: E402


@pytest.fixture(scope="module")
def flows():
    return [gradient_flow(cell(name), steps=30, hidden=6, heat=True, **({"forget_bias": 1.0} if name == "lstm" else {}))
            for name in ("rnn", "lstm", "gru")]


def line(axes, label):
    return next(one for one in axes.get_lines() if one.get_label() == label)


def caption(figure):
    return figure.get_supxlabel().replace("\n", " ")


def test_decay_is_the_record(flows):
    figure = plot_decay(flows)
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "rnn", "lstm, forget bias 1", "gru", "upper bound", "direct path alone"]
    for flow in flows:
        np.testing.assert_array_equal(line(axes, flow.name).get_ydata(), flow.spectral)
        np.testing.assert_array_equal(line(axes, flow.name).get_xdata(), np.arange(31))
    beside = [one for one in axes.get_lines() if one.get_label() == "_bound"]
    assert len(beside) == 3
    for one, flow in zip(beside, flows, strict=True):
        np.testing.assert_array_equal(one.get_ydata(), flow.bound)
    assert sum(one.get_label() == "_direct" for one in axes.get_lines()) == sum(flow.direct is not None for flow in flows) == 2
    assert "lag" in axes.get_xlabel()
    assert axes.get_ylabel() == r"$\|\partial s_T/\partial s_{T-j}\|_2$"
    assert "H\xa0=\xa06, T\xa0=\xa030" in caption(figure)
    assert "(hₜ, cₜ) for lstm" in caption(figure)


def test_the_axis_is_logarithmic_at_any_norm(flows):
    far = replace(flows[0], spectral=np.linspace(0, -2000, 31), bound=None)
    (axes,) = plot_decay([far]).axes
    labels = {text.get_text() for text in axes.get_yticklabels()}
    assert r"$10^{0}$" in labels
    assert any(text.startswith(r"$10^{-1") and len(text) == len(r"$10^{-1500}$") for text in labels)
    low, high = axes.get_ylim()
    assert low < -2000 < 0 < high
    np.testing.assert_array_equal(line(axes, "rnn").get_ydata(), far.spectral)


def test_a_bound_that_explodes_does_not_squash_the_rest(flows):
    (axes,) = plot_decay([replace(flows[0], bound=np.linspace(0, 900, 31))]).axes
    assert axes.get_ylim()[1] < 5


def test_a_norm_of_zero_is_named_and_left_out(flows):
    dead = np.where(np.arange(31) < 12, flows[0].spectral, -np.inf)
    (axes,) = plot_decay([replace(flows[0], spectral=dead)]).axes
    drawn = line(axes, "rnn (exactly 0 from lag 12)").get_ydata()
    assert np.isfinite(drawn[:12]).all()
    assert np.isnan(drawn[12:]).all()


def test_side_by_side_has_a_panel_for_each(flows):
    figure = plot_decay(flows, side_by_side=True)
    assert [axes.get_title() for axes in figure.axes] == [flow.name for flow in flows]
    assert len({axes.get_ylim() for axes in figure.axes}) == 1


@pytest.mark.sampled(3)
@pytest.mark.parametrize("of", list(MEASURES))
def test_each_norm_can_be_drawn(flows, of):
    (axes,) = plot_decay(flows[:1], of=of).axes
    np.testing.assert_array_equal(axes.get_lines()[0].get_ydata(), getattr(flows[0], of))
    assert axes.get_ylabel() == MEASURES[of].formula
    assert any(one.get_label() == "_bound" for one in axes.get_lines()) == (of == "spectral")


def test_heat_map_is_the_record(flows):
    figure = plot_heat(flows[1])
    axes, bar = figure.axes
    drawn = axes.collections[0].get_array()
    np.testing.assert_array_equal(np.ma.filled(drawn, np.nan).reshape(flows[1].heat.shape), flows[1].heat)
    assert np.ma.getmaskarray(drawn).reshape(flows[1].heat.shape)[0, 1:].all()
    assert axes.collections[0].get_cmap().name == "cividis"
    assert "earlier" in axes.get_xlabel()
    assert "later" in axes.get_ylabel()
    assert bar.get_ylabel() == r"$\|\partial s_t/\partial s_k\|_2$"


def test_singular_values_are_all_there(flows):
    flow = flows[1]
    (axes,) = plot_singular_values(flow).axes
    grey = [one for one in axes.get_lines() if one.get_label().startswith("_")]
    assert len(grey) == flow.singular.shape[1] == 12
    np.testing.assert_array_equal(line(axes, "largest").get_ydata(), flow.singular[:, 0])
    np.testing.assert_array_equal(line(axes, "smallest").get_xdata(), flow.singular_lags)


def test_gates_stand_over_the_times_of_the_flow(flows):
    flow = flows[1]
    top, below = plot_gates(flow).axes
    assert [one.get_label() for one in below.get_lines()] == [rf"${name}_t$" for name in flow.gates]
    np.testing.assert_array_equal(line(below, "$f_t$").get_ydata(), flow.gates["f"])
    assert list(line(below, "$f_t$").get_xdata()) == list(range(1, 31))
    drawn = line(top, "all paths")
    assert drawn.get_xdata()[0] == 30
    assert drawn.get_ydata()[0] == 0
    assert top.get_xlim() == below.get_xlim()


def test_training_shows_both_and_the_factors(flows):
    after = replace(flows[0], spectral=flows[0].spectral / 2, loss=0.125)
    left, right = plot_training(flows[0], after).axes
    np.testing.assert_array_equal(line(left, "after training").get_ydata(), after.spectral)
    total = sum(line(right, f"{kind}, before").get_ydata()[-1] for kind in flows[0].shares)
    assert total == pytest.approx(flows[0].spectral[-1] - flows[0].spectral[0], abs=1e-6)
    assert "0.125" in caption(left.figure)


def test_remedies_have_lines_and_lengths(flows):
    long = replace(flows[0], name="kept", spectral=np.zeros(31), memory=None)
    left, right = plot_remedies([flows[0], long]).axes
    assert len([one for one in left.get_lines() if not one.get_label().startswith("_")]) == 2
    assert [patch.get_width() for patch in right.patches] == [flows[0].memory, 30]
    assert [patch.get_hatch() for patch in right.patches] == [None, "///"]
    assert [text.get_text() for text in right.get_yticklabels()] == ["rnn", "kept"]
    assert [text.get_text() for text in right.texts] == [str(flows[0].memory), "more than 30"]


def rows(*, gain=False, scale=2.0):
    return [
        {"cell": "rnn", "radius": r, **({"gain": g} if gain else {}), "draw": draw, "growth": np.log10(r * g) + 0.01 * draw, "sigma_max": scale * r,
         "gamma": 1.0}
        for r in (0.25, 0.75, 1.25) for g in ((0.5, 1.0, 1.5) if gain else (1.0,)) for draw in (1, 2, 3)
    ]


def test_phase_over_one_name():
    (axes,) = plot_phase(rows()).axes
    np.testing.assert_allclose(line(axes, "rnn").get_ydata(), np.log10([0.25, 0.75, 1.25]) + 0.02)
    assert line(axes, r"$\gamma\,\sigma_{\max}(W) = 1$").get_xdata() == pytest.approx([0.5, 0.5])
    assert line(axes, r"$\rho(W) = 1$").get_xdata() == [1, 1]
    assert "radius" in axes.get_xlabel()


def test_phase_over_two_names():
    axes, bar = plot_phase(rows(gain=True)).axes
    drawn = axes.collections[0].get_array().reshape(3, 3)
    np.testing.assert_allclose(drawn, np.log10(np.outer([0.5, 1.0, 1.5], [0.25, 0.75, 1.25])) + 0.02)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["growth 0", r"$\gamma\,\sigma_{\max}(W) = 1$"]
    border = np.concatenate([path.vertices for path in axes.collections[2].get_paths()])
    np.testing.assert_allclose(border[:, 0], 0.5)
    assert ("gain" in axes.get_ylabel(), "growth" in bar.get_ylabel()) == (True, True)


@pytest.mark.parametrize(("scale", "words"), [(0.5, "Everywhere here γ σₘₐₓ(W) < 1 (at most 0.625): they vanish for certain"),
                                              (9.0, "γ σₘₐₓ(W) lies from 2.25 to 11.2: above 1 the theorem promises nothing")])
def test_phase_says_on_which_side_all_lies(scale, words):
    assert words in caption(plot_phase(rows(scale=scale)))


@pytest.mark.parametrize(("call", "message"), [
    (lambda f: plot_decay([]), r"^pictures are made of flows; got none; call gradient_flow first$"),
    (lambda f: plot_decay([1]), r"^pictures are made of a Flow, as gradient_flow returns it; got a int$"),
    (lambda f: plot_decay(f, of="spectrl"), r"^unknown norm 'spectrl'; did you mean spectral\?$"),
    (lambda f: plot_gates(f[0]), r"^rnn has no gates to draw; use plot_decay, or a cell with gates such as lstm or gru$"),
    (lambda f: plot_heat(replace(f[0], heat=None)), r"^the flow of rnn has no map over two times; measure it with gradient_flow\(\.\.\., heat=True\)$"),
    (lambda f: plot_phase([]), r"^a phase diagram is made of the rows of a sweep; got none$"),
    (lambda f: plot_phase(rows()[:1]), r"^a phase diagram has one or two axes, of radius, gain, .*; this sweep has none; sweep one or two of them$"),
    (lambda f: plot_phase([*rows(gain=True), {**rows(gain=True)[0], "cell": "gru"}]), r"^a map over radius and gain is of one cell; got rnn, gru; "),
])
def test_bad_input_is_one_line(flows, call, message):
    with pytest.raises(SpecError, match=message):
        call(flows)


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("ending", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_files_are_the_same_bytes(flows, tmp_path, ending, start):
    paths = [tmp_path / f"{number}.{ending}" for number in (1, 2)]
    for path in paths:
        save_figure(plot_decay(flows), path)
    first, second = (path.read_bytes() for path in paths)
    assert first.startswith(start)
    assert first == second
    assert b"Date" not in first.replace(b"dc:date", b"")


def test_other_endings_and_files_that_exist(flows, tmp_path):
    figure = plot_decay(flows[:1])
    with pytest.raises(SpecError, match=r"^a picture is a file that ends in \.svg, \.png or \.pdf; got '\.gif' in '.*flow\.gif'; rename it$"):
        save_figure(figure, tmp_path / "flow.gif")
    with pytest.raises(SpecError, match=r"^a picture is a file that ends in \.svg, \.png or \.pdf; got no ending in "):
        save_figure(figure, tmp_path / "flow")
    save_figure(figure, tmp_path / "flow.svg")
    with pytest.raises(OutputError, match=r"^.*flow\.svg exists; use --force to replace it, or choose another name$"):
        save_figure(figure, tmp_path / "flow.svg")
    with pytest.raises(OutputError, match=r"^cannot write .*: no such file or directory$"):
        save_figure(figure, tmp_path / "none" / "flow.svg")


def test_settings_of_the_user_are_left_alone_and_not_used(flows, tmp_path):
    with matplotlib.rc_context({"lines.linewidth": 9, "svg.hashsalt": "mine", "text.usetex": False, "axes.facecolor": "red"}):
        before = dict(matplotlib.rcParams)
        figure = plot_decay(flows)
        save_figure(figure, tmp_path / "flow.svg")
        assert dict(matplotlib.rcParams) == before
    assert isinstance(figure, Figure)
    assert line(figure.axes[0], "rnn").get_linewidth() == SETTINGS["lines.linewidth"]
    assert figure.axes[0].get_facecolor() == (1, 1, 1, 1)
    save_figure(plot_decay(flows), tmp_path / "again.svg")
    assert (tmp_path / "flow.svg").read_bytes() == (tmp_path / "again.svg").read_bytes()


def test_no_window_and_no_pyplot(tmp_path):
    code = ("import sys; from symrnn.plots import plot_phase, save_figure\n"
            "rows = [dict(cell='rnn', radius=r, draw=1, growth=r, sigma_max=r, gamma=1.0) for r in (0.5, 1.5)]\n"
            "save_figure(plot_phase(rows), sys.argv[1])\nprint('matplotlib.pyplot' in sys.modules)")
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "a.svg")], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_strokes_differ_without_colour():
    shapes = [(str(stroke.linestyle), stroke.marker) for stroke in STROKES]
    assert len(set(shapes)) == len(shapes)
    assert len({stroke.marker for stroke in STROKES}) == len(STROKES)


def test_dollars_of_a_name_are_dollars(flows, tmp_path):
    figure = plot_decay([replace(flows[0], name="cell for $5 or $6")])
    save_figure(figure, tmp_path / "flow.svg")
    assert figure.axes[0].get_legend().get_texts()[0].get_text() == r"cell for \$5 or \$6"


def drawable(manager, letters):
    try:
        return bool(lettering.families(letters, manager))
    except NotSupportedError:
        return False


@pytest.mark.parametrize("ending", ["svg", "png", "pdf"])
def test_korean_titles_have_their_letters(flows, tmp_path, ending):
    if not drawable(font_manager, "기울소실"):
        with pytest.raises(NotSupportedError, match=r"^no font of this machine has the letters "):
            plot_decay(flows[:1], title="기울기 소실: RNN")
        return
    figure = plot_decay(flows[:1], title="기울기 소실: RNN")
    save_figure(figure, tmp_path / f"flow.{ending}")  # a warning about a missing glyph would fail the test
    families = figure._suptitle.get_fontfamily()
    assert families[0] == "DejaVu Sans"
    charmap = font_manager.get_font(lettering.found_as(families[1], font_manager)).get_charmap()
    assert all(ord(letter) in charmap for letter in "기울소실")


def test_a_font_of_boxes_is_none():
    names = [entry.name for entry in lettering.candidates(font_manager)]
    assert "DejaVu Sans" in names
    assert not [name for name in names if "Last Resort" in name]


def test_a_name_with_signs_is_no_pattern():
    assert lettering.found_as("No-Such: Font", font_manager).endswith("DejaVuSans.ttf")


def test_without_a_font_no_boxes(flows, monkeypatch):
    monkeypatch.setattr(lettering, "candidates", lambda manager: [])
    lettering.families.cache_clear()
    message = r"^no font of this machine has the letters '기울소실', which would come out as boxes; install one, such as Noto Sans CJK or NanumGothic "
    with pytest.raises(NotSupportedError, match=message):
        plot_decay(flows[:1], title="기울기 소실")
    lettering.families.cache_clear()


def test_every_sign_of_the_house_is_in_its_font():
    own = lettering.own_letters(font_manager)
    assert lettering.missing("‖∂δγσρφβΣ⊙ᵀ≤≥∞·∏⋯−" + "".join([*canvas.RAISED.values(), *canvas.LOWERED.values()]), own) == ""


@pytest.mark.parametrize(("written", "set_"), [
    ("∂h_t/∂h_k ≤ (γ σ_max(W))^{t-k}", "∂hₜ/∂hₖ ≤ (γ σₘₐₓ(W))ᵗ⁻ᵏ"), ("10^-3", "10⁻³"), ("β_(t-1)", "βₜ₋₁"), ("U_z", "U_z"), ("x^(q)", "x^(q)"),
])
def test_formulas_of_captions(written, set_):
    assert set_in_type(written) == set_


def test_without_matplotlib_it_is_one_line(flows, monkeypatch, tmp_path):
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "matplotlib" else real(name, *rest))
    with pytest.raises(NotSupportedError, match=r"^matplotlib is not installed; for pictures, pip install 'symrnn\[plots\]'$"):
        plot_decay(flows)


def test_captions_name_the_condition_and_the_states():
    said = caption(plot_decay([gradient_flow(cell("rnn"), steps=5, hidden=4, radius=2.0)]))
    assert "violated: γ σₘₐₓ(Wₕₕ) < 1 (gamma = 1, " in said
    assert "promises no decay" in said
    pair = [gradient_flow(cell(name), steps=3, hidden=2) for name in ("rnn", "lstm", "gru", "mgu")]
    assert caption(plot_remedies(pair)).count("(hₜ, cₜ) for lstm; hₜ for the others.") == 1
    assert "sₜ: hₜ for rnn; (hₜ, cₜ) for lstm." in caption(plot_remedies(pair[:2]))
    assert "input weights" in plot_phase(rows(gain=True)).axes[0].get_ylabel()
