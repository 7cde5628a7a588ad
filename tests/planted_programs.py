"""Right programs by many hands, and mistakes planted in their source: what a diagnosis of mistakes is tested with.

``python tests/planted_programs.py [seen|held-out]`` prints which of the mistakes are found. The held-out third is for
counting only: nobody looks at it while the diagnosis is being written.
"""

from __future__ import annotations

import ast
import itertools
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from symrnn.verify import Report
from symrnn.verify.handwritten.findings import KINDS, Finding
from symrnn.verify.handwritten.process import verify_file

FOLDER = Path(__file__).parent / "programs" / "planted"
GROUPS = ("seen", "held out")


class Entry(NamedTuple):
    """How a program is verified: forward, backward, class."""

    forward: str = ""
    backward: str = ""
    target: str = ""


RIGHT = {
    "tanh_rows": Entry("seq_fwd", "seq_bwd"),
    "sigmoid_chars": Entry("lossAndGrads"),
    "sigmoid_vectors": Entry("forward", "backward"),
    "relu_last": Entry(target="SequenceClassifier"),
    "fused_ifog": Entry("lstm", "lstm_back"),
    "course_style": Entry("lstm_forward", "lstm_backward"),
    "bias_row": Entry("BatchLSTM.forward", "BatchLSTM.backward"),
    "layer_per_step": Entry(target="TimeLSTM"),
    "plain_output": Entry("run", "run_back"),
    "peepholes": Entry("forward", "backward"),
    "gru_zrh": Entry("gru_forward", "gru_backward"),
    "gru_after": Entry("forward_pass", "backward_pass"),
    "gru_letters": Entry("name_gradients"),
    "gru_flat": Entry("predict", "gradients"),
    "word_model": Entry("cost", "grads", "WordModel"),
    "second_run": Entry("recur", "recur_grad"),
    "forecast": Entry("compute_loss", "compute_grads"),
    "sentiment": Entry(target="SentimentLSTM"),
    "text_lstm": Entry("train_on"),
    "relu_series": Entry("fprop", "bprop"),
    "gru_slots": Entry(target="GRU"),
    "tagger": Entry("tag_loss", "tag_grad"),
    "node_lstm": Entry(target="Chain"),
    "two_layers": Entry("forward", "backward"),
    "single_step": Entry("lstm_unit", "lstm_unit_grad"),
}


@dataclass(frozen=True)
class Edit:
    """One mistake.

    Attributes:
        old: What stands in the right source, once.
        new: What a tired human wrote instead.
        kind: One of ``KINDS``; several where it can honestly be named in several ways.
        variable: What is assigned where the mistake stands.
        at: For what has no line of its own, such as a line left out: texts in the wrong source whose lines count instead.
    """

    old: str
    new: str
    kind: str | tuple[str, ...]
    variable: str
    at: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        strange = self.kinds - KINDS.keys()
        if strange:
            raise ValueError(f"{min(strange)!r} is no kind of mistake; the kinds are {', '.join(KINDS)}")

    @property
    def common(self) -> int:
        """How many letters from the beginning are the same."""
        return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(self.old, self.new, strict=False)))

    @property
    def kinds(self) -> frozenset[str]:
        """The names that it honestly goes by."""
        return frozenset([self.kind] if isinstance(self.kind, str) else self.kind)


@dataclass(frozen=True)
class Planted:
    """A wrong program: a right one with one to four mistakes."""

    program: str
    edits: tuple[Edit, ...]
    group: str

    def __str__(self) -> str:
        return f"{self.program}: " + " + ".join("/".join(sorted(edit.kinds)) for edit in self.edits)


def seen(program: str, *edits: Edit) -> Planted:
    """A wrong program that whoever writes the diagnosis may look at."""
    return Planted(program, edits, "seen")


def held(program: str, *edits: Edit) -> Planted:
    """A wrong program that is held out."""
    return Planted(program, edits, "held out")


LATER_VALUE = ("wrong time", "wrong quantity")  # c_t for c_{t-1}, where both have names of their own
NO_DERIVATIVE = ("missing derivative", "missing factor")
HALF_DERIVATIVE = ("missing factor", "wrong derivative")  # 1 - s for s (1 - s)

