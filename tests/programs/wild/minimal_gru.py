import numpy as np
from numpy import tanh, exp, dot, zeros, zeros_like, outer


def sigmoid(x): return 1/(1+exp(-x))


def forward(xs, ys, params):
    """one sample; returns squared error"""
    Uz, Wz, bz, Ur, Wr, br, Uh, Wh, bh, V, c = params
    hs, zs, rs, cs, os = {-1: zeros(bz.shape)}, {}, {}, {}, {}
    err = 0.
    for t in range(len(xs)):
        zs[t] = sigmoid(dot(Uz, xs[t]) + dot(Wz, hs[t-1]) + bz)
        rs[t] = sigmoid(dot(Ur, xs[t]) + dot(Wr, hs[t-1]) + br)
        cs[t] = tanh(dot(Uh, xs[t]) + dot(Wh, rs[t]*hs[t-1]) + bh)
        hs[t] = zs[t]*hs[t-1] + (1-zs[t])*cs[t]
        os[t] = dot(V, hs[t]) + c
        err += .5*np.sum((os[t]-ys[t])**2)
    return err, (hs, zs, rs, cs, os)


def backward(xs, ys, params, cache):
    Uz, Wz, bz, Ur, Wr, br, Uh, Wh, bh, V, c = params
    hs, zs, rs, cs, os = cache
    dparams = [zeros_like(p) for p in params]
    dUz, dWz, dbz, dUr, dWr, dbr, dUh, dWh, dbh, dV, dc = dparams
    dhnext = zeros_like(hs[0])
    for t in reversed(range(len(xs))):
        do = os[t]-ys[t]
        dV += outer(do, hs[t]); dc += do
        dh = dot(V.T, do) + dhnext
        dcand = dh*(1-zs[t]); dca = dcand*(1-cs[t]*cs[t])
        dUh += outer(dca, xs[t]); dWh += outer(dca, rs[t]*hs[t-1]); dbh += dca
        drh = dot(Wh.T, dca)
        dra = drh*hs[t-1]*rs[t]*(1-rs[t])
        dUr += outer(dra, xs[t]); dWr += outer(dra, hs[t-1]); dbr += dra
        dza = dh*(hs[t-1]-cs[t])*zs[t]*(1-zs[t])
        dUz += outer(dza, xs[t]); dWz += outer(dza, hs[t-1]); dbz += dza
        dhnext = dh*zs[t] + drh*rs[t] + dot(Wr.T, dra) + dot(Wz.T, dza)
    return dparams
