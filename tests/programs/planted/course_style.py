"""LSTM in columns: x is (n_x, m, T), every gate has its own matrix over [h; x], parameters come in a dictionary."""
import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def cell_forward(xt, h_prev, c_prev, params):
    concat = np.concatenate((h_prev, xt), axis=0)
    ft = sigmoid(np.dot(params["Wf"], concat) + params["bf"])      # forget
    gt = np.tanh(np.dot(params["Wg"], concat) + params["bg"])      # candidate
    it = sigmoid(np.dot(params["Wi"], concat) + params["bi"])      # update
    ot = sigmoid(np.dot(params["Wo"], concat) + params["bo"])      # output
    c_next = ft * c_prev + it * gt
    h_next = ot * np.tanh(c_next)
    return h_next, c_next, (concat, c_prev, c_next, ft, gt, it, ot)


def lstm_forward(x, h0, params):
    n_x, m, T = x.shape
    n_h = h0.shape[0]
    h = np.zeros((n_h, m, T))
    h_next, c_next = h0, np.zeros((n_h, m))
    caches = []
    for t in range(T):
        h_next, c_next, cache = cell_forward(x[:, :, t], h_next, c_next, params)
        h[:, :, t] = h_next
        caches.append(cache)
    return h, (caches, params, x)


def cell_backward(dh_next, dc_next, cache, params):
    concat, c_prev, c_next, ft, gt, it, ot = cache
    n_h = ft.shape[0]
    dot = dh_next * np.tanh(c_next) * ot * (1 - ot)
    dc = dc_next + dh_next * ot * (1 - np.tanh(c_next) ** 2)
    dft = dc * c_prev * ft * (1 - ft)
    dgt = dc * it * (1 - gt ** 2)
    dit = dc * gt * it * (1 - it)
    dconcat = (np.dot(params["Wf"].T, dft) + np.dot(params["Wg"].T, dgt)
               + np.dot(params["Wi"].T, dit) + np.dot(params["Wo"].T, dot))
    grads = {}
    grads["dWf"] = np.dot(dft, concat.T)
    grads["dWg"] = np.dot(dgt, concat.T)
    grads["dWi"] = np.dot(dit, concat.T)
    grads["dWo"] = np.dot(dot, concat.T)
    grads["dbf"] = np.sum(dft, axis=1, keepdims=True)
    grads["dbg"] = np.sum(dgt, axis=1, keepdims=True)
    grads["dbi"] = np.sum(dit, axis=1, keepdims=True)
    grads["dbo"] = np.sum(dot, axis=1, keepdims=True)
    dh_prev = dconcat[:n_h]
    dx_t = dconcat[n_h:]
    dc_prev = dc * ft
    return dx_t, dh_prev, dc_prev, grads


def lstm_backward(dh, caches):
    cells, params, x = caches
    n_h, m, T = dh.shape
    gradients = {"d" + name: np.zeros_like(value) for name, value in params.items()}
    gradients["dx"] = np.zeros_like(x)
    dh_prevt = np.zeros((n_h, m))
    dc_prevt = np.zeros((n_h, m))
    for t in reversed(range(T)):
        dx_t, dh_prevt, dc_prevt, g = cell_backward(dh[:, :, t] + dh_prevt, dc_prevt, cells[t], params)
        gradients["dx"][:, :, t] = dx_t
        for name in g:
            gradients[name] += g[name]
    gradients["dh0"] = dh_prevt
    return gradients
