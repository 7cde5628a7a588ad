import numpy as np


class RNN:
    def __init__(self, input_dim, hidden_dim, output_dim, lr=0.01, seed=42):
        np.random.seed(seed)
        self.Wxh = np.random.randn(hidden_dim, input_dim) * 0.5
        self.Whh = np.random.randn(hidden_dim, hidden_dim) * 0.5
        self.Why = np.random.randn(output_dim, hidden_dim) * 0.5
        self.bh = np.zeros((hidden_dim, 1))
        self.by = np.zeros((output_dim, 1))
        self.lr = lr
        self.history = []

    def forward(self, inputs):
        h = np.zeros((self.Whh.shape[0], 1))
        self.last_inputs = inputs
        self.last_hs = {0: h}
        for i, x in enumerate(inputs):
            h = np.tanh(self.Wxh @ x + self.Whh @ h + self.bh)
            self.last_hs[i + 1] = h
        y = self.Why @ h + self.by
        return y, h

    def backprop(self, d_y):
        n = len(self.last_inputs)
        d_Why = d_y @ self.last_hs[n].T
        d_by = d_y
        d_Whh = np.zeros(self.Whh.shape)
        d_Wxh = np.zeros(self.Wxh.shape)
        d_bh = np.zeros(self.bh.shape)
        d_h = self.Why.T @ d_y
        for t in reversed(range(n)):
            temp = ((1 - self.last_hs[t + 1] ** 2) * d_h)
            d_bh += temp
            d_Whh += temp @ self.last_hs[t].T
            d_Wxh += temp @ self.last_inputs[t].T
            d_h = self.Whh.T @ temp
        self.Whh -= self.lr * d_Whh
        self.Wxh -= self.lr * d_Wxh
        self.Why -= self.lr * d_Why
        self.bh -= self.lr * d_bh
        self.by -= self.lr * d_by
        self.history.append(float(np.abs(d_Whh).max()))
        return d_Wxh, d_Whh, d_Why, d_bh, d_by

    def fit(self, data, epochs=10):
        for epoch in range(epochs):
            for inputs, target in data:
                y, _ = self.forward(inputs)
                p = np.exp(y) / np.sum(np.exp(y))
                p[target] -= 1
                self.backprop(p)
