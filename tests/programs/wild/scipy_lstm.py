import numpy as np
from scipy.special import expit, logsumexp, softmax
import scipy.special as sp


def forward(x, y, Wx, Wh, b, Wy):
    N, T, D = x.shape
    H = Wh.shape[0]
    h, c = np.zeros((N, H)), np.zeros((N, H))
    caches = []
    loss = 0.0
    for t in range(T):
        a = x[:, t] @ Wx + h @ Wh + b
        i, f, o = np.split(expit(a[:, :3 * H]), 3, axis=1)
        g = np.tanh(a[:, 3 * H:])
        c_prev, h_prev = c, h
        c = f * c + i * g
        tc = np.tanh(c)
        h = o * tc
        logits = h @ Wy
        loss += np.sum(logsumexp(logits, axis=1) - logits[np.arange(N), y[:, t]])
        caches.append((h_prev, c_prev, i, f, o, g, tc, h, softmax(logits, axis=1)))
    return loss, caches


def backward(x, y, Wx, Wh, b, Wy, caches):
    N, T, D = x.shape
    dx, dWx, dWh, db, dWy = (np.zeros_like(v) for v in (x, Wx, Wh, b, Wy))
    dh = dc = 0
    for t in range(T - 1, -1, -1):
        h_prev, c_prev, i, f, o, g, tc, h, p = caches[t]
        dlogits = p.copy()
        dlogits[np.arange(N), y[:, t]] -= 1
        dWy += h.T @ dlogits
        dh = dh + dlogits @ Wy.T
        dc = dc + dh * o * (1 - tc ** 2)
        da = np.hstack([dc * g * i * (1 - i), dc * c_prev * f * (1 - f), dh * tc * o * (1 - o), dc * i * (1 - g ** 2)])
        dWx += x[:, t].T @ da
        dWh += h_prev.T @ da
        db += da.sum(0)
        dx[:, t] = da @ Wx.T
        dh = da @ Wh.T
        dc = dc * f
    return dx, dWx, dWh, db, dWy
