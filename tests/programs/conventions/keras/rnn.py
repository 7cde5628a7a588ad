import numpy as np


def rnn_step_forward(inputs, h_tm1, kernel, recurrent_kernel, bias):
    h = np.tanh(np.dot(inputs, kernel) + bias + np.dot(h_tm1, recurrent_kernel))
    cache = inputs, h_tm1, kernel, recurrent_kernel, h
    return h, cache


def rnn_step_backward(dh, cache):
    inputs, h_tm1, kernel, recurrent_kernel, h = cache
    da = dh * (1 - h ** 2)
    dinputs, dh_tm1 = np.dot(da, kernel.T), np.dot(da, recurrent_kernel.T)
    dkernel, drecurrent_kernel, dbias = np.dot(inputs.T, da), np.dot(h_tm1.T, da), np.sum(da, axis=0)
    return dinputs, dh_tm1, dkernel, drecurrent_kernel, dbias


def rnn_forward(inputs, initial_h, kernel, recurrent_kernel, bias):
    state, outputs, caches = initial_h, np.zeros((inputs.shape[0], inputs.shape[1], initial_h.shape[1])), []
    for t in range(inputs.shape[1]):
        state, cache = rnn_step_forward(inputs[:, t], state, kernel, recurrent_kernel, bias)
        outputs[:, t] = state
        caches.append(cache)
    return outputs, caches


def rnn_backward(doutputs, caches):
    inputs, initial_h, kernel, recurrent_kernel, h = caches[0]
    dinputs = np.zeros((doutputs.shape[0], doutputs.shape[1], kernel.shape[0]))
    dinitial_h = np.zeros_like(initial_h)
    dkernel, drecurrent_kernel, dbias = np.zeros_like(kernel), np.zeros_like(recurrent_kernel), np.zeros(kernel.shape[1])
    for t in reversed(range(doutputs.shape[1])):
        dinputs[:, t], dinitial_h, dk, dr, db = rnn_step_backward(doutputs[:, t] + dinitial_h, caches[t])
        dkernel += dk
        drecurrent_kernel += dr
        dbias += db
    return dinputs, dinitial_h, dkernel, drecurrent_kernel, dbias
