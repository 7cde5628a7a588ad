import numpy as np
def sigmoid(x): return 1/(1+np.exp(-x))
def lstm_step_forward(x, prev_h, prev_c, Wx, Wh, b):
    N, H = prev_h.shape
    a = x.dot(Wx) + prev_h.dot(Wh) + b
    i = sigmoid(a[:, :H]); f = sigmoid(a[:, H:2*H]); o = sigmoid(a[:, 2*H:3*H]); g = np.tanh(a[:, 3*H:])
    next_c = f*prev_c + i*g
    next_h = o*np.tanh(next_c)
    cache = (x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c)
    return next_h, next_c, cache
def lstm_step_backward(dnext_h, dnext_c, cache):
    x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c = cache
    t = np.tanh(next_c)
    dnext_c += dnext_h*o*(1-t**2)
    do = dnext_h*t; df = dnext_c*prev_c; dprev_c = dnext_c*f; di = dnext_c*g; dg = dnext_c*i
    da = np.hstack((di*i*(1-i), df*f*(1-f), do*o*(1-o), dg*(1-g**2)))
    dx = da.dot(Wx.T); dprev_h = da.dot(Wh.T); dWx = x.T.dot(da); dWh = prev_h.T.dot(da); db = da.sum(axis=0)
    return dx, dprev_h, dprev_c, dWx, dWh, db
def lstm_forward(x, h0, Wx, Wh, b):
    N, T, D = x.shape; H = h0.shape[1]
    h = np.zeros((N, T, H)); cache = {}
    ph, pc = h0, np.zeros_like(h0)
    for t in range(T):
        ph, pc, cache[t] = lstm_step_forward(x[:, t, :], ph, pc, Wx, Wh, b)
        h[:, t, :] = ph
    return h, cache
def lstm_backward(dh, cache):
    N, T, H = dh.shape; D = cache[0][0].shape[1]
    dx = np.zeros((N, T, D)); dWx = np.zeros((D, 4*H)); dWh = np.zeros((H, 4*H)); db = np.zeros(4*H)
    dph = np.zeros((N, H)); dpc = np.zeros((N, H))
    for t in reversed(range(T)):
        dx[:, t, :], dph, dpc, a, b, c = lstm_step_backward(dh[:, t, :] + dph, dpc, cache[t])
        dWx += a; dWh += b; db += c
    dh0 = dph
    return dx, dh0, dWx, dWh, db
