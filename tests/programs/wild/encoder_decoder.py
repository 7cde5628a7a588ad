import numpy as np


def cell(x, h, p):
    return np.tanh(x @ p["W"] + h @ p["U"] + p["b"])


def cell_back(dh, x, h_prev, h, p, g):
    da = dh * (1 - h * h)
    g["W"] += x.T @ da
    g["U"] += h_prev.T @ da
    g["b"] += da.sum(axis=0, keepdims=True)
    return da @ p["W"].T, da @ p["U"].T


def seq2seq_loss(src, tgt, y, enc, dec, Wo):
    h = np.zeros((src.shape[1], enc["U"].shape[0]))
    eh = [h]
    for x in src:
        h = cell(x, h, enc)
        eh.append(h)
    dh_list = [h]
    preds = []
    for x in tgt:
        h = cell(x, h, dec)
        dh_list.append(h)
        preds.append(h @ Wo)
    preds = np.stack(preds)
    loss = 0.5 * np.mean((preds - y) ** 2)
    cache = dict(src=src, tgt=tgt, y=y, enc=enc, dec=dec, Wo=Wo, eh=eh, dh=dh_list, preds=preds)
    return loss, cache


def seq2seq_grads(cache):
    src, tgt, enc, dec, Wo, preds = (cache[k] for k in ("src", "tgt", "enc", "dec", "Wo", "preds"))
    genc = {k: np.zeros_like(v) for k, v in enc.items()}
    gdec = {k: np.zeros_like(v) for k, v in dec.items()}
    dWo = np.zeros_like(Wo)
    dpreds = (preds - cache["y"]) / preds.size
    dh = np.zeros_like(cache["eh"][0])
    for t in range(len(tgt) - 1, -1, -1):
        dWo += cache["dh"][t + 1].T @ dpreds[t]
        dh = dh + dpreds[t] @ Wo.T
        _, dh = cell_back(dh, tgt[t], cache["dh"][t], cache["dh"][t + 1], dec, gdec)
    for t in range(len(src) - 1, -1, -1):
        _, dh = cell_back(dh, src[t], cache["eh"][t], cache["eh"][t + 1], enc, genc)
    return genc, gdec, dWo
