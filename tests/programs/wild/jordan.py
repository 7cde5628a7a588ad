import numpy as np


def forward(x, Wi, Wc, Wo, bh, bo):
    T = x.shape[0]
    y = np.zeros((T + 1, Wo.shape[0], 1))
    h = [None] * T
    for t in range(T):
        h[t] = np.tanh(np.dot(Wi, x[t].reshape(-1, 1)) + np.dot(Wc, y[t]) + bh.reshape(-1, 1))
        y[t + 1] = np.dot(Wo, h[t]) + bo.reshape(-1, 1)
    return y[1:, :, 0], (h, y)


def backward(dy, x, Wi, Wc, Wo, bh, bo, cache):
    h, y = cache
    dWi, dWc, dWo = np.zeros_like(Wi), np.zeros_like(Wc), np.zeros_like(Wo)
    dbh, dbo = np.zeros_like(bh), np.zeros_like(bo)
    carry = np.zeros((Wo.shape[0], 1))
    for t in range(x.shape[0] - 1, -1, -1):
        delta = dy[t].reshape(-1, 1) + carry
        dWo += delta @ h[t].T
        dbo += delta.ravel()
        da = (Wo.T @ delta) * (1 - h[t] ** 2)
        dWi += da @ x[t].reshape(1, -1)
        dWc += da @ y[t].T
        dbh += da.flatten()
        carry = Wc.T @ da
    return dWi, dWc, dWo, dbh, dbo
