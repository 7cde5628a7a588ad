import numpy as np


def sigmoid(x):
    x = np.clip(x, -500, 500)
    return 1.0 / (1.0 + np.exp(-x))


def sigmoid_prime(x):
    return sigmoid(x) * (1 - sigmoid(x))


def softmax(x):
    shifted = x - np.max(x, axis=-1, keepdims=True)
    e = np.exp(shifted)
    return e / np.sum(e, axis=-1, keepdims=True)


def forward(x, y, U, W, V, b):
    a = np.zeros((len(x), x.shape[1], W.shape[0]))
    s = np.zeros((len(x) + 1, x.shape[1], W.shape[0]))
    for t in range(len(x)):
        a[t] = x[t] @ U + s[t] @ W + b
        s[t + 1] = sigmoid(a[t])
    p = softmax(s[1:] @ V)
    loss = -np.mean(np.sum(y * np.log(p + 1e-12), axis=-1))
    return loss, a, s, p


def backward(x, y, U, W, V, a, s, p):
    T, N = x.shape[:2]
    d_o = (p - y) / (T * N)
    dV = np.zeros_like(V)
    dU = np.zeros_like(U)
    dW = np.zeros_like(W)
    db = np.zeros(W.shape[0])
    delta = np.zeros_like(s[0])
    for t in range(T)[::-1]:
        dV += s[t + 1].T @ d_o[t]
        delta = (d_o[t] @ V.T + delta @ W.T) * sigmoid_prime(a[t])
        dU += x[t].T @ delta
        dW += s[t].T @ delta
        db += delta.sum(axis=0)
    return dU, dW, dV, db
