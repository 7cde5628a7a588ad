import numpy as np


def sigmoid(v):
    return 1 / (1 + np.exp(-v))


def lstm_forward(X, W, R, B, initial_h, initial_c):
    T, N, _ = X.shape
    H = R.shape[2]
    Y, C, gates = np.zeros((T, 1, N, H)), np.zeros((T, N, H)), []
    h, c = initial_h[0], initial_c[0]
    for t in range(T):
        a = X[t] @ W[0].T + h @ R[0].T + B[0, :4 * H] + B[0, 4 * H:]
        i, o, f, g = sigmoid(a[:, :H]), sigmoid(a[:, H:2 * H]), sigmoid(a[:, 2 * H:3 * H]), np.tanh(a[:, 3 * H:])
        c = f * c + i * g
        h = o * np.tanh(c)
        Y[t, 0], C[t] = h, c
        gates.append((i, o, f, g))
    Y_h, Y_c = h[np.newaxis], c[np.newaxis]
    return Y, Y_h, Y_c, (X, W, R, initial_h, initial_c, Y, C, gates)


def lstm_backward(dY, dY_h, dY_c, cache):
    X, W, R, initial_h, initial_c, Y, C, gates = cache
    H = R.shape[2]
    dX, dW, dR, dB = np.zeros_like(X), np.zeros_like(W), np.zeros_like(R), np.zeros((1, 8 * H))
    dh, dc = dY_h[0], dY_c[0]
    for t in reversed(range(len(X))):
        i, o, f, g = gates[t]
        h_before, c_before = (Y[t - 1, 0], C[t - 1]) if t > 0 else (initial_h[0], initial_c[0])
        dh = dh + dY[t, 0]
        tanh_c = np.tanh(C[t])
        dc = dc + dh * o * (1 - tanh_c ** 2)
        da = np.hstack([dc * g * i * (1 - i), dh * tanh_c * o * (1 - o), dc * c_before * f * (1 - f), dc * i * (1 - g ** 2)])
        dX[t] = da @ W[0]
        dW[0] += da.T @ X[t]
        dR[0] += da.T @ h_before
        dB[0] += np.tile(da.sum(axis=0), 2)
        dh, dc = da @ R[0], dc * f
    dinitial_h, dinitial_c = dh[np.newaxis], dc[np.newaxis]
    return dX, dW, dR, dB, dinitial_h, dinitial_c
