import numpy as np

DTYPE = np.float32


def forward(x, W, U, b):
    x = x.astype(DTYPE)
    W, U, b = W.astype(DTYPE), np.asarray(U, dtype=np.float32), np.array(b, dtype=DTYPE)
    h = np.zeros((x.shape[0], x.shape[1] + 1, U.shape[0]), dtype=DTYPE)
    for t in range(x.shape[1]):
        h[:, t + 1] = np.tanh(x[:, t] @ W + h[:, t] @ U + b).astype(np.float32)
    if np.isnan(h).any():
        raise ValueError("exploded")
    return h[:, 1:], h


def backward(dout, x, W, U, h):
    dout = np.asarray(dout, dtype=DTYPE)
    dx = np.zeros_like(x, dtype=DTYPE)
    dW = np.zeros(W.shape, DTYPE)
    dU = np.zeros(U.shape, DTYPE)
    db = np.zeros(U.shape[1], DTYPE)
    carry = np.zeros(h[:, 0].shape, dtype=DTYPE)
    for t in range(x.shape[1])[::-1]:
        da = (dout[:, t] + carry) * np.float32(1.0) * (1 - h[:, t + 1] ** 2)
        if np.any(np.abs(da) > 1e6):
            print("large gradient at", t, da.max())
        dx[:, t] = da @ W.T
        dW += (x[:, t].T @ da).astype(DTYPE)
        dU += h[:, t].T @ da
        db += np.add.reduce(da, axis=0)
        carry = da @ U.T
    return dx, dW, dU, db
