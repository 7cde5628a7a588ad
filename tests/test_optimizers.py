"""Optimizers: steps against formulas that are written out here, against PyTorch, and what is refused."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import sympy
from sympy import Abs, Max, Min, Symbol, exp, sign, sqrt, symbols

import symrnn
from symrnn import cli
from symrnn.codegen.optimizers import OPTIMIZERS, UpdateRule
from symrnn.errors import NotSupportedError, SpecError

RATE, STEPS = 0.05, 20
SIZES = {"D": 3, "H": 5, "K": 2}
CLASSES = {name: rule.name for name, rule in OPTIMIZERS.items()}
p, g, eta, k, m, u, rho = symbols("p g eta k m u rho")


@cache
def derivation(clip=None):
    return symrnn.derive(symrnn.network(symrnn.cell("rnn")), clip=clip)


@cache
def program(optimizer, wrt="parameters", style="readable", clip=None):
    return symrnn.to_numpy(derivation(clip), style=style, wrt=wrt, optimizer=optimizer)


def drawn(seed=0, dtype=np.float64, scale=1.0):
    """An array for each parameter."""
    rng = np.random.default_rng(seed)
    return {name: (scale * rng.normal(size=shape)).astype(dtype) for name, shape in program("adam").shapes(SIZES).items()}


def made(optimizer, params=None, **options):
    """An optimizer of generated code."""
    found = program(optimizer)
    return found.names[optimizer.name if isinstance(optimizer, UpdateRule) else CLASSES[optimizer]](drawn() if params is None else params, **options)


def after(optimizer, steps=range(1, STEPS + 1), **options):
    """The parameters after some steps with random gradients."""
    for number in steps:
        optimizer.step(RATE, drawn(number, **options))
    return optimizer.params


def assert_close(found, expected, tolerance=1e-12):
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_allclose(found[name], array, rtol=tolerance, atol=tolerance, err_msg=name)


# The rules, against formulas for single numbers.


def sgd(p, gradients, momentum=0.9):
    v = 0.0
    for g in gradients:
        v = momentum * v + g
        p = p - RATE * v
    return p


def adam(p, gradients, beta1=0.9, beta2=0.999, epsilon=1e-8, weight_decay=0.0):
    m = v = 0.0
    for t, g in enumerate(gradients, start=1):
        p = p - RATE * weight_decay * p
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g * g
        p = p - RATE * (m / (1 - beta1**t)) / ((v / (1 - beta2**t)) ** 0.5 + epsilon)
    return p


def adamw(p, gradients, weight_decay=0.01, **options):
    return adam(p, gradients, weight_decay=weight_decay, **options)


BY_HAND = {"sgd": sgd, "adam": adam, "adamw": adamw}


def by_hand(name, **options):
    """What the formulas give for each entry."""
    gradients = [drawn(number) for number in range(1, STEPS + 1)]
    found = {}
    for key, start in drawn().items():
        entries = [BY_HAND[name](float(start[place]), [float(g[key][place]) for g in gradients], **options) for place in np.ndindex(start.shape)]
        found[key] = np.reshape(entries, start.shape)
    return found


@pytest.mark.parametrize(("name", "options"), [
    ("sgd", {}), ("sgd", {"momentum": 0.0}), ("adam", {}), ("adam", {"beta1": 0.0, "beta2": 0.5, "epsilon": 0.1}), ("adamw", {}),
    ("adamw", {"weight_decay": 0.5, "beta1": 0.7}),
])
def test_steps_are_the_formulas(name, options):
    assert_close(after(made(name, **options)), by_hand(name, **options))


def test_every_rule_is_written_out_here():
    assert BY_HAND.keys() == OPTIMIZERS.keys()


def test_first_step_of_adam_has_the_size_of_the_rate():
    """m̂ = g and v̂ = g² at first, so that p moves by η g / (|g| + ε)."""
    start, gradients = drawn(), drawn(1)
    optimizer = made("adam", epsilon=0.0)
    optimizer.step(RATE, gradients)
    assert_close({n: start[n] - a for n, a in optimizer.params.items()}, {n: RATE * np.sign(a) for n, a in gradients.items()})


def test_constant_gradient_of_momentum_is_a_geometric_series():
    """With g = 1, v after k steps is (1 - μᵏ) / (1 - μ)."""
    start, mu = drawn(), 0.8
    optimizer = made("sgd", momentum=mu)
    for _ in range(STEPS):
        optimizer.step(RATE, {name: np.ones_like(array) for name, array in start.items()})
    moved = RATE * sum((1 - mu**k) / (1 - mu) for k in range(1, STEPS + 1))
    assert_close(dict(optimizer.params), {name: array - moved for name, array in start.items()})


@pytest.mark.parametrize(("name", "theirs", "options"), [
    ("sgd", "SGD", {"momentum": 0.9}), ("adam", "Adam", {}), ("adamw", "AdamW", {}),
])
def test_steps_are_those_of_pytorch(name, theirs, options):
    torch = pytest.importorskip("torch")
    tensors = {key: torch.tensor(array, requires_grad=True) for key, array in drawn().items()}
    other = getattr(torch.optim, theirs)(list(tensors.values()), lr=RATE, **options)
    for number in range(1, STEPS + 1):
        for key, array in drawn(number).items():
            tensors[key].grad = torch.tensor(array)
        other.step()
    assert_close(after(made(name)), {key: tensor.detach().numpy() for key, tensor in tensors.items()})


# Clipping.


def norm(arrays):
    return float(np.sqrt(sum(np.sum(np.asarray(a, float) ** 2) for a in arrays.values())))


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_clipping_is_by_the_norm_of_all_gradients(scale):
    gradients, limit = drawn(1, scale=scale), 0.5
    size = norm(gradients)
    start, optimizer = drawn(), made("sgd", momentum=0.0, limit=limit)
    assert optimizer.step(RATE, gradients) == pytest.approx(size, rel=1e-14)
    assert_close(dict(optimizer.params), {n: start[n] - RATE * min(1, limit / size) * a for n, a in gradients.items()})


def test_clipping_of_the_derivation_is_the_limit():
    gradients, size = drawn(1), norm(drawn(1))
    for clip, clipped in ((0.5, lambda a: a * 0.5 / size), (symrnn.Clipping(0.5, by="value"), lambda a: np.clip(a, -0.5, 0.5))):
        start, optimizer = drawn(), program("sgd", clip=clip).names["SGD"](drawn())
        assert optimizer.limit == 0.5
        assert optimizer.step(RATE, gradients) == pytest.approx(size)
        assert_close(dict(optimizer.params), {n: start[n] - RATE * clipped(a) for n, a in gradients.items()})


@pytest.mark.parametrize(("dtype", "scale"), [(np.float32, 1e25), (np.float64, 1e200)])
def test_norm_whose_square_overflows(dtype, scale):
    gradients = drawn(1, dtype, scale)
    start, optimizer = drawn(0, dtype), made("sgd", drawn(0, dtype), momentum=0.0, limit=1.0)
    size = scale * norm({n: a / scale for n, a in gradients.items()})
    assert optimizer.step(RATE, gradients) == pytest.approx(size, rel=1e-5)
    assert_close(dict(optimizer.params), {n: start[n] - RATE * (a / dtype(size)) for n, a in gradients.items()}, 1e-5)


@pytest.mark.parametrize("optimizer", CLASSES)
@pytest.mark.parametrize("limit", [None, 1.0])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_stays(optimizer, limit, bad):
    gradients = drawn(1)
    gradients["W_hh"][1, 2] = bad
    found = made(optimizer, limit=limit)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        size = found.step(RATE, gradients)
    assert np.isnan(size) if np.isnan(bad) else size == np.inf
    assert not np.isfinite(found.params["W_hh"][1, 2])
    everything = np.isnan(bad) and limit is not None  # a norm that is no number scales all
    assert np.isnan(found.params["b_h"]).all() == everything


# How the arrays are held.


@pytest.mark.parametrize("name", CLASSES)
def test_single_precision_stays(name):
    optimizer = made(name, drawn(0, np.float32), limit=1.0)
    optimizer.step(np.float64(RATE), drawn(1))  # even from gradients and a rate in double precision
    arrays = [optimizer.flat, optimizer.collected, optimizer.scratch, *optimizer.state.values(), *optimizer.params.values()]
    assert {array.dtype for array in arrays} == {np.dtype(np.float32)}
    double = made(name, limit=1.0)
    double.step(RATE, drawn(1))
    assert_close({n: a.astype(float) for n, a in optimizer.params.items()}, dict(double.params), 1e-5)


def test_any_order_and_strides_and_nothing_given_is_changed():
    start, gradients = drawn(), drawn(1)
    turned = {name: np.asfortranarray(np.repeat(array, 2, axis=0))[::2] for name, array in reversed(start.items())}
    others = {name: np.asfortranarray(array) for name, array in reversed(gradients.items())}
    copies = [{n: a.copy() for n, a in arrays.items()} for arrays in (turned, others)]
    first, second = made("adam", limit=1.0), made("adam", turned, limit=1.0)
    first.step(RATE, gradients)
    second.step(RATE, others)
    assert_close(dict(second.params), dict(first.params), 0)
    for given, copy in zip((turned, others), copies, strict=True):
        assert_close(given, copy, 0)


def test_parameters_are_views_of_one_vector():
    optimizer = made("adam")
    assert all(np.shares_memory(array, optimizer.flat) for array in optimizer.params.values())
    held = optimizer.params["W_hh"]
    before = held.copy()
    optimizer.step(RATE, drawn(1))
    assert held is optimizer.params["W_hh"]
    assert not np.array_equal(held, before)


def test_pieces_are_seen_by_nobody():
    whole, pieces = made("adam", limit=1.0), made("adam", limit=1.0)
    pieces.piece = 7
    assert pieces.flat.size > 5 * 7
    assert_close(after(pieces), after(whole), 0)


def test_training_goes_on_from_what_was_saved(tmp_path):
    for name, options in (("sgd", {"momentum": 0.7}), ("adam", {"beta1": 0.5, "limit": 0.3}), ("adamw", {"weight_decay": 0.2})):
        whole, first = made(name, **options), made(name, **options)
        expected = after(whole)
        after(first, range(1, 8))
        np.savez(tmp_path / "saved.npz", **first.state_dict())
        second = made(name, drawn(99))
        after(second, [3, 4])
        with np.load(tmp_path / "saved.npz") as saved:
            second.load_state_dict(saved)
        assert_close(after(second, range(8, STEPS + 1)), expected, 0)
        assert (second.limit, second.steps) == (whole.limit, STEPS)


def test_what_was_saved_is_a_copy():
    optimizer = made("adam")
    saved = optimizer.state_dict()
    kept = {name: array.copy() for name, array in saved.items()}
    after(optimizer)
    assert_close(saved, kept, 0)
    assert set(saved) == {"steps", "limit", "beta1", "beta2", "epsilon"} | {f"{part}.{name}" for part in ("params", "m", "v") for name in drawn()}


# Whole steps of training.


def data(seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(4, 6, 3)), np.eye(2)[rng.integers(0, 2, (4, 6))]


@pytest.mark.parametrize("style", ["fast", "readable"])
@pytest.mark.parametrize("name", CLASSES)
def test_training_step(name, style):
    names = program(name, style=style).names
    optimizer, other = (names[CLASSES[name]](drawn(), limit=1.0) for _ in range(2))
    losses, h_0 = [], np.ones((4, 5))
    for _ in range(30):
        loss, gradients = names["loss_and_gradients"](other.params, *data(), h_0=h_0)
        other.step(RATE, gradients)
        losses.append(names["training_step"](optimizer, RATE, *data(), h_0=h_0))
        assert losses[-1] == loss
    assert_close(dict(optimizer.params), dict(other.params), 0)
    assert losses[-1] < 0.9 * losses[0]


def test_training_step_with_checkpoints_and_other_gradients():
    source = symrnn.to_numpy(derivation(), style="fast", checkpoint=True, optimizer="adam")
    one, two = source.names["Adam"](drawn()), program("adam", wrt="all").names["Adam"](drawn())
    for _ in range(3):
        source.names["training_step"](one, RATE, *data(), every=2)
        program("adam", wrt="all").names["training_step"](two, RATE, *data())
    assert_close(dict(one.params), dict(two.params), 1e-9)


def test_parameters_without_gradients_stay():
    names = program("adam", wrt=("W_hy", "b_y")).names
    start, optimizer = drawn(), names["Adam"](drawn())
    names["training_step"](optimizer, RATE, *data())
    changed = {name for name in start if not np.array_equal(start[name], optimizer.params[name])}
    assert changed == {"W_hy", "b_y"}
    other = names["Adam"](drawn(5))
    other.load_state_dict(optimizer.state_dict())
    assert_close(dict(other.params), dict(optimizer.params), 0)


# Rules of one's own.


def steps_of(rule, **options):
    """Parameters after steps of a rule, and what its equations give in SymPy's own numbers."""
    gradients = [drawn(number) for number in range(1, 5)]
    optimizer, found = made(rule, **options), {}
    for gradient in gradients:
        optimizer.step(RATE, gradient)
    functions = [(lhs.name, sympy.lambdify(symbols := sorted(rhs.free_symbols, key=str), rhs, "numpy"), [s.name for s in symbols])
                 for lhs, rhs in rule.equations]
    for name, start in drawn().items():
        known = {**rule.constants, **options, "p": start, "eta": RATE} | {state: np.zeros_like(start) for state in rule.states}
        for number, gradient in enumerate(gradients, start=1):
            known |= {"g": gradient[name], "k": number}
            for target, function, read in functions:
                known[target] = function(*(known[r] for r in read))
        found[name] = known["p"]
    return dict(optimizer.params), found


