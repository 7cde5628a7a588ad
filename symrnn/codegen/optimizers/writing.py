"""The source of an optimizer: a class that makes whole steps in place, and the function of a step of training."""

from __future__ import annotations

from collections.abc import Sequence

from sympy import Expr, Symbol

from symrnn.codegen.formatting import WIDTH, paragraph, wrapped
from symrnn.codegen.optimizers.calls import Calls
from symrnn.codegen.optimizers.rules import UpdateRule, names_of
from symrnn.codegen.optimizers.text import Writer, letter

TAB = "    "
FORMULAS = {"norm": "g min(1, c / ‖g‖)", "value": "min(c, max(-c, g))"}
MEANING = {
    "norm": "None, or the largest norm c that the gradients of all parameters together may have; larger ones are scaled "
            "down to it (Pascanu, Mikolov and Bengio 2013, algorithm 1).",
    "value": "None, or the largest absolute value c that an entry of a gradient may have; it is cut off there (Mikolov 2012).",
}
CLIP = {
    "norm": ["if scale != 1:", f"{TAB}np.multiply(g, scale, out=g)"],
    "value": ["if self.limit is not None:", f"{TAB}np.clip(g, -self.limit, self.limit, out=g)"],
}

VIEWS = '''
def views_of(flat, shapes):
    """Return views of parts of a vector, by the names and in the shapes of a dictionary."""
    views, first = {}, 0
    for name, shape in shapes.items():
        last = first + int(np.prod(shape))
        views[name] = flat[first:last].reshape(shape)
        first = last
    return views
'''
NORM = '''
def norm_of(vector):
    """Return the norm of a vector, also where its square overflows; NaN where an entry is NaN."""
    with np.errstate(over="ignore"):
        norm = float(np.sqrt(np.dot(vector, vector)))
    if not np.isinf(norm):
        return norm
    largest = np.abs(vector).max()
    if np.isinf(largest):
        return float(largest)
    return float(largest) * float(np.linalg.norm(vector / largest))
'''
SETUP = '''
if limit is not None and not limit > 0:
    raise ValueError(f"limit must be a positive number or None; got {limit!r}")
for name in sorted({*PARAMS} ^ {*params}):
    wrong = "an unknown array" if name in params else "no array"
    raise ValueError(f"params has {wrong} {name!r}; expected {', '.join(PARAMS)}")
arrays = {name: np.asarray(params[name]) for name in PARAMS}
for name, array in arrays.items():
    if array.dtype.kind != "f":
        raise ValueError(f"params[{name!r}] must hold floats; got {array.dtype}")
shapes = {name: arrays[name].shape for name in TRAINED}
self.flat = np.concatenate([arrays[name].reshape(-1) for name in TRAINED])
self.collected = np.zeros_like(self.flat)
self.params = {name: array.copy() for name, array in arrays.items()}
self.params.update(views_of(self.flat, shapes))
'''
COLLECT = '''
def collect(self, gradients):
    """Copy gradients into one vector."""
    for name in TRAINED:
        if name not in gradients:
            raise ValueError(f"gradients has no array {name!r}")
        if np.shape(gradients[name]) != self.params[name].shape:
            shape, own = np.shape(gradients[name]), self.params[name].shape
            raise ValueError(f"gradients[{name!r}] must have the shape {own}; got {shape}")
    parts = [np.reshape(gradients[name], -1) for name in TRAINED]
    np.concatenate(parts, out=self.collected, casting="same_kind")
'''
SAVING = '''
def state_dict(self):
    """Return copies of all that training goes on from: a dictionary of arrays, for np.savez."""
    limit = np.inf if self.limit is None else self.limit
    saved = {"steps": self.steps, "limit": limit, **self.parts()}
@CONSTANTS@
    return {name: np.array(value) for name, value in saved.items()}

def load_state_dict(self, saved):
    """Go on from what state_dict returned, read by np.load or not.

    Raises:
        ValueError: An array is missing, unknown or of another shape; then nothing is changed.
    """
    parts, shapes = self.parts(), {name: own.shape for name, own in self.state_dict().items()}
    for name in sorted({*shapes} ^ {*saved}):
        wrong = "an unknown array" if name in saved else "no array"
        raise ValueError(f"saved has {wrong} {name!r}")
    arrays = {name: np.asarray(saved[name]) for name in shapes}
    for name, shape in shapes.items():
        if (given := arrays[name].shape) != shape:
            raise ValueError(f"saved[{name!r}] must have the shape {shape}; got {given}")
    steps, limit = int(arrays["steps"]), float(arrays["limit"])
    for name, part in parts.items():
        part[...] = arrays[name]
    self.steps = steps
    self.limit = None if np.isinf(limit) else limit
@LOADED@
def parts(self):
    """Return what is saved by parameter, as views: "m.W" is the state m of the parameter W."""
    found = {f"params.{name}": array for name, array in self.params.items()}
    shapes = {name: self.params[name].shape for name in TRAINED}
    for state, flat in self.state.items():
        found.update({f"{state}.{name}": view for name, view in views_of(flat, shapes).items()})
    return found
'''
TRAINING = '''
def training_step(optimizer, rate, *data, **options):
    """Make one step of training in place, and return the loss before it.

    Args:
        optimizer: Holds the parameters, and changes them.
        rate: The learning rate.
        data: What loss_and_gradients takes behind the parameters, such as x and y.
        options: What else loss_and_gradients takes.
    """
    loss, gradients = loss_and_gradients(optimizer.params, *data, **options)
    optimizer.step(rate, gradients)
    return loss
'''


