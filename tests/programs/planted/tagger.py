"""Tagger: an LSTM with the gates f g i o in one matrix, integer tags, cross-entropy averaged over batch and time."""
import numpy as np


def _sig(a):
    return 1. / (1. + np.exp(-a))


def _softmax(a):
    a = a - np.max(a, axis=-1, keepdims=True)
    e = np.exp(a)
    return e / np.sum(e, axis=-1, keepdims=True)


def tag_loss(sentences, tags, h0, c0, W_in, W_rec, bias, W_out, b_out):
    T, N, _ = sentences.shape
    H = W_rec.shape[0]
    h_list, c_list, gate_list, prob_list = [h0], [c0], [], []
    loss = 0.0
    for t in range(T):
        a = sentences[t] @ W_in + h_list[t] @ W_rec + bias
        f, i, o = _sig(a[:, :H]), _sig(a[:, 2*H:3*H]), _sig(a[:, 3*H:])
        g = np.tanh(a[:, H:2*H])
        c_list.append(f * c_list[t] + i * g)
        h_list.append(o * np.tanh(c_list[t+1]))
        gate_list.append((f, g, i, o))
        prob_list.append(_softmax(h_list[t+1] @ W_out + b_out))
        loss -= np.sum(np.log(prob_list[t][np.arange(N), tags[t]]))
    loss = loss / (N * T)
    return loss, (h_list, c_list, gate_list, prob_list)


def tag_grad(sentences, tags, W_in, W_rec, W_out, saved):
    h_list, c_list, gate_list, prob_list = saved
    T, N, _ = sentences.shape
    H = W_rec.shape[0]
    W_in_grad, W_rec_grad = np.zeros_like(W_in), np.zeros_like(W_rec)
    bias_grad = np.zeros(4*H)
    W_out_grad, b_out_grad = np.zeros_like(W_out), np.zeros(W_out.shape[1])
    sentences_grad = np.zeros_like(sentences)
    dh_in, dc_in = np.zeros((N, H)), np.zeros((N, H))
    for t in range(T - 1, -1, -1):
        f, g, i, o = gate_list[t]
        dlogit = prob_list[t].copy()
        dlogit[np.arange(N), tags[t]] -= 1
        dlogit /= N * T
        W_out_grad += h_list[t+1].T @ dlogit
        b_out_grad += dlogit.sum(axis=0)
        dh = dlogit @ W_out.T + dh_in
        tanh_c = np.tanh(c_list[t+1])
        dc = dc_in + dh * o * (1 - tanh_c**2)
        da = np.empty((N, 4*H))
        da[:, :H] = dc * c_list[t] * f * (1 - f)
        da[:, H:2*H] = dc * i * (1 - g**2)
        da[:, 2*H:3*H] = dc * g * i * (1 - i)
        da[:, 3*H:] = dh * tanh_c * o * (1 - o)
        W_in_grad += sentences[t].T @ da
        W_rec_grad += h_list[t].T @ da
        bias_grad += da.sum(axis=0)
        sentences_grad[t] = da @ W_in.T
        dh_in = da @ W_rec.T
        dc_in = dc * f
    h0_grad, c0_grad = dh_in, dc_in
    return sentences_grad, h0_grad, c0_grad, W_in_grad, W_rec_grad, bias_grad, W_out_grad, b_out_grad
