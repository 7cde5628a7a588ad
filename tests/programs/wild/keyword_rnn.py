import numpy as np


def tanh(x, derivative=False):
    if derivative:
        return 1 - x ** 2
    return np.tanh(x)


def rnn_forward(x, *, Wx, Wh, bias=None, h0=None, activation=tanh, **options):
    if bias is None:
        bias = 0.0
    T = len(x)
    h = h0 if h0 is not None else np.zeros((x.shape[1], Wh.shape[0]))
    cache = {"x": x, "h": [h], "Wx": Wx, "Wh": Wh, "activation": activation}
    for t in range(T):
        h = activation(x[t] @ Wx + h @ Wh + bias)
        cache["h"].append(h)
    return np.array(cache["h"][1:]), cache


def rnn_backward(grad_h, cache, clip=None):
    x, hs, Wx, Wh, activation = [cache[k] for k in ["x", "h", "Wx", "Wh", "activation"]]
    grads = {"x": np.zeros_like(x), "Wx": np.zeros_like(Wx), "Wh": np.zeros_like(Wh), "bias": np.zeros(Wh.shape[1])}
    carry = np.zeros_like(hs[0])
    for t in range(len(x) - 1, -1, -1):
        d = (grad_h[t] + carry) * activation(hs[t + 1], derivative=True)
        grads["x"][t] = d @ Wx.T
        grads["Wx"] += x[t].T @ d
        grads["Wh"] += hs[t].T @ d
        grads["bias"] += d.sum(axis=0)
        carry = d @ Wh.T
    grads["h0"] = carry
    if clip is not None:
        for k in grads:
            grads[k] = np.clip(grads[k], -clip, clip)
    return grads
