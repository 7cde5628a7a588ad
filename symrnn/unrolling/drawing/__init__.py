"""The unrolled graph with the gradients that flow back, as SVG and as TikZ."""

from symrnn.unrolling.drawing.picture import Arrow, Mark, Picture, picture
from symrnn.unrolling.drawing.svg import draw_svg
from symrnn.unrolling.drawing.tikz import draw_tikz

__all__ = ["Arrow", "Mark", "Picture", "draw_svg", "draw_tikz", "picture"]
