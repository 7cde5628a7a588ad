import numpy as np

# One sequence at a time, everything is a 1-D vector.
# h has T+1 rows: h[0] is the initial state, h[t+1] the state after step t


def forward(x, y, h0, A, B, b, C, d):
    T = len(x)
    h = np.zeros((T + 1, h0.size))
    h[0] = h0
    out = np.zeros((T, d.size))
    for t in range(T):
        h[t+1] = 1/(1+np.exp(-(A.dot(x[t]) + B.dot(h[t]) + b)))
        out[t] = C.dot(h[t+1]) + d
    loss = 0.5*np.sum((out - y)**2)
    return loss, (h, out)


def backward(x, y, A, B, C, cache):
    h, out = cache
    T = len(x)
    dx = np.zeros_like(x)
    dA = np.zeros_like(A)
    dB = np.zeros_like(B)
    db = np.zeros(B.shape[0])
    dC = np.zeros_like(C)
    dd = np.zeros(C.shape[0])
    delta_next = np.zeros(B.shape[0])
    for t in range(T-1, -1, -1):
        err = out[t] - y[t]
        dC += np.outer(err, h[t+1])
        dd += err
        dh = C.T.dot(err) + B.T.dot(delta_next)
        delta = dh*h[t+1]*(1-h[t+1])
        dA += np.outer(delta, x[t])
        dB += np.outer(delta, h[t])
        db += delta
        dx[t] = A.T.dot(delta)
        delta_next = delta
    dh0 = B.T.dot(delta_next)
    return dx, dh0, dA, dB, db, dC, dd
