import numpy as np


def rnn_cell_forward(input, h_0, weight_ih, weight_hh, bias_ih, bias_hh):
    h_1 = np.tanh(input @ weight_ih.T + bias_ih + h_0 @ weight_hh.T + bias_hh)
    return h_1, (input, h_0, weight_ih, weight_hh, h_1)


def rnn_cell_backward(dh_1, cache):
    input, h_0, weight_ih, weight_hh, h_1 = cache
    da = dh_1 * (1 - h_1 * h_1)
    return da @ weight_ih, da @ weight_hh, da.T @ input, da.T @ h_0, da.sum(0), da.sum(0)


def rnn_forward(input, h_0, weight_ih, weight_hh, bias_ih, bias_hh):
    h_n, output, cache = h_0, [], []
    for x_t in input:
        h_n, saved = rnn_cell_forward(x_t, h_n, weight_ih, weight_hh, bias_ih, bias_hh)
        output.append(h_n)
        cache.append(saved)
    output = np.stack(output)
    return output, h_n, cache


def rnn_backward(doutput, dh_n, cache):
    dh_0, dinput, sums = dh_n, np.zeros((len(cache), *cache[0][0].shape)), [0, 0, 0, 0]
    for t in range(len(cache) - 1, -1, -1):
        dinput[t], dh_0, *grads = rnn_cell_backward(doutput[t] + dh_0, cache[t])
        sums = [total + grad for total, grad in zip(sums, grads)]
    dweight_ih, dweight_hh, dbias_ih, dbias_hh = sums
    return dinput, dh_0, dweight_ih, dweight_hh, dbias_ih, dbias_hh
