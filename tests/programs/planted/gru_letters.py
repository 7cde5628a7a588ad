"""GRU that guesses the next letter of a name. Columns, dictionaries over time, the weights are globals."""
import numpy as np

letters, width = 27, 40
rng = np.random.default_rng(0)
Wu, Wr, Wm = (rng.normal(0, 0.1, (width, letters)) for _ in range(3))
Ru, Rr, Rm = (rng.normal(0, 0.1, (width, width)) for _ in range(3))
bu, br, bm = (np.zeros((width, 1)) for _ in range(3))
Wout, bout = rng.normal(0, 0.1, (letters, width)), np.zeros((letters, 1))


def logistic(a):
    return 1 / (1 + np.exp(-a))


def name_gradients(name, following, h_start):
    """Summed cross-entropy of a name (a list of letter numbers), and its gradients."""
    L = len(name)
    x, u, r, m, h, prob = {}, {}, {}, {}, {}, {}
    h[-1] = h_start
    loss = 0
    for t in range(L):
        x[t] = np.zeros((Wout.shape[0], 1))
        x[t][name[t]] = 1
        u[t] = logistic(np.dot(Wu, x[t]) + np.dot(Ru, h[t-1]) + bu)
        r[t] = logistic(np.dot(Wr, x[t]) + np.dot(Rr, h[t-1]) + br)
        m[t] = np.tanh(np.dot(Wm, x[t]) + np.dot(Rm, r[t] * h[t-1]) + bm)
        h[t] = u[t] * h[t-1] + (1 - u[t]) * m[t]
        score = np.dot(Wout, h[t]) + bout
        prob[t] = np.exp(score - score.max())
        prob[t] /= prob[t].sum()
        loss -= np.log(prob[t][following[t], 0])

    dWu, dWr, dWm = np.zeros_like(Wu), np.zeros_like(Wr), np.zeros_like(Wm)
    dRu, dRr, dRm = np.zeros_like(Ru), np.zeros_like(Rr), np.zeros_like(Rm)
    dbu, dbr, dbm = np.zeros_like(bu), np.zeros_like(br), np.zeros_like(bm)
    dWout, dbout = np.zeros_like(Wout), np.zeros_like(bout)
    dh_after = np.zeros_like(h_start)
    for t in reversed(range(L)):
        dscore = np.copy(prob[t])
        dscore[following[t]] -= 1
        dWout += np.dot(dscore, h[t].T)
        dbout += dscore
        dh = np.dot(Wout.T, dscore) + dh_after
        # candidate
        dm = dh * (1 - u[t]) * (1 - m[t] ** 2)
        dWm += np.dot(dm, x[t].T)
        dRm += np.dot(dm, (r[t] * h[t-1]).T)
        dbm += dm
        # reset gate
        d_reset_h = np.dot(Rm.T, dm)
        dr = d_reset_h * h[t-1] * r[t] * (1 - r[t])
        dWr += np.dot(dr, x[t].T)
        dRr += np.dot(dr, h[t-1].T)
        dbr += dr
        # update gate
        du = dh * (h[t-1] - m[t]) * u[t] * (1 - u[t])
        dWu += np.dot(du, x[t].T)
        dRu += np.dot(du, h[t-1].T)
        dbu += du
        # all four ways back to the state before
        dh_after = dh * u[t] + d_reset_h * r[t] + np.dot(Rr.T, dr) + np.dot(Ru.T, du)
    return loss, dWu, dWr, dWm, dRu, dRr, dRm, dbu, dbr, dbm, dWout, dbout


while True:
    name_gradients([12, 0, 23], [0, 23, 26], np.zeros((width, 1)))
