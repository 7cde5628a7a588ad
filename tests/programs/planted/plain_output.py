# LSTM whose output is NOT squashed: h = o * c.
# Columns of size H x B, the sequence is a list of D x B matrices. Squared error on the hidden state's projection.
import numpy as np


def logistic(a):
    return 0.5 * np.tanh(0.5 * a) + 0.5


def run(xs, ys, p):
    B = xs[0].shape[1]
    H = p["bi"].shape[0]
    states = []
    h, c = np.zeros((H, B)), np.zeros((H, B))
    loss = 0
    for x, y in zip(xs, ys):
        s = {"x": x, "h_prev": h, "c_prev": c}
        s["i"] = logistic(p["Wi"] @ x + p["Ri"] @ h + p["bi"])
        s["f"] = logistic(p["Wf"] @ x + p["Rf"] @ h + p["bf"])
        s["g"] = np.tanh(p["Wg"] @ x + p["Rg"] @ h + p["bg"])
        s["o"] = logistic(p["Wo"] @ x + p["Ro"] @ h + p["bo"])
        c = s["f"] * c + s["i"] * s["g"]
        h = s["o"] * c
        s["c"], s["h"] = c, h
        s["err"] = p["V"] @ h - y
        loss += np.sum(s["err"] ** 2) / (2 * B)
        states.append(s)
    return loss, states


def run_back(states, p):
    grads = {name: np.zeros_like(value) for name, value in p.items()}
    B = states[0]["x"].shape[1]
    dh_later = np.zeros_like(states[0]["h"])
    dc_later = np.zeros_like(states[0]["c"])
    for s in reversed(states):
        derr = s["err"] / B
        grads["V"] += derr @ s["h"].T
        dh = p["V"].T @ derr + dh_later
        dc = dc_later + dh * s["o"]
        deltas = {
            "i": dc * s["g"] * s["i"] * (1 - s["i"]),
            "f": dc * s["c_prev"] * s["f"] * (1 - s["f"]),
            "g": dc * s["i"] * (1 - s["g"] ** 2),
            "o": dh * s["c"] * s["o"] * (1 - s["o"]),
        }
        dh_later = np.zeros_like(dh)
        for k in "ifgo":
            grads["W" + k] += deltas[k] @ s["x"].T
            grads["R" + k] += deltas[k] @ s["h_prev"].T
            grads["b" + k] += deltas[k].sum(axis=1, keepdims=True)
            dh_later += p["R" + k].T @ deltas[k]
        dc_later = dc * s["f"]
    return grads
