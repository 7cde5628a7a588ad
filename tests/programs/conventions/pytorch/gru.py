import numpy as np


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def gru_cell_forward(input, h_0, weight_ih, weight_hh, bias_ih, bias_hh):
    x_r, x_z, x_n = np.split(input @ weight_ih.T + bias_ih, 3, axis=1)
    h_r, h_z, h_n = np.split(h_0 @ weight_hh.T + bias_hh, 3, axis=1)
    r, z = sigmoid(x_r + h_r), sigmoid(x_z + h_z)
    n = np.tanh(x_n + r * h_n)
    h_1 = (1 - z) * n + z * h_0
    return h_1, (input, h_0, weight_ih, weight_hh, r, z, n, h_n)


def gru_cell_backward(dh_1, cache):
    input, h_0, weight_ih, weight_hh, r, z, n, h_n = cache
    dn = dh_1 * (1 - z) * (1 - n * n)
    dz = dh_1 * (h_0 - n) * z * (1 - z)
    dr = dn * h_n * r * (1 - r)
    dx_gates = np.concatenate([dr, dz, dn], axis=1)
    dh_gates = np.concatenate([dr, dz, dn * r], axis=1)
    dh_0 = dh_1 * z + dh_gates @ weight_hh
    return dx_gates @ weight_ih, dh_0, dx_gates.T @ input, dh_gates.T @ h_0, dx_gates.sum(0), dh_gates.sum(0)


def gru_forward(input, h_0, weight_ih, weight_hh, bias_ih, bias_hh):
    h_n, output, cache = h_0, [], []
    for x_t in input:
        h_n, saved = gru_cell_forward(x_t, h_n, weight_ih, weight_hh, bias_ih, bias_hh)
        output.append(h_n)
        cache.append(saved)
    output = np.stack(output)
    return output, h_n, cache


def gru_backward(doutput, dh_n, cache):
    dh_0, dinput, sums = dh_n, np.zeros((len(cache), *cache[0][0].shape)), [0, 0, 0, 0]
    for t in range(len(cache) - 1, -1, -1):
        dinput[t], dh_0, *grads = gru_cell_backward(doutput[t] + dh_0, cache[t])
        sums = [total + grad for total, grad in zip(sums, grads)]
    dweight_ih, dweight_hh, dbias_ih, dbias_hh = sums
    return dinput, dh_0, dweight_ih, dweight_hh, dbias_ih, dbias_hh
