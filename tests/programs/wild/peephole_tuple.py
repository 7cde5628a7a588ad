from collections import namedtuple
import numpy as np

Cache = namedtuple("Cache", "x h_prev c_prev i f o g c h")
Weights = namedtuple("Weights", ["Wi", "Wf", "Wo", "Wg", "pi", "pf", "po", "bi", "bf", "bo", "bg"])
sigmoid = lambda z: 1.0 / (1.0 + np.exp(-z))
dsigmoid = lambda s: s * (1.0 - s)
dtanh = lambda t: 1.0 - t * t


def forward(xs, h0, c0, weights):
    caches = []
    h, c = h0, c0
    out = []
    for x in xs:
        z = np.concatenate([x, h])
        i = sigmoid(weights.Wi @ z + weights.pi * c + weights.bi)
        f = sigmoid(weights.Wf @ z + weights.pf * c + weights.bf)
        g = np.tanh(weights.Wg @ z + weights.bg)
        c_new = f * c + i * g
        o = sigmoid(weights.Wo @ z + weights.po * c_new + weights.bo)
        h_new = o * np.tanh(c_new)
        caches.append(Cache(x, h, c, i, f, o, g, c_new, h_new))
        h, c = h_new, c_new
        out.append(h)
    return np.array(out), caches


def backward(dout, caches, weights):
    d = Weights(*[np.zeros_like(w) for w in weights])
    n = len(caches[0].x)
    dxs = np.zeros((len(caches), n))
    dh, dc = np.zeros_like(caches[0].h), np.zeros_like(caches[0].c)
    for t, cache in reversed(list(enumerate(caches))):
        dh = dh + dout[t]
        z = np.concatenate([cache.x, cache.h_prev])
        tc = np.tanh(cache.c)
        ao = dh * tc * dsigmoid(cache.o)
        dc = dc + dh * cache.o * dtanh(tc) + ao * weights.po
        ai = dc * cache.g * dsigmoid(cache.i)
        af = dc * cache.c_prev * dsigmoid(cache.f)
        ag = dc * cache.i * dtanh(cache.g)
        for W, p, b, a, peep in ((d.Wi, d.pi, d.bi, ai, cache.c_prev), (d.Wf, d.pf, d.bf, af, cache.c_prev), (d.Wo, d.po, d.bo, ao, cache.c)):
            W += np.outer(a, z)
            p += a * peep
            b += a
        d.Wg[:] = d.Wg + np.outer(ag, z)
        d.bg[:] = d.bg + ag
        dz = weights.Wi.T @ ai + weights.Wf.T @ af + weights.Wo.T @ ao + weights.Wg.T @ ag
        dxs[t], dh = dz[:n], dz[n:]
        dc = dc * cache.f + ai * weights.pi + af * weights.pf
    return dxs, dh, dc, d
