import numpy as np


def softmax(z, axis=-1):
    z = z - np.max(z, axis=axis, keepdims=True)
    return np.exp(z) / np.exp(z).sum(axis=axis, keepdims=True)


def forward(x, Wx, Wh, b, u):
    """tanh RNN, then a weighted mean of its states"""
    N, T, D = x.shape
    H = Wh.shape[0]
    h = np.zeros((N, T, H))
    prev = np.zeros((N, H))
    for t in range(T):
        prev = np.tanh(x[:, t] @ Wx + prev @ Wh + b)
        h[:, t] = prev
    alpha = softmax(h @ u, axis=1)
    context = (alpha[:, :, None] * h).sum(axis=1)
    return context, alpha, h


def backward(dcontext, x, Wx, Wh, b, u, alpha, h):
    N, T, D = x.shape
    dalpha = np.einsum("nh,nth->nt", dcontext, h)
    dh = alpha[..., np.newaxis] * dcontext[:, np.newaxis]
    dscore = alpha * (dalpha - (dalpha * alpha).sum(axis=1, keepdims=True))
    du = np.einsum("nt,nth->h", dscore, h)
    dh += dscore[..., None] * u
    dx, dWx, dWh, db = np.zeros_like(x), np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(b)
    carry = np.zeros((N, h.shape[2]))
    for t in range(T - 1, -1, -1):
        da = (dh[:, t] + carry) * (1 - h[:, t] ** 2)
        prev = h[:, t - 1] if t else np.zeros_like(carry)
        dx[:, t] = da @ Wx.T
        dWx += x[:, t].T @ da
        dWh += prev.T @ da
        db += da.sum(axis=0)
        carry = da @ Wh.T
    return dx, dWx, dWh, db, du
