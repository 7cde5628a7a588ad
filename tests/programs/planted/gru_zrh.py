"""GRU, reset gate applied before the matrix product, fused weights z r h. Sequences are (N, T, D)."""
import numpy as np


def sigmoid(x):
    return 1. / (1. + np.exp(-x))


def gru_forward(x, h0, W, U, b):
    N, T, D = x.shape
    H = h0.shape[1]
    out = np.zeros((N, T, H), dtype=np.float32)
    cache = []
    h = h0
    for t in range(T):
        xt = x[:, t, :]
        xw = xt @ W + b
        z = sigmoid(xw[:, :H] + h @ U[:, :H])
        r = sigmoid(xw[:, H:2*H] + h @ U[:, H:2*H])
        rh = r * h
        hh = np.tanh(xw[:, 2*H:] + rh @ U[:, 2*H:])
        cache.append((xt, h, z, r, rh, hh))
        h = (1 - z) * h + z * hh
        out[:, t, :] = h
    return out, (cache, W, U)


def gru_backward(dout, caches):
    cache, W, U = caches
    N, T, H = dout.shape
    Uz, Ur, Uh = U[:, :H], U[:, H:2*H], U[:, 2*H:]
    dx = np.zeros((N, T, W.shape[0]), dtype=np.float32)
    dW = np.zeros(W.shape, dtype=np.float32)
    dU = np.zeros(U.shape, dtype=np.float32)
    db = np.zeros(3*H, dtype=np.float32)
    dh_next = np.zeros((N, H), dtype=np.float32)
    for t in range(T-1, -1, -1):
        xt, h_prev, z, r, rh, hh = cache[t]
        dh = dout[:, t, :] + dh_next
        dhh = dh * z
        dz = dh * (hh - h_prev)
        da_h = dhh * (1 - hh**2)
        drh = da_h @ Uh.T
        dr = drh * h_prev
        da_z = dz * z * (1 - z)
        da_r = dr * r * (1 - r)
        dh_next = dh * (1 - z)
        dh_next += drh * r
        dh_next += da_z @ Uz.T
        dh_next += da_r @ Ur.T
        da = np.concatenate([da_z, da_r, da_h], axis=1)
        dx[:, t, :] = da @ W.T
        dW += xt.T @ da
        dU[:, :H] += h_prev.T @ da_z
        dU[:, H:2*H] += h_prev.T @ da_r
        dU[:, 2*H:] += rh.T @ da_h
        db += da.sum(axis=0)
    return dx, dh_next, dW, dU, db
