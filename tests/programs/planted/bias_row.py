"""
Batched LSTM, time first. One matrix W over the columns [1, x, h]: row 0 is the bias.
The gates lie in W as i f g o.
"""
import numpy as np


class BatchLSTM:
    @staticmethod
    def forward(X, W, h0, c0):
        T, N, D = X.shape
        H = h0.shape[1]
        Hin = np.zeros((T, N, 1 + D + H))
        Hs = np.zeros((T + 1, N, H))
        Cs = np.zeros((T + 1, N, H))
        G = np.zeros((T, N, 4 * H))
        Ct = np.zeros((T, N, H))
        Hs[0], Cs[0] = h0, c0
        for t in range(T):
            Hin[t, :, 0] = 1
            Hin[t, :, 1:1 + D] = X[t]
            Hin[t, :, 1 + D:] = Hs[t]
            A = Hin[t].dot(W)
            G[t, :, :2 * H] = 1.0 / (1.0 + np.exp(-A[:, :2 * H]))
            G[t, :, 2 * H:3 * H] = np.tanh(A[:, 2 * H:3 * H])
            G[t, :, 3 * H:] = 1.0 / (1.0 + np.exp(-A[:, 3 * H:]))
            Cs[t + 1] = G[t, :, H:2 * H] * Cs[t] + G[t, :, :H] * G[t, :, 2 * H:3 * H]
            Ct[t] = np.tanh(Cs[t + 1])
            Hs[t + 1] = G[t, :, 3 * H:] * Ct[t]
        hs, hn, cn = Hs[1:], Hs[T], Cs[T]
        return hs, hn, cn, {"W": W, "Hin": Hin, "Cs": Cs, "G": G, "Ct": Ct}

    @staticmethod
    def backward(dhs, cache, dhn, dcn):
        W, Hin, Cs, G, Ct = cache["W"], cache["Hin"], cache["Cs"], cache["G"], cache["Ct"]
        T, N, H = dhs.shape
        D = W.shape[0] - 1 - H
        dW = np.zeros(W.shape)
        dX = np.zeros((T, N, D))
        dA = np.zeros(G.shape)
        dH = dhn.copy()
        dC = dcn.copy()
        for t in range(T - 1, -1, -1):
            dH = dH + dhs[t]
            i, f = G[t, :, :H], G[t, :, H:2 * H]
            g, o = G[t, :, 2 * H:3 * H], G[t, :, 3 * H:]
            dC = dC + dH * o * (1 - Ct[t] ** 2)
            dA[t, :, :H] = dC * g * i * (1 - i)
            dA[t, :, H:2 * H] = dC * Cs[t] * f * (1 - f)
            dA[t, :, 2 * H:3 * H] = dC * i * (1 - g ** 2)
            dA[t, :, 3 * H:] = dH * Ct[t] * o * (1 - o)
            dW += Hin[t].T.dot(dA[t])
            dHin = dA[t].dot(W.T)
            dX[t] = dHin[:, 1:1 + D]
            dH = dHin[:, 1 + D:]
            dC = dC * f
        dh0, dc0 = dH, dC
        return dX, dW, dh0, dc0
