import numpy as np


def forward(x, W, U, b):
    n, steps, _ = x.shape
    hidden = U.shape[0]
    h = np.zeros((n, hidden))
    hs = np.empty((steps, n, hidden))
    a = np.empty((n, hidden))
    for t in range(steps):
        np.dot(x[:, t], W, out=a)
        a += np.dot(h, U)
        np.add(a, b, out=a)
        np.tanh(a, out=a)
        h = a.copy()
        hs[t] = h
    return hs, (x, W, U)


def backward(dhs, hs, cache):
    x, W, U = cache
    steps = len(hs)
    dW, dU, db, dx = np.zeros_like(W), np.zeros_like(U), np.zeros(U.shape[1]), np.empty_like(x)
    carry = np.zeros_like(hs[0])
    buf = np.empty_like(hs[0])
    for t in range(steps - 1, -1, -1):
        np.multiply(hs[t], hs[t], out=buf)
        np.subtract(1.0, buf, out=buf)
        buf *= dhs[t] + carry
        dW += x[:, t].T.dot(buf)
        if t > 0:
            dU += hs[t - 1].T.dot(buf)
        db += np.sum(buf, axis=0)
        np.matmul(buf, W.T, out=dx[:, t])
        carry = np.dot(buf, U.T)
    return dx, dW, dU, db
