# Two stacked tanh layers, columns. Lists over time with the start state in front. Logistic output, cross-entropy.
import numpy as np


def forward(seq, labels, s1_init, s2_init, W1, R1, b1, W2, R2, b2, V, c):
    s1, s2, q = [s1_init], [s2_init], []
    cost = 0
    for x, y in zip(seq, labels):
        s1 += [np.tanh(W1.dot(x) + R1.dot(s1[-1]) + b1)]
        s2 += [np.tanh(W2.dot(s1[-1]) + R2.dot(s2[-1]) + b2)]
        q += [1/(1 + np.exp(-(V.dot(s2[-1]) + c)))]
        cost -= np.sum(y*np.log(q[-1]) + (1 - y)*np.log(1 - q[-1]))
    return cost, s1, s2, q


def backward(seq, labels, s1, s2, q, W1, R1, W2, R2, V):
    dW1, dR1, db1 = 0*W1, 0*R1, 0*s1[0]
    dW2, dR2, db2 = 0*W2, 0*R2, 0*s2[0]
    dV, dc = 0*V, 0*q[0]
    from_next1, from_next2 = 0*s1[0], 0*s2[0]
    for t in range(len(seq), 0, -1):
        e = q[t-1] - labels[t-1]
        dV = dV + e.dot(s2[t].T)
        dc = dc + e
        d2 = (V.T.dot(e) + from_next2)*(1 - s2[t]**2)
        dW2 = dW2 + d2.dot(s1[t].T)
        dR2 = dR2 + d2.dot(s2[t-1].T)
        db2 = db2 + d2
        d1 = (W2.T.dot(d2) + from_next1)*(1 - s1[t]**2)
        dW1 = dW1 + d1.dot(seq[t-1].T)
        dR1 = dR1 + d1.dot(s1[t-1].T)
        db1 = db1 + d1
        from_next1 = R1.T.dot(d1)
        from_next2 = R2.T.dot(d2)
    return dW1, dR1, db1, dW2, dR2, db2, dV, dc
