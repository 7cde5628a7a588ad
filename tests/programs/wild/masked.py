import numpy as np


def run_forward(x, lengths, Wx, Wh, b):
    """x: (batch, time, input); shorter sequences keep their last state"""
    batch, steps, _ = x.shape
    mask = (np.arange(steps)[None, :] < np.asarray(lengths)[:, None]).astype(np.float64)
    h = np.zeros((batch, Wh.shape[0]))
    states = [h]
    cands = []
    for t in range(steps):
        cand = np.tanh(np.matmul(x[:, t], Wx) + np.matmul(h, Wh) + b)
        m = mask[:, t][:, np.newaxis]
        h = m * cand + (1 - m) * h
        states.append(h)
        cands.append(cand)
    return h, (x, mask, Wx, Wh, states, cands)


def run_backward(dh, cache):
    x, mask, Wx, Wh, states, cands = cache
    dx = np.zeros_like(x)
    grads = dict(dWx=np.zeros_like(Wx), dWh=np.zeros_like(Wh), db=np.zeros(Wh.shape[1]))
    for t in range(x.shape[1] - 1, -1, -1):
        m = mask[:, [t]]
        da = dh * m * (1 - np.square(cands[t]))
        dx[:, t, :] = np.matmul(da, Wx.transpose())
        grads["dWx"] += np.matmul(x[:, t].transpose(), da)
        grads["dWh"] += np.matmul(states[t].transpose(), da)
        grads["db"] += np.sum(da, 0)
        dh = dh * (1 - m) + np.matmul(da, Wh.transpose())
    return dx, grads