RECORDS = [
    seen("tanh_rows", Edit("dh_t * (1 - h_t ** 2)", "dh_t * (1 - np.tanh(h_t) ** 2)", "wrong derivative", "da")),
    seen("tanh_rows", Edit("(dh[:, t, :] + dh_next, caches[t])", "(dh[:, t, :], caches[t])", "missing carry", "dh_next")),
    held("tanh_rows",
         Edit("dh_prev = da.dot(Wh.T)", "dh_prev = da.dot(Wh)", "missing transpose", "dh_prev"),
         Edit("dWh += dWh_t", "dWh = dWh_t", "not accumulated", "dWh")),
    seen("sigmoid_chars", Edit("ds * s[k + 1] * (1 - s[k + 1])", "ds * (1 - s[k + 1] ** 2)", "wrong derivative", "da")),
    seen("sigmoid_chars",
         Edit("W_grad += da @ s[k].T", "W_grad += da @ s[k + 1].T", "wrong time", "W_grad"),
         Edit("ds_next = W.T @ da", "ds_next = W @ da", "missing transpose", "ds_next")),
    held("sigmoid_chars",
         Edit("        dy = dy / len(inputs)\n", "", "wrong scale", "dy", at=("dy = p[k].copy()", "dy[targets[k]] -= 1"))),
    seen("sigmoid_vectors", Edit("dh = C.T.dot(err) + B.T.dot(delta_next)", "dh = C.T.dot(err)", "missing carry", "dh")),
    seen("sigmoid_vectors",
         Edit("dd += err", "dd = err", "not accumulated", "dd"),
         Edit("dB += np.outer(delta, h[t])", "dB += np.outer(delta, h[t+1])", "wrong time", "dB")),
    held("sigmoid_vectors",
         Edit("err = out[t] - y[t]", "err = 2*(out[t] - y[t])", "wrong scale", "err"),
         Edit("C.T.dot(err) + B.T.dot(delta_next)", "C.T.dot(err) + B.dot(delta_next)", "missing transpose", "dh"),
         Edit("delta = dh*h[t+1]*(1-h[t+1])", "delta = dh*(1-h[t+1])", HALF_DERIVATIVE, "delta")),
    seen("relu_last", Edit("dpre = dh * (self.pre[t] > 0)", "dpre = dh", NO_DERIVATIVE, "dpre")),
    seen("relu_last", Edit("dh = dpre @ self.Whh.T", "dh = dh @ self.Whh.T", ("wrong quantity", *NO_DERIVATIVE), "dh")),
    held("relu_last",
         Edit("self.dWhh += self.h[t - 1].T", "self.dWhh += self.h[t].T", "wrong time", "self.dWhh"),
         Edit("dlogits = (self.probs - self.y) * (1.0 / N)", "dlogits = self.probs - self.y", "wrong scale", "dlogits")),
    seen("fused_ifog", Edit("dag = dg * (1 - g ** 2)", "dag = dg * (1 - np.tanh(g) ** 2)", "wrong derivative", "dag")),
    seen("fused_ifog",
         Edit("di = dc_total * g", "di = dc_total * i", "wrong quantity", "di"),
         Edit("dc_prev = dc_total * f", "dc_prev = dc_total", "missing factor", "dc_prev"),
         Edit("db += grads[5]", "db = grads[5]", "not accumulated", "db")),
    held("fused_ifog", Edit("dc + dh * o * (1 - tc ** 2)", "dc + dh * (1 - tc ** 2)", "missing factor", "dc_total")),
    seen("course_style", Edit("dc_next + dh_next * ot * (1 -", "(dc_next + dh_next * ot) * (1 -", "brackets", "dc")),
    seen("course_style",
         Edit("dft = dc * c_prev", "dft = dc * c_next", LATER_VALUE, "dft"),
         Edit("dot = dh_next * np.tanh(c_next)", "dot = dh_next * c_next", "wrong quantity", "dot"),
         Edit('grads["dbi"] = np.sum(dit', 'grads["dbi"] = np.sum(dft', "wrong quantity", 'grads["dbi"]'),
         Edit("dc_prev = dc * ft", "dc_prev = dc * it", "wrong quantity", "dc_prev")),
    held("course_style", Edit('dit) + np.dot(params["Wo"].T, dot))', "dit))", "missing term", "dconcat")),
    seen("bias_row", Edit("= dC * i * (1 - g ** 2)", "= dC * i * g * (1 - g)", "wrong derivative", "dA[t, :, 2 * H:3 * H]")),
    seen("bias_row",
         Edit("dC * Cs[t] * f * (1 - f)", "dC * Cs[t + 1] * f * (1 - f)", "wrong time", "dA[t, :, H:2 * H]"),
         Edit("dW += Hin[t]", "dW = Hin[t]", "not accumulated", "dW")),
    held("bias_row",
         Edit("dH * o * (1 - Ct[t] ** 2)", "dH * o * (1 - Cs[t + 1] ** 2)", "wrong derivative", "dC"),
         Edit("dH * Ct[t] * o * (1 - o)", "dH * Ct[t] * (1 - o)", HALF_DERIVATIVE, "dA[t, :, 3 * H:]"),
         Edit("dH = dhn.copy()", "dH = np.zeros((N, H))", ("missing term", "missing carry"), "dH")),
    seen("layer_per_step", Edit("cell.backward(dhs[:, t, :] + dh, dc)", "cell.backward(dhs[:, t, :] + dh, 0)", "missing carry", "dc")),
    seen("layer_per_step",
         Edit("do @ Wo.T + dg @ Wg.T", "di @ Wo.T + dg @ Wg.T", "wrong quantity", "dx"),
         Edit("(dh_next * o) * (1 - tanh_c**2)", "(dh_next * o) * (1 - tanh_c)**2", ("brackets", "wrong derivative"), "ds")),
    held("layer_per_step", Edit("do = dh_next * tanh_c * o * (1 - o)", "do = dh_next * tanh_c", NO_DERIVATIVE, "do")),
    seen("plain_output",
         Edit('dc_later + dh * s["o"]', 'dc_later + dh * s["o"] * (1 - np.tanh(s["c"]) ** 2)',
              ("a factor too much", "wrong derivative"), "dc")),
    seen("plain_output",
         Edit('derr = s["err"] / B', 'derr = s["err"]', "wrong scale", "derr"),
         Edit('"f": dc * s["c_prev"]', '"f": dc * s["c"]', LATER_VALUE, "deltas"),
         Edit('dh_later += p["R" + k].T', 'dh_later = p["R" + k].T', ("not accumulated", "missing term"), "dh_later")),
    held("plain_output", Edit('deltas[k] @ s["h_prev"].T', 'deltas[k] @ s["h"].T', LATER_VALUE, 'grads["R" + k]')),
    seen("peepholes", Edit("(1 - tc**2) + da_o * po + dc_carry", "(1 - tc**2) + dc_carry", "missing term", "dc")),
    seen("peepholes", Edit("cp = c[t-1] if t > 0 else c0\n        tc", "cp = c[t-1]\n        tc", "wraps around", "cp")),
    held("peepholes",
         Edit("dpo += (da_o * c[t])", "dpo += (da_o * cp)", LATER_VALUE, "dpo"),
         Edit("dc * f[t] + da_i * pi + da_f * pf", "dc * f[t] + da_i * pi", "missing term", "dc_carry"),
         Edit("dpf += (da_f", "dpf = (da_f", "not accumulated", "dpf")),
    seen("gru_zrh", Edit("dh_next = dh * (1 - z)", "dh_next = dh * z", "wrong quantity", "dh_next")),
    seen("gru_zrh",
         Edit("dz = dh * (hh - h_prev)", "dz = dh * (h_prev - hh)", "wrong sign", "dz"),
         Edit("dh_next += drh * r", "dh_next += drh", "missing factor", "dh_next")),
    held("gru_zrh", Edit("+= rh.T @ da_h", "+= h_prev.T @ da_h", ("wrong quantity", "missing factor"), "dU[:, 2*H:]")),
    seen("gru_after", Edit('d_hn = d_an * m["r"]', "d_hn = d_an", "missing factor", "d_hn")),
    seen("gru_after", Edit('d_h = d_h * m["z"] + np.matmul', "d_h = np.matmul", "missing term", "d_h")),
    held("gru_after",
         Edit('d_r = d_an * m["hn"]', "d_r = d_an * h_prev", "wrong quantity", "d_r"),
         Edit("d_c_n += d_hn.sum(axis=0)", "d_c_n += d_an.sum(axis=0)", ("wrong quantity", "missing factor"), "d_c_n")),
    seen("gru_letters", Edit("(h[t-1] - m[t]) * u[t] * (1 - u[t])", "(h[t-1] - m[t]) * u[t] * (1 - r[t])", "wrong quantity", "du")),
    seen("gru_letters",
         Edit("np.dot(dm, (r[t] * h[t-1]).T)", "np.dot(dm, h[t-1].T)", "missing factor", "dRm"),
         Edit("+ np.dot(Rr.T, dr) + np.dot(Ru.T, du)", "+ np.dot(Ru.T, du)", "missing term", "dh_after"),
         Edit("dbu += du", "dbu += dr", "wrong quantity", "dbu")),
    held("gru_letters", Edit("dscore[following[t]] -= 1", "dscore[following[t]] += 1", "wrong sign", "dscore[following[t]]")),
    seen("gru_flat", Edit("dr = drh*h*r*(1-r)", "dr = drh*r*(1-r)", "missing factor", "dr")),
    seen("gru_flat",
         Edit("dout = 2*(out - target)/out.size", "dout = 2*(out - target)", "wrong scale", "dout"),
         Edit("p['Uz'].T @ dz + p['Ur'].T @ dr", "p['Uz'].T @ dz + p['Ur'] @ dr", "missing transpose", "dh_prev")),
    held("gru_flat",
         Edit("dg = dh*(1-z)*(1-g*g)", "dg = dh*z*(1-g*g)", "wrong quantity", "dg"),
         Edit("dz = dh*(h-g)*z*(1-z)", "dz = dh*(h-g)*(1-z*z)", "wrong derivative", "dz"),
         Edit("p['Wz'].T @ dz + p['Wr'].T @ dr", "p['Wz'].T @ dz", "missing term", "dx")),
    seen("word_model", Edit("later = self.R.T.dot(da)", "later = self.R.dot(da)", "missing transpose", "later")),
    seen("word_model",
         Edit("            dscore = dscore / T\n", "", "wrong scale", "dscore", at=("dscore = prob[t].copy()", "dscore[nexts[t]] -= 1.0"))),
    held("word_model",
         Edit("ds = self.O.T.dot(dscore) + later\n            da = ds * (1 - s[t] ** 2)",
              "ds = self.O.T.dot(dscore)\n            da = ds * (1 - s[t] ** 2) + later", "brackets", "da", at=("da = ds",))),
    seen("second_run", Edit("back = back + grad_states[t - 1]", "back = grad_states[t - 1]", "missing carry", "back")),
    seen("second_run",
         Edit("states[t - 1], local)", "states[t], local)", "wrong time", "grad_Wr"),
         Edit("grad_bias += local.sum(axis=0)", "grad_bias += local.mean(axis=0)", "wrong scale", "grad_bias")),
    held("second_run", Edit('"nh,kh->nk"', '"nh,hk->nk"', "missing transpose", "back")),
    seen("forecast", Edit("        if t > 0:\n            dWh +=", "        dWh +=", "wraps around", "dWh")),
    seen("forecast",
         Edit("scale = 1.0 / (N * T)", "scale = 1.0 / N", "wrong scale", "scale"),
         Edit("dWo = 0.01 * Wo", "dWo = init_buffers(Wo.shape)", "missing term", "dWo")),
    held("forecast",
         Edit("dh = dpred.dot(Wo.T) + dh_future", "dh = dpred.dot(Wo.T)", "missing carry", "dh"),
         Edit("dbo += dpred", "dbo = dpred", "not accumulated", "dbo")),
    seen("sentiment", Edit('dc = dc + dh * s["o"]', 'dc = dh * s["o"]', ("missing carry", "missing term"), "dc")),
    seen("sentiment",
         Edit("dy = (self.y - self.labels) / N", "dy = self.y - self.labels", "wrong scale", "dy"),
         Edit('dc * s["i"] * (1 - s["g"] ** 2)', 'dc * s["i"] * s["g"] * (1 - s["g"])', "wrong derivative", "d_g"),
         Edit('grads["db_" + gate] += d', 'grads["db_" + gate] = d', "not accumulated", 'grads["db_" + gate]')),
    held("sentiment", Edit('dc * s["c_old"] * s["f"]', 'dc * s["c"] * s["f"]', LATER_VALUE, "d_f")),
    seen("text_lstm",
         Edit("return 1 - s * s", "return 1 - s", "wrong derivative", "tanh_prime",
              at=("return 1 - s", "tanh_prime(tm)", 'tanh_prime(k["new"])'))),
    seen("text_lstm", Edit("tanh_prime(tm)", 'tanh_prime(k["m"])', "wrong derivative", "dm")),
    held("text_lstm",
         Edit("dm = dm_next.copy()", "dm = np.zeros_like(dm_next)", ("missing carry", "missing term"), "dm"),
         Edit('dkeep = dm * k["m_old"]', 'dkeep = dm * k["m"]', LATER_VALUE, "dkeep"),
         Edit('dw["write_b"] += dwrite', 'dw["write_b"] += dkeep', "wrong quantity", 'dw["write_b"]'),
         Edit(' + w["show"].T @ dshow', "", "missing term", "dhx")),
    seen("relu_series", Edit("h[:, :, t-1] if t > 0 else np.zeros((H, N))", "h[:, :, t-1]", "wraps around", "before")),
    seen("relu_series",
         Edit("ge = 2 * e[:, :, t] / T", "ge = e[:, :, t] / T", "wrong scale", "ge"),
         Edit("pending = np.dot(R.T, ga)", "pending = np.dot(R, ga)", "missing transpose", "pending")),
    held("relu_series", Edit("gh = np.dot(Q.T, ge) + pending", "gh = np.clip(np.dot(Q.T, ge) + pending, -1, 1)", "clipped", "gh")),
    seen("gru_slots", Edit("dh = dh * (1 - z) + drh * r", "dh = dh + drh * r", "missing factor", "dh")),
    seen("gru_slots",
         Edit("self.dWr += np.dot(hx.T, dpr)", "self.dWr += np.dot(rhx.T, dpr)", "wrong quantity", "self.dWr"),
         Edit("dhx[:, H:] + drhx[:, H:]", "dhx[:, H:]", "missing term", "dx[t]")),
    held("gru_slots",
         Edit("dpz = dh * (n - h)", "dpz = dh * (n + h)", "wrong sign", "dpz"),
         Edit("dpr = drh * h * r * (1 - r)", "dpr = drh * h", NO_DERIVATIVE, "dpr")),
    seen("tagger", Edit("dlogit /= N * T", "dlogit /= N", "wrong scale", "dlogit")),
    seen("tagger",
         Edit("dc * g * i * (1 - i)", "dc * g * (1 - i)", HALF_DERIVATIVE, "da[:, 2*H:3*H]"),
         Edit("dc_in = dc * f", "dc_in = dc * i", "wrong quantity", "dc_in"),
         Edit("W_rec_grad += h_list[t].T", "W_rec_grad += h_list[t+1].T", "wrong time", "W_rec_grad")),
    held("tagger", Edit("dh_in = da @ W_rec.T", "dh_in += da @ W_rec.T", ("a term too much", "doubled term"), "dh_in")),
    seen("node_lstm", Edit("ev[self.n_x:], self.f * es", "ev[self.n_x:], es", "missing factor", "es")),
    seen("node_lstm",
         Edit("here[0] = 2 * (", "here[0] = (", "wrong scale", "here[0]"),
         Edit("ev += st.F.T.dot(ef)", "ev += st.F.T.dot(ei)", "wrong quantity", "ev")),
    held("node_lstm",
         Edit("eh * self.o * (1 - self.ts ** 2)", "eh * self.o", NO_DERIVATIVE, "es"),
         Edit("st.dba += ea", "st.dba += ei", "wrong quantity", "st.dba"),
         Edit("ev += st.O.T.dot(eo)", "ev += st.O.T.dot(eo)\n        ev += st.O.T.dot(eo)", "doubled term", "ev", at=("ev += st.O",))),
    seen("two_layers", Edit("d1 = (W2.T.dot(d2) + from_next1)*(1", "d1 = W2.T.dot(d2) + from_next1*(1", "brackets", "d1")),
    seen("two_layers",
         Edit("db2 = db2 + d2", "db2 = d2", "not accumulated", "db2"),
         Edit("from_next2 = R2.T.dot(d2)", "from_next2 = np.clip(R2.T.dot(d2), -0.5, 0.5)", "clipped", "from_next2")),
    held("two_layers",
         Edit("e = q[t-1] - labels[t-1]", "e = (q[t-1] - labels[t-1])*q[t-1]*(1 - q[t-1])", "a factor too much", "e")),
    seen("single_step", Edit("dc = dcell*f", "dc = dc_out*f", ("wrong quantity", "missing term"), "dc")),
    seen("single_step", Edit("dai = dcell*g*i*(1 - i)", "dai = dcell*g*i", HALF_DERIVATIVE, "dai")),
    held("single_step", Edit("(1 - th*th)", '(1 - memory["c_out"]**2)', "wrong derivative", "dcell")),
    seen("fused_ifog",
         Edit("df = dc_total * c_prev", "df = dc_total * c_prev + dc * c_prev", "doubled term", "df"),
         Edit("dai = di * i * (1 - i)", "dai = di * (1 - i)", HALF_DERIVATIVE, "dai"),
         Edit("dao = do * o * (1 - o)", "dao = do * o * (1 - o ** 2)", "wrong derivative", "dao"),
         Edit("dWh += grads[4]", "dWh = grads[4]", "not accumulated", "dWh")),
    seen("course_style",
         Edit("dc_prev = dc * ft", "dc_prev = dc * ft + dc_next * ft", "doubled term", "dc_prev"),
         Edit('grads["dbo"] = np.sum(', 'grads["dbo"] = np.mean(', "wrong scale", 'grads["dbo"]')),
    held("layer_per_step",
         Edit("df = ds * c_prev * f", "df = ds * c_next * f", LATER_VALUE, "df"),
         Edit("dg = ds * i * (1 - g**2)", "dg = ds * g * (1 - g**2)", "wrong quantity", "dg"),
         Edit("= d.sum(axis=0)", "= d.mean(axis=0)", "wrong scale", "self.grads[3 * k + 2][...]"),
         Edit("df @ Uf.T + di @ Ui.T", "df @ Uf.T + di @ Ui", "missing transpose", "dh_prev")),
    seen("gru_flat", Edit("p['Wz'].T @ dz + p['Wr'].T", "p['Wz'].T @ dz + p['Wz'].T @ dz + p['Wr'].T", "doubled term", "dx")),
    seen("word_model", Edit("dE[:, words[t]] += da", "dE[:, words[t]] += da * (1 - s[t] ** 2)", "a factor too much", "dE[:, words[t]]")),
    held("relu_last",
         Edit("self.dWhy = self.h[T - 1].T @ dlogits", "self.dWhy = self.h[T - 1].T @ dlogits + 0.001 * self.Why",
              "a term too much", "self.dWhy")),
    seen("text_lstm",
         Edit("dh += dh_next", "dh -= dh_next", "wrong sign", "dh"),
         Edit("dnew = dm * k[\"write\"]", "dnew = dm * k[\"keep\"]", "wrong quantity", "dnew"),
         Edit('dw["keep"] += dkeep', 'dw["keep"] = dkeep', "not accumulated", 'dw["keep"]'),
         Edit('k["keep"] * dm', "dm", "missing factor", "dm", at=("return dhx[:H]",))),
    seen("relu_series",
         Edit("gh = np.dot(Q.T, ge) + pending\n        ga = gh * (h[:, :, t] > 0)",
              "gh = np.dot(Q.T, ge)\n        ga = pending + gh * (h[:, :, t] > 0)", "brackets", "ga", at=("ga = pending",))),
    held("gru_slots", Edit("dh * (1 - z) + drh * r + dhx[:, :H]", "dh * (1 - z) + drh * r + dhx[:, :H] + drhx[:, :H]",
                           ("a term too much", "doubled term"), "dh")),
    seen("tagger",
         Edit("tanh_c = np.tanh(c_list[t+1])", "tanh_c = np.tanh(c_list[t])", "wrong time", "tanh_c"),
         Edit("da[:, H:2*H] = dc * i * (1 - g**2)", "da[:, H:2*H] = dc * i * (1 - g)", "wrong derivative", "da[:, H:2*H]"),
         Edit("bias_grad += da.sum(axis=0)", "bias_grad += da.sum(axis=0) / N", "wrong scale", "bias_grad")),
    seen("relu_last", Edit("dlogits = (self.probs - self.y)", "dlogits = (self.y - self.probs)", "wrong sign", "dlogits")),
    held("forecast",
         Edit("        if t > 0:\n            dWh +=", "        dWh +=", "wraps around", "dWh"),
         Edit("dWo += h[:, t].T.dot(dpred)", "dWo += h[:, t].T.dot(dpred) + 0.01 * Wo", ("doubled term", "a term too much"), "dWo")),
    seen("tanh_rows",
         Edit("    return dx, dh0, dWx", "    dWx, dWh, db = [np.clip(grad, -1, 1) for grad in (dWx, dWh, db)]\n    return dx, dh0, dWx",
              "clipped", "dWx", at=("np.clip",))),
    seen("plain_output",
         Edit('"i": dc * s["g"] * s["i"] * (1 - s["i"])', '"i": dc * s["g"] * s["i"]', HALF_DERIVATIVE, "deltas"),
         Edit('dc_later = dc * s["f"]', "dc_later = dc", "missing factor", "dc_later")),
    held("gru_zrh",
         Edit("+= da_r @ Ur.T", "+= da_r @ Ur", "missing transpose", "dh_next"),
         Edit("da_z = dz * z * (1 - z)", "da_z = dz * (1 - z ** 2)", "wrong derivative", "da_z"),
         Edit("db += da.sum", "db = da.sum", "not accumulated", "db")),
    seen("bias_row",
         Edit("dA[t, :, :H] = dC * g * i", "dA[t, :, :H] = dC * i * i", "wrong quantity", "dA[t, :, :H]"),
         Edit("            dC = dC * f\n", "            dC = dC * o\n", "wrong quantity", "dC")),
    seen("peepholes",
         Edit("h[t-1] if t > 0 else h0\n        cp = c[t-1] if t > 0 else c0\n        tc", "h[t-1]\n        cp = c[t-1] if t > 0 else c0\n        tc",
              "wraps around", "hp"),
         Edit("da_f = dc * cp", "da_f = dc * c[t]", LATER_VALUE, "da_f"),
         Edit("dc * f[t] + da_i * pi", "dc * f[t] + dc * i[t] * pi", ("wrong quantity", "missing factor"), "dc_carry")),
    held("single_step",
         Edit("daf = dcell*c*f*(1 - f)", "daf = dcell*c*(1 - f*f)", "wrong derivative", "daf"),
         Edit("dc_out + dh_out*o*(1", "dh_out*o*(1", ("missing term", "missing carry"), "dcell")),
    seen("sentiment",
         Edit('grads["dW_y"] = self.h.T @ dy', 'grads["dW_y"] = self.h.T @ dy + 0.01 * p["W_y"]', "a term too much", 'grads["dW_y"]')),
    seen("second_run",
         Edit("local = back * (1.0 - states[t] * states[t])", "local = back * (1.0 - states[t])", "wrong derivative", "local"),
         Edit('"nh,kh->nk", local, Wr)', '"nh,kh->nk", local, Wr) + local', "a term too much", "back")),
    held("word_model",
         Edit("dO += np.outer(dscore, s[t])", "dO += np.outer(dscore, s[t - 1])", "wrong time", "dO"),
         Edit("ds = self.O.T.dot(dscore) + later", "ds = self.O.T.dot(dscore)", "missing carry", "ds")),
    seen("gru_letters", Edit("d_reset_h * h[t-1] * r[t] * (1 - r[t])", "d_reset_h * h[t-1]", NO_DERIVATIVE, "dr")),
    seen("sigmoid_chars",
         Edit("da = ds * s[k + 1] * (1 - s[k + 1])", "da = ds", NO_DERIVATIVE, "da"),
         Edit("c_grad += dy", "c_grad = dy", "not accumulated", "c_grad")),
    held("course_style", Edit("dft = dc * c_prev * ft * (1 - ft)", "dft = dc * c_prev * ft * 1 - ft", "brackets", "dft")),
]


