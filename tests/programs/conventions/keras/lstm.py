import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm_step_forward(inputs, h_tm1, c_tm1, kernel, recurrent_kernel, bias):
    units = h_tm1.shape[1]
    z = np.dot(inputs, kernel) + np.dot(h_tm1, recurrent_kernel) + bias
    i = sigmoid(z[:, :units])
    f = sigmoid(z[:, units:2 * units])
    g = np.tanh(z[:, 2 * units:3 * units])
    o = sigmoid(z[:, 3 * units:])
    c = f * c_tm1 + i * g
    h = o * np.tanh(c)
    cache = inputs, h_tm1, c_tm1, kernel, recurrent_kernel, i, f, g, o, c
    return h, c, cache


def lstm_step_backward(dh, dc, cache):
    inputs, h_tm1, c_tm1, kernel, recurrent_kernel, i, f, g, o, c = cache
    dc = dc + dh * o * (1 - np.tanh(c) ** 2)
    dz = np.concatenate([dc * g * i * (1 - i), dc * c_tm1 * f * (1 - f), dc * i * (1 - g ** 2), dh * np.tanh(c) * o * (1 - o)], axis=1)
    dinputs, dh_tm1, dc_tm1 = np.dot(dz, kernel.T), np.dot(dz, recurrent_kernel.T), dc * f
    dkernel, drecurrent_kernel, dbias = np.dot(inputs.T, dz), np.dot(h_tm1.T, dz), np.sum(dz, axis=0)
    return dinputs, dh_tm1, dc_tm1, dkernel, drecurrent_kernel, dbias


def lstm_forward(inputs, initial_h, initial_c, kernel, recurrent_kernel, bias):
    h, c, caches = initial_h, initial_c, []
    outputs = np.zeros((inputs.shape[0], inputs.shape[1], initial_h.shape[1]))
    for t in range(inputs.shape[1]):
        h, c, cache = lstm_step_forward(inputs[:, t], h, c, kernel, recurrent_kernel, bias)
        outputs[:, t] = h
        caches.append(cache)
    return outputs, caches


def lstm_backward(doutputs, caches):
    kernel, recurrent_kernel = caches[0][3], caches[0][4]
    dinputs = np.zeros((doutputs.shape[0], doutputs.shape[1], kernel.shape[0]))
    dinitial_h, dinitial_c = np.zeros(doutputs[:, 0].shape), np.zeros(doutputs[:, 0].shape)
    dkernel, drecurrent_kernel, dbias = np.zeros_like(kernel), np.zeros_like(recurrent_kernel), np.zeros(kernel.shape[1])
    for t in reversed(range(doutputs.shape[1])):
        dinputs[:, t], dinitial_h, dinitial_c, dk, dr, db = lstm_step_backward(doutputs[:, t] + dinitial_h, dinitial_c, caches[t])
        dkernel += dk
        drecurrent_kernel += dr
        dbias += db
    return dinputs, dinitial_h, dinitial_c, dkernel, drecurrent_kernel, dbias
