import math
import numpy as np


def sig(v):
    return 0.5 * (1 + np.tanh(0.5 * v))


def step(x, h, Wz, Uz, Wr, Ur, W, U):
    z = sig(Wz.dot(x) + Uz.dot(h))
    r = sig(Wr.dot(x) + Ur.dot(h))
    g = np.tanh(W.dot(x) + U.dot(r * h))
    out = z * h + (1 - z) * g
    return out, dict(x=x, h=h, z=z, r=r, g=g, Wz=Wz, Uz=Uz, Wr=Wr, Ur=Ur, W=W, U=U)


def step_back(dout, c):
    x, h, z, r, g = c["x"], c["h"], c["z"], c["r"], c["g"]
    dz = dout * (h - g) * z * (1 - z)
    dg = dout * (1 - z) * (1 - g ** 2)
    drh = c["U"].T.dot(dg)
    dr = drh * h * r * (1 - r)
    dh = dout * z + drh * r + c["Uz"].T.dot(dz) + c["Ur"].T.dot(dr)
    dx = c["Wz"].T.dot(dz) + c["Wr"].T.dot(dr) + c["W"].T.dot(dg)
    return dx, dh, np.outer(dz, x), np.outer(dz, h), np.outer(dr, x), np.outer(dr, h), np.outer(dg, x), np.outer(dg, r * h)
