# GRU on flat vectors, many-to-one: reads T vectors, then predicts one number vector. Mean squared error over its entries.
# update: h = z*h + (1-z)*g   (z close to 1 keeps the memory)
import numpy as np

sig = lambda v: 1/(1 + np.exp(-v))


def step(x, h, p):
    z = sig(p['Wz'] @ x + p['Uz'] @ h + p['bz'])
    r = sig(p['Wr'] @ x + p['Ur'] @ h + p['br'])
    g = np.tanh(p['Wg'] @ x + p['Ug'] @ (r*h) + p['bg'])
    return z*h + (1-z)*g, (x, h, z, r, g)


def predict(xs, target, p):
    h = np.zeros(p['bz'].shape)
    tape = []
    for x in xs:
        h, saved = step(x, h, p)
        tape.append(saved)
    out = p['V'] @ h + p['c']
    loss = np.mean((out - target)**2)
    return loss, (tape, h, out)


def step_back(dh, saved, p, grad):
    x, h, z, r, g = saved
    dg = dh*(1-z)*(1-g*g)
    drh = p['Ug'].T @ dg
    dz = dh*(h-g)*z*(1-z)
    dr = drh*h*r*(1-r)
    grad['Wg'] += np.outer(dg, x)
    grad['Ug'] += np.outer(dg, r*h)
    grad['bg'] += dg
    grad['Wz'] += np.outer(dz, x)
    grad['Uz'] += np.outer(dz, h)
    grad['bz'] += dz
    grad['Wr'] += np.outer(dr, x)
    grad['Ur'] += np.outer(dr, h)
    grad['br'] += dr
    dx = p['Wg'].T @ dg + p['Wz'].T @ dz + p['Wr'].T @ dr
    dh_prev = dh*z + drh*r + p['Uz'].T @ dz + p['Ur'].T @ dr
    return dx, dh_prev


def gradients(tape_h_out, xs, target, p):
    tape, h, out = tape_h_out
    grad = {k: np.zeros_like(v) for k, v in p.items()}
    dout = 2*(out - target)/out.size
    grad['V'] += np.outer(dout, h)
    grad['c'] += dout
    dh = p['V'].T @ dout
    dxs = np.zeros(xs.shape)
    for k in range(len(tape)):
        dxs[-1-k], dh = step_back(dh, tape[-1-k], p, grad)
    return dxs, grad
