import numpy as np


def loss_forward(x, y, Wx, Wh, b, V):
    N, T, D = x.shape
    h = np.zeros((N, Wh.shape[0]))
    states = [h]
    loss = 0.0
    for t in range(T):
        h = np.tanh(np.matmul(x[:, t], Wx) + np.matmul(h, Wh) + b)
        states.append(h)
        loss += np.sum((h @ V - y[:, t]) ** 2) / (2 * N * T)
    loss += 0.01 * np.sum(V * V)
    cache = (x, y, Wx, Wh, V, states)
    return loss, cache


def loss_backward(cache):
    x, y, Wx, Wh, V, states = cache
    N, T, D = x.shape
    scale = 1.0 / (N * T)
    dWx, dWh, dV = np.zeros(Wx.shape), np.zeros(Wh.shape), 0.02 * V
    db = np.zeros(Wh.shape[0])
    carry = np.zeros_like(states[0])
    for t in range(T, 0, -1):
        do = (states[t] @ V - y[:, t - 1]) * scale
        dV = dV + states[t].T @ do
        da = (do @ V.T + carry) * (1 - states[t] ** 2)
        dWx += x[:, t - 1].T @ da
        dWh += states[t - 1].T @ da
        db += np.sum(da, axis=0)
        carry = da @ Wh.T
    return dWx, dWh, db, dV
