import numpy as np


def sequence_forward(X, Wf, Wr):
    """X: examples x features x time"""
    m, n, T = X.shape
    Xt = X.transpose(2, 1, 0)
    S = np.zeros((T + 1, Wr.shape[0], m))
    for k in range(1, T + 1):
        S[k, ...] = np.arctan(Wf.dot(Xt[k - 1]) + Wr.dot(S[k - 1, ...]))
    return np.moveaxis(S[1:], 0, -1), S


def sequence_backward(dS, X, Wf, Wr, S):
    T = X.shape[-1]
    dWf, dWr = np.zeros(Wf.shape), np.zeros(Wr.shape)
    dX = np.zeros(X.shape)
    delta = 0.
    for k in range(T, 0, -1):
        net = Wf.dot(X[:, :, k - 1].T) + Wr.dot(S[k - 1])
        delta = (dS[..., k - 1] + delta) / (1 + net ** 2)
        dWf += delta.dot(X[:, :, k - 1])
        dWr += delta.dot(S[k - 1].T)
        dX[:, :, k - 1] = (Wf.T.dot(delta)).T
        delta = Wr.T.dot(delta)
    return dX, dWf, dWr
