import numpy as np


class Model:
    def __init__(self, vocab, hidden):
        self.U = np.random.uniform(-0.1, 0.1, (hidden, vocab))
        self.W = np.random.uniform(-0.1, 0.1, (hidden, hidden))
        self.V = np.random.uniform(-0.1, 0.1, (vocab, hidden))

    def forward(self, x):
        T = len(x)
        s = np.zeros((T + 1, self.W.shape[0]))
        o = np.zeros((T, self.V.shape[0]))
        for t in np.arange(T):
            s[t] = np.tanh(self.U[:, x[t]] + self.W.dot(s[t - 1]))
            z = self.V.dot(s[t])
            e = np.exp(z - np.max(z))
            o[t] = e / e.sum()
        return o, s

    def loss(self, x, y):
        o, s = self.forward(x)
        loss = -np.sum(np.log(o[np.arange(len(y)), y]))
        return loss

    def bptt(self, x, y):
        T = len(y)
        o, s = self.forward(x)
        dU, dV, dW = np.zeros(self.U.shape), np.zeros(self.V.shape), np.zeros(self.W.shape)
        delta_o = o
        delta_o[np.arange(len(y)), y] -= 1.0
        for t in np.arange(T)[::-1]:
            dV += np.outer(delta_o[t], s[t].T)
            delta_t = self.V.T.dot(delta_o[t]) * (1 - s[t] ** 2)
            for step in np.arange(0, t + 1)[::-1]:
                dW += np.outer(delta_t, s[step - 1])
                dU[:, x[step]] += delta_t
                delta_t = self.W.T.dot(delta_t) * (1 - s[step - 1] ** 2)
        return [dU, dV, dW]
