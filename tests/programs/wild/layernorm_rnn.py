import numpy as np


def ln_forward(z, gamma, beta, eps=1e-5):
    mu = z.mean(axis=-1, keepdims=True)
    var = z.var(axis=-1, keepdims=True)
    std = np.sqrt(var + eps)
    zhat = (z - mu) / std
    return gamma * zhat + beta, (zhat, std, gamma)


def ln_backward(dout, cache):
    zhat, std, gamma = cache
    dgamma = np.sum(dout * zhat, axis=0)
    dbeta = np.sum(dout, axis=0)
    d = dout * gamma
    dz = (d - d.mean(axis=-1, keepdims=True) - zhat * (d * zhat).mean(axis=-1, keepdims=True)) / std
    return dz, dgamma, dbeta


def lnrnn_forward(x, W, U, gamma, beta):
    h = np.zeros((x.shape[0], U.shape[0]))
    hs, caches = [h], []
    for t in range(x.shape[1]):
        a, cache = ln_forward(x[:, t] @ W + h @ U, gamma, beta)
        h = np.tanh(a)
        hs.append(h)
        caches.append(cache)
    return h, (x, W, U, hs, caches)


def lnrnn_backward(dh, cache):
    x, W, U, hs, caches = cache
    dx, dW, dU = np.zeros_like(x), np.zeros_like(W), np.zeros_like(U)
    dgamma = dbeta = 0
    for t in reversed(range(x.shape[1])):
        da = dh * (1 - hs[t + 1] ** 2)
        dz, dg, db = ln_backward(da, caches[t])
        dgamma, dbeta = dgamma + dg, dbeta + db
        dx[:, t] = dz @ W.T
        dW += x[:, t].T @ dz
        dU += hs[t].T @ dz
        dh = dz @ U.T
    return dx, dW, dU, dgamma, dbeta
