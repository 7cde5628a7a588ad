"""What ``torch.nn`` calls the parameters of the cells that it has, and in which order their gates stand."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

Rows = tuple[str, ...]
PYTORCH: Mapping[str, tuple[Rows, Rows, Rows, Rows]] = MappingProxyType({
    "rnn": (("W_xh",), ("W_hh",), ("b_h",), ("",)),
    "lstm": (("U_i", "U_f", "U_c", "U_o"), ("W_i", "W_f", "W_c", "W_o"), ("b_i", "b_f", "b_c", "b_o"), ("",) * 4),
    "gru-reset-after": (("W_r", "W_z", "W_n"), ("U_r", "U_z", "U_n"), ("b_r", "b_z", "b_Wn"), ("", "", "b_Un")),
})
"""Names of our parameters in the order of PyTorch's rows, for ``weight_ih``, ``weight_hh``, ``bias_ih`` and ``bias_hh``."""
