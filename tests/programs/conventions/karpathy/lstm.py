import numpy as np


class LSTM:

    @staticmethod
    def forward(X, WLSTM, c0=None, h0=None):
        n, b, input_size = X.shape
        d = WLSTM.shape[1] // 4
        c0 = np.zeros((b, d)) if c0 is None else c0
        h0 = np.zeros((b, d)) if h0 is None else h0
        Hin, Hout, IFOGf = np.zeros((n, b, WLSTM.shape[0])), np.zeros((n, b, d)), np.zeros((n, b, 4 * d))
        C, Ct = np.zeros((n, b, d)), np.zeros((n, b, d))
        for t in range(n):
            Hin[t, :, 0] = 1
            Hin[t, :, 1:input_size + 1] = X[t]
            Hin[t, :, input_size + 1:] = Hout[t - 1] if t > 0 else h0
            a = Hin[t].dot(WLSTM)
            IFOGf[t, :, :3 * d] = 1 / (1 + np.exp(-a[:, :3 * d]))
            IFOGf[t, :, 3 * d:] = np.tanh(a[:, 3 * d:])
            prev = C[t - 1] if t > 0 else c0
            C[t] = IFOGf[t, :, :d] * IFOGf[t, :, 3 * d:] + IFOGf[t, :, d:2 * d] * prev
            Ct[t] = np.tanh(C[t])
            Hout[t] = IFOGf[t, :, 2 * d:3 * d] * Ct[t]
        cache = (WLSTM, Hout, IFOGf, C, Ct, Hin, c0, input_size)
        return Hout, C[t], Hout[t], cache

    @staticmethod
    def backward(dHout_in, cache, dcn=None, dhn=None):
        WLSTM, Hout, IFOGf, C, Ct, Hin, c0, input_size = cache
        n, b, d = Hout.shape
        dWLSTM, dX = np.zeros(WLSTM.shape), np.zeros((n, b, input_size))
        dHout = dHout_in.copy()
        dc = np.zeros((b, d)) if dcn is None else dcn.copy()
        if dhn is not None:
            dHout[n - 1] += dhn
        for t in reversed(range(n)):
            i, f, o, g = (IFOGf[t, :, k * d:(k + 1) * d] for k in range(4))
            dc = dc + dHout[t] * o * (1 - Ct[t] ** 2)
            prev = C[t - 1] if t > 0 else c0
            da = np.hstack((dc * g * i * (1 - i), dc * prev * f * (1 - f), dHout[t] * Ct[t] * o * (1 - o), dc * i * (1 - g ** 2)))
            dc = dc * f
            dWLSTM += Hin[t].T.dot(da)
            dHin = da.dot(WLSTM.T)
            dX[t] = dHin[:, 1:input_size + 1]
            if t > 0:
                dHout[t - 1] += dHin[:, input_size + 1:]
            else:
                dh0 = dHin[:, input_size + 1:]
        dc0 = dc
        return dX, dWLSTM, dc0, dh0