def source_of(name: str) -> str:
    """The source of a right program."""
    return (FOLDER / f"{name}.py").read_text(encoding="utf-8")


def edited(program: str, edits: Sequence[Edit]) -> tuple[str, list[int]]:
    """The source with mistakes, and for each of them the place in it where it begins to differ."""
    source = source_of(program)
    for edit in edits:
        if source.count(edit.old) != 1:
            raise ValueError(f"{program}: {edit.old!r} stands there {source.count(edit.old)} times; expected once")
    order = sorted(edits, key=lambda edit: source.index(edit.old))
    found, text, done = {}, "", 0
    for edit in order:
        start = source.index(edit.old)
        if start < done:
            raise ValueError(f"{program}: two mistakes overlap at {edit.old!r}; plant them in one edit, or apart")
        text += source[done:start]
        found[edit] = len(text) + edit.common
        text, done = text + edit.new, start + len(edit.old)
    return text + source[done:], [found[edit] for edit in edits]


def line_of(text: str, place: int) -> int:
    """The number of the line of a place."""
    return text.count("\n", 0, place) + 1


def lines_with(text: str, mark: str) -> list[int]:
    """The numbers of the lines in which a text stands."""
    found = [number for number, line in enumerate(text.splitlines(), 1) if mark in line]
    if not found:
        raise ValueError(f"no line has the place {mark!r}; expected a text of the wrong source")
    return found


