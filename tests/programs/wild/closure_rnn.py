import numpy as np


def dense(x, W):
    y = x @ W

    def back(dy):
        return dy @ W.T, x.T @ dy

    return y, back


def act(z):
    y = np.tanh(z)
    return y, lambda dy: dy * (1 - y ** 2)


def rnn(x, h0, W, U):
    h = h0
    outs, backs = [], []
    for t in range(x.shape[1]):
        a, back_x = dense(x[:, t], W)
        r, back_h = dense(h, U)
        h, back_act = act(a + r)
        outs.append(h)
        backs.append((back_x, back_h, back_act))

    def back(dy):
        dx, dW, dU = np.zeros(x.shape), np.zeros(W.shape), np.zeros(U.shape)
        dh = np.zeros(h0.shape)
        for t, (back_x, back_h, back_act) in reversed(list(enumerate(backs))):
            da = back_act(dy[:, t] + dh)
            dx[:, t], gW = back_x(da)
            dh, gU = back_h(da)
            dW += gW
            dU += gU
        return dx, dh, dW, dU

    y = np.stack(outs, axis=1)
    return y, back
