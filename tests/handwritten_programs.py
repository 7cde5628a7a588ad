"""Programs that a stranger could have written, and mistakes made by editing their source."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from symrnn.verify import Report
from symrnn.verify.handwritten.process import verify_file

FOLDER = Path(__file__).parent / "programs" / "handwritten"


class Entry(NamedTuple):
    """How a program is verified: class, forward, backward."""

    forward: str = ""
    backward: str = ""
    target: str = ""


RIGHT = {
    "batch_lstm": Entry("lstm_forward", "lstm_backward"),
    "column_rnn": Entry("forward", "backward"),
    "char_rnn": Entry("loss_fun"),
    "class_rnn": Entry(target="RNN"),
    "layers_gru": Entry(target="TimeGRU"),
    "course_lstm": Entry("lstm_forward", "lstm_backward"),
    "vector_gru": Entry("step", "step_back"),
    "mean_loss": Entry("loss_forward", "loss_backward"),
    "slots_lstm": Entry("LSTM.forward", "LSTM.backward"),
    "peephole": Entry("forward", "backward"),
    "token_model": Entry("loss", "bptt", "Model"),
    "many_to_one": Entry("fwd", "bwd"),
    "recompute": Entry("run", "run_back"),
    "loss_object": Entry(target="Network"),
    "course_characters": Entry("rnn_forward", "rnn_backward"),
}


class Mistake(NamedTuple):
    """An edit of a right program, the outputs that it spoils, and their verdict.

    The outputs are ended by ``!`` where all others stay right.
    """

    program: str
    old: str
    new: str
    outputs: str
    verdict: str = "wrong"


WRONG = [
    Mistake("loss_object", "dz/=N*T", "dz/=T", "self.grads['Wx'] self.grads['V']", "right up to a factor"),
    Mistake("loss_object", "+dn)*(1-self.hs[t]**2)", ")*(1-self.hs[t]**2)", "self.grads['Wx'] self.grads['Wh'] self.grads['b']!", "truncated"),
    Mistake("course_characters", "np.dot(parameters['Waa'].T,daraw)", "np.dot(parameters['Waa'].T,da)", "gradients['dWax'] gradients['dWaa']"),
    Mistake("course_characters", "gradients['db']+=daraw", "gradients['db']+=da", "gradients['db']!"),
    Mistake("batch_lstm", "(1-t**2)", "(1-next_c**2)", "dx dh0 dWx dWh db"),
    Mistake("batch_lstm", "dg*(1-g**2)", "dg*(1-np.tanh(g)**2)", "dx dWx"),
    Mistake("batch_lstm", "di*i*(1-i)", "di", "dx dWx"),
    Mistake("batch_lstm", "dh[:, t, :] + dph, dpc", "dh[:, t, :], np.zeros((N, H))", "dx dh0 dWx dWh db!", "truncated"),
    Mistake("batch_lstm", "dh[:, t, :] + dph, dpc", "dh[:, t, :] + dph, 0*dpc", "dx dh0 dWx dWh db"),
    Mistake("batch_lstm", "df = dnext_c*prev_c", "df = dnext_c*next_c", "dWx dx db"),
    Mistake("batch_lstm", "dWx += a;", "dWx = a;", "dWx!"),
    Mistake("batch_lstm", "db += c", "db = db + c/N", "db!", "right up to a factor"),
    Mistake("batch_lstm", "    return dx, dh0", "    dWx /= T; dWh /= T; db /= T; dx /= T; dh0 = dh0/T\n    return dx, dh0",
            "dx dh0 dWx dWh db!", "right up to a factor"),
    Mistake("batch_lstm", "    return dx, dh0", "    dWh = dWh.clip(-1, 1); dWx = np.minimum(np.maximum(dWx, -5), 5)\n    return dx, dh0",
            "dWh dWx", "clipped"),
    Mistake("column_rnn", "carry = U.T @ da", "carry = U @ da", "dxs grads['W'] grads['U'] grads['b']"),
    Mistake("column_rnn", "grads[\"U\"] += da @ hs[t - 1].T", "grads[\"U\"] += da @ hs[t].T", "grads['U']!"),
    Mistake("column_rnn", "grads[\"b\"] += da", "grads[\"b\"] = da", "grads['b']!"),
    Mistake("column_rnn", "        carry = U.T @ da\n", "", "grads['W'] grads['U'] grads['b']", "truncated"),
    Mistake("char_rnn", "dhraw = (1 - hs[t] * hs[t]) * dh", "dhraw = (1 - hs[t] * hs[t]) * np.dot(Why.T, dy) + dhnext", "dWxh dWhh dbh"),
    Mistake("char_rnn", "        dy[targets[t]] -= 1\n", "", "dWxh dWhh dbh dWhy dby"),
    Mistake("class_rnn", "prev = self.h[:, t - 1] if t > 0 else self.h0", "prev = self.h[:, t - 1]", "self.dWh!"),
    Mistake("class_rnn", "carry = dot(da, self.Wh.T)", "carry = 0*da", "dx self.dWx self.dWh self.db", "truncated"),
    Mistake("class_rnn", "self.db += da.sum(axis=0)", "self.db += da.mean(axis=0)", "self.db!", "right up to a factor"),
    Mistake("layers_gru", "dh_prev = dh_next * (1 - z)", "dh_prev = 0 * dh_next", "dxs self.grads[0] self.grads[1] self.grads[2]!"),
    Mistake("layers_gru", "dz = dh_next * h_hat - dh_next * h_prev", "dz = dh_next * h_hat", "dxs self.grads[0]"),
    Mistake("layers_gru", "dr = dhr * h_prev", "dr = dhr * h_hat", "dxs self.grads[1]"),
    Mistake("layers_gru", "dhs[:, t, :] + dh)", "dhs[:, t, :] - dh)", "dxs self.grads[0]"),
    Mistake("course_lstm", "dc_next + da_next * ot * (1 - np.tanh(c_next) ** 2)",
            "dc_next + da_next * ot * (1 - np.tanh(c_next)) ** 2", "gradients['dx'] gradients['dWf']"),
    Mistake("course_lstm", "dc_prev = g[\"da_prev\"], g[\"dc_prev\"]", "dc_prev = g[\"da_prev\"], dc_prev", "gradients['dx']"),
    Mistake("vector_gru", "+ drh * r +", "+ drh +", "dh!"),
    Mistake("vector_gru", "np.outer(dr, x), np.outer(dr, h)", "np.outer(dr, x), np.outer(dz, h)", "result 6!"),
    Mistake("mean_loss", "scale = 1.0 / (N * T)", "scale = 1.0 / N", "dWx dWh db", "right up to a factor"),
    Mistake("mean_loss", "0.02 * V", "0.01 * V", "dV!"),
    Mistake("slots_lstm", "            dC[t] += IFOGf[t, :, d:2 * d] * dC[t + 1]\n", "", "dX dWLSTM dc0 dh0!"),
    Mistake("slots_lstm", "dH[n - 1] += dhn", "dH[n - 1] += 2 * dhn", "dX dWLSTM"),
    Mistake("peephole", " + do * p[\"vo\"]", "", "dx dh dc"),
    Mistake("peephole", "(do * s.c_new)", "(do * s.c)", "d['vo']!"),
    Mistake("token_model", "np.arange(0, t + 1)[::-1]", "np.arange(max(0, t - 2), t + 1)[::-1]", "dU dW!", "truncated"),
    Mistake("many_to_one", "/ X.shape[0]", "", "g['Wxh'] g['Whh'] g['bh'] g['Why'] g['by']!", "right up to a factor"),
    Mistake("many_to_one", "np.where(H[t + 1] > 0, 1, 0.1)", "np.where(H[t] > 0, 1, 0.1)", "g['Wxh'] g['Whh']"),
    Mistake("recompute", "dh = dh.dot(U.T)", "dh = dh.dot(U)", "dx dh dW dU db!"),
]


def source_of(name: str) -> str:
    """The source of a right program."""
    return (FOLDER / f"{name}.py").read_text(encoding="utf-8")


def verdict_on(name: str, path: Path | None = None, *, args: Path | None = None, in_process: bool = True) -> Report:
    """Verify a program, or an edited copy of it."""
    entry = RIGHT[name]
    file = str(path or FOLDER / f"{name}.py") + (f"::{entry.target}" if entry.target else "")
    return verify_file(file, forward=entry.forward, backward=entry.backward, args=str(args or FOLDER / f"{name}.toml"), in_process=in_process)
