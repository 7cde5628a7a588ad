"""What a user can do wrong in a wiring: each message is one line that names the item, the link, and what to do."""

from __future__ import annotations

import re

import pytest
from sympy import Integer

from symrnn.cells import cell
from symrnn.equations import Cell, Equation
from symrnn.errors import SpecError
from symrnn.expr import Static, Total, dim, t, time_sum
from symrnn.functions import parameter, series, tanh
from symrnn.networks import Given, Network, Scan, architecture
from symrnn.networks.wiring import (
    Attention,
    Dense,
    Embedding,
    Input,
    Last,
    Layer,
    Merge,
    Previous,
    Readout,
    Tokens,
    wire,
)
from symrnn.times import Span

T, S = dim("T"), dim("S")
RNN, LSTM, GRU = cell("rnn"), cell("lstm"), cell("gru")
X, L1, Y = Input("x"), Layer("l1", RNN), Readout()


def two_inputs() -> Cell:
    h, x, c = series("h", "H"), series("x", "D"), series("c", "D")
    w, u = parameter("W", "H", "H"), parameter("U", "H", "D")
    return Cell("two", [(h[t], tanh(w @ h[t - 1] + u @ x[t] + u @ c[t]))], inputs=[x, c])


def one_letter() -> Cell:
    h, x, w = series("h", "H"), series("x", "H"), parameter("W", "H", "H")
    return Cell("square", [(h[t], tanh(w @ h[t - 1] + x[t]))], inputs=[x])


def encoded(*items, mask=None):
    """An encoder over S and a decoder over T, with what a case adds."""
    return (Input("x", length="S"), Layer("enc", RNN, mask=mask), Input("u", length="T"), *items)


