from numpy import dot, float32, tanh, zeros
import numpy as np


class RNN:
    def __init__(self, input_size, hidden_size):
        self.Wx = np.random.randn(input_size, hidden_size).astype(float32) * 0.1
        self.Wh = np.random.randn(hidden_size, hidden_size).astype(float32) * 0.1
        self.b = zeros(hidden_size, dtype=float32)

    def forward(self, x, h0):
        N, T, D = x.shape
        self.x, self.h0 = x, h0
        self.h = zeros((N, T, self.b.size), dtype=float32)
        h = h0
        for t in range(T):
            h = tanh(dot(x[:, t], self.Wx) + dot(h, self.Wh) + self.b)
            self.h[:, t] = h
        return self.h

    def backward(self, dout):
        N, T, D = self.x.shape
        self.dWx, self.dWh, self.db = np.zeros_like(self.Wx), np.zeros_like(self.Wh), np.zeros_like(self.b)
        dx = np.empty_like(self.x)
        carry = 0
        for t in range(T)[::-1]:
            prev = self.h[:, t - 1] if t > 0 else self.h0
            da = (dout[:, t] + carry) * (1 - np.square(self.h[:, t]))
            self.dWx += dot(self.x[:, t].T, da)
            self.dWh += dot(prev.T, da)
            self.db += da.sum(axis=0)
            dx[:, t] = dot(da, self.Wx.T)
            carry = dot(da, self.Wh.T)
        return dx, carry
