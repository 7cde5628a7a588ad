import random
import numpy as np
import math


def sigmoid(x):
    return 1. / (1 + np.exp(-x))


def rand_arr(a, b, *args):
    np.random.seed(0)
    return np.random.rand(*args) * (b - a) + a


class Param:
    def __init__(self, cells, dim):
        self.cells = cells
        self.dim = dim
        total = cells + dim
        for gate in "gifo":
            setattr(self, "w" + gate, rand_arr(-0.1, 0.1, cells, total))
            setattr(self, "b" + gate, rand_arr(-0.1, 0.1, cells))
            setattr(self, "w" + gate + "_diff", np.zeros((cells, total)))
            setattr(self, "b" + gate + "_diff", np.zeros(cells))


class State:
    def __init__(self, cells, dim):
        self.g = np.zeros(cells)
        self.i = np.zeros(cells)
        self.f = np.zeros(cells)
        self.o = np.zeros(cells)
        self.s = np.zeros(cells)
        self.h = np.zeros(cells)
        self.bottom_diff_h = np.zeros_like(self.h)
        self.bottom_diff_s = np.zeros_like(self.s)


class Node:
    def __init__(self, param, state):
        self.param = param
        self.state = state
        self.xc = None

    def bottom_data_is(self, x, s_prev=None, h_prev=None):
        if s_prev is None:
            s_prev = np.zeros_like(self.state.s)
        if h_prev is None:
            h_prev = np.zeros_like(self.state.h)
        self.s_prev, self.h_prev = s_prev, h_prev
        xc = np.hstack((x, h_prev))
        p, st = self.param, self.state
        st.g = np.tanh(np.dot(p.wg, xc) + p.bg)
        st.i = sigmoid(np.dot(p.wi, xc) + p.bi)
        st.f = sigmoid(np.dot(p.wf, xc) + p.bf)
        st.o = sigmoid(np.dot(p.wo, xc) + p.bo)
        st.s = st.g * st.i + s_prev * st.f
        st.h = st.s * st.o
        self.xc = xc

    def top_diff_is(self, top_diff_h, top_diff_s):
        p, st = self.param, self.state
        ds = st.o * top_diff_h + top_diff_s
        do = st.s * top_diff_h
        di = st.g * ds
        dg = st.i * ds
        df = self.s_prev * ds
        di_in = st.i * (1 - st.i) * di
        df_in = st.f * (1 - st.f) * df
        do_in = st.o * (1 - st.o) * do
        dg_in = (1 - st.g ** 2) * dg
        p.wi_diff += np.outer(di_in, self.xc)
        p.wf_diff += np.outer(df_in, self.xc)
        p.wo_diff += np.outer(do_in, self.xc)
        p.wg_diff += np.outer(dg_in, self.xc)
        p.bi_diff += di_in
        p.bf_diff += df_in
        p.bo_diff += do_in
        p.bg_diff += dg_in
        dxc = np.zeros_like(self.xc)
        dxc += np.dot(p.wi.T, di_in)
        dxc += np.dot(p.wf.T, df_in)
        dxc += np.dot(p.wo.T, do_in)
        dxc += np.dot(p.wg.T, dg_in)
        st.bottom_diff_s = ds * st.f
        st.bottom_diff_h = dxc[p.dim:]


class Network:
    def __init__(self, param):
        self.param = param
        self.node_list = []
        self.x_list = []

    def y_list_is(self, y_list):
        assert len(y_list) == len(self.x_list)
        idx = len(self.x_list) - 1
        loss = (self.node_list[idx].state.h[0] - y_list[idx]) ** 2
        diff_h = np.zeros_like(self.node_list[idx].state.h)
        diff_h[0] = 2 * (self.node_list[idx].state.h[0] - y_list[idx])
        diff_s = np.zeros(self.param.cells)
        self.node_list[idx].top_diff_is(diff_h, diff_s)
        idx -= 1
        while idx >= 0:
            loss += (self.node_list[idx].state.h[0] - y_list[idx]) ** 2
            diff_h = np.zeros_like(self.node_list[idx].state.h)
            diff_h[0] = 2 * (self.node_list[idx].state.h[0] - y_list[idx])
            diff_h += self.node_list[idx + 1].state.bottom_diff_h
            diff_s = self.node_list[idx + 1].state.bottom_diff_s
            self.node_list[idx].top_diff_is(diff_h, diff_s)
            idx -= 1
        return loss

    def x_list_add(self, x):
        self.x_list.append(x)
        if len(self.x_list) > len(self.node_list):
            self.node_list.append(Node(self.param, State(self.param.cells, self.param.dim)))
        idx = len(self.x_list) - 1
        if idx == 0:
            self.node_list[idx].bottom_data_is(x)
        else:
            self.node_list[idx].bottom_data_is(x, self.node_list[idx - 1].state.s, self.node_list[idx - 1].state.h)


def run(net, xs, ys):
    for x in xs:
        net.x_list_add(x)
    return net.y_list_is(ys)