def optimizer_source(rule: UpdateRule, params: Sequence[str], trained: Sequence[str], clip: tuple[str, float | None]) -> list[str]:
    """Return the parts of a module that make steps of training.

    Args:
        rule: How parameters are changed.
        params: Names of all parameters.
        trained: Names of those that have gradients.
        clip: The way to clip, ``norm`` or ``value``, and the limit where none is given.

    Raises:
        NotSupportedError: A function in the rule that has no form in NumPy here.
    """
    names = tuple_lines("PARAMS", params) + (["TRAINED = PARAMS"] if [*params] == [*trained] else tuple_lines("TRAINED", trained))
    return ["\n".join(names) + "\n", VIEWS.strip() + "\n", NORM.strip() + "\n", class_source(rule, *clip), TRAINING.strip() + "\n"]


def tuple_lines(name: str, words: Sequence[str]) -> list[str]:
    """Write a tuple of texts."""
    listed = ", ".join(f'"{word}"' for word in words) + ("," if len(words) == 1 else "")
    line = f"{name} = ({listed})"
    return [line] if len(line) <= WIDTH else [f"{name} = (", *wrapped(f"{listed.rstrip(',')},", 4), ")"]


def class_source(rule: UpdateRule, by: str, limit: float | None) -> str:
    """Write the class."""
    constants = {name: repr(value) for name, value in rule.constants.items()}
    keywords = [*(f"{name}={value}" for name, value in constants.items()), f"limit={limit!r}"]
    head = [f"def __init__(self, params, *, {', '.join(keywords)}):"]
    if len(head[0]) > WIDTH:
        head = ["def __init__(", *wrapped(f"self, params, *, {', '.join(keywords)},", 4), "):"]
    checks = [line for name in constants for line in check(name, below_one=name in rule.below_one)]
    setting = [f"self.{name} = float({name})" for name in constants]
    calls = Calls(("p", *rule.states, "g"), Writer(lambda name: python_name(name, rule), python=True))
    loop, before = stepping(rule, calls, by)
    setup = [
        *checks, *SETUP.strip().splitlines(), f"self.state = {{{', '.join(f'{name!r}: np.zeros_like(self.flat)' for name in rule.states)}}}".replace("'", '"'),
        "self.piece = 2**18 // self.flat.itemsize  # entries changed at once: they stay in the cache",
        *([f"self.scratch = np.empty(({len(calls.scratch)}, min(self.piece, self.flat.size)), self.flat.dtype)"] if calls.scratch else []),
        "self.steps = 0", "self.limit = None if limit is None else float(limit)", *setting,
    ]
    saved = "".join(f'{TAB}saved["{name}"] = self.{name}\n' for name in constants)
    loaded = "".join(f'{TAB}self.{name} = float(arrays["{name}"])\n' for name in constants)
    methods = [
        *head, *indented(setup), "", *COLLECT.strip().splitlines(), "", "def step(self, rate, gradients):", *indented([*step_doc(by), *before, *loop]), "",
        *SAVING.replace("@CONSTANTS@\n", saved).replace("@LOADED@\n", loaded + "\n").strip().splitlines(),
    ]
    return "\n".join([f"class {rule.name}:", *indented([*class_doc(rule, by), "", *methods])]) + "\n"


def check(name: str, *, below_one: bool) -> list[str]:
    """Write how a constant is checked."""
    condition, words = (f"0 <= {name} < 1", "at least 0 and less than 1") if below_one else (f"0 <= {name} < np.inf", "a number from 0 on")
    return [f"if not {condition}:", f'{TAB}raise ValueError(f"{name} must be {words}; got {{{name}!r}}")']


