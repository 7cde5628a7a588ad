"""LSTM with peepholes (Gers & Schmidhuber): i and f look at the old cell, o looks at the new one. Shapes (T, N, .)."""
import numpy as np


def sigma(a):
    return 1. / (1. + np.exp(-a))


def forward(x, h0, c0, W, R, b, pi, pf, po):
    T, N, D = x.shape
    H = h0.shape[1]
    h = np.zeros((T, N, H)); c = np.zeros((T, N, H))
    i = np.zeros((T, N, H)); f = np.zeros((T, N, H))
    o = np.zeros((T, N, H)); z = np.zeros((T, N, H))
    for t in range(T):
        hp = h[t-1] if t > 0 else h0
        cp = c[t-1] if t > 0 else c0
        a = x[t] @ W + hp @ R + b           # blocks: z i f o
        z[t] = np.tanh(a[:, :H])
        i[t] = sigma(a[:, H:2*H] + pi * cp)
        f[t] = sigma(a[:, 2*H:3*H] + pf * cp)
        c[t] = f[t] * cp + i[t] * z[t]
        o[t] = sigma(a[:, 3*H:] + po * c[t])
        h[t] = o[t] * np.tanh(c[t])
    return h, (x, h0, c0, W, R, pi, pf, po, h, c, i, f, o, z)


def backward(dout, cache):
    x, h0, c0, W, R, pi, pf, po, h, c, i, f, o, z = cache
    T, N, H = h.shape
    dx = np.zeros_like(x)
    dW, dR, db = np.zeros_like(W), np.zeros_like(R), np.zeros(4*H)
    dpi, dpf, dpo = np.zeros(H), np.zeros(H), np.zeros(H)
    dh_carry, dc_carry = np.zeros((N, H)), np.zeros((N, H))
    for t in range(T-1, -1, -1):
        hp = h[t-1] if t > 0 else h0
        cp = c[t-1] if t > 0 else c0
        tc = np.tanh(c[t])
        dh = dout[t] + dh_carry
        da_o = dh * tc * o[t] * (1 - o[t])
        dc = dh * o[t] * (1 - tc**2) + da_o * po + dc_carry
        da_i = dc * z[t] * i[t] * (1 - i[t])
        da_f = dc * cp * f[t] * (1 - f[t])
        da_z = dc * i[t] * (1 - z[t]**2)
        da = np.concatenate([da_z, da_i, da_f, da_o], axis=1)
        dW += x[t].T @ da
        dR += hp.T @ da
        db += da.sum(0)
        dpi += (da_i * cp).sum(0)
        dpf += (da_f * cp).sum(0)
        dpo += (da_o * c[t]).sum(0)
        dx[t] = da @ W.T
        dh_carry = da @ R.T
        dc_carry = dc * f[t] + da_i * pi + da_f * pf
    dh0, dc0 = dh_carry, dc_carry
    return dx, dh0, dc0, dW, dR, db, dpi, dpf, dpo
