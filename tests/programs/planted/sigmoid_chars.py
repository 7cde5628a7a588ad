"""Character model with a logistic hidden layer. Everything lives in globals; loss and gradients in one go."""
import numpy as np

text = open("names.txt").read()
alphabet = sorted(set(text))
units = 50
U = np.random.randn(units, len(alphabet)) * 0.05
W = np.random.randn(units, units) * 0.05
V = np.random.randn(len(alphabet), units) * 0.05
b = np.zeros((units, 1))
c = np.zeros((len(alphabet), 1))


def sigmoid(a):
    return 1.0 / (1.0 + np.exp(-a))


def lossAndGrads(inputs, targets, hprev):
    x, s, p = [], [hprev], []
    loss = 0.0
    for k, ix in enumerate(inputs):
        onehot = np.zeros((U.shape[1], 1))
        onehot[ix] = 1
        x.append(onehot)
        s.append(sigmoid(U @ x[k] + W @ s[k] + b))   # s[k + 1] is the state after character k
        y = V @ s[k + 1] + c
        e = np.exp(y - np.max(y))
        p.append(e / e.sum())
        loss -= np.log(p[k][targets[k], 0])
    loss = loss / len(inputs)

    U_grad, W_grad, V_grad = np.zeros_like(U), np.zeros_like(W), np.zeros_like(V)
    b_grad, c_grad = np.zeros_like(b), np.zeros_like(c)
    ds_next = np.zeros_like(hprev)
    for k in range(len(inputs) - 1, -1, -1):
        dy = p[k].copy()
        dy[targets[k]] -= 1
        dy = dy / len(inputs)
        V_grad += dy @ s[k + 1].T
        c_grad += dy
        ds = V.T @ dy + ds_next
        da = ds * s[k + 1] * (1 - s[k + 1])
        U_grad += da @ x[k].T
        W_grad += da @ s[k].T
        b_grad += da
        ds_next = W.T @ da
    return loss, U_grad, W_grad, V_grad, b_grad, c_grad


for epoch in range(100):
    lossAndGrads([0, 1], [1, 0], np.zeros((units, 1)))
