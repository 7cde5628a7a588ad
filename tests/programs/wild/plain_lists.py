import math


def matvec(W, x):
    return [sum(w * v for w, v in zip(row, x)) for row in W]


def forward(xs, W, U, b):
    H = len(b)
    h = [0.0] * H
    hs = [h]
    for x in xs:
        wx, uh = matvec(W, x), matvec(U, h)
        h = [math.tanh(wx[i] + uh[i] + b[i]) for i in range(H)]
        hs.append(h)
    loss = sum(v * v for v in h) / 2
    return loss, hs


def backward(xs, W, U, b, hs):
    H, D = len(b), len(xs[0])
    dW = [[0.0] * D for _ in range(H)]
    dU = [[0.0] * H for _ in range(H)]
    db = [0.0] * H
    dh = list(hs[-1])
    for t in range(len(xs) - 1, -1, -1):
        da = [dh[i] * (1 - hs[t + 1][i] ** 2) for i in range(H)]
        for i in range(H):
            db[i] += da[i]
            for j in range(D):
                dW[i][j] += da[i] * xs[t][j]
            for j in range(H):
                dU[i][j] += da[i] * hs[t][j]
        dh = [sum(U[i][j] * da[i] for i in range(H)) for j in range(H)]
    return dW, dU, db