def first_line(tree: ast.Module, line: int) -> int:
    """The line where the statement begins that goes over a line."""
    over = [node for node in ast.walk(tree) if isinstance(node, ast.Assign | ast.AugAssign | ast.Return | ast.Expr)
            and node.lineno <= line <= (node.end_lineno or node.lineno)]
    return max((node.lineno for node in over), default=line)


def planted_lines(program: str, edits: Sequence[Edit]) -> list[frozenset[int]]:
    """For each mistake the lines of the wrong source that count as its place: its own, and where its statement begins."""
    text, places = edited(program, edits)
    tree = ast.parse(text)
    found = []
    for edit, place in zip(edits, places, strict=True):
        own = [number for mark in edit.at for number in lines_with(text, mark)] or [line_of(text, place)]
        found.append(frozenset(own) | {first_line(tree, line) for line in own})
    return found


def verdict_on(program: str, edits: Sequence[Edit] = ()) -> Report:
    """Verify a program with mistakes, or without."""
    entry = RIGHT[program]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{program}.py"
        path.write_text(edited(program, edits)[0], encoding="utf-8")
        file = str(path) + (f"::{entry.target}" if entry.target else "")
        return verify_file(file, forward=entry.forward, backward=entry.backward, args=str(FOLDER / f"{program}.toml"), in_process=True)


