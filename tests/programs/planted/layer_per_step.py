import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class LSTMCell:
    """One time step. Each gate has a matrix for x and one for h, in the order f, i, o, g."""

    def __init__(self, params):
        self.params = params
        self.grads = [np.zeros_like(p) for p in params]

    def forward(self, x, h_prev, c_prev):
        Wf, Uf, bf, Wi, Ui, bi, Wo, Uo, bo, Wg, Ug, bg = self.params
        f = sigmoid(x @ Wf + h_prev @ Uf + bf)
        i = sigmoid(x @ Wi + h_prev @ Ui + bi)
        o = sigmoid(x @ Wo + h_prev @ Uo + bo)
        g = np.tanh(x @ Wg + h_prev @ Ug + bg)
        c_next = f * c_prev + g * i
        h_next = o * np.tanh(c_next)
        self.cache = (x, h_prev, c_prev, f, i, o, g, c_next)
        return h_next, c_next

    def backward(self, dh_next, dc_next):
        Wf, Uf, bf, Wi, Ui, bi, Wo, Uo, bo, Wg, Ug, bg = self.params
        x, h_prev, c_prev, f, i, o, g, c_next = self.cache
        tanh_c = np.tanh(c_next)
        ds = dc_next + (dh_next * o) * (1 - tanh_c**2)
        dc_prev = ds * f
        df = ds * c_prev * f * (1 - f)
        di = ds * g * i * (1 - i)
        do = dh_next * tanh_c * o * (1 - o)
        dg = ds * i * (1 - g**2)
        for k, d in enumerate((df, di, do, dg)):
            self.grads[3 * k][...] = x.T @ d
            self.grads[3 * k + 1][...] = h_prev.T @ d
            self.grads[3 * k + 2][...] = d.sum(axis=0)
        dx = df @ Wf.T + di @ Wi.T + do @ Wo.T + dg @ Wg.T
        dh_prev = df @ Uf.T + di @ Ui.T + do @ Uo.T + dg @ Ug.T
        return dx, dh_prev, dc_prev


class TimeLSTM:
    """Unrolls the cell: one object for each time step, kept for the way back."""

    def __init__(self, D, H):
        rn = np.random.randn
        self.params = []
        for _ in range(4):
            self.params += [rn(D, H) / np.sqrt(D), rn(H, H) / np.sqrt(H), np.zeros(H)]
        self.grads = [np.zeros_like(p) for p in self.params]

    def forward(self, xs):
        N, T, D = xs.shape
        H = self.params[1].shape[0]
        self.cells = []
        hs = np.empty((N, T, H))
        h, c = np.zeros((N, H)), np.zeros((N, H))
        for t in range(T):
            cell = LSTMCell(self.params)
            h, c = cell.forward(xs[:, t, :], h, c)
            hs[:, t, :] = h
            self.cells.append(cell)
        return hs

    def backward(self, dhs):
        N, T, H = dhs.shape
        D = self.params[0].shape[0]
        dxs = np.empty((N, T, D))
        dh, dc = 0, 0
        total = [0] * len(self.params)
        for t in reversed(range(T)):
            cell = self.cells[t]
            dx, dh, dc = cell.backward(dhs[:, t, :] + dh, dc)
            dxs[:, t, :] = dx
            for k, grad in enumerate(cell.grads):
                total[k] += grad
        for k, grad in enumerate(total):
            self.grads[k][...] = grad
        return dxs
