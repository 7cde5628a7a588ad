"""Word model: words are numbers, so a product with a one-hot vector is a look-up, E[:, w]. Mean loss of a sentence."""
import numpy as np


class WordModel:
    def __init__(self, n_words, n_units):
        self.E = np.random.normal(0, 0.1, (n_units, n_words))
        self.R = np.random.normal(0, 0.1, (n_units, n_units))
        self.O = np.random.normal(0, 0.1, (n_words, n_units))

    def unroll(self, words):
        T, H = len(words), self.R.shape[0]
        # one row more than there are words; the last row stays zero and is what s[-1] reads at t = 0
        s = np.zeros((T + 1, H))
        prob = np.zeros((T, self.O.shape[0]))
        for t in range(T):
            s[t] = np.tanh(self.E[:, words[t]] + self.R.dot(s[t - 1]))
            e = np.exp(self.O.dot(s[t]))
            prob[t] = e / np.sum(e)
        return s, prob

    def cost(self, words, nexts):
        prob = self.unroll(words)[1]
        loss = sum(-np.log(prob[t, w]) for t, w in enumerate(nexts)) / len(nexts)
        return loss

    def grads(self, words, nexts):
        s, prob = self.unroll(words)
        T = len(words)
        dE, dR, dO = np.zeros(self.E.shape), np.zeros(self.R.shape), np.zeros(self.O.shape)
        later = np.zeros(self.R.shape[0])
        for t in range(T - 1, -1, -1):
            dscore = prob[t].copy()
            dscore[nexts[t]] -= 1.0
            dscore = dscore / T
            dO += np.outer(dscore, s[t])
            ds = self.O.T.dot(dscore) + later
            da = ds * (1 - s[t] ** 2)
            dE[:, words[t]] += da
            dR += np.outer(da, s[t - 1])
            later = self.R.T.dot(da)
        return dE, dR, dO