@dataclass(frozen=True)
class Score:
    """What a diagnosis made of a wrong program.

    Attributes:
        record: The program.
        lines: For each planted mistake the lines that count as its place.
        findings: What was found.
    """

    record: Planted
    lines: tuple[frozenset[int], ...]
    findings: tuple[Finding, ...]

    def matches(self, number: int, finding: Finding) -> bool:
        """Whether a finding names the kind and the line of a planted mistake."""
        at_line = any(place.line in self.lines[number] for place in finding.places)
        return at_line and finding.kind in self.record.edits[number].kinds

    @property
    def exact(self) -> bool:
        """Whether as many mistakes were found as were planted, each with its kind and its line."""
        numbers = range(len(self.record.edits))
        return len(self.findings) == len(numbers) and any(
            all(self.matches(number, finding) for number, finding in zip(numbers, order, strict=True))
            for order in itertools.permutations(self.findings))

    def __str__(self) -> str:
        planted = [f"{'/'.join(sorted(edit.kinds))} ({','.join(map(str, sorted(lines)))})"
                   for edit, lines in zip(self.record.edits, self.lines, strict=True)]
        found = [f"{f.kind} ({','.join(str(place.line) for place in f.places)})" for f in self.findings]
        return f"{'exact' if self.exact else '-':<6}{self.record.program:<16}{'; '.join(planted)}  |  {'; '.join(found) or 'nothing'}"


