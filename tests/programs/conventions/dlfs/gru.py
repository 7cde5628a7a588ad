import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class GRU:
    def __init__(self, Wx, Wh, b):
        self.params = [Wx, Wh, b]
        self.grads = [np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(b)]
        self.cache = None

    def forward(self, x, h_prev):
        Wx, Wh, b = self.params
        H = h_prev.shape[1]
        A = np.dot(x, Wx) + b
        z = sigmoid(A[:, :H] + np.dot(h_prev, Wh[:, :H]))
        r = sigmoid(A[:, H:2 * H] + np.dot(h_prev, Wh[:, H:2 * H]))
        h_hat = np.tanh(A[:, 2 * H:] + np.dot(r * h_prev, Wh[:, 2 * H:]))
        h_next = (1 - z) * h_prev + z * h_hat
        self.cache = (x, h_prev, z, r, h_hat)
        return h_next

    def backward(self, dh_next):
        Wx, Wh, b = self.params
        x, h_prev, z, r, h_hat = self.cache
        H = h_prev.shape[1]
        dt = dh_next * z * (1 - h_hat ** 2)
        dhr = np.dot(dt, Wh[:, 2 * H:].T)
        dz = dh_next * (h_hat - h_prev) * z * (1 - z)
        dr = dhr * h_prev * r * (1 - r)
        dA = np.hstack((dz, dr, dt))
        self.grads[0][...] = np.dot(x.T, dA)
        self.grads[1][...] = np.hstack((np.dot(h_prev.T, dz), np.dot(h_prev.T, dr), np.dot((r * h_prev).T, dt)))
        self.grads[2][...] = dA.sum(axis=0)
        dx = np.dot(dA, Wx.T)
        dh_prev = dh_next * (1 - z) + r * dhr + np.dot(dz, Wh[:, :H].T) + np.dot(dr, Wh[:, H:2 * H].T)
        return dx, dh_prev


class TimeGRU:
    def __init__(self, Wx, Wh, b, stateful=False):
        self.params = [Wx, Wh, b]
        self.grads = [np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(b)]
        self.layers, self.stateful = None, stateful
        self.h = None

    def forward(self, xs):
        N, T, D = xs.shape
        H = self.params[1].shape[0]
        self.layers, hs = [], np.empty((N, T, H), dtype='f')
        self.h = np.zeros((N, H), dtype='f') if self.h is None or not self.stateful else self.h
        for t in range(T):
            layer = GRU(*self.params)
            self.h = layer.forward(xs[:, t, :], self.h)
            hs[:, t, :] = self.h
            self.layers.append(layer)
        return hs

    def backward(self, dhs):
        N, T, H = dhs.shape
        D = self.params[0].shape[0]
        dxs, dh = np.empty((N, T, D), dtype='f'), 0
        for grad in self.grads:
            grad[...] = 0
        for t in reversed(range(T)):
            dx, dh = self.layers[t].backward(dhs[:, t, :] + dh)
            dxs[:, t, :] = dx
            for own, grad in zip(self.grads, self.layers[t].grads):
                own += grad
        return dxs