def indented(lines: Sequence[str]) -> list[str]:
    """Indent lines by one level."""
    return [f"{TAB}{line}" if line else "" for line in lines]


def python_name(name: str, rule: UpdateRule) -> str:
    """Return how the code calls a number."""
    if name in rule.constants:
        return f"self.{name}"
    return {"eta": "rate", "k": "self.steps"}.get(name, name)


def printed(rule: UpdateRule) -> list[str]:
    """Write the equations for a reader."""
    writer = Writer(lambda name: letter(name, rule.letters), rule.arrays)
    return [f"{letter(lhs.name, {})} {'←' if lhs.name in rule.kept else '='} {writer.text(rhs)}" for lhs, rhs in rule.equations]


def class_doc(rule: UpdateRule, by: str) -> list[str]:
    """Write the docstring of the class."""
    listed, read = ", ".join(rule.constants), names_of(rhs for _, rhs in rule.equations)
    letters = ["η is the rate", *(f"{letter(name, rule.letters)} is {name}" for name in rule.constants)]
    letters += ["k is the number of the step, from 1 on"] if "k" in read else []
    zero = f" {' and '.join(letter(name, {}) for name in rule.states)} start at zero." if rule.states else ""
    words = f"p are the parameters, g their gradients, clipped first: g ← {FORMULAS[by]} with the limit c; {', '.join(letters)}.{zero}"
    source = f" {rule.source[0].upper()}{rule.source[1:]}." if rule.source else ""
    return [
        '"""Parameters in one vector, and steps that change it in place.', "", *([*paragraph(source.strip(), hanging=0), ""] if source else []),
        *indented(printed(rule)), "", *paragraph(words, hanging=0), "",
        "Attributes:", *paragraph("params: The parameters by name, as views of the vector: they show its newest numbers.", 4), "",
        "Args:", *paragraph("params: Arrays of floats by name; they are copied.", 4), *(paragraph(f"{listed}: The constants above.", 4) if listed else []),
        *paragraph(f"limit: {MEANING[by]}", 4), "",
        "Raises:", *paragraph("ValueError: An array is missing, unknown or of integers, or a number is out of its range.", 4), '"""',
    ]


def step_doc(by: str) -> list[str]:
    """Write the docstring of a step."""
    words = "NaN in a gradient gives NaN, and then every gradient that is clipped is NaN." if by == "norm" else "NaN in a gradient stays NaN."
    return [
        '"""Change the parameters in place.', "", *paragraph(words, hanging=0), "",
        "Args:", f"{TAB}rate: The learning rate η.", f"{TAB}gradients: Arrays by name, as loss_and_gradients returns them; others are ignored.", "",
        "Returns:", f"{TAB}The norm of all gradients together, before they are clipped.", "",
        "Raises:", f"{TAB}ValueError: A gradient is missing or has another shape; then nothing is changed.", '"""',
    ]


def stepping(rule: UpdateRule, calls: Calls, by: str) -> tuple[list[str], list[str]]:
    """Return the lines of the loop over pieces, and the lines before it."""
    known: dict[Symbol, Expr] = {}
    named, body, waiting = [], [], list[str]()
    for (lhs, rhs), text in zip(rule.equations, printed(rule), strict=True):
        formula = rhs.xreplace(known)
        if lhs.name in rule.kept:
            body += [f"# {line}" for line in [*waiting, text]]
            body += [call.source for call in calls.assign(lhs, formula)]
            waiting = []
        elif calls.is_number(formula):
            named.append(f"{lhs.name} = {calls.python.text(formula)}")
        else:
            known[lhs] = formula
            waiting.append(text)
    numbers = [f"{name} = {calls.python.text(formula)}" for formula, name in calls.numbers.items()]
    states = [f'{name} = self.state["{name}"][piece]' for name in rule.states]
    scratch = [f"{name} = self.scratch[{place}, : p.size]" for place, name in enumerate(calls.scratch)]
    clipped = [f"# g ← {FORMULAS[by]}", *CLIP[by]]
    inner = ["piece = slice(first, first + self.piece)", "p, g = self.flat[piece], self.collected[piece]", *states, *scratch, *clipped, *body]
    scale = ["scale = 1.0 if self.limit is None or norm <= self.limit else self.limit / norm"] if by == "norm" else []
    before = [
        "self.collect(gradients)", "rate = float(rate)", "norm = norm_of(self.collected)", *scale, "self.steps += 1", *named, *numbers,
    ]
    return ["for first in range(0, self.flat.size, self.piece):", *indented(inner), "return norm"], before
