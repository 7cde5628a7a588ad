"""Plain recurrent layer for minibatches: x is (N, T, D), the states are (N, T, H)."""
import numpy as np


def step_fwd(x_t, h_prev, Wx, Wh, b):
    a = x_t.dot(Wx) + h_prev.dot(Wh) + b
    h_t = np.tanh(a)
    return h_t, (x_t, h_prev, Wx, Wh, h_t)


def step_bwd(dh_t, cache):
    x_t, h_prev, Wx, Wh, h_t = cache
    da = dh_t * (1 - h_t ** 2)
    dx_t = da.dot(Wx.T)
    dh_prev = da.dot(Wh.T)
    dWx = x_t.T.dot(da)
    dWh = h_prev.T.dot(da)
    db = np.sum(da, axis=0)
    return dx_t, dh_prev, dWx, dWh, db


def seq_fwd(x, h0, Wx, Wh, b):
    N, T, D = x.shape
    h = np.zeros((N, T, b.size))
    caches = []
    prev = h0
    for t in range(T):
        prev, cache = step_fwd(x[:, t, :], prev, Wx, Wh, b)
        h[:, t, :] = prev
        caches.append(cache)
    return h, caches


def seq_bwd(dh, caches):
    N, T, H = dh.shape
    Wx = caches[0][2]
    D = Wx.shape[0]
    dx = np.zeros((N, T, D))
    dWx, dWh, db = np.zeros((D, H)), np.zeros((H, H)), np.zeros(H)
    dh_next = np.zeros((N, H))
    for t in reversed(range(T)):
        dx[:, t, :], dh_next, dWx_t, dWh_t, db_t = step_bwd(dh[:, t, :] + dh_next, caches[t])
        dWx += dWx_t
        dWh += dWh_t
        db += db_t
    dh0 = dh_next
    return dx, dh0, dWx, dWh, db
