"""LSTM for one sequence of flat vectors. Each time step is an object that knows what it has seen.

The weights of all four gates act on the joined vector (x, h).
"""
import numpy as np


class Store:
    """Weights, and room for their gradients."""

    def __init__(self, n_x, n_s):
        self.A = 0.3 * np.random.randn(n_s, n_x + n_s)
        self.I = 0.3 * np.random.randn(n_s, n_x + n_s)
        self.F = 0.3 * np.random.randn(n_s, n_x + n_s)
        self.O = 0.3 * np.random.randn(n_s, n_x + n_s)
        self.ba, self.bi = np.zeros(n_s), np.zeros(n_s)
        self.bf, self.bo = np.ones(n_s), np.zeros(n_s)
        self.reset()

    def reset(self):
        self.dA, self.dI = np.zeros(self.A.shape), np.zeros(self.I.shape)
        self.dF, self.dO = np.zeros(self.F.shape), np.zeros(self.O.shape)
        self.dba, self.dbi = np.zeros(self.ba.shape), np.zeros(self.bi.shape)
        self.dbf, self.dbo = np.zeros(self.bf.shape), np.zeros(self.bo.shape)


class Step:
    def __init__(self, store, x, h_old, s_old):
        squash = lambda v: 1 / (1 + np.exp(-v))
        self.store, self.n_x, self.s_old = store, x.size, s_old
        self.v = np.hstack((x, h_old))
        self.a = np.tanh(store.A.dot(self.v) + store.ba)
        self.i = squash(store.I.dot(self.v) + store.bi)
        self.f = squash(store.F.dot(self.v) + store.bf)
        self.o = squash(store.O.dot(self.v) + store.bo)
        self.s = self.f * s_old + self.i * self.a
        self.ts = np.tanh(self.s)
        self.h = self.o * self.ts

    def back(self, eh, es):
        """eh, es: errors at h and s. Adds to the store; returns the errors at x, h_old and s_old."""
        st = self.store
        es = es + eh * self.o * (1 - self.ts ** 2)
        ea = es * self.i * (1 - self.a ** 2)
        ei = es * self.a * self.i * (1 - self.i)
        ef = es * self.s_old * self.f * (1 - self.f)
        eo = eh * self.ts * self.o * (1 - self.o)
        st.dA += np.outer(ea, self.v)
        st.dI += np.outer(ei, self.v)
        st.dF += np.outer(ef, self.v)
        st.dO += np.outer(eo, self.v)
        st.dba += ea
        st.dbi += ei
        st.dbf += ef
        st.dbo += eo
        ev = st.A.T.dot(ea)
        ev += st.I.T.dot(ei)
        ev += st.F.T.dot(ef)
        ev += st.O.T.dot(eo)
        return ev[:self.n_x], ev[self.n_x:], self.f * es


class Chain:
    """The steps in a row; the first unit of the state is to follow y."""

    def __init__(self, n_x, n_s):
        self.store = Store(n_x, n_s)
        self.n_s = n_s

    def forward(self, x, y):
        self.y, self.steps = y, []
        h = s = np.zeros(self.n_s)
        loss = 0.
        for t in range(len(x)):
            step = Step(self.store, x[t], h, s)
            h, s = step.h, step.s
            loss += (h[0] - y[t]) ** 2
            self.steps.append(step)
        return loss

    def backward(self):
        self.store.reset()
        T = len(self.steps)
        dx = np.zeros((T, self.steps[0].n_x))
        eh, es = np.zeros(self.n_s), np.zeros(self.n_s)
        for t in range(T - 1, -1, -1):
            here = np.zeros(self.n_s)
            here[0] = 2 * (self.steps[t].h[0] - self.y[t])
            dx[t], eh, es = self.steps[t].back(here + eh, es)
        return dx
