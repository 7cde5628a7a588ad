import numpy as np


def sigmoid(x):
    """numerically stable"""
    pos_mask = (x >= 0)
    neg_mask = (x < 0)
    z = np.zeros_like(x)
    z[pos_mask] = np.exp(-x[pos_mask])
    z[neg_mask] = np.exp(x[neg_mask])
    top = np.ones_like(x)
    top[neg_mask] = z[neg_mask]
    return top / (1 + z)


def word_embedding_forward(x, W):
    out, cache = None, None
    out = W[x, :]
    cache = x, W
    return out, cache


def word_embedding_backward(dout, cache):
    x, W = cache
    dW = np.zeros(W.shape)
    np.add.at(dW, x, dout)
    return dW


def temporal_affine_forward(x, w, b):
    N, T, D = x.shape
    M = b.shape[0]
    out = x.reshape(N * T, D).dot(w).reshape(N, T, M) + b
    return out, (x, w, b, out)


def temporal_softmax_loss(x, y, mask, verbose=False):
    N, T, V = x.shape
    x_flat = x.reshape(N * T, V)
    y_flat = y.reshape(N * T)
    mask_flat = mask.reshape(N * T)
    probs = np.exp(x_flat - np.max(x_flat, axis=1, keepdims=True))
    probs /= np.sum(probs, axis=1, keepdims=True)
    loss = -np.sum(mask_flat * np.log(probs[np.arange(N * T), y_flat])) / N
    dx_flat = probs.copy()
    dx_flat[np.arange(N * T), y_flat] -= 1
    dx_flat /= N
    dx_flat *= mask_flat[:, None]
    if verbose:
        print('dx_flat: ', dx_flat.shape)
    dx = dx_flat.reshape(N, T, V)
    return loss, dx


def temporal_affine_backward(dout, cache):
    x, w, b, out = cache
    N, T, D = x.shape
    M = b.shape[0]
    dx = dout.reshape(N * T, M).dot(w.T).reshape(N, T, D)
    dw = dout.reshape(N * T, M).T.dot(x.reshape(N * T, D)).T
    db = dout.sum(axis=(0, 1))
    return dx, dw, db


class Captioner(object):
    def __init__(self, vocab=7, dim=4, hidden=5, features=6, dtype=np.float32):
        self.dtype = dtype
        self.params = {}
        self.params['W_embed'] = np.random.randn(vocab, dim)
        self.params['W_embed'] /= 100
        self.params['W_proj'] = np.random.randn(features, hidden)
        self.params['W_proj'] /= np.sqrt(features)
        self.params['b_proj'] = np.zeros(hidden)
        self.params['Wx'] = np.random.randn(dim, 4 * hidden)
        self.params['Wh'] = np.random.randn(hidden, 4 * hidden)
        self.params['b'] = np.zeros(4 * hidden)
        self.params['W_vocab'] = np.random.randn(hidden, vocab)
        self.params['b_vocab'] = np.zeros(vocab)
        for k, v in self.params.items():
            self.params[k] = v.astype(self.dtype)

    def loss(self, features, captions):
        captions_in = captions[:, :-1]
        captions_out = captions[:, 1:]
        mask = (captions_out != 0)
        W_proj, b_proj = self.params['W_proj'], self.params['b_proj']
        W_embed = self.params['W_embed']
        Wx, Wh, b = self.params['Wx'], self.params['Wh'], self.params['b']
        W_vocab, b_vocab = self.params['W_vocab'], self.params['b_vocab']
        loss, grads = 0.0, {}
        h0 = features.dot(W_proj) + b_proj
        x, cache_e = word_embedding_forward(captions_in, W_embed)
        N, T, D = x.shape
        H = h0.shape[1]
        hs, caches = np.zeros((N, T, H)), []
        h, c = h0, np.zeros_like(h0)
        for t in range(T):
            a = x[:, t].dot(Wx) + h.dot(Wh) + b
            i, f, o, g = sigmoid(a[:, :H]), sigmoid(a[:, H:2 * H]), sigmoid(a[:, 2 * H:3 * H]), np.tanh(a[:, 3 * H:])
            prev = (h, c)
            c = f * c + i * g
            h = o * np.tanh(c)
            hs[:, t] = h
            caches.append((prev, i, f, o, g, c))
        scores, cache_a = temporal_affine_forward(hs, W_vocab, b_vocab)
        loss, dscores = temporal_softmax_loss(scores, captions_out, mask)
        dhs, grads['W_vocab'], grads['b_vocab'] = temporal_affine_backward(dscores, cache_a)
        grads['Wx'], grads['Wh'], grads['b'] = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(b)
        dx = np.zeros_like(x)
        dh, dc = np.zeros_like(h0), np.zeros_like(h0)
        for t in range(T)[::-1]:
            (h_prev, c_prev), i, f, o, g, c = caches[t]
            dh = dh + dhs[:, t]
            dc = dc + dh * o * (1 - np.tanh(c) ** 2)
            da = np.hstack((dc * g * i * (1 - i), dc * c_prev * f * (1 - f), dh * np.tanh(c) * o * (1 - o), dc * i * (1 - g * g)))
            grads['Wx'] += x[:, t].T.dot(da)
            grads['Wh'] += h_prev.T.dot(da)
            grads['b'] += np.sum(da, axis=0)
            dx[:, t] = da.dot(Wx.T)
            dh = da.dot(Wh.T)
            dc = dc * f
        grads['W_embed'] = word_embedding_backward(dx, cache_e)
        grads['W_proj'] = features.T.dot(dh)
        grads['b_proj'] = dh.sum(axis=0)
        return loss, grads
