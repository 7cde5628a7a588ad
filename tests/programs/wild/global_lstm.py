import numpy as np

HIDDEN, INPUTS, CLASSES = 5, 4, 3
rng = np.random.default_rng(7)
W_f, W_i, W_c, W_o = [rng.normal(scale=0.3, size=(HIDDEN, HIDDEN + INPUTS)) for _ in range(4)]
b_f, b_i, b_c, b_o = [np.zeros((HIDDEN, 1)) for _ in range(4)]
W_y = rng.standard_normal((CLASSES, HIDDEN)) * 0.3
b_y = np.zeros((CLASSES, 1))


def sigmoid(x):
    return np.divide(1, np.add(1, np.exp(np.negative(x))))


def lstm_loss(xs, label):
    h, c = np.zeros((HIDDEN, 1)), np.zeros((HIDDEN, 1))
    cache = []
    for x in xs:
        z = np.vstack((h, x))
        f, i, o = sigmoid(W_f @ z + b_f), sigmoid(W_i @ z + b_i), sigmoid(W_o @ z + b_o)
        g = np.tanh(W_c @ z + b_c)
        c_old = c
        c = f * c + i * g
        h = o * np.tanh(c)
        cache.append((z, f, i, o, g, c_old, c))
    logits = W_y @ h + b_y
    probs = np.exp(logits) / np.sum(np.exp(logits))
    loss = -np.log(probs[label])[0]
    dlogits = probs.copy()
    dlogits[label] -= 1
    grads = {n: np.zeros_like(globals()[n]) for n in "W_f W_i W_c W_o b_f b_i b_c b_o".split()}
    grads["W_y"], grads["b_y"] = dlogits @ h.T, dlogits
    dh, dc = W_y.T @ dlogits, np.zeros_like(c)
    while cache:
        z, f, i, o, g, c_old, c = cache.pop()
        tc = np.tanh(c)
        dc = dc + dh * o * (1 - tc ** 2)
        deltas = dict(f=dc * c_old * f * (1 - f), i=dc * g * i * (1 - i), o=dh * tc * o * (1 - o), c=dc * i * (1 - g ** 2))
        dz = 0
        for name, delta in deltas.items():
            grads["W_" + name] += delta @ z.T
            grads["b_" + name] += delta
            dz = dz + globals()["W_" + name].T @ delta
        dh, dc = dz[:HIDDEN], dc * f
    return loss, grads