NAMES = {
    "unknown name, nearest offered": (
        lambda: (X, Layer("l1", RNN, reads="y")),
        "layer 'l1' reads 'y': unknown item 'y'; known: l1, x",
    ),
    "unknown name, misspelt": (
        lambda: (X, Layer("lower", RNN), Readout(reads="lowr")),
        "readout 'y_hat' reads 'lowr': unknown item 'lowr'; did you mean lower?",
    ),
    "unknown start": (
        lambda: (X, Layer("l1", RNN, starts="enc"), Y),
        "layer 'l1' starts from 'enc': unknown item 'enc'; known: l1, x, y_hat",
    ),
    "unknown attention": (
        lambda: (X, L1, Attention(query="l1", over="en", score="dot"), Y),
        "attention 'ctx' is over 'en': unknown item 'en'; known: ctx, l1, x, y_hat",
    ),
    "two items of one name": (
        lambda: (X, L1, Layer("l1", GRU), Y),
        "two items are called 'l1': a layer and a layer; rename one",
    ),
    "two inputs of the default name": (
        lambda: (X, Input("x", length="S"), L1, Y),
        "two items are called 'x': an input and an input; rename one",
    ),
    "an item in place of its name": (
        lambda: (X, Layer("l1", RNN, reads=X), Y),
        "layer 'l1': reads takes the name of an item, or a tuple of names; write 'x'",
    ),
    "no name": (lambda: (Layer(RNN, RNN),), "an item has a name first, as in Layer('l1', cell('lstm')); got a Cell"),
    "a name that is none": (
        lambda: (Input("x 1"),), "'x 1' is not a name; a name is a letter with letters, digits and _ behind it, such as W_f"),
    "no link": (
        lambda: (X, L1, Readout(reads=())),
        "readout 'y_hat': reads takes the name of an item, or a tuple of names; got ()",
    ),
    "several starts": (
        lambda: (X, Layer("l1", RNN, starts=("a", "b")), Y),
        "layer 'l1': starts takes one name; got ('a', 'b'); put a Merge of a and b between",
    ),
    "several tokens": (
        lambda: (Embedding(reads=("w", "v")),),
        "embedding 'u': reads takes one name; got ('w', 'v'); put a Merge of w and v between",
    ),
    "a mask that is no name": (
        lambda: (X, Layer("l1", RNN, mask=True), Y),
        "layer 'l1': mask takes the name of an item, or a tuple of names; got True",
    ),
    "items that are none": (
        lambda: (X, RNN, Y), "wire takes items such as Input('x') and Layer('l1', cell('lstm')); got a Cell"),
    "a list of items": (
        lambda: ([X, L1, Y],), "wire takes items such as Input('x') and Layer('l1', cell('lstm')); got a list"),
    "one quantity of two items": (
        lambda: (X, L1, Dense("h", reads="l1"), Readout(reads="h")),
        "layer 'l1' and dense 'h' both make a quantity called b_h; rename one of them",
    ),
    "the name of the target": (
        lambda: (Input("y"), Layer("l1", RNN, reads="y"), Y),
        "input 'y' and readout 'y_hat' both make a quantity called y; rename one of them",
    ),
    "the name of the loss": (
        lambda: (Input("L"), Layer("l1", RNN, reads="L"), Y),
        "input 'L' and readout 'y_hat' both make a quantity called L; rename one of them",
    ),
    "a cell that uses a name of the readout": (
        lambda: (X, Layer("l1", Cell("own", [(series("ell", "H")[t], tanh(parameter("U", "H", "D") @ series("x", "D")[t]))],
                                     inputs=[series("x", "D")])), Y),
        "cell 'own' uses the name ell, which the readout needs; rename it",
    ),
    "a forgotten link": (
        lambda: (X, L1, Layer("l2", RNN, reads="l1"), Readout(reads="l1")),
        "nothing that the readout reads comes from layer 'l2'; link it, leave it out, or name it in outputs=",
    ),
}
CYCLES = {
    "a layer that reads itself": (
        lambda: (X, Layer("l1", RNN, reads=("x", "l1")), Y),
        "a cycle within a time step: 'l1' → 'l1'; put a Previous between two of them",
    ),
    "within a step": (
        lambda: (X, Layer("l1", RNN, reads=("x", "l2")), Layer("l2", RNN, reads="l1"), Readout(reads="l2")),
        "a cycle within a time step: 'l1' → 'l2' → 'l1'; put a Previous between two of them",
    ),
    "an attention that is asked at the same time": (
        lambda: encoded(Attention(at="now"), Layer("dec", RNN, reads=("u", "ctx")), Readout(reads="dec")),
        "a cycle within a time step: 'ctx' → 'dec' → 'ctx'; put a Previous between two of them",
    ),
    "attention over what reads its context": (
        lambda: (X, Attention(query="l1", over="l1"), Layer("l1", RNN, reads=("x", "ctx"), length="T"), Y),
        "a cycle between scans: attention 'ctx' is over 'l1', whose scan must have ended, but 'l1' reads 'ctx' ('l1' → 'ctx')",
    ),
    "attention over what reads its context through others": (
        lambda: (X, Attention(query="l2", over="d"), Layer("l1", RNN, reads=("x", "ctx")), Dense("d", reads="l1"),
                 Layer("l2", RNN, reads="d"), Readout(reads="l2")),
        "a cycle between scans: attention 'ctx' is over 'd', whose scan must have ended, but 'd' reads 'ctx' ('d' → 'l1' → 'ctx')",
    ),
    "a start from what reads it": (
        lambda: (X, Layer("l1", RNN, starts="l2"), Layer("l2", RNN, reads="l1"), Readout(reads="l2")),
        "a cycle between scans: layer 'l1' starts from 'l2', whose scan must have ended, but 'l2' reads 'l1' ('l2' → 'l1')",
    ),
    "lasts of each other": (
        lambda: (Last("a", reads="b"), Last("b", reads="a"), Readout(reads="a")),
        "a cycle between scans: last 'a' reads 'b', whose scan must have ended, but 'b' reads 'a' ('b' → 'a')",
    ),
    "opposite directions": (
        lambda: (X, Layer("f", RNN, reads=("x", "p")), Layer("b", RNN, reads="f", direction="backward"), Previous("p", reads="b"),
                 Readout(reads="b")),
        "a cycle between scans: 'f' runs forward and 'b' backward, but they read each other ('f' → 'p' → 'b', 'b' → 'f')",
    ),
    "the past of a backward layer": (
        lambda: (X, Layer("l1", RNN, reads=("x", "p"), direction="backward"), Previous("p", reads="l1"), Y),
        "a cycle between scans: previous 'p' looks at the time before, which 'l1' reaches later, since it runs backward "
        "('p' → 'l1' → 'p')",
    ),
    "no length in a circle": (
        lambda: (Layer("l1", RNN, reads="p"), Previous("p", reads="l1"), Y),
        "layer 'l1': nothing says how many times it has; its links run in a circle; give an item among them a length, such as "
        "Previous(..., length='T')",
    ),
    "sizes in a circle": (
        lambda: (X, Merge("m", reads=("x", "p")), Previous("p", reads="m"), Layer("l1", RNN, reads="m"), Y),
        "the sizes of m → p → m follow from each other in a circle; put a Dense between two of them",
    ),
}
FITS = {
    "lengths that differ": (
        lambda: (X, Input("z", length="S"), Layer("l1", RNN, reads=("x", "z")), Y),
        "layer 'l1' reads 'x' at times 1…T and 'z' at times 1…S; what is read at one time must have one length",
    ),
    "lengths of a mask": (
        lambda: (X, Input("m", size=1, length="S", kind="mask"), Layer("l1", RNN, mask="m"), Y),
        "layer 'l1' reads 'x' at times 1…T and 'm' at times 1…S; what is read at one time must have one length",
    ),
    "lengths of a merge": (
        lambda: encoded(Layer("dec", RNN, reads="u"), Merge("both", reads=("enc", "dec")), Readout(reads="both")),
        "merge 'both' reads 'enc' at times 1…S and 'dec' at times 1…T; what is read at one time must have one length",
    ),
    "a length of its own": (
        lambda: (X, Layer("l1", RNN, length="S"), Y),
        "layer 'l1' has times 1…S, but reads 'x' at times 1…T; leave its length out, or make them equal",
    ),
    "a previous of another length": (
        lambda: (Input("x", length="S"), Previous("p", reads="x", length="T"), Layer("l1", RNN, reads="p"), Y),
        "previous 'p' has times 1…T, but reads 'x' at times 1…S; it reads a series of T times, or of one less",
    ),
    "a layer without times": (
        lambda: (Input("v", length=None), Layer("l1", RNN, reads="v"), Y),
        "layer 'l1' reads only what has one value, so that nothing says how many times it has; say length='T', or read an Input "
        "with a length as well",
    ),
    "sizes of a sum": (
        lambda: (X, L1, Merge("s", reads=("l1", "x"), how="sum"), Readout(reads="s")),
        "merge 's' reads 'x' of size D; expected H, the size of 'l1', to which it is added",
    ),
    "sizes of a residual link": (
        lambda: (X, Layer("l1", RNN, residual=True), Y),
        "layer 'l1' reads 'x' of size D; expected H, the size of its output, to which it is added; put a Dense between",
    ),
    "sizes of a start": (
        lambda: (X, Input("v", size="F", length=None), Layer("l1", RNN, starts="v"), Y),
        "layer 'l1' reads 'v' of size F; expected H, the size of h",
    ),
    "sizes of a first value": (
        lambda: (X, Input("v", size="F", length=None), Previous("p", reads="x", first="v"), Layer("l1", RNN, reads="p"), Y),
        "previous 'p' reads 'v' of size F; expected D, the size of 'x'",
    ),
    "sizes of a dot": (
        lambda: (Input("A", size="F", columns="S", length=None), X, L1, Attention(query="l1", over="A"), Readout(reads=("l1", "ctx"))),
        "attention 'ctx' reads 'l1' of size H; expected F, the size of 'A', for the score dot; choose general or additive",
    ),
    "sizes of a tied readout": (
        lambda: (Tokens(), Embedding(), Layer("l1", RNN, reads="u"), Readout(tied="u")),
        "readout 'y_hat' is tied to 'u' with columns of size D, but reads a vector of size H; make them equal, or put a Dense of "
        "size D between",
    ),
    "one letter for two sizes": (
        lambda: (X, Layer("l1", one_letter(), size="G"), Y),
        "layer 'l1': cell 'square' has one letter H for its input, of size D, and its output, of size G; leave size out",
    ),
    "inputs of one letter": (
        lambda: (X, Input("z", size="F"), Layer("l1", two_inputs(), reads={"x": "x", "c": "z"}), Y),
        "layer 'l1' reads 'z' of size F; expected D, the size of the input c of cell 'two'",
    ),
    "a size that is none": (lambda: (Input("x", size=0),), "x: a size is a letter such as 'H' or a positive whole number; got 0"),
    "shared table of two shapes": (
        lambda: (Tokens("w"), Embedding("u"), Embedding("v", size="F"), Layer("l1", RNN, reads=("u", "v")), Y),
        "embedding 'v' and embedding 'u' share the table E_w, but not its shape",
    ),
}
MASKS = {
    "mask of wrong kind": (
        lambda: (X, Input("m", size=1), Layer("l1", RNN, mask="m"), Y),
        "layer 'l1': mask must be an Input of kind='mask'; 'm' is none",
    ),
    "mask of wrong size": (
        lambda: (X, Input("m", size="H", kind="mask"), Layer("l1", RNN, mask="m"), Y),
        "layer 'l1': mask 'm' has size H; expected 1",
    ),
    "dropout of wrong size": (
        lambda: (X, Input("m", size="H", kind="mask"), Layer("l1", RNN, dropout="m"), Y),
        "layer 'l1': dropout 'm' has size H; expected D",
    ),
    "recurrent dropout of wrong size": (
        lambda: (X, Input("m", size="D", kind="mask"), Layer("l1", RNN, recurrent_dropout="m"), Y),
        "layer 'l1': recurrent_dropout 'm' has size D; expected H",
    ),
    "recurrent dropout where no matrix is": (
        lambda: (X, Input("m", size="H", kind="mask"), Layer("l1", cell("indrnn"), recurrent_dropout="m"), Y),
        "layer 'l1': recurrent_dropout 'm' has nothing to do: in cell 'indrnn' no matrix meets h_{t-1}; leave it out",
    ),
    "dropout of two inputs": (
        lambda: (X, Input("z"), Input("m", kind="mask"), Layer("l1", two_inputs(), reads={"x": "x", "c": "z"}, dropout="m"), Y),
        "layer 'l1': dropout is for a cell with one input; cell 'two' has 2; multiply in the cell",
    ),
    "mask of the decoder for the encoder": (
        lambda: encoded(Input("m", size=1, kind="mask"), Attention(mask="m"), Layer("dec", RNN, reads=("u", "ctx")), Readout(reads="dec")),
        "attention 'ctx': the mask 'm' has times 1…T; expected one for each of the S columns of 'enc', as Input('m', size=1, "
        "length='S', kind='mask')",
    ),
    "mask without times": (
        lambda: encoded(Input("m", size=1, length=None, kind="mask"), Attention(mask="m"), Layer("dec", RNN, reads=("u", "ctx")),
                        Readout(reads="dec")),
        "attention 'ctx': the mask 'm' has no times; expected one for each of the S columns of 'enc', as Input('m', size=1, "
        "length='S', kind='mask')",
    ),
    "mask of one loss": (
        lambda: (X, L1, Input("m", size=1, kind="mask"), Readout(mask="m", times="last")),
        "a mask weights the losses of several times; readout 'y_hat' has one output; for sequences of different lengths give a loss "
        "at all times, and a mask that is 1 at the last time of each sequence",
    ),
}
ENDS = {
    "no readout": (lambda: (X, L1), "a network has one Readout; got 0; add one, as Readout(reads='l1')"),
    "two readouts": (
        lambda: (X, L1, Y, Readout("z", reads="l1")), "a network has one Readout; got 2 ('y_hat', 'z'); keep one of them"),
    "times outside": (lambda: (X, L1, Readout(times=0)), "readout 'y_hat': loss at times 0, but what it reads is there at 1…T"),
    "times beyond": (
        lambda: (X, L1, Readout(times=Span(2, T + 1))), "readout 'y_hat': loss at times 2…T + 1, but what it reads is there at 1…T"),
    "times of another letter": (
        lambda: (X, L1, Readout(times=Span(1, S))), "readout 'y_hat': loss at times 1…S, but what it reads is there at 1…T"),
    "times that overlap": (
        lambda: (X, L1, Readout(times=(Span(2, T), 3))), "readout 'y_hat': the times 2…T and 3 overlap; name each time once"),
    "times that end before they begin": (
        lambda: (X, L1, Readout(times=Span(3, 2))), "readout 'y_hat': the times 3…2 end before they begin; write Span(2, 3)"),
    "times that are none": (
        lambda: (X, L1, Readout(times=1.5)),
        "readout 'y_hat': 1.5 is no time; times is all, last, first, a time, a Span, or a tuple of such"),
    "no time": (
        lambda: (X, L1, Readout(times=())),
        "readout 'y_hat': no time carries loss; times is all, last, first, a time, a Span, or a tuple of such"),
    "an unknown word": (
        lambda: (X, L1, Readout(times="lst")), "readout 'y_hat': unknown times 'lst'; did you mean last or first?"),
    "tied to no embedding": (
        lambda: (X, L1, Readout(tied="l1")),
        "readout 'y_hat' is tied to 'l1', a layer; expected an embedding, whose table it shares"),
    "a readout and a loss": (
        lambda: (X, L1, Readout(readout="linear", loss="cross-entropy")),
        "cross-entropy needs a softmax readout; got linear; choose that readout or squared-error"),
    "an unknown scale": (
        lambda: (X, L1, Readout(over_time="avg")), "readout 'y_hat': unknown over_time 'avg'; known: mean, sum"),
}
KINDS = {
    "a cell with several inputs": (
        lambda: (X, Layer("l1", two_inputs()), Y),
        "layer 'l1': cell 'two' has the inputs x, c; say what takes the place of each, as reads={'input': 'item', ...}",
    ),
    "an input that nobody names": (
        lambda: (X, Layer("l1", two_inputs(), reads={"x": "x"}), Y),
        "layer 'l1': nothing takes the place of the input c of cell 'two'",
    ),
    "an input that is none": (
        lambda: (X, Layer("l1", RNN, reads={"z": "x"}), Y), "layer 'l1': unknown input 'z'; known: x"),
    "no cell": (lambda: (X, Layer("l1", "lstm"), Y), "layer 'l1' takes a cell; got 'lstm'; write Layer('l1', cell('lstm'))"),
    "an unknown direction": (
        lambda: (X, Layer("l1", RNN, direction="backwards"), Y),
        "layer 'l1': unknown direction 'backwards'; did you mean backward or forward?"),
    "an unknown state": (
        lambda: (X, Layer("l1", RNN, starts={"c": "x"}), Y), "layer 'l1': unknown state 'c'; known: h"),
    "states without a common name": (
        lambda: encoded(Layer("dec", Cell("own", [(series("s", "H")[t], tanh(parameter("W", "H", "H") @ series("s", "H")[t - 1]
                 + parameter("U", "H", "D") @ series("x", "D")[t]))], inputs=[series("x", "D")]), reads="u", starts="enc"),
                        Readout(reads="dec")),
        "layer 'dec' starts from 'enc', but their states have no name in common; write starts={'s': Last(...)}",
    ),
    "a query that is no layer": (
        lambda: encoded(Attention(query="u"), Readout(reads="ctx")),
        "attention 'ctx': the query must be a layer, whose state asks; 'u' is an input",
    ),
    "attention over one vector": (
        lambda: (X, L1, Input("v", length=None), Attention(query="l1", over="v"), Readout(reads="ctx")),
        "attention 'ctx' is over 'v', a single vector; give a series, or an Input with columns=",
    ),
    "an unknown score": (lambda: (Attention(score="bilinear"),), "attention 'ctx': unknown score 'bilinear'; known: additive, dot, general, scaled-dot"),
    "tokens without an embedding": (
        lambda: (Tokens(), Layer("l1", RNN, reads="w"), Y), "layer 'l1' reads 'w', integers; put an Embedding between"),
    "attention over tokens": (
        lambda: (X, Tokens(length="S"), L1, Attention(query="l1", over="w", score="general"), Readout(reads="ctx")),
        "attention 'ctx' is over 'w', integers; put an Embedding between"),
    "a state that starts from tokens": (
        lambda: (X, Tokens(), Layer("l1", RNN, starts="w", size=1), Y), "layer 'l1' starts from 'w', integers; put an Embedding between"),
    "the last of tokens": (
        lambda: (X, Tokens(), L1, Last("e", reads="w"), Readout(reads=("l1", "e"))), "last 'e' reads 'w', integers; put an Embedding between"),
    "an embedding of vectors": (
        lambda: (X, Embedding(reads="x"), Layer("l1", RNN, reads="u"), Y),
        "embedding 'u' reads input 'x'; an embedding reads tokens: add Tokens('w')"),
    "a matrix as a vector": (
        lambda: (Input("A", columns="S", length=None), X, Layer("l1", RNN, reads=("x", "A")), Y),
        "layer 'l1' reads 'A', a matrix; put an attention over its columns"),
    "a matrix in a sum": (
        lambda: (Input("A", columns="S", length=None), X, Merge("s", reads=("x", "A"), how="sum"), Layer("l1", RNN, reads="s"), Y),
        "merge 's' reads 'A', a matrix; put an attention over its columns"),
    "a matrix at each time": (
        lambda: (Input("x", columns="S"),), "input 'x': a value at each time is a vector; write length=None for one matrix a sequence"),
    "a merge of one": (lambda: (Merge("m", reads="l1"),), "merge 'm' reads one item; give at least two"),
    "the last of one value": (
        lambda: (Input("v", length=None), Last("e", reads="v"), Readout(reads="e")),
        "last 'e' reads 'v', which has one value; read that as it is"),
    "the previous of one value": (
        lambda: (X, Input("v", length=None), Previous("p", reads="v"), Layer("l1", RNN, reads=("x", "p")), Y),
        "previous 'p' reads 'v', which has one value; it reads a series"),
    "an unknown activation": (
        lambda: (Dense("d", activation="tahn"),), "dense 'd': unknown activation 'tahn'; did you mean tanh?"),
}
CASES = {**NAMES, **CYCLES, **FITS, **MASKS, **ENDS, **KINDS}


