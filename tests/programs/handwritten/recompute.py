import numpy as np


def run(x, h0, W, U, b):
    h = h0
    out = []
    for x_t in x:
        h = np.tanh(np.einsum("nd,dh->nh", x_t, W) + h @ U + b.reshape(1, -1))
        out.append(h)
    return np.stack(out)


def run_back(dout, x, h0, W, U, b):
    hs = np.concatenate([h0[None], run(x, h0, W, U, b)])
    dW, dU, db = 0 * W, 0 * U, 0 * b
    dx = np.zeros(x.shape)
    dh = np.zeros(h0.shape)
    for t in range(x.shape[0])[::-1]:
        dh += dout[t]
        dh *= 1 - np.power(hs[t + 1], 2)
        dW += x[t].T.dot(dh)
        dU += hs[t].T.dot(dh)
        db += dh.sum(0)
        dx[t] = dh.dot(W.T)
        dh = dh.dot(U.T)
    return dx, dh, dW, dU, db
