"""Text generator with an LSTM. Weights in a dict, every gate over the stacked [h; x]; derivatives by small helpers."""
import numpy as np


def sigm(a):
    return 1 / (1 + np.exp(-a))


def sigm_prime(s):
    """Derivative of the sigmoid, from its value s."""
    return s * (1 - s)


def tanh_prime(s):
    """Derivative of tanh, from its value s."""
    return 1 - s * s


def read_character(char, h_old, m_old, w):
    x = np.zeros((w["out"].shape[0], 1))
    x[char] = 1
    hx = np.vstack((h_old, x))
    keep = sigm(w["keep"] @ hx + w["keep_b"])
    write = sigm(w["write"] @ hx + w["write_b"])
    new = np.tanh(w["new"] @ hx + w["new_b"])
    show = sigm(w["show"] @ hx + w["show_b"])
    m = keep * m_old + write * new
    h = show * np.tanh(m)
    e = np.exp(w["out"] @ h + w["out_b"])
    return dict(hx=hx, keep=keep, write=write, new=new, show=show, m=m, m_old=m_old, h=h, guess=e / np.sum(e))


def unread_character(target, dh_next, dm_next, k, w, dw):
    dout = k["guess"].copy()
    dout[target] -= 1
    dw["out"] += dout @ k["h"].T
    dw["out_b"] += dout
    dh = w["out"].T @ dout
    dh += dh_next
    tm = np.tanh(k["m"])
    dm = dm_next.copy()
    dm += dh * k["show"] * tanh_prime(tm)

    dshow = dh * tm * sigm_prime(k["show"])
    dnew = dm * k["write"] * tanh_prime(k["new"])
    dwrite = dm * k["new"] * sigm_prime(k["write"])
    dkeep = dm * k["m_old"] * sigm_prime(k["keep"])

    dw["show"] += dshow @ k["hx"].T
    dw["show_b"] += dshow
    dw["new"] += dnew @ k["hx"].T
    dw["new_b"] += dnew
    dw["write"] += dwrite @ k["hx"].T
    dw["write_b"] += dwrite
    dw["keep"] += dkeep @ k["hx"].T
    dw["keep_b"] += dkeep

    dhx = w["keep"].T @ dkeep + w["write"].T @ dwrite + w["new"].T @ dnew + w["show"].T @ dshow
    H = k["h"].shape[0]
    return dhx[:H], k["keep"] * dm


def train_on(chars, targets, h_start, m_start, w):
    h, m = h_start, m_start
    kept = []
    loss = 0
    for t in range(len(chars)):
        kept.append(read_character(chars[t], h, m, w))
        h, m = kept[t]["h"], kept[t]["m"]
        loss += -np.log(kept[t]["guess"][targets[t], 0])
    dw = {name: np.zeros_like(value) for name, value in w.items()}
    dh, dm = np.zeros_like(h), np.zeros_like(m)
    for t in reversed(range(len(chars))):
        dh, dm = unread_character(targets[t], dh, dm, kept[t], w, dw)
    dh_start, dm_start = dh, dm
    return loss, dw, dh_start, dm_start
