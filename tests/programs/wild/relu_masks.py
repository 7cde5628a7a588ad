import numpy as np


def relu_forward(x, h0, Wxh, Whh, Why):
    N, T, D = x.shape
    hs = {-1: h0}
    ys = np.zeros((N, T, Why.shape[1]))
    for t in range(T):
        a = x[:, t].dot(Wxh) + hs[t - 1].dot(Whh)
        a[a < 0] = 0
        hs[t] = a
        ys[:, t] = a.dot(Why)
    return ys, (x, hs, Wxh, Whh, Why)


def relu_backward(dys, cache):
    x, hs, Wxh, Whh, Why = cache
    dx = np.zeros(x.shape)
    dWxh, dWhh, dWhy = (np.zeros(w.shape) for w in (Wxh, Whh, Why))
    dnext = np.zeros_like(hs[0])
    for t in reversed(range(x.shape[1])):
        dh = dys[:, t].dot(Why.T) + dnext
        dWhy += hs[t].T.dot(dys[:, t])
        dh[hs[t] <= 0] = 0
        dWxh += x[:, t].T.dot(dh)
        dWhh += hs[t - 1].T.dot(dh)
        dx[:, t] = dh.dot(Wxh.T)
        dnext = dh.dot(Whh.T)
    return dx, dnext, dWxh, dWhh, dWhy
