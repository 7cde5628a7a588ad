import numpy as np


class GRU(object):
    @staticmethod
    def init(input_size, hidden_size):
        W = np.random.randn(1 + input_size + hidden_size, 3 * hidden_size) / np.sqrt(input_size + hidden_size)
        W[0, :] = 0
        return W

    @staticmethod
    def forward(X, W, h0=None):
        n, b, d_in = X.shape
        H = W.shape[1] // 3
        if h0 is None:
            h0 = np.zeros((b, H))
        Hin = np.zeros((n, b, W.shape[0]))
        HinC = np.zeros((n, b, W.shape[0]))
        Hout = np.zeros((n, b, H))
        ZR = np.zeros((n, b, 2 * H))
        C = np.zeros((n, b, H))
        for t in range(n):
            prev = Hout[t - 1] if t > 0 else h0
            Hin[t, :, 0] = 1
            Hin[t, :, 1:1 + H] = prev
            Hin[t, :, 1 + H:] = X[t]
            ZR[t] = 1.0 / (1.0 + np.exp(-Hin[t].dot(W[:, :2 * H])))
            z, r = ZR[t, :, :H], ZR[t, :, H:]
            HinC[t] = Hin[t]
            HinC[t, :, 1:1 + H] *= r
            C[t] = np.tanh(HinC[t].dot(W[:, 2 * H:]))
            Hout[t] = (1 - z) * prev + z * C[t]
        return Hout, {"W": W, "Hin": Hin, "HinC": HinC, "ZR": ZR, "C": C, "Hout": Hout, "h0": h0}

    @staticmethod
    def backward(dHout_in, cache):
        W, Hin, HinC, ZR, C, Hout, h0 = [cache[k] for k in ("W", "Hin", "HinC", "ZR", "C", "Hout", "h0")]
        n, b, H = Hout.shape
        dW = np.zeros(W.shape)
        dX = np.zeros((n, b, W.shape[0] - H - 1))
        dHout = dHout_in.copy()
        dh0 = np.zeros((b, H))
        for t in reversed(range(n)):
            prev = Hout[t - 1] if t > 0 else h0
            z, r = np.split(ZR[t], 2, axis=1)
            dz = dHout[t] * (C[t] - prev)
            dC = dHout[t] * z
            dprev = dHout[t] * (1 - z)
            ac = dC * (1 - C[t] ** 2)
            dW[:, 2 * H:] += HinC[t].T.dot(ac)
            dHinC = ac.dot(W[:, 2 * H:].T)
            dr = dHinC[:, 1:1 + H] * prev
            dprev += dHinC[:, 1:1 + H] * r
            azr = np.concatenate((dz, dr), axis=1) * ZR[t] * (1 - ZR[t])
            dW[:, :2 * H] += Hin[t].T.dot(azr)
            dHin = azr.dot(W[:, :2 * H].T)
            dX[t] = dHin[:, 1 + H:] + dHinC[:, 1 + H:]
            dprev += dHin[:, 1:1 + H]
            if t > 0:
                dHout[t - 1] += dprev
            else:
                dh0 += dprev
        return dX, dW, dh0
