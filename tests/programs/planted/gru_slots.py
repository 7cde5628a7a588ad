import numpy as np


class GRU:
    """GRU layer; all activations of the last forward stay on self. Gates over [h, x], reset before the product.

    h_t = (1 - z) * h_{t-1} + z * n
    """

    def __init__(self, input_dim, hidden_dim):
        k = 1.0 / np.sqrt(hidden_dim)
        self.input_dim, self.hidden_dim = input_dim, hidden_dim
        self.Wz = np.random.uniform(-k, k, (hidden_dim + input_dim, hidden_dim))
        self.Wr = np.random.uniform(-k, k, (hidden_dim + input_dim, hidden_dim))
        self.Wn = np.random.uniform(-k, k, (hidden_dim + input_dim, hidden_dim))
        self.bz = np.zeros(hidden_dim)
        self.br = np.zeros(hidden_dim)
        self.bn = np.zeros(hidden_dim)

    @staticmethod
    def _sigmoid(v):
        return 1.0 / (1.0 + np.exp(-v))

    def forward(self, x, h0):
        T, N, _ = x.shape
        H = self.hidden_dim
        self.x = x
        self.h = np.zeros((T + 1, N, H))
        self.z, self.r, self.n = np.zeros((T, N, H)), np.zeros((T, N, H)), np.zeros((T, N, H))
        self.h[0] = h0
        for t in range(T):
            hx = np.hstack([self.h[t], x[t]])
            self.z[t] = self._sigmoid(np.dot(hx, self.Wz) + self.bz)
            self.r[t] = self._sigmoid(np.dot(hx, self.Wr) + self.br)
            rhx = np.hstack([self.r[t] * self.h[t], x[t]])
            self.n[t] = np.tanh(np.dot(rhx, self.Wn) + self.bn)
            self.h[t + 1] = (1 - self.z[t]) * self.h[t] + self.z[t] * self.n[t]
        return self.h[1:]

    def zero_grad(self):
        for name in ("Wz", "Wr", "Wn", "bz", "br", "bn"):
            setattr(self, "d" + name, np.zeros_like(getattr(self, name)))

    def backward(self, dout):
        T, N, H = dout.shape
        self.zero_grad()
        dx = np.zeros_like(self.x)
        dh = np.zeros((N, H))
        for t in range(T - 1, -1, -1):
            h, z, r, n = self.h[t], self.z[t], self.r[t], self.n[t]
            hx = np.hstack([h, self.x[t]])
            rhx = np.hstack([r * h, self.x[t]])
            dh = dh + dout[t]
            dpn = dh * z * (1 - n ** 2)
            dpz = dh * (n - h) * z * (1 - z)
            drhx = np.dot(dpn, self.Wn.T)
            drh = drhx[:, :H]
            dpr = drh * h * r * (1 - r)
            self.dWn += np.dot(rhx.T, dpn)
            self.dWz += np.dot(hx.T, dpz)
            self.dWr += np.dot(hx.T, dpr)
            self.dbn += np.sum(dpn, axis=0)
            self.dbz += np.sum(dpz, axis=0)
            self.dbr += np.sum(dpr, axis=0)
            dhx = np.dot(dpz, self.Wz.T) + np.dot(dpr, self.Wr.T)
            dx[t] = dhx[:, H:] + drhx[:, H:]
            dh = dh * (1 - z) + drh * r + dhx[:, :H]
        return dx, dh
