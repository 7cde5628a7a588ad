import numpy as np


def rnn_forward(X, W, R, B, initial_h):
    T, N, _ = X.shape
    H = R.shape[2]
    Y, h = np.zeros((T, 1, N, H)), initial_h[0]
    for t in range(T):
        h = np.tanh(X[t] @ W[0].T + h @ R[0].T + B[0, :H] + B[0, H:])
        Y[t, 0] = h
    Y_h = Y[-1]
    return Y, Y_h, (X, W, R, initial_h, Y)


def rnn_backward(dY, dY_h, cache):
    X, W, R, initial_h, Y = cache
    H = R.shape[2]
    dX, dW, dR, dB = np.zeros_like(X), np.zeros_like(W), np.zeros_like(R), np.zeros((1, 2 * H))
    dh = dY_h[0]
    for t in reversed(range(len(X))):
        da = (dY[t, 0] + dh) * (1 - Y[t, 0] ** 2)
        before = Y[t - 1, 0] if t > 0 else initial_h[0]
        dX[t] = da @ W[0]
        dW[0] += da.T @ X[t]
        dR[0] += da.T @ before
        dB[0] += np.tile(da.sum(axis=0), 2)
        dh = da @ R[0]
    dinitial_h = dh[np.newaxis]
    return dX, dW, dR, dB, dinitial_h
