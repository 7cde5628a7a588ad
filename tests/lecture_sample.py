"""A lecture that has everything that a lecture may have, for the tests of the formats."""

from __future__ import annotations

from types import MappingProxyType

from symrnn.lecture.document import Box, Code, Document, Figure, Fold, Formula, Heading, Items, Table, Term, Text

SVG = """<svg xmlns="http://www.w3.org/2000/svg" width="720" height="220" viewBox="0 0 720 220">
<rect x="1" y="1" width="718" height="218" fill="#ffffff" stroke="#999999"/>
<rect x="60" y="70" width="140" height="80" rx="8" fill="#dbe9ff" stroke="#1f6feb"/><text x="130" y="116" text-anchor="middle" font-size="20">{word}</text>
<path d="M200 110 H500" stroke="#333333" stroke-width="2"/><rect x="500" y="70" width="140" height="80" rx="8" fill="#ffe8d6" stroke="#bc4c00"/>
</svg>"""
WORDS = {
    "en": ("Sample lecture", "Everything that a lecture may have", "The gate decides how much of the old state stays, and it is written in its own output."),
    "ko": ("견본 강의", "강의에 들어갈 수 있는 모든 것", "망각 게이트는 이전 상태가 얼마나 남는지를 정하며, 도함수는 게이트의 출력으로 적는다. 기울기 소실은 여기에서 시작된다."),
}
LABELS = {
    "en": {"figure": "Figure", "table": "Table", "exercise": "Exercise", "solution": "Solution", "contents": "Contents", "continued": "continued",
           "definition": "Definition", "theorem": "Theorem", "note": "Note"},
    "ko": {"figure": "그림", "table": "표", "exercise": "연습 문제", "solution": "풀이", "contents": "차례", "continued": "계속",
           "definition": "정의", "theorem": "정리", "note": "참고"},
}
LONG = r"""\begin{aligned}
\frac{\partial L}{\partial h_{t}} &= W_{f}^{\top} \delta a_{f,t+1} + W_{i}^{\top} \delta a_{i,t+1} + W_{o}^{\top} \delta a_{o,t+1} + W_{c}^{\top} \delta a_{c,t+1} + V^{\top} \delta o_{t} + \left(1 - \sum_{k=1}^{T} \mathbf{y}_{k} \odot \mathbf{y}_{k}\right) \\
&\quad + \left(U^{\top} \left(\delta h_{t+1} \odot (1 - h_{t+1} \odot h_{t+1})\right)\right) \odot \operatorname{softmax}(a_{y,t})
\end{aligned}"""
CODE = "import numpy as np\n\nrng = np.random.default_rng(0)\nW, h, a = rng.normal(size=(3, 3)), np.zeros(3), rng.normal(size=3)\nh = np.tanh(W @ h + a)  # δ, ∂, Σ\nh.shape\n"


def section(number: int, text: str) -> tuple:
    """One section with text, a list and formulas of its own."""
    return (
        Heading(f"Section $W_{{f}}$ and {text[:12]}", f"sec-{number}"),
        *(Text(text * 3) for _ in range(2)),
        Formula(r"\delta a_{t} = \delta h_{t} \odot (1 - h_{t} \odot h_{t})", f"eq-{number}", "$1 \\le t \\le T$; " + text[:40]),
        Items((text, f"{text} @{{eq-{number}}}", "third: **bold**, *slanted*, `code | bar`"), numbered=bool(number % 2)),
    )


def sample(language: str = "en", sections: int = 1) -> Document:
    """Make the lecture; more sections make it longer."""
    title, subtitle, text = WORDS[language]
    rows = (
        ("$W_{f}$", text, r"$H \times H$", "$W_{f} \\in \\mathbb{R}^{H \\times H}$", text[:30]),
        ("$h_{t}$", text[:20], "$H$", r"$|h_{t}| \le 1$, $\|h\|$", "a | b"),
    )
    blocks = (
        Heading(text[:20], "sec-first"),
        Text(f"{text} See @{{eq-long}}, @{{fig-cell}}, @{{tab-all}}, @{{ex-one}} and [the end](#eq-end). 5% & 3 < 4 _ # ~ {{x}} a*b \\$3."),
        Formula(LONG, "eq-long", "the rule `vjp_matmul`, for $t < T$"),
        Formula(r"h_{t} = \tanh(W_{f} h_{t-1} + b)", "eq-h"),
        Formula(r"\overbrace{\delta h_{t}}^{\text{new}} = \prod_{k=t+1}^{T} \operatorname{diag}(1 - h_{k}^{2}) \, W_{f}^{\top} \delta h_{T} \quad t \neq T, \; \hat{y}_{t} \approx \tilde{h}_{t}"),
        Heading("A part", "sub-first", 2),
        Table(("symbol", "meaning", "shape", "space", "note"), rows, text, "tab-all"),
        Table(("a", "b"), (("1", "$x$"), ("2", "$y$"))),
        Figure(SVG.format(word="h" if language == "en" else "은닉층"), "a cell", text, "fig-cell"),
        Code(CODE, caption=text[:30], links=((5, "eq-h"), (5, "eq-end")), runs=True),
        Code("$ symrnn lecture lstm -o lstm.html && echo 'a very long line that goes on and on and on and on and on and on and on and on and on and on'", "bash"),
        Fold(f"Step {text[:9]} $\\delta h_{{t}}$", (Text(text), Formula(LONG, "eq-in-fold"), Table(("a", "b"), (("1", "$x$"),)), Code("x = 1\n"))),
        Box("definition", text[:14], (Text(text), Formula("x_{t} = 1", "eq-box"), Items(("one", "two")))),
        Box("theorem", "", (Text(text),)),
        Box("note", "", (Text(text), Table(("a", "b"), (("1", "$x$"),)))),
        Box("exercise", text[:14], (Text(text), Fold("Solution", (Box("solution", "", (Text(text), Formula(r"\delta h_{t} = 0"))),))), "ex-one"),
        Formula("L = 1", "eq-end"),
        *(block for number in range(sections) for block in section(number, text)),
    )
    terms = (
        Term("h_{t}", "hidden state, H", "eq-h"), Term("h_{t-1}", "hidden state, H", "eq-h"), Term("W_{f}", "weights of the gate, H × H"),
        Term(r"\delta h_{t}", "adjoint of the hidden state, H", "eq-end"), Term("W", "another matrix"), Term("b", "bias, H"),
    )
    return Document(title, subtitle, language, blocks, terms, MappingProxyType(LABELS[language]))
