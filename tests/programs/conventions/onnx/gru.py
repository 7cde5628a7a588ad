import numpy as np


def sigmoid(v):
    return 1 / (1 + np.exp(-v))


def gru_forward(X, W, R, B, initial_h):
    T, N, _ = X.shape
    H = R.shape[2]
    Y, gates, h = np.zeros((T, 1, N, H)), [], initial_h[0]
    Wb, Rb = B[0, :3 * H], B[0, 3 * H:]
    for t in range(T):
        x = X[t] @ W[0].T + Wb
        z = sigmoid(x[:, :H] + h @ R[0, :H].T + Rb[:H])
        r = sigmoid(x[:, H:2 * H] + h @ R[0, H:2 * H].T + Rb[H:2 * H])
        n = np.tanh(x[:, 2 * H:] + (r * h) @ R[0, 2 * H:].T + Rb[2 * H:])
        h = (1 - z) * n + z * h
        Y[t, 0] = h
        gates.append((z, r, n))
    Y_h = h[np.newaxis]
    return Y, Y_h, (X, W, R, initial_h, Y, gates)


def gru_backward(dY, dY_h, cache):
    X, W, R, initial_h, Y, gates = cache
    H = R.shape[2]
    Rz, Rr, Rh = R[0, :H], R[0, H:2 * H], R[0, 2 * H:]
    dX, dW, dR, dB = np.zeros_like(X), np.zeros_like(W), np.zeros_like(R), np.zeros((1, 6 * H))
    dh = dY_h[0]
    for t in reversed(range(len(X))):
        z, r, n = gates[t]
        before = Y[t - 1, 0] if t > 0 else initial_h[0]
        dh = dh + dY[t, 0]
        dn = dh * (1 - z) * (1 - n ** 2)
        dz = dh * (before - n) * z * (1 - z)
        dreset = dn @ Rh
        dr = dreset * before * r * (1 - r)
        da = np.hstack([dz, dr, dn])
        dX[t] = da @ W[0]
        dW[0] += da.T @ X[t]
        dR[0, :H] += dz.T @ before
        dR[0, H:2 * H] += dr.T @ before
        dR[0, 2 * H:] += dn.T @ (r * before)
        dB[0] += np.concatenate([da.sum(axis=0), dz.sum(axis=0), dr.sum(axis=0), dn.sum(axis=0)])
        dh = dh * z + dz @ Rz + dr @ Rr + dreset * r
    dinitial_h = dh[np.newaxis]
    return dX, dW, dR, dB, dinitial_h
