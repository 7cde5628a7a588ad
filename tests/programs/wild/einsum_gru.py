import numpy as np


def sigmoid(z):
    return np.where(z >= 0, 1 / (1 + np.exp(-np.abs(z))), np.exp(-np.abs(z)) / (1 + np.exp(-np.abs(z))))


def gru(inputs, Wz, Wr, Wn, Uz, Ur, Un, bz, br, bn):
    x = np.swapaxes(inputs, 0, 1)
    h = np.zeros((x.shape[1], bz.shape[0]))
    tape = []
    for xt in x:
        z = sigmoid(np.einsum("nd,dh->nh", xt, Wz) + np.einsum("nh,hk->nk", h, Uz) + bz)
        r = sigmoid(np.einsum("nd,dh->nh", xt, Wr) + np.einsum("nh,hk->nk", h, Ur) + br)
        hn = np.einsum("nh,hk->nk", h, Un)
        n = np.tanh(np.einsum("nd,dh->nh", xt, Wn) + r * hn + bn)
        tape.append((xt, h, z, r, n, hn))
        h = z * h + (1 - z) * n
    return h, tape


def gru_grad(dh, tape, Wz, Wr, Wn, Uz, Ur, Un):
    g = {name: 0 for name in ["Wz", "Wr", "Wn", "Uz", "Ur", "Un", "bz", "br", "bn"]}
    dinputs = []
    for xt, h, z, r, n, hn in tape[::-1]:
        dn = dh * (1 - z) * (1 - n ** 2)
        dz = dh * (h - n) * z * (1 - z)
        dr = dn * hn * r * (1 - r)
        dhn = dn * r
        g["Wz"] = g["Wz"] + np.einsum("nd,nh->dh", xt, dz)
        g["Wr"] = g["Wr"] + np.einsum("nd,nh->dh", xt, dr)
        g["Wn"] = g["Wn"] + np.einsum("nd,nh->dh", xt, dn)
        g["Uz"] = g["Uz"] + np.einsum("nh,nk->hk", h, dz)
        g["Ur"] = g["Ur"] + np.einsum("nh,nk->hk", h, dr)
        g["Un"] = g["Un"] + np.einsum("nh,nk->hk", h, dhn)
        for k, d in (("bz", dz), ("br", dr), ("bn", dn)):
            g[k] = g[k] + np.einsum("nh->h", d)
        dinputs.append(np.einsum("nh,dh->nd", dz, Wz) + np.einsum("nh,dh->nd", dr, Wr) + np.einsum("nh,dh->nd", dn, Wn))
        dh = dh * z + np.einsum("nk,hk->nh", dz, Uz) + np.einsum("nk,hk->nh", dr, Ur) + np.einsum("nk,hk->nh", dhn, Un)
    dinputs = np.swapaxes(np.stack(dinputs[::-1]), 0, 1)
    return dinputs, g
