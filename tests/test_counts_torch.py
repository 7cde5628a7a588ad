"""Numbers of parameters against the modules of PyTorch."""

from __future__ import annotations

import pytest

from symrnn import cell, dim, parameter_counts
from symrnn.networks import architecture

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


@pytest.mark.sampled(5)
@pytest.mark.parametrize(("name", "module"), [
    ("rnn", torch.nn.RNN), ("lstm", torch.nn.LSTM), ("lstm-block", torch.nn.LSTM), ("gru-reset-after", torch.nn.GRU),
])
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("bias", [True, False])
def test_counts_of_several_layers_are_those_of_the_module(name, module, layers, both, bias):
    net = architecture("bidirectional" if both else "stacked", cell(name), layers=layers)
    counts = parameter_counts(net, convention="pytorch", bias=bias)
    total = sum(p.numel() for p in module(3, 5, num_layers=layers, bidirectional=both, bias=bias).parameters())
    assert counts.of("cell").subs({dim("D"): 3, dim("H"): 5}) == total


def test_counts_of_a_language_model_are_those_of_its_modules():
    counts = parameter_counts(architecture("language-model", cell("lstm"), layers=2), convention="pytorch")
    modules = (torch.nn.Embedding(11, 3), torch.nn.LSTM(3, 5, num_layers=2), torch.nn.Linear(5, 11))
    total = sum(p.numel() for module in modules for p in module.parameters())
    assert counts.total.subs({dim("D"): 3, dim("H"): 5, dim("V"): 11}) == total
