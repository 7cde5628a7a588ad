import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def gru_step_forward(inputs, h_tm1, kernel, recurrent_kernel, bias):
    units = h_tm1.shape[1]
    x = np.dot(inputs, kernel) + bias[0]
    inner = np.dot(h_tm1, recurrent_kernel) + bias[1]
    z = sigmoid(x[:, :units] + inner[:, :units])
    r = sigmoid(x[:, units:2 * units] + inner[:, units:2 * units])
    recurrent_h = inner[:, 2 * units:]
    hh = np.tanh(x[:, 2 * units:] + r * recurrent_h)
    h = z * h_tm1 + (1 - z) * hh
    cache = inputs, h_tm1, kernel, recurrent_kernel, z, r, hh, recurrent_h
    return h, cache


def gru_step_backward(dh, cache):
    inputs, h_tm1, kernel, recurrent_kernel, z, r, hh, recurrent_h = cache
    dhh = dh * (1 - z) * (1 - hh ** 2)
    dz = dh * (h_tm1 - hh) * z * (1 - z)
    dr = dhh * recurrent_h * r * (1 - r)
    dx = np.concatenate([dz, dr, dhh], axis=1)
    dinner = np.concatenate([dz, dr, dhh * r], axis=1)
    dinputs = np.dot(dx, kernel.T)
    dh_tm1 = dh * z + np.dot(dinner, recurrent_kernel.T)
    dkernel, drecurrent_kernel = np.dot(inputs.T, dx), np.dot(h_tm1.T, dinner)
    dbias = np.stack([dx.sum(axis=0), dinner.sum(axis=0)])
    return dinputs, dh_tm1, dkernel, drecurrent_kernel, dbias


def gru_forward(inputs, initial_h, kernel, recurrent_kernel, bias):
    h, caches = initial_h, []
    outputs = np.zeros((inputs.shape[0], inputs.shape[1], initial_h.shape[1]))
    for t in range(inputs.shape[1]):
        h, cache = gru_step_forward(inputs[:, t], h, kernel, recurrent_kernel, bias)
        outputs[:, t] = h
        caches.append(cache)
    return outputs, caches


def gru_backward(doutputs, caches):
    kernel, recurrent_kernel = caches[0][2], caches[0][3]
    dinputs = np.zeros((doutputs.shape[0], doutputs.shape[1], kernel.shape[0]))
    dinitial_h = np.zeros(doutputs[:, 0].shape)
    dkernel, drecurrent_kernel, dbias = np.zeros_like(kernel), np.zeros_like(recurrent_kernel), np.zeros((2, kernel.shape[1]))
    for t in reversed(range(doutputs.shape[1])):
        dinputs[:, t], dinitial_h, dk, dr, db = gru_step_backward(doutputs[:, t] + dinitial_h, caches[t])
        dkernel += dk
        drecurrent_kernel += dr
        dbias += db
    return dinputs, dinitial_h, dkernel, drecurrent_kernel, dbias
