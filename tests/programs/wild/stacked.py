import numpy as np


def init_layers(sizes):
    rng = np.random.RandomState(1)
    return [{"W": rng.randn(a, b) * .1, "U": rng.randn(b, b) * .1, "b": np.zeros(b)} for a, b in zip(sizes[:-1], sizes[1:])]


class DeepRNN:
    """several tanh layers"""

    def __init__(self, n_in, n_hidden):
        self.layers = init_layers([n_in, n_hidden, n_hidden + 1])
        self.grads = None

    def forward(self, x):
        self.x = x
        self.hs = []
        inp = x
        for layer in self.layers:
            h = np.zeros((x.shape[0], x.shape[1] + 1, layer["U"].shape[0]))
            for t in range(x.shape[1]):
                h[:, t + 1] = np.tanh(inp[:, t] @ layer["W"] + h[:, t] @ layer["U"] + layer["b"])
            self.hs.append(h)
            inp = h[:, 1:]
        return inp

    def backward(self, dout):
        self.grads = [{k: np.zeros_like(v) for k, v in layer.items()} for layer in self.layers]
        for l in range(len(self.layers) - 1, -1, -1):
            layer, grad, h = self.layers[l], self.grads[l], self.hs[l]
            inp = self.x if l == 0 else self.hs[l - 1][:, 1:]
            din = np.zeros(inp.shape)
            carry = np.zeros(h[:, 0].shape)
            for t in range(inp.shape[1])[::-1]:
                delta = (dout[:, t] + carry) * (1. - h[:, t + 1] ** 2)
                grad["W"] += inp[:, t].T @ delta
                grad["U"] += h[:, t].T @ delta
                grad["b"] += delta.sum(0)
                carry = delta @ layer["U"].T
                din[:, t] = delta @ layer["W"].T
            dout = din
        return dout
