import numpy as np
from types import SimpleNamespace


def logistic(a):
    return np.where(a >= 0, 1 / (1 + np.exp(-np.abs(a))), np.exp(-np.abs(a)) / (1 + np.exp(-np.abs(a))))


def forward(x, h, c, p):
    s = SimpleNamespace(x=x, h=h, c=c, p=p)
    s.i = logistic(x @ p["Wi"] + h @ p["Ui"] + c * p["vi"] + p["bi"])
    s.f = logistic(x @ p["Wf"] + h @ p["Uf"] + c * p["vf"] + p["bf"])
    s.g = np.tanh(x @ p["Wg"] + h @ p["Ug"] + p["bg"])
    s.c_new = s.f * c + s.i * s.g
    s.o = logistic(x @ p["Wo"] + h @ p["Uo"] + s.c_new * p["vo"] + p["bo"])
    s.t = np.tanh(s.c_new)
    return s.o * s.t, s.c_new, s


def backward(dh_out, dc_out, s):
    p, d = s.p, {}
    do = dh_out * s.t * s.o * (1 - s.o)
    dc = dc_out + dh_out * s.o * (1 - s.t ** 2) + do * p["vo"]
    di = dc * s.g * s.i * (1 - s.i)
    df = dc * s.c * s.f * (1 - s.f)
    dg = dc * s.i * (1 - s.g ** 2)
    dx, dh = 0, 0
    for name, da in zip("ifgo", (di, df, dg, do)):
        d["W" + name] = s.x.T @ da
        d["U" + name] = s.h.T @ da
        d["b" + name] = da.sum(0)
        dx = dx + da @ p["W" + name].T
        dh = dh + da @ p["U" + name].T
    d["vi"], d["vf"], d["vo"] = (di * s.c).sum(0), (df * s.c).sum(0), (do * s.c_new).sum(0)
    dc = dc * s.f + di * p["vi"] + df * p["vf"]
    return dx, dh, dc, d