@pytest.mark.parametrize("case", CASES)
def test_the_message_names_the_link(case):
    items, message = CASES[case]
    with pytest.raises(SpecError, match="^" + re.escape(message)) as raised:
        wire(*items())
    assert "\n" not in str(raised.value)


def test_reading_a_later_scan_says_so():
    """A network made by hand, with its scans in the wrong order: the message says that a later one computes it."""
    h, s, x, w = series("h", "H"), series("s", "H"), series("x", "H"), parameter("W", "H", "H")
    lower = Scan((Equation(h[t], tanh(w @ h[t - 1] + x[t]), Span(1, T)),))
    upper = Scan((Equation(s[t], tanh(w @ h[t]), Span(1, T)),))
    loss = Equation(Static("L"), time_sum(Total(s[t]), 1, T), None, "loss")
    givens = (Given(w, "parameter"), Given(x, "input", Span(1, T)), Given(h, "initial", Span(0, 0)))
    Network("right", givens, (lower, upper, loss), Static("L"))
    message = r"^the equation for s reads h_t, which a later scan computes; put that scan before it$"
    with pytest.raises(SpecError, match=message):
        Network("wrong", givens, (upper, lower, loss), Static("L"))
    with pytest.raises(SpecError, match=r"^the equation for L reads s, which a later scan computes; put that scan before it$"):
        Network("wrong", givens, (loss, lower, upper), Static("L"))
    total = Equation(Static("N"), Static("M"), None)
    later = Equation(Static("M"), Total(w), None)
    with pytest.raises(SpecError, match=r"^the equation for N reads M, which a later equation computes; put that equation before it$"):
        Network("wrong", givens, (total, later, lower, upper, loss), Static("L"))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("stack", {}, r"unknown network 'stack'; did you mean stacked\?"),
        ("stacked", {"merge": "sum"}, r"the network stacked has no option merge; it takes layers, task, .*"),
        ("stacked", {"layer": 2}, r"unknown option 'layer'; did you mean layers\?"),
        ("stacked", {"layers": 0}, r"layers is a whole number from 1 on; got 0"),
        ("single", {"feed": "teacher", "task": "one-to-many"}, r"feed teacher is for decoders, .*; here choose nothing or output"),
        ("single", {"tied": True}, r"tied: the readout's weight is the embedding's table; .*; add embed"),
        ("language-model", {"task": "one-to-one"}, r"a language model reads a word at each time: the task is many-to-many or .*"),
        ("captioning", {"attention": "dot", "image": "state"}, r"attention reads the image's locations at every step; leave image out"),
        ("encoder-decoder", {"feed": "nothing"}, r"a decoder reads the word before: choose feed teacher \(given\) or output \(its own\)"),
        ("encoder-decoder", {"attention": "bahdanau"}, r"unknown attention 'bahdanau'; .*"),
    ],
)
def test_an_architecture_says_what_it_takes(name, options, message):
    with pytest.raises(SpecError, match=f"^{message}$"):
        architecture(name, LSTM, **options)


def test_the_number_of_cells_fits_the_depth():
    with pytest.raises(SpecError, match=r"^2 cells for 3 layers; give one for all, or one for each$"):
        architecture("stacked", (LSTM, GRU), layers=3)
    with pytest.raises(SpecError, match=r"^network takes a cell; got 'lstm'; write network\(cell\('lstm'\)\) or build a Cell of your own$"):
        architecture("stacked", ["lstm"])


def test_an_output_of_interest_is_an_item():
    with pytest.raises(SpecError, match=r"^unknown item 'l2'; did you mean l1\?$"):
        wire(X, L1, Y, outputs=["l2"])


def test_times_may_be_written_with_letters():
    spans = [e.span for e in wire(X, L1, Readout(times=(1, Span(3, "T")))).equations if e.name == "ell"]
    assert spans == [Span(1, 1), Span(Integer(3), T)]
