"""A picture as a LaTeX document with TikZ, to compile on its own or to take the ``tikzpicture`` from."""

from __future__ import annotations

from symrnn.unrolling.drawing.picture import FLOWS_BACK, Arrow, Picture

SCALE = 0.02
HEAD = r"""% pdflatex sets this on its own; for a paper, take the tikzpicture and load tikz with the library arrows.meta
\documentclass[tikz,border=4pt]{standalone}
\usepackage{amsmath}
\usetikzlibrary{arrows.meta}
\begin{document}
\definecolor{back}{HTML}{B5420B}
\begin{tikzpicture}[
  value/.style={circle, draw, thick, minimum size=9.2mm, inner sep=0pt},
  state/.style={value, fill=blue!8}, input/.style={value}, output/.style={value, fill=black!5}, loss/.style={value},
  forward/.style={-{Latex[length=2mm]}, thick},
  backward/.style={-{Latex[length=2mm]}, thick, densely dashed, draw=back},
  factor/.style={font=\footnotesize, fill=white, inner sep=1pt}]"""


def draw_tikz(picture: Picture) -> str:
    """Write a picture as a LaTeX document."""
    rows = [HEAD]
    rows += [arrow_line(arrow, picture) for arrow in picture.arrows]
    for mark in picture.marks:
        where = place(mark.at, picture)
        rows.append(rf"  \node at {where} {{$\cdots$}};" if mark.kind == "dots" else rf"  \node[{mark.kind}] at {where} {{{sized(mark.text)}}};")
    for arrow in picture.arrows:
        if arrow.text:
            colour = ", text=back" if arrow.back else ""
            rows.append(rf"  \node[factor{colour}] at {place(arrow.place, picture)} {{${arrow.text}$}};")
    rows += legend(picture)
    return "\n".join([*rows, r"\end{tikzpicture}", r"\end{document}"]) + "\n"


def place(point: tuple[float, float], picture: Picture) -> str:
    """Write a point in centimetres, with the second number growing upwards."""
    return f"({point[0] * SCALE:.2f},{(picture.height - point[1]) * SCALE:.2f})"


def sized(name: str) -> str:
    """Write a name, smaller where it is long."""
    return rf"\footnotesize${name}$" if name.count("_") + name.count("^") > 1 or "," in name else f"${name}$"


def arrow_line(arrow: Arrow, picture: Picture) -> str:
    """One arrow."""
    style = "backward" if arrow.back else "forward"
    start, end = place(arrow.start, picture), place(arrow.end, picture)
    if arrow.bend is None:
        return rf"  \draw[{style}] {start} -- {end};"
    first, second = (tuple(p + (b - p) * 2 / 3 for p, b in zip(point, arrow.bend, strict=True)) for point in (arrow.start, arrow.end))
    return rf"  \draw[{style}] {start} .. controls {place((first[0], first[1]), picture)} and {place((second[0], second[1]), picture)} .. {end};"


def legend(picture: Picture) -> list[str]:
    """What the two kinds of arrows are."""
    y = picture.height - 22
    rows = []
    for x, name, back in ((30.0, "forward pass", False), (205.0, FLOWS_BACK, True)):
        rows.append(arrow_line(Arrow((x, y), (x + 42, y), None, "", (0, 0), back), picture))
        rows.append(rf"  \node[anchor=west, font=\footnotesize{', text=back' if back else ''}] at {place((x + 46, y), picture)} {{{name}}};")
    return rows
