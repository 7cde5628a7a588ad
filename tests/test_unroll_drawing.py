"""Drawings of unrolled graphs: what is in them, that they are well formed, that pdflatex sets them."""

from __future__ import annotations

import re
import subprocess
from xml.etree import ElementTree as ET

import pytest

from symrnn.cells import cell
from symrnn.errors import NotSupportedError
from symrnn.networks import architecture, network
from symrnn.networks.truncation import truncated
from symrnn.unrolling import unroll

SVG = "{http://www.w3.org/2000/svg}"
RNN = network(cell("rnn"))
NETWORKS = {
    "rnn": lambda: RNN,
    "lstm": lambda: network(cell("lstm")),
    "gru": lambda: network(cell("gru")),
    "many-to-one": lambda: network(cell("rnn"), task="many-to-one"),
    "stacked": lambda: architecture("stacked", cell("rnn"), layers=2),
    "bidirectional": lambda: architecture("bidirectional", cell("rnn")),
    "encoder-decoder": lambda: architecture("encoder-decoder", cell("rnn")),
    "output fed back": lambda: network(cell("rnn"), task="one-to-many", feed="output"),
}


def drawn(unrolled):
    """Names in circles, arrows forward, arrows back, texts on arrows."""
    root = ET.fromstring(unrolled.svg())
    texts = ["".join(text.itertext()).replace("\u200b", "").replace("\u200a", "") for text in root.iter(f"{SVG}text")]
    paths = [path for path in root.iter(f"{SVG}path") if path.get("marker-end")]
    back = [path for path in paths if path.get("stroke-dasharray")]
    return len(list(root.iter(f"{SVG}circle"))), len(paths) - len(back), len(back), texts


def test_the_rnn_is_drawn():
    circles, forward, back, texts = drawn(unroll(RNN, 3))
    assert circles == 13  # three inputs, outputs and losses, four states
    assert forward == 12 + 1  # and one in the legend
    assert back == 9 + 1  # no gradient of the inputs
    assert {"h0", "h3", "x1", "ŷ2", "ℓ3", "Whh", "WhhT".replace("T", "ᵀ"), "Wxh", "Why"} <= set(texts)


def test_the_gradient_of_inputs_is_drawn_where_it_is_asked_for():
    assert drawn(unroll(RNN, 3, wrt="x"))[2] == drawn(unroll(RNN, 3))[2] + 3


def test_a_stopped_gradient_has_no_arrow():
    whole, cut = drawn(unroll(RNN, 4)), drawn(unroll(truncated(RNN, 2), 4))
    assert cut[:2] == whole[:2]
    assert cut[2] == whole[2] - 1


def test_many_steps_are_drawn_with_dots():
    circles, *_, texts = drawn(unroll(RNN, 100))
    assert circles == 13
    assert "…" in texts
    assert {"h1", "h2", "h100"} <= set(texts)
    assert len(unroll(RNN, 1000).svg()) < 1.1 * len(unroll(RNN, 100).svg())


def test_width_grows_with_the_steps():
    narrow, wide = (float(ET.fromstring(unroll(RNN, steps).svg()).get("width", "0")) for steps in (2, 5))
    assert wide > 1.8 * narrow


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_is_drawn_inside_the_frame(name):
    root = ET.fromstring(unroll(NETWORKS[name](), 3).svg())
    width, height = float(root.get("width", "0")), float(root.get("height", "0"))
    places = [(float(c.get("cx", "-1")), float(c.get("cy", "-1"))) for c in root.iter(f"{SVG}circle")]
    assert all(23 < x < width - 23 and 23 < y < height - 23 for x, y in places)
    assert len(places) == len(set(places))


def test_the_lstm_has_a_lane_for_each_state():
    root = ET.fromstring(unroll(network(cell("lstm")), 3).svg())
    rows = {float(c.get("cy", "0")) for c in root.iter(f"{SVG}circle")}
    assert len(rows) == 5


def test_attention_is_refused():
    net = architecture("encoder-decoder", cell("rnn"), attention="dot")
    with pytest.raises(NotSupportedError, match=r"^the drawing shows who reads whom at which time, and .* reads a whole sequence at once; draw"):
        unroll(net, 2).svg()


@pytest.mark.full
@pytest.mark.parametrize("name", NETWORKS)
def test_tikz_is_set_by_pdflatex(name, tmp_path):
    if subprocess.run(["kpsewhich", "tikz.sty", "standalone.cls"], capture_output=True, check=False).stdout.count(b"\n") < 2:
        pytest.skip("TikZ or standalone is not installed")
    for profile in ("indexed", "notes-000"):
        (tmp_path / "all.tex").write_text(unroll(NETWORKS[name](), 3, notation=profile).tikz(), encoding="utf-8")
        subprocess.run(["pdflatex", "-interaction=nonstopmode", "all.tex"], cwd=tmp_path, capture_output=True, check=False, timeout=100)
        assert re.findall(r"^!.*", (tmp_path / "all.log").read_text(encoding="utf-8", errors="replace"), re.M) == []
        assert (tmp_path / "all.pdf").stat().st_size > 10_000
