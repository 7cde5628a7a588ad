"""Pictures of the flow of gradients, for a lecture: axes with units, formulas as formulas, a caption that says what is seen.

Lines differ in dashes and markers as well as in colour, maps have one direction from dark to light, so that a print in black
and white says the same; the colours are those of Okabe and Ito, and cividis. A figure is a ``matplotlib.figure.Figure``: no
window opens, and no setting of matplotlib is changed.
"""

from symrnn.plots.files import plot_format, save_figure, writable
from symrnn.plots.gates import plot_gates
from symrnn.plots.lines import plot_decay, plot_remedies, plot_training
from symrnn.plots.maps import plot_heat, plot_singular_values
from symrnn.plots.phase import plot_phase

__all__ = [
    "plot_decay", "plot_format", "plot_gates", "plot_heat", "plot_phase", "plot_remedies", "plot_singular_values", "plot_training",
    "save_figure", "writable",
]