def scored(record: Planted) -> Score:
    """Verify a wrong program, and hold the findings against what was planted."""
    return Score(record, tuple(planted_lines(record.program, record.edits)), verdict_on(record.program, record.edits).diagnosis.findings)


def score(group: str, told: Callable[[Score], object] = lambda one: None) -> list[Score]:
    """Verify all wrong programs of a group; ``told`` gets each score as soon as it is there."""
    scores = []
    for record in RECORDS:
        if record.group == group:
            scores.append(scored(record))
            told(scores[-1])
    return scores


def share(scores: Iterable[Score], *, combined: bool) -> tuple[int, int]:
    """How many of the single, or of the combined, mistakes were found exactly, and of how many."""
    chosen = [one.exact for one in scores if (len(one.record.edits) > 1) == combined]
    return sum(chosen), len(chosen)


def show(line: object) -> None:
    """Write a line at once, for who waits."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def table(group: str) -> None:
    """Write the scores of a group, and the shares."""
    show(f"{group}: planted (lines)  |  found (lines)")
    scores = score(group, show)
    for name, combined in (("single", False), ("combined", True)):
        exact, number = share(scores, combined=combined)
        show(f"{group}, {name}: {exact} of {number} exact ({exact / max(number, 1):.0%})")


if __name__ == "__main__":
    wanted = [name.replace("-", " ") for name in sys.argv[1:]] or list(GROUPS)
    if set(wanted) - set(GROUPS):
        sys.exit(f"usage: python {Path(__file__).name} [seen|held-out]; got {' '.join(sys.argv[1:])}")
    for chosen in wanted:
        table(chosen)
