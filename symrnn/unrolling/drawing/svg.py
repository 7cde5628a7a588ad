"""A picture as SVG, without any library: solid arrows forward, dashed ones back, told apart without colour as well."""

from __future__ import annotations

import html
import re

from symrnn.unrolling.drawing.picture import FLOWS_BACK, Arrow, Mark, Picture

INK, BACK, PAPER = "#1a1a1a", "#b5420b", "#ffffff"
FILL = {"input": "#ffffff", "state": "#e3ecf5", "output": "#f3f3f3", "loss": "#ffffff", "dots": "none"}
FONT = "'DejaVu Serif', 'Cambria Math', 'Times New Roman', serif"
SCRIPT = re.compile(r"([_^])(?:\{([^{}]*)\}|(\([^()]*\)|\w+?(?=[ᵀ_^ ,]|$)))")


def draw_svg(picture: Picture) -> str:
    """Write a picture as an SVG document."""
    width, height = round(picture.width), round(picture.height)
    title = html.escape(f"Unrolled: {picture.title}")
    rows = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="{title}" font-family="{FONT}" font-size="16">',
        f"<title>{title}</title>",
        "<defs>",
        *(marker(name, colour) for name, colour in (("forward", INK), ("back", BACK))),
        "</defs>",
        f'<rect width="{width}" height="{height}" fill="{PAPER}"/>',
        *(arrow_line(arrow) for arrow in picture.arrows),
        *(circle(mark) for mark in picture.marks),
        *(text(arrow.text, arrow.place, BACK if arrow.back else INK, 14) for arrow in picture.arrows if arrow.text),
        *legend(picture),
        "</svg>",
    ]
    return "\n".join(rows) + "\n"


def marker(name: str, colour: str) -> str:
    """The head of an arrow."""
    return (f'<marker id="{name}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto">'
            f'<path d="M0,1 L10,5 L0,9 z" fill="{colour}"/></marker>')


def arrow_line(arrow: Arrow) -> str:
    """One arrow."""
    (x1, y1), (x2, y2) = arrow.start, arrow.end
    bend = "" if arrow.bend is None else f"Q{arrow.bend[0]:.1f},{arrow.bend[1]:.1f} "
    way = f"M{x1:.1f},{y1:.1f} {bend or 'L'}{x2:.1f},{y2:.1f}"
    look = f'stroke="{BACK}" stroke-dasharray="6 4" marker-end="url(#back)"' if arrow.back else f'stroke="{INK}" marker-end="url(#forward)"'
    return f'<path d="{way}" fill="none" stroke-width="1.6" {look}/>'


def circle(mark: Mark) -> str:
    """One value."""
    x, y = mark.at
    if mark.kind == "dots":
        return f'<text x="{x:.1f}" y="{y + 5:.1f}" text-anchor="middle" font-size="24" fill="{INK}">…</text>'
    size = 13 if len(re.sub(r"[_^{}]", "", mark.text)) > 6 else 16
    return (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="23" fill="{FILL[mark.kind]}" stroke="{INK}" stroke-width="1.6"/>\n'
            + text(mark.text, mark.at, INK, size, halo=False))


def text(content: str, place: tuple[float, float], colour: str, size: int, *, halo: bool = True, anchor: str = "middle") -> str:
    """A formula, with subscripts set lower."""
    x, y = place
    base = f'x="{x:.1f}" y="{y + size * 0.3:.1f}" text-anchor="{anchor}" font-size="{size}"'
    spans = scripts(content, size)
    behind = f'<text {base} fill="{PAPER}" stroke="{PAPER}" stroke-width="5" stroke-linejoin="round">{spans}</text>\n' if halo else ""
    return f'{behind}<text {base} fill="{colour}">{spans}</text>'


def scripts(content: str, size: int) -> str:
    """Turn ``h_{t-1}`` and ``h^(t)`` into spans that are set lower or higher."""
    out, last = [], 0
    small = size * 0.7
    for found in SCRIPT.finditer(content):
        inner = found.group(2) if found.group(2) is not None else found.group(3)
        shift = size * (0.25 if found.group(1) == "_" else -0.4)
        out.append(html.escape(content[last:found.start()]))
        out.append(f'<tspan dy="{shift:.1f}" font-size="{small:.1f}">{html.escape(inner)}</tspan><tspan dy="{-shift:.1f}" font-size="{size}">&#8203;</tspan>')
        last = found.end()
    rest = html.escape(content[last:])
    return "".join([*out, rest.replace("ᵀ", "&#8202;ᵀ") if out else rest])


def legend(picture: Picture) -> list[str]:
    """What the two kinds of arrows are."""
    y = picture.height - 22
    rows = []
    for x, name, back in ((30.0, "forward pass", False), (185.0, FLOWS_BACK, True)):
        rows.append(arrow_line(Arrow((x, y), (x + 42, y), None, "", (0, 0), back)))
        rows.append(text(name, (x + 50, y), BACK if back else INK, 13, halo=False, anchor="start"))
    return rows
