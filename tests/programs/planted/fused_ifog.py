"""LSTM over minibatches of sequences (N, T, D). The four gates share one matrix product; columns are i, f, o, g."""
import numpy as np


def sig(v):
    return 1 / (1 + np.exp(-v))


def lstm_step(x, h_prev, c_prev, Wx, Wh, b):
    H = h_prev.shape[1]
    act = np.dot(x, Wx) + np.dot(h_prev, Wh) + b
    i = sig(act[:, 0:H])
    f = sig(act[:, H:2*H])
    o = sig(act[:, 2*H:3*H])
    g = np.tanh(act[:, 3*H:4*H])
    c = f * c_prev + i * g
    tc = np.tanh(c)
    h = o * tc
    cache = x, h_prev, c_prev, Wx, Wh, i, f, o, g, tc
    return h, c, cache


def lstm_step_back(dh, dc, cache):
    x, h_prev, c_prev, Wx, Wh, i, f, o, g, tc = cache
    do = dh * tc
    dc_total = dc + dh * o * (1 - tc ** 2)
    df = dc_total * c_prev
    di = dc_total * g
    dg = dc_total * i
    dc_prev = dc_total * f
    dai = di * i * (1 - i)
    daf = df * f * (1 - f)
    dao = do * o * (1 - o)
    dag = dg * (1 - g ** 2)
    da = np.hstack((dai, daf, dao, dag))
    dx = np.dot(da, Wx.T)
    dh_prev = np.dot(da, Wh.T)
    dWx = np.dot(x.T, da)
    dWh = np.dot(h_prev.T, da)
    db = np.sum(da, axis=0)
    return dx, dh_prev, dc_prev, dWx, dWh, db


def lstm(x, h0, Wx, Wh, b):
    N, T, D = x.shape
    H = h0.shape[1]
    h = np.zeros((N, T, H))
    ht, ct = h0, np.zeros((N, H))
    cache = []
    for t in range(T):
        ht, ct, step_cache = lstm_step(x[:, t], ht, ct, Wx, Wh, b)
        h[:, t] = ht
        cache.append(step_cache)
    return h, cache


def lstm_back(dh, cache):
    N, T, H = dh.shape
    D = cache[0][0].shape[1]
    dx = np.zeros((N, T, D))
    dWx, dWh, db = np.zeros((D, 4*H)), np.zeros((H, 4*H)), np.zeros(4*H)
    dprev_h = np.zeros((N, H))
    dprev_c = np.zeros((N, H))
    for t in range(T - 1, -1, -1):
        grads = lstm_step_back(dh[:, t] + dprev_h, dprev_c, cache[t])
        dx[:, t], dprev_h, dprev_c = grads[0], grads[1], grads[2]
        dWx += grads[3]
        dWh += grads[4]
        db += grads[5]
    dh0 = dprev_h
    return dx, dh0, dWx, dWh, db
