import numpy as np

# A single LSTM step for one example (flat vectors); whoever calls this loops over time.
# a holds i, f, g, o below each other.


def lstm_unit(x, h, c, W, U, b):
    a = np.dot(W, x) + np.dot(U, h) + b
    ai, af, ag, ao = np.split(a, 4)
    i, f, o = 1/(1 + np.exp(-ai)), 1/(1 + np.exp(-af)), 1/(1 + np.exp(-ao))
    g = np.tanh(ag)
    c_out = f*c + i*g
    h_out = o*np.tanh(c_out)
    memory = {"x": x, "h": h, "c": c, "i": i, "f": f, "g": g, "o": o, "c_out": c_out, "W": W, "U": U}
    return h_out, c_out, memory


def lstm_unit_grad(dh_out, dc_out, memory):
    x, h, c = memory["x"], memory["h"], memory["c"]
    i, f, g, o = memory["i"], memory["f"], memory["g"], memory["o"]
    th = np.tanh(memory["c_out"])
    dcell = dc_out + dh_out*o*(1 - th*th)
    dai = dcell*g*i*(1 - i)
    daf = dcell*c*f*(1 - f)
    dag = dcell*i*(1 - g*g)
    dao = dh_out*th*o*(1 - o)
    da = np.concatenate((dai, daf, dag, dao))
    dW = np.outer(da, x)
    dU = np.outer(da, h)
    db = da.copy()
    dx = np.dot(memory["W"].T, da)
    dh = np.dot(memory["U"].T, da)
    dc = dcell*f
    return dx, dh, dc, dW, dU, db