s = Symbol("s", positive=True)
RULES = [
    UpdateRule("RMSprop", [(s, rho * s + (1 - rho) * g**2), (p, p - eta * g / (sqrt(s) + 1e-6))], {"rho": 0.9}),
    UpdateRule("AdaMax", [(m, rho * m + (1 - rho) * g), (u, Max(0.99 * u, Abs(g))), (p, p - eta / (1 - rho**k) * m / u)], {"rho": 0.9}),
    UpdateRule("Lion", [(u, sign(rho * m + (1 - rho) * g)), (p, p - eta * (u + 0.1 * p)), (m, 0.9 * m + 0.1 * g)], {"rho": 0.8}),
    UpdateRule("AdaGrad", [(m, m + g**2), (p, p - eta * g / (sqrt(m) + 1e-10))]),
    UpdateRule("Nesterov", [(m, rho * m + g), (p, p - eta * (g + rho * m))], {"rho": 0.9}),
    UpdateRule("Last", [(p, p - eta * (2 * g - m)), (m, g)]),
    UpdateRule("Strange", [(u, g * (g + m) * (g - 2)), (m, -u / (1 + g**4)), (p, Min(p, 3) * (1 - eta) - exp(-(m**2)) / 3 - eta**rho)], {"rho": 0.5}),
    UpdateRule("Power", [(m, m + Abs(g) ** 3), (p, p + 1 / (m + 1) ** rho - 1 / m**2 - g**-1 + 0.5)], {"rho": 0.4}),
    UpdateRule("Plain", [(p, p - g)]),
    UpdateRule("Mirrored", [(p, -p)]),
    UpdateRule("Constant", [(m, eta * k), (p, m + 0 * g + p)]),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_own_rules(rule):
    found, expected = steps_of(rule)
    assert_close(found, expected)


def test_printed_formulas():
    source = program("adam").source
    for line in ("m ← β₁ m + (1 - β₁) g", "v ← β₂ v + (1 - β₂) g²", "p ← p - η m̂ / (√v̂ + ε)", "g ← g min(1, c / ‖g‖)"):
        assert f"            # {line}\n" in source
    assert "            # v ← μ v + g\n" in program("sgd").source


def test_symbols_are_told_apart_by_their_names():
    q, q_real, p, g, eta = Symbol("q"), Symbol("q", real=True), Symbol("p"), Symbol("g"), Symbol("eta")
    rule = UpdateRule("Own", ((q, 2 * g), (p, p - eta * q_real)))
    assert rule.states == ()
    assert {symbol for _, rhs in rule.equations for symbol in rhs.atoms(Symbol)} & {q, q_real} == {q}


def test_step_of_adam_is_few_calls():
    """Twelve in all, whatever the number of parameters; one more where gradients are clipped."""
    body = program("adam").source.partition("    def step(")[2].partition("        return norm")[0]
    assert body.count("np.") == 13
    assert program("adam").source.count("out=w2") == 0


def test_ruff_finds_nothing(tmp_path):
    if importlib.util.find_spec("ruff") is None:
        pytest.skip("needs ruff: python -m pip install '.[dev]'")
    for number, optimizer in enumerate([*CLASSES, *RULES]):
        (tmp_path / f"made_{number}.py").write_text(program(optimizer, style="readable").source, encoding="utf-8")
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--line-length", "100", "--select", "E,F,W,I,B", str(tmp_path)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


# What is refused.


def test_wrong_arrays():
    params, gradients = drawn(), drawn(1)
    short = {name: array for name, array in params.items() if name != "W_hh"}
    with pytest.raises(ValueError, match=r"^params has no array 'W_hh'; expected W_hh, W_xh, b_h, W_hy, b_y$"):
        made("adam", short)
    with pytest.raises(ValueError, match=r"^params has an unknown array 'W'; expected "):
        made("adam", {**params, "W": params["W_hh"]})
    with pytest.raises(ValueError, match=r"^params\['b_h'\] must hold floats; got int64$"):
        made("adam", {**params, "b_h": np.zeros(5, np.int64)})
    optimizer = made("adam")
    for wrong, message in (
        ({name: array for name, array in gradients.items() if name != "b_y"}, r"^gradients has no array 'b_y'$"),
        ({**gradients, "b_y": np.zeros((2, 1))}, r"^gradients\['b_y'\] must have the shape \(2,\); got \(2, 1\)$"),
    ):
        with pytest.raises(ValueError, match=message):
            optimizer.step(RATE, wrong)
    assert_close(dict(optimizer.params), params, 0)
    assert optimizer.steps == 0


def test_wrong_numbers():
    for options, message in (
        ({"beta1": 1.0}, r"^beta1 must be at least 0 and less than 1; got 1\.0$"), ({"beta2": np.nan}, r"^beta2 must be .*; got nan$"),
        ({"epsilon": -1e-8}, r"^epsilon must be a number from 0 on; got -1e-08$"), ({"limit": 0}, r"^limit must be a positive number or None; got 0$"),
        ({"limit": np.nan}, r"^limit must be a positive number or None; got nan$"),
    ):
        with pytest.raises(ValueError, match=message):
            made("adam", **options)
    with pytest.raises(TypeError, match=r"momentum"):
        made("adam", momentum=0.9)


def test_wrong_state():
    optimizer = made("adam")
    saved = optimizer.state_dict()
    for wrong, message in (
        ({name: array for name, array in saved.items() if name != "v.b_h"}, r"^saved has no array 'v\.b_h'$"),
        (saved | {"w.b_h": saved["v.b_h"]}, r"^saved has an unknown array 'w\.b_h'$"),
        (saved | {"m.b_h": np.ones(4), "params.b_h": np.ones(5)}, r"^saved\['m\.b_h'\] must have the shape \(5,\); got \(4,\)$"),
        (made("sgd").state_dict(), r"^saved has no array 'beta1'$"),
    ):
        with pytest.raises(ValueError, match=message):
            optimizer.load_state_dict(wrong)
    assert_close(optimizer.state_dict(), saved, 0)


BAD_RULES = [
    (lambda: UpdateRule("A", [(m, g)]), r"^rule 'A' has no equation for p, the parameters; add one$"),
    (lambda: UpdateRule("A", [(p, p - eta * m)]), r"^unknown symbol of the rule 'A' 'm'; known: eta, g, k, p$"),
    (lambda: UpdateRule("A", [(p, p - g), (p, p - g)]), r"^rule 'A': p is defined twice; keep one of them$"),
    (lambda: UpdateRule("A", [(rho, g), (p, p - rho)], {"rho": 1}), r"^rule 'A': rho is defined twice; keep one of them$"),
    (lambda: UpdateRule("A b", [(p, p - g)]), r"^rule 'A b': 'A b' is no name in Python; choose another$"),
    (lambda: UpdateRule("A", [(Symbol("lambda"), g), (p, p - g)]), r"^rule 'A': 'lambda' is no name in Python; choose another$"),
    (lambda: UpdateRule("A", [(Symbol("w1"), g), (p, p - g)]), r"^rule 'A': the generated code uses the name w1; choose another$"),
    (lambda: UpdateRule("A", [(g, 2 * g), (p, p - g)]), r"^rule 'A': the generated code uses the name g; choose another$"),
    (lambda: UpdateRule("A", [(p, p - g)], {"limit": 1}), r"^rule 'A': the generated code uses the name limit; choose another$"),
    (lambda: UpdateRule("float", [(p, p - g)]), r"^rule 'float': the generated code uses the name float; choose another$"),
    (lambda: UpdateRule("A", [(p, p - g)], {"rho": 1}, frozenset({"roh"})), r"^unknown constant 'roh'; did you mean rho\?$"),
    (lambda: UpdateRule("A", [(u, g - m), (m, g), (p, p - u)]), r"^rule 'A': u is used after m, which it reads, has changed; write u after it$"),
]


@pytest.mark.parametrize(("make", "message"), BAD_RULES)
def test_wrong_rules(make, message):
    with pytest.raises(SpecError, match=message):
        make()


def test_functions_without_a_form():
    with pytest.raises(NotSupportedError, match=r"^gamma has no form in the code of an optimizer; use Abs, Max, Min, exp, log, sign, tanh$"):
        program(UpdateRule("A", [(p, p - sympy.gamma(g))]))
    with pytest.raises(NotSupportedError, match=r"^cos of numbers has no form in the code of an optimizer; use powers, products and sums$"):
        program(UpdateRule("A", [(p, p - sympy.cos(eta) * g)]))


def test_wrong_names(capsys):
    with pytest.raises(SpecError, match=r"^unknown optimizer 'adma'; did you mean adam or adamw\?$"):
        symrnn.to_numpy(derivation(), optimizer="adma")
    with pytest.raises(SpecError, match=r"^an optimizer needs gradients of parameters; write wrt=\"parameters\", or names of W_hh, "):
        symrnn.to_numpy(derivation(), optimizer="adam", wrt=["x"])
    assert cli.main(["code", "rnn", "--optimizer", "adma"]) == 2
    assert re.search(r"unknown optimizer 'adma'; did you mean adam or adamw\?", capsys.readouterr().err)
    assert cli.main(["code", "rnn", "--style", "fast", "--optimizer", "adam", "--memory", "B=1"]) == 2
    assert "--memory counts the arrays of the loss and its gradients; leave --optimizer out" in capsys.readouterr().err


def test_command(tmp_path, capsys):
    path = tmp_path / "trained.py"
    assert cli.main(["code", "gru", "--style", "fast", "--optimizer", "adamw", "-o", str(path)]) == 0
    capsys.readouterr()
    spec = importlib.util.spec_from_file_location("trained", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert issubclass(module.AdamW, object)
    imports = re.findall(r"^(?:import|from) .*$", Path(path).read_text(encoding="utf-8"), re.MULTILINE)
    assert imports == ["import numpy as np"]
