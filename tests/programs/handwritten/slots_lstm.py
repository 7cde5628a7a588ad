"""Time first, one matrix over [1, x, h], T+1 slots."""
import numpy as np


class LSTM:
    @staticmethod
    def forward(X, WLSTM, c0, h0):
        n, b, input_size = X.shape
        d = WLSTM.shape[1] // 4
        xphpb = WLSTM.shape[0]
        Hin = np.zeros((n, b, xphpb))
        Hout = np.zeros((n + 1, b, d))
        C = np.zeros((n + 1, b, d))
        Ct = np.zeros((n, b, d))
        IFOG = np.zeros((n, b, d * 4))
        IFOGf = np.zeros((n, b, d * 4))
        Hout[0], C[0] = h0, c0
        for t in range(n):
            Hin[t, :, 0] = 1
            Hin[t, :, 1:1 + input_size] = X[t]
            Hin[t, :, 1 + input_size:] = Hout[t]
            IFOG[t] = Hin[t].dot(WLSTM)
            IFOGf[t, :, :3 * d] = 1.0 / (1.0 + np.exp(-IFOG[t, :, :3 * d]))
            IFOGf[t, :, 3 * d:] = np.tanh(IFOG[t, :, 3 * d:])
            C[t + 1] = IFOGf[t, :, :d] * IFOGf[t, :, 3 * d:] + IFOGf[t, :, d:2 * d] * C[t]
            Ct[t] = np.tanh(C[t + 1])
            Hout[t + 1] = IFOGf[t, :, 2 * d:3 * d] * Ct[t]
        cache = {"WLSTM": WLSTM, "Hout": Hout, "IFOGf": IFOGf, "C": C, "Ct": Ct, "Hin": Hin, "X": X}
        return Hout[1:], C[n], Hout[n], cache

    @staticmethod
    def backward(dHout_in, cache, dcn, dhn):
        WLSTM, IFOGf, C, Ct, Hin, X = (cache[k] for k in ("WLSTM", "IFOGf", "C", "Ct", "Hin", "X"))
        n, b, d = dHout_in.shape
        input_size = X.shape[2]
        dIFOG = np.zeros((n, b, 4 * d))
        dWLSTM = np.zeros(WLSTM.shape)
        dC = np.zeros((n + 1, b, d))
        dX = np.zeros_like(X)
        dH = dHout_in.copy()
        dC[n] = dcn
        dH[n - 1] += dhn
        dh0 = np.zeros((b, d))
        for t in reversed(range(n)):
            dIFOG[t, :, 2 * d:3 * d] = Ct[t] * dH[t]
            dC[t + 1] += (1 - Ct[t] ** 2) * (IFOGf[t, :, 2 * d:3 * d] * dH[t])
            dIFOG[t, :, d:2 * d] = C[t] * dC[t + 1]
            dC[t] += IFOGf[t, :, d:2 * d] * dC[t + 1]
            dIFOG[t, :, :d] = IFOGf[t, :, 3 * d:] * dC[t + 1]
            dIFOG[t, :, 3 * d:] = IFOGf[t, :, :d] * dC[t + 1]
            y = IFOGf[t, :, :3 * d]
            dIFOG[t, :, :3 * d] *= y * (1 - y)
            dIFOG[t, :, 3 * d:] *= 1 - IFOGf[t, :, 3 * d:] ** 2
            dWLSTM += np.dot(Hin[t].transpose(), dIFOG[t])
            dHin = dIFOG[t].dot(WLSTM.transpose())
            dX[t] = dHin[:, 1:1 + input_size]
            if t > 0:
                dH[t - 1, :] += dHin[:, 1 + input_size:]
            else:
                dh0 += dHin[:, 1 + input_size:]
        dc0 = dC[0]
        return dX, dWLSTM, dc0, dh0
