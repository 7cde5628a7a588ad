"""Sentiment of a review: an LSTM reads it, a softmax on its last state decides. Mean cross-entropy of the batch."""
import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class SentimentLSTM:
    def __init__(self, D, H, C):
        s = 0.1
        self.p = {}
        for gate in ["f", "g", "i", "o"]:
            self.p["W_" + gate] = s * np.random.randn(D + H, H)
            self.p["b_" + gate] = np.zeros((1, H))
        self.p["W_y"] = s * np.random.randn(H, C)
        self.p["b_y"] = np.zeros((1, C))
        self.H = H

    def forward(self, reviews, labels):
        p = self.p
        N, T, D = reviews.shape
        h = np.zeros((N, self.H))
        c = np.zeros((N, self.H))
        self.steps = []
        for t in range(T):
            xh = np.column_stack((reviews[:, t, :], h))
            f = sigmoid(xh @ p["W_f"] + p["b_f"])
            g = np.tanh(xh @ p["W_g"] + p["b_g"])
            i = sigmoid(xh @ p["W_i"] + p["b_i"])
            o = sigmoid(xh @ p["W_o"] + p["b_o"])
            c_old = c
            c = c_old * f + g * i
            h = np.tanh(c) * o
            self.steps.append({"xh": xh, "f": f, "g": g, "i": i, "o": o, "c": c, "c_old": c_old})
        y = h @ p["W_y"] + p["b_y"]
        y = np.exp(y - y.max(axis=1, keepdims=True))
        y = y / y.sum(axis=1, keepdims=True)
        self.h, self.y, self.labels = h, y, labels
        loss = -np.mean(np.sum(labels * np.log(y), axis=1))
        return loss

    def backward(self):
        p = self.p
        grads = {"d" + k: np.zeros_like(v) for k, v in p.items()}
        N, D = len(self.y), p["W_f"].shape[0] - self.H
        dy = (self.y - self.labels) / N
        grads["dW_y"] = self.h.T @ dy
        grads["db_y"] = dy.sum(axis=0, keepdims=True)
        dh = dy @ p["W_y"].T
        dc = np.zeros_like(dh)
        dreviews = np.zeros((N, len(self.steps), D))
        for t in reversed(range(len(self.steps))):
            s = self.steps[t]
            th = np.tanh(s["c"])
            dc = dc + dh * s["o"] * (1 - th ** 2)
            d_o = dh * th * s["o"] * (1 - s["o"])
            d_f = dc * s["c_old"] * s["f"] * (1 - s["f"])
            d_g = dc * s["i"] * (1 - s["g"] ** 2)
            d_i = dc * s["g"] * s["i"] * (1 - s["i"])
            dxh = 0
            for gate, d in zip("fgio", [d_f, d_g, d_i, d_o]):
                grads["dW_" + gate] += s["xh"].T @ d
                grads["db_" + gate] += d.sum(axis=0, keepdims=True)
                dxh = dxh + d @ p["W_" + gate].T
            dreviews[:, t, :] = dxh[:, :D]
            dh = dxh[:, D:]
            dc = dc * s["f"]
        self.grads = grads
        return dreviews
