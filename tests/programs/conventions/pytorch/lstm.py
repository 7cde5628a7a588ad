import numpy as np


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def lstm_cell_forward(input, h_0, c_0, weight_ih, weight_hh, bias_ih, bias_hh):
    a = input @ weight_ih.T + bias_ih + h_0 @ weight_hh.T + bias_hh
    i, f, g, o = np.split(a, 4, axis=1)
    i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
    c_1 = f * c_0 + i * g
    h_1 = o * np.tanh(c_1)
    return h_1, c_1, (input, h_0, c_0, weight_ih, weight_hh, i, f, g, o, c_1)


def lstm_cell_backward(dh_1, dc_1, cache):
    input, h_0, c_0, weight_ih, weight_hh, i, f, g, o, c_1 = cache
    t = np.tanh(c_1)
    dc = dc_1 + dh_1 * o * (1 - t * t)
    da = np.concatenate([dc * g * i * (1 - i), dc * c_0 * f * (1 - f), dc * i * (1 - g * g), dh_1 * t * o * (1 - o)], axis=1)
    return da @ weight_ih, da @ weight_hh, dc * f, da.T @ input, da.T @ h_0, da.sum(0), da.sum(0)


def lstm_forward(input, h_0, c_0, weight_ih, weight_hh, bias_ih, bias_hh):
    h_n, c_n, output, cache = h_0, c_0, [], []
    for x_t in input:
        h_n, c_n, saved = lstm_cell_forward(x_t, h_n, c_n, weight_ih, weight_hh, bias_ih, bias_hh)
        output.append(h_n)
        cache.append(saved)
    output = np.stack(output)
    return output, h_n, c_n, cache


def lstm_backward(doutput, dh_n, dc_n, cache):
    dh_0, dc_0, sums = dh_n, dc_n, [0, 0, 0, 0]
    dinput = np.zeros((len(cache), *cache[0][0].shape))
    for t in range(len(cache) - 1, -1, -1):
        dinput[t], dh_0, dc_0, *grads = lstm_cell_backward(doutput[t] + dh_0, dc_0, cache[t])
        sums = [total + grad for total, grad in zip(sums, grads)]
    dweight_ih, dweight_hh, dbias_ih, dbias_hh = sums
    return dinput, dh_0, dc_0, dweight_ih, dweight_hh, dbias_ih, dbias_hh
