"""The start of a profile of one's own, with a comment for each choice."""

from __future__ import annotations

START = '''\
# A notation of your own for symrnn: names and layout of print, never mathematics.
# Use it:  symrnn derive gru --notation {path}
# What you leave out stays as in `indexed`: W_hh, h_t, δh_t, ⊙.

title = "my letters"

time = "h_t"          # or "h^(t)", "h^t"
hadamard = "⊙"        # or "∗", "∘", "⋆", or a pair of LaTeX and a sign: ["\\\\diamond", "⋄"]
adjoint = "delta"     # δh_t; or "fraction" for ∂L/∂h_t, "nabla" for ∇_h L, "bar" for h̄_t
form = "columns"      # or "rows": every formula transposed, h_t W + x_t U + b
bold = "none"         # LaTeX only: "vectors", or "all" for vectors and matrices
direction = "words"   # h_{{fw,t}} in a forward layer; or "arrows" over the letters

# Functions: tanh, sigmoid, relu, ..., or phi for the one that is left open.
[functions]
# tanh = "tau"
# phi = "phi_h"

# Sizes and times: D inputs, H units, K outputs, T steps, t the running time.
[symbols]
# H = "J"

# Quantities by the names that `symrnn derive CELL` prints. A letter is
#   base_subscript      W_rec, alpha_f (Greek letters are written out; W_{{xi}} has an x and an i)
#   with an accent      c_tilde, y_hat, z_bar
#   with a superscript  W^f
#   or LaTeX            "\\\\mathcal{{W}}_{{rec}}"
# A list gives alternatives: the next one is taken where another quantity of the network has the letter.
[letters]
W_hh = "W"
W_xh = "U"
W_hy = "V"
b_h = "b"
# y_hat = ["o", "y_hat"]

# Letters for one cell, or for all whose names fit a pattern, such as [cells."lstm*"].
[cells.gru]
# z = "u"
# W_z = "W_u"
# U_z = "U_u"
'''


def start_text(path: str) -> str:
    """Return a commented profile.

    Args:
        path: The file it is written to, for the comment that says how to use it.
    """
    return START.format(path=path)
