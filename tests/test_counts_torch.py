"""Numbers of parameters against the modules of PyTorch."""

from __future__ import annotations

import pytest

from symrnn import cell, dim, parameter_counts

torch = pytest.importorskip("torch")


@pytest.mark.parametrize(("name", "module"), [
    ("rnn", torch.nn.RNN), ("lstm", torch.nn.LSTM), ("lstm-block", torch.nn.LSTM), ("gru-reset-after", torch.nn.GRU),
])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("inputs", "hidden"), [(3, 5), (64, 128), (1, 7)])
def test_counts_are_those_of_the_module(name, module, bias, inputs, hidden):
    counts = parameter_counts(cell(name), convention="pytorch", bias=bias)
    total = sum(p.numel() for p in module(inputs, hidden, bias=bias).parameters())
    assert counts.total.subs({dim("D"): inputs, dim("H"): hidden}) == total
