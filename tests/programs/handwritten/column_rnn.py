import numpy as np


def forward(xs, h_init, W, U, b, V, c):
    hs = {-1: h_init}
    ys = []
    for t in range(len(xs)):
        hs[t] = np.tanh(W @ xs[t] + U @ hs[t - 1] + b)
        ys.append(V @ hs[t] + c)
    return ys, (xs, hs, W, U, V)


def backward(dys, cache):
    xs, hs, W, U, V = cache
    grads = {"W": np.zeros_like(W), "U": np.zeros_like(U), "V": np.zeros_like(V)}
    grads["b"] = np.zeros((W.shape[0], 1))
    grads["c"] = np.zeros((V.shape[0], 1))
    carry = np.zeros_like(hs[-1])
    dxs = [None] * len(xs)
    for t in range(len(xs) - 1, -1, -1):
        dy = dys[t]
        grads["V"] += dy @ hs[t].T
        grads["c"] += dy
        dh = V.T @ dy + carry
        da = (1 - hs[t] ** 2) * dh
        grads["b"] += da
        grads["W"] += da @ xs[t].T
        grads["U"] += da @ hs[t - 1].T
        dxs[t] = W.T @ da
        carry = U.T @ da
    grads["h_init"] = carry
    return dxs, grads
