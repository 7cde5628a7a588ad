"""GRU of the cuDNN kind: the reset gate multiplies U h after the product. r and z fused, the candidate n apart."""
import numpy as np


def _sigm(a):
    return np.where(a >= 0, 1 / (1 + np.exp(-a)), np.exp(a) / (1 + np.exp(a)))


def forward_pass(x, h_init, W_rz, U_rz, b_rz, W_n, U_n, b_n, c_n):
    T, N = x.shape[0], x.shape[1]
    H = h_init.shape[-1]
    hs = [h_init]
    memo = []
    for t in range(T):
        gates = _sigm(np.matmul(x[t], W_rz) + np.matmul(hs[-1], U_rz) + b_rz)
        r, z = gates[:, :H], gates[:, H:]
        hn = np.matmul(hs[-1], U_n) + c_n
        n = np.tanh(np.matmul(x[t], W_n) + b_n + r * hn)
        hs.append(z * hs[-1] + (1.0 - z) * n)
        memo.append(dict(r=r, z=z, n=n, hn=hn))
    states = np.stack(hs[1:])
    return states, (x, hs, memo, W_rz, U_rz, W_n, U_n)


def backward_pass(d_states, ctx):
    x, hs, memo, W_rz, U_rz, W_n, U_n = ctx
    d_x = np.zeros(x.shape)
    d_W_rz, d_U_rz, d_b_rz = np.zeros(W_rz.shape), np.zeros(U_rz.shape), np.zeros(W_rz.shape[1])
    d_W_n, d_U_n = np.zeros(W_n.shape), np.zeros(U_n.shape)
    d_b_n, d_c_n = np.zeros(W_n.shape[1]), np.zeros(W_n.shape[1])
    d_h = np.zeros(hs[0].shape)
    for t in range(len(memo))[::-1]:
        m, h_prev = memo[t], hs[t]
        d_h = d_h + d_states[t]
        d_z = d_h * (h_prev - m["n"])
        d_n = d_h * (1.0 - m["z"])
        d_an = d_n * (1.0 - np.square(m["n"]))
        d_r = d_an * m["hn"]
        d_hn = d_an * m["r"]
        d_ar = d_r * m["r"] * (1.0 - m["r"])
        d_az = d_z * m["z"] * (1.0 - m["z"])
        d_arz = np.concatenate((d_ar, d_az), axis=-1)

        d_W_rz += np.matmul(x[t].T, d_arz)
        d_U_rz += np.matmul(h_prev.T, d_arz)
        d_b_rz += d_arz.sum(axis=0)
        d_W_n += np.matmul(x[t].T, d_an)
        d_b_n += d_an.sum(axis=0)
        d_U_n += np.matmul(h_prev.T, d_hn)
        d_c_n += d_hn.sum(axis=0)

        d_x[t] = np.matmul(d_arz, W_rz.T) + np.matmul(d_an, W_n.T)
        d_h = d_h * m["z"] + np.matmul(d_arz, U_rz.T) + np.matmul(d_hn, U_n.T)
    d_h_init = d_h
    return d_x, d_h_init, d_W_rz, d_U_rz, d_b_rz, d_W_n, d_U_n, d_b_n, d_c_n
