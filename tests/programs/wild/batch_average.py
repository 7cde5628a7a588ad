import numpy as np


def one_hot(idx, depth):
    return np.eye(depth)[idx]


def log_softmax(z):
    m = z.max(axis=-1, keepdims=True)
    return z - m - np.log(np.exp(z - m).sum(axis=-1, keepdims=True))


class CharModel:
    def __init__(self, vocab_size, hidden_size):
        self.vocab_size, self.hidden_size = vocab_size, hidden_size
        scale = np.sqrt(1.0 / hidden_size)
        self.params = {
            "Wxh": np.random.uniform(-scale, scale, size=(vocab_size, hidden_size)),
            "Whh": np.random.uniform(-scale, scale, size=(hidden_size, hidden_size)),
            "Why": np.random.uniform(-scale, scale, size=(hidden_size, vocab_size)),
            "bh": np.zeros((1, hidden_size)),
            "by": np.zeros((1, vocab_size)),
        }

    def loss_and_grads(self, inputs, targets):
        p = self.params
        n, T = np.shape(inputs)
        states = np.zeros((T + 1, n, self.hidden_size))
        X = one_hot(inputs, self.vocab_size)
        Y = one_hot(targets, self.vocab_size)
        logp = np.zeros((T, n, self.vocab_size))
        for t in range(T):
            states[t + 1] = np.tanh(X[:, t].dot(p["Wxh"]) + states[t].dot(p["Whh"]) + p["bh"])
            logp[t] = log_softmax(states[t + 1].dot(p["Why"]) + p["by"])
        loss = -(logp * Y.transpose(1, 0, 2)).sum() / (n * T)
        grads = {k: np.zeros_like(v) for k, v in p.items()}
        dnext = np.zeros((n, self.hidden_size))
        for t in reversed(range(T)):
            dy = (np.exp(logp[t]) - Y[:, t]) / (n * T)
            grads["Why"] += states[t + 1].T.dot(dy)
            grads["by"] += dy.sum(axis=0, keepdims=True)
            dh = dy.dot(p["Why"].T) + dnext
            da = dh * (1 - states[t + 1] ** 2)
            grads["bh"] += da.sum(axis=0, keepdims=True)
            grads["Wxh"] += X[:, t].T.dot(da)
            grads["Whh"] += states[t].T.dot(da)
            dnext = da.dot(p["Whh"].T)
        norm = np.sqrt(sum((g ** 2).sum() for g in grads.values()))
        if norm > 100.0:
            for k in grads:
                grads[k] *= 100.0 / norm
        return loss, grads
