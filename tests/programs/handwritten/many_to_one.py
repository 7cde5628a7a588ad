import numpy as np


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def fwd(X, Y, params):
    h = np.zeros((X.shape[0], params["Whh"].shape[0]), dtype=np.float32)
    H = [h]
    for x in X.transpose(1, 0, 2):
        a = x @ params["Wxh"] + H[-1] @ params["Whh"] + params["bh"]
        H.append(np.maximum(a, 0.1 * a))
    probs = softmax(H[-1] @ params["Why"] + params["by"])
    cost = -np.mean(np.sum(Y * np.log(probs), axis=1))
    return cost, probs, H


def bwd(X, Y, probs, H, params):
    g = {k: np.zeros_like(v) for k, v in params.items()}
    dz = (probs - Y) / X.shape[0]
    g["Why"] += H[-1].T @ dz
    g["by"] += dz.sum(axis=0)
    dh = dz @ params["Why"].T
    for t in reversed(range(X.shape[1])):
        da = dh * np.where(H[t + 1] > 0, 1, 0.1)
        g["Wxh"] += X[:, t].T @ da
        g["Whh"] += H[t].T @ da
        g["bh"] += da.sum(axis=0)
        dh = da @ params["Whh"].T
    return g
