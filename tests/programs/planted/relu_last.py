import numpy as np


class SequenceClassifier:
    """ReLU recurrent network that reads a whole (T, N, D) sequence and classifies it from the last state."""

    def __init__(self, n_in, n_hid, n_out):
        self.Wxh = np.random.randn(n_in, n_hid) * np.sqrt(2.0 / n_in)
        self.Whh = np.eye(n_hid)
        self.bh = np.zeros(n_hid)
        self.Why = np.random.randn(n_hid, n_out) * np.sqrt(1.0 / n_hid)
        self.by = np.zeros(n_out)

    def forward(self, x, y):
        self.x, self.y = x, y
        T, N, _ = x.shape
        self.pre = {}
        self.h = {-1: np.zeros((N, self.Whh.shape[0]))}
        for t in range(T):
            self.pre[t] = x[t] @ self.Wxh + self.h[t - 1] @ self.Whh + self.bh
            self.h[t] = np.maximum(0, self.pre[t])
        logits = self.h[T - 1] @ self.Why + self.by
        logits = logits - logits.max(axis=1, keepdims=True)
        probs = np.exp(logits)
        self.probs = probs / probs.sum(axis=1, keepdims=True)
        loss = -np.sum(y * np.log(self.probs)) * (1.0 / N)
        return loss

    def backward(self):
        T, N, _ = self.x.shape
        self.dWxh = np.zeros_like(self.Wxh)
        self.dWhh = np.zeros_like(self.Whh)
        self.dbh = np.zeros_like(self.bh)
        dx = np.zeros_like(self.x)
        dlogits = (self.probs - self.y) * (1.0 / N)
        self.dWhy = self.h[T - 1].T @ dlogits
        self.dby = dlogits.sum(axis=0)
        dh = dlogits @ self.Why.T
        for t in reversed(range(T)):
            dpre = dh * (self.pre[t] > 0)
            self.dWxh += self.x[t].T @ dpre
            self.dWhh += self.h[t - 1].T @ dpre
            self.dbh += dpre.sum(axis=0)
            dx[t] = dpre @ self.Wxh.T
            dh = dpre @ self.Whh.T
        return dx
