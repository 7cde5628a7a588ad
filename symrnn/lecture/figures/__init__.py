"""Pictures of a lecture, as SVG that stands alone: a cell, its unrolled graph, and the shapes of its equations."""

from symrnn.lecture.figures.cell import cell_figure
from symrnn.lecture.figures.labels import LABELS
from symrnn.lecture.figures.shapes import shapes_figure
from symrnn.lecture.figures.unrolled import unrolled_figure

__all__ = ["LABELS", "cell_figure", "shapes_figure", "unrolled_figure"]
