"""ReLU layer on columns, the time axis last: x is (D, N, T). The readout is linear, the loss a sum of squares."""
import numpy as np


def relu(a):
    return a * (a > 0)


def fprop(x, y, W, R, b, Q):
    D, N, T = x.shape
    H = b.shape[0]
    h = np.zeros((H, N, T))
    e = np.zeros((Q.shape[0], N, T))
    prev = np.zeros((H, N))
    loss = 0.0
    for t in range(T):
        prev = relu(np.dot(W, x[:, :, t]) + np.dot(R, prev) + b)
        h[:, :, t] = prev
        e[:, :, t] = np.dot(Q, prev) - y[:, :, t]
        loss += np.sum(np.square(e[:, :, t])) / T
    return loss, (x, h, e)


def bprop(cache, W, R, Q):
    x, h, e = cache
    D, N, T = x.shape
    H = R.shape[0]
    gW, gR, gb, gQ = np.zeros((H, D)), np.zeros((H, H)), np.zeros((H, 1)), np.zeros(Q.shape)
    gx = np.zeros(x.shape)
    pending = np.zeros((H, N))
    for t in range(T)[::-1]:
        ge = 2 * e[:, :, t] / T
        gQ += np.dot(ge, h[:, :, t].T)
        gh = np.dot(Q.T, ge) + pending
        ga = gh * (h[:, :, t] > 0)
        before = h[:, :, t-1] if t > 0 else np.zeros((H, N))
        gW += np.dot(ga, x[:, :, t].T)
        gR += np.dot(ga, before.T)
        gb += np.sum(ga, axis=1).reshape(-1, 1)
        gx[:, :, t] = np.dot(W.T, ga)
        pending = np.dot(R.T, ga)
    return gx, gW, gR, gb, gQ
