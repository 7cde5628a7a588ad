"""Programs in the styles that people write: the right ones pass as they are, each planted mistake is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from wild_programs import FOLDER, WILD, wild_verdict

from symrnn.verify.handwritten import verifying
from symrnn.verify.handwritten.findings import Diagnosis

FINE = {"right", "right up to float64 constants"}


@pytest.fixture(autouse=True)
def judge_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Verdicts only, without looking for the mistakes behind them."""
    monkeypatch.setattr(verifying, "explained", lambda *about: Diagnosis())


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", WILD)
def test_right_programs_pass(name: str) -> None:
    report = wild_verdict(name)
    assert report.status == 0, str(report)
    assert report.verdicts
    assert {v.verdict for v in report.verdicts} <= FINE, str(report)
    assert all(v.evidence == "proved" for v in report.verdicts), str(report)
    assert all(v.digits is None or v.digits >= 90 for v in report.verdicts)


def test_every_program_has_an_entry() -> None:
    assert {path.stem for path in FOLDER.glob("*.py")} == set(WILD)
    assert {path.stem for path in FOLDER.glob("*.toml")} == set(WILD)


@pytest.mark.sampled(21)
@pytest.mark.parametrize(("name", "old", "new", "outputs"), [
    ("adam_step", "dh = da @ U.T", "dh = da @ U", "grads['W'] grads['U'] grads['b']!"),
    ("adam_step", "hs[t - 1].T @ da", "hs[t].T @ da", "grads['U']!"),
    ("attention", "dalpha * alpha).sum(axis=1", "dalpha * alpha).sum(axis=0", "du dx"),
    ("attention", "dh += dscore[..., None] * u", "", "dx dWx dWh db!"),
    ("batch_average", "+ dnext", "", "grads['Wxh'] grads['Whh'] grads['bh']!"),
    ("bidirectional", "for d in dboth][::-1]", "for d in dboth]", "dbw[0] dbw[1] dbw[2] dxs!"),
    ("bidirectional", "zip(dl, dr[::-1])", "zip(dl, dr)", "dxs!"),
    ("char_lstm", "dC_prev = f * dC", "dC_prev = i * dC", "parameters.W_f.d parameters.W_i.d"),
    ("char_lstm", "p.b_f.d += df", "p.b_f.d = df", "parameters.b_f.d!"),
    ("clipped_sigmoid", "sigmoid_prime(a[t])", "sigmoid_prime(s[t + 1])", "dU dW db!"),
    ("closure_rnn", "lambda dy: dy * (1 - y ** 2)", "lambda dy: dy * (1 - z ** 2)", "dx dh0 dW dU!"),
    ("course_step", "(1 - a_next ** 2) * da_next", "(1 - a_next) ** 2 * da_next", "gradients['dx'] gradients['dWax']"),
    ("cumulative", "dh = np.cumsum((v * dy)[::-1], axis=0)[::-1]", "dh = np.cumsum(v * dy, axis=0)", "dx dw du!"),
    ("dataclass_lstm", "dc = dc * f", "dc = dc * i", "dx d.W d.b!"),
    ("einsum_gru", 'np.einsum("nd,nh->dh", xt, dz)', 'np.einsum("nd,nh->dh", xt, dn)', "g['Wz']!"),
    ("einsum_gru", "dhn = dn * r", "dhn = dn", "g['Un'] g['Wr']"),
    ("encoder_decoder", "tgt[t], cache[\"dh\"][t], cache[\"dh\"][t + 1]", "tgt[t], cache[\"dh\"][t], cache[\"dh\"][t]", "ddec['W'] denc['W']"),
    ("float32_rnn", "db += np.add.reduce(da, axis=0)", "db += np.add.reduce(da[1:], axis=0)", "db!"),
    ("global_lstm", "deltas = dict(f=dc * c_old", "deltas = dict(f=dc * c", "grads['W_f'] grads['b_f']"),
    ("gru_bias_row", "dprev += dHinC[:, 1:1 + H] * r", "dprev += dHinC[:, 1:1 + H]", "dX dW dh0!"),
    ("gru_bias_row", "dX[t] = dHin[:, 1 + H:] + dHinC[:, 1 + H:]", "dX[t] = dHin[:, 1 + H:]", "dX!"),
    ("inplace_rnn", "if t > 0:", "if t >= 0:", "dU!"),
    ("jordan", "carry = Wc.T @ da", "carry = 0 * delta", "dWi dWc dWo"),
    ("keyword_rnn", "activation(hs[t + 1], derivative=True)", "activation(hs[t], derivative=True)", "grads['x'] grads['Wx']"),
    ("layernorm_rnn", " - zhat * (d * zhat).mean(axis=-1, keepdims=True)", "", "dx dW dU"),
    ("layernorm_rnn", "d = dout * gamma", "d = dout", "dx dW dU"),
    ("lstm_nodes", "di_in = st.i * (1 - st.i) * di", "di_in = st.i * di", "net.param.wi_diff net.param.bi_diff"),
    ("lstm_nodes", "dxc[p.dim:]", "dxc[:p.cells]", "net.param.wg_diff"),
    ("masked", "dh = dh * (1 - m) +", "dh =", "dx grads['dWx'] grads['dWh'] grads['db']!"),
    ("minimal_gru", "(hs[t-1]-cs[t])", "(cs[t]-hs[t-1])", "dparams"),
    ("peephole_tuple", "+ ao * weights.po", "", "dxs dh dc"),
    ("plain_lists", "sum(U[i][j] * da[i]", "sum(U[j][i] * da[i]", "dW dU db!"),
    ("relu_masks", "dh[hs[t] <= 0] = 0", "dh[hs[t] <= 1] = 0", "dx dh0 dWxh dWhh!"),
    ("rnnlm_layers", "np.add.at(dW, self.idx, dout)", "dW[self.idx] += dout", "self.layers[0].grads[0]!"),
    ("scipy_lstm", "dc = dc * f", "dc = 0 * dc", "dx dWx dWh db!"),
    ("stable_sigmoid", "grads['b_proj'] = dh.sum(axis=0)", "grads['b_proj'] = dh.mean(axis=0)", "grads['b_proj']!"),
    ("stacked", "din[:, t] = delta @ layer[\"W\"].T", "din[:, t] = delta @ layer[\"W\"].T * 0.5", "self.grads[0]['W'] dout"),
    ("tensordot_rnn", "np.tensordot(h[:-1], d_pre", "np.tensordot(h[1:], d_pre", "d_w_rec!"),
    ("time_last", "dWr += delta.dot(S[k - 1].T)", "dWr += delta.dot(S[k].T)", "dWr!"),
    ("training_class", "d_h = self.Whh.T @ temp", "d_h = self.Whh @ temp", "d_Wxh d_Whh d_bh!"),
    ("truncating", "(1 - s[bptt_step - 1] ** 2)", "(1 - s[bptt_step] ** 2)", "dLdU dLdW!"),
])
def test_wrong_programs_are_refused(name: str, old: str, new: str, outputs: str, tmp_path: Path) -> None:
    source = (FOLDER / f"{name}.py").read_text(encoding="utf-8")
    assert old in source
    path = tmp_path / f"{name}.py"
    path.write_text(source.replace(old, new), encoding="utf-8")
    report = wild_verdict(name, path)
    assert report.status == 1, str(report)
    refused = {v.name for v in report.refused}
    wanted = set(outputs.removesuffix("!").split())
    assert wanted <= refused, str(report)
    if outputs.endswith("!"):
        assert wanted == refused, str(report)
