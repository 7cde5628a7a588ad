import numpy as np


def one_way(xs, W, U, b):
    hs = [np.zeros((xs[0].shape[0], U.shape[0]))]
    for x in xs:
        hs.append(np.tanh(x @ W + hs[-1] @ U + b))
    return hs


def one_way_back(dhs, xs, hs, W, U):
    dW, dU, db = np.zeros_like(W), np.zeros_like(U), np.zeros(U.shape[1])
    dxs = []
    carry = 0
    for dh, x, h, prev in zip(reversed(dhs), reversed(xs), reversed(hs[1:]), reversed(hs[:-1])):
        da = (dh + carry) * (1 - h * h)
        dW += x.T @ da
        dU += prev.T @ da
        db += da.sum(axis=0)
        dxs.append(da @ W.T)
        carry = da @ U.T
    return dxs[::-1], dW, dU, db


def birnn_forward(xs, fw, bw, V):
    left = one_way(xs, *fw)
    right = one_way(xs[::-1], *bw)
    both = [np.hstack([l, r]) for l, r in zip(left[1:], right[1:][::-1])]
    ys = [h @ V for h in both]
    return ys, (xs, fw, bw, V, left, right, both)


def birnn_backward(dys, cache):
    xs, fw, bw, V, left, right, both = cache
    H = fw[1].shape[0]
    dV = sum(h.T @ dy for h, dy in zip(both, dys))
    dboth = [dy @ V.T for dy in dys]
    dl, dWf, dUf, dbf = one_way_back([d[:, :H] for d in dboth], xs, left, fw[0], fw[1])
    dr, dWb, dUb, dbb = one_way_back([d[:, H:] for d in dboth][::-1], xs[::-1], right, bw[0], bw[1])
    dxs = [a + b for a, b in zip(dl, dr[::-1])]
    return dxs, (dWf, dUf, dbf), (dWb, dUb, dbb), dV
