"""Keeps nothing but the inputs: the backward runs the recurrence once more before it goes back in time."""
import numpy as np


def recur(x, s0, Wi, Wr, bias):
    states = []
    s = s0
    for frame in x:
        s = np.tanh(np.einsum("nd,dh->nh", frame, Wi) + np.einsum("nk,kh->nh", s, Wr) + bias)
        states.append(s)
    return np.array(states)


def recur_grad(grad_states, x, s0, Wi, Wr, bias):
    states = [s0]
    for frame in x:
        states.append(np.tanh(frame @ Wi + states[-1] @ Wr + bias))
    grad_x = np.zeros_like(x)
    grad_Wi = np.zeros_like(Wi)
    grad_Wr = np.zeros_like(Wr)
    grad_bias = np.zeros_like(bias)
    back = np.zeros_like(s0)
    t = len(x)
    while t > 0:
        back = back + grad_states[t - 1]
        local = back * (1.0 - states[t] * states[t])
        grad_Wi += np.einsum("nd,nh->dh", x[t - 1], local)
        grad_Wr += np.einsum("nk,nh->kh", states[t - 1], local)
        grad_bias += local.sum(axis=0)
        grad_x[t - 1] = np.einsum("nh,dh->nd", local, Wi)
        back = np.einsum("nh,kh->nk", local, Wr)
        t -= 1
    grad_s0 = back
    return grad_x, grad_s0, grad_Wi, grad_Wr, grad_bias
