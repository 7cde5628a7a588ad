import numpy as np

params = {"W": np.random.randn(4, 5) * 0.1, "U": np.random.randn(5, 5) * 0.1, "b": np.zeros(5), "V": np.random.randn(5, 3) * 0.1}
grads = {}
m = {k: np.zeros_like(v) for k, v in params.items()}
v = {k: np.zeros_like(p) for k, p in params.items()}
step = 0


def train_step(x, y, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    global step
    step += 1
    W, U, b, V = params["W"], params["U"], params["b"], params["V"]
    B, T, _ = x.shape
    hs = [np.zeros((B, U.shape[0]))]
    for t in range(T):
        hs.append(np.tanh(x[:, t] @ W + hs[-1] @ U + b))
    pred = hs[-1] @ V
    loss = np.sum((pred - y) ** 2) / B
    dpred = 2 * (pred - y) / B
    grads["V"] = hs[-1].T @ dpred
    dh = dpred @ V.T
    gW, gU, gb = np.zeros_like(W), np.zeros_like(U), np.zeros_like(b)
    for t in range(T, 0, -1):
        da = dh * (1 - hs[t] ** 2)
        gW += x[:, t - 1].T @ da
        gU += hs[t - 1].T @ da
        gb += da.sum(0)
        dh = da @ U.T
    grads.update(W=gW, U=gU, b=gb)
    for k in params:
        m[k] = beta1 * m[k] + (1 - beta1) * grads[k]
        v[k] = beta2 * v[k] + (1 - beta2) * grads[k] ** 2
        params[k] -= lr * (m[k] / (1 - beta1 ** step)) / (np.sqrt(v[k] / (1 - beta2 ** step)) + eps)
    return loss


if __name__ == "__main__":
    for i in range(1000):
        print(train_step(np.random.randn(8, 10, 4), np.random.randn(8, 3)))
