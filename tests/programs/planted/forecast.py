"""Forecast a series with a simple RNN. Mean squared error over batch and time, a little weight decay on Wo."""
import numpy as np


def init_buffers(shape):
    return np.zeros(shape, dtype=np.float32)


def compute_loss(X, Y, Wx, Wh, bh, Wo, bo):
    N, T, D = X.shape
    H = Wh.shape[0]
    h = init_buffers((N, T, H))
    pred = init_buffers((N, T, Y.shape[2]))
    for t in range(T):
        a = X[:, t].dot(Wx) + bh
        if t > 0:
            a = a + h[:, t - 1].dot(Wh)
        h[:, t] = np.tanh(a)
        pred[:, t] = h[:, t].dot(Wo) + bo
    diff = pred - Y
    loss = 0.5 * np.sum(diff ** 2) / (N * T) + 0.5 * 0.01 * np.sum(Wo * Wo)
    return loss, h, diff


def compute_grads(X, h, diff, Wx, Wh, Wo):
    N, T, D = X.shape
    scale = 1.0 / (N * T)
    dWx, dWh = init_buffers(Wx.shape), init_buffers(Wh.shape)
    dbh, dbo = init_buffers(Wh.shape[0]), init_buffers(Wo.shape[1])
    dWo = 0.01 * Wo
    dh_future = init_buffers((N, Wh.shape[0]))
    for t in range(T - 1, -1, -1):
        dpred = diff[:, t] * scale
        dWo += h[:, t].T.dot(dpred)
        dbo += dpred.sum(axis=0)
        dh = dpred.dot(Wo.T) + dh_future
        da = dh * (1 - h[:, t] ** 2)
        dWx += X[:, t].T.dot(da)
        dbh += da.sum(axis=0)
        if t > 0:
            dWh += h[:, t - 1].T.dot(da)
        dh_future = da.dot(Wh.T)
    return dWx, dWh, dbh, dWo, dbo
