from __future__ import annotations

import copy
from dataclasses import dataclass, field, fields
from typing import Iterator, List

import numpy as np


@dataclass
class Params:
    W: np.ndarray
    b: np.ndarray

    def zeros(self) -> "Params":
        return Params(*(np.zeros_like(getattr(self, f.name)) for f in fields(self)))


@dataclass
class Step:
    z: np.ndarray
    c_prev: np.ndarray
    c: np.ndarray
    gates: List[np.ndarray] = field(default_factory=list)


def sigm(x: np.ndarray) -> np.ndarray:
    assert isinstance(x, np.ndarray), type(x)
    return 0.5 * (1 + np.tanh(0.5 * x))


def steps(x: np.ndarray, p: Params) -> Iterator[tuple]:
    H = p.b.size // 4
    h, c = np.zeros(H), np.zeros(H)
    for x_t in x:
        z = np.r_[x_t, h]
        a = (p.W @ z + p.b).reshape(4, H)
        i, f, o = (sigm(v) for v in a[:3])
        g = np.tanh(a[3])
        c_prev = copy.deepcopy(c)
        c = f * c + i * g
        h = o * np.tanh(c)
        yield h, Step(z, c_prev, c, [i, f, o, g])


def forward(x, p):
    hs, tape = zip(*steps(x, p))
    return np.vstack(hs), list(tape)


def backward(dhs, tape, p):
    d = p.zeros()
    H = p.b.size // 4
    D = p.W.shape[1] - H
    dx = np.zeros((len(tape), D))
    dh = np.zeros(H)
    dc = np.zeros(H)
    for t in range(len(tape))[::-1]:
        s: Step = tape[t]
        i, f, o, g = s.gates
        dh = dh + dhs[t]
        tc = np.tanh(s.c)
        dc = dc + dh * o * (1 - tc ** 2)
        da = np.concatenate([dc * g * i * (1 - i), dc * s.c_prev * f * (1 - f), dh * tc * o * (1 - o), dc * i * (1 - g ** 2)])
        d.W += da[:, None] * s.z[None, :]
        d.b += da
        dz = p.W.T @ da
        dx[t], dh = dz[:D], dz[D:]
        dc = dc * f
    return dx, d
