"""The source itself: what it imports, how it reads, which names it uses, and the checks before it runs."""

from __future__ import annotations

import ast

import numpy as np
import pytest
from programs import CELLS, OPTIONS, SIZES, point_of, program_of
from sympy import Rational

from symrnn.bptt import derive
from symrnn.cells import cell
from symrnn.codegen import network_source, numpy_source, to_numpy
from symrnn.codegen.arrays import ARRAY_RULES
from symrnn.codegen.emit import RULES
from symrnn.derivation import hessian_vector_network
from symrnn.equations import Cell, Equation
from symrnn.errors import DataError, SpecError
from symrnn.expr import Ones, Static, Total, dim, t, time_sum
from symrnn.expr.operators import Operators
from symrnn.functions import parameter, series, stack, tanh
from symrnn.networks import Given, Network, Scan, network
from symrnn.times import Span

ABSTRACT = {"Leaf", "Node"}
T = dim("T")


def test_every_node_type_has_a_rule():
    assert set(RULES) | set(ARRAY_RULES) == set(Operators.registry) - ABSTRACT
    assert not set(RULES) & set(ARRAY_RULES)


@pytest.mark.sampled(17)
@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_source_imports_numpy_alone_and_fits_the_page(kind, options):
    first = derive(network(cell(kind), **options))
    for source in (numpy_source(first), numpy_source(derive(hessian_vector_network(first)))):
        tree = ast.parse(source)
        imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
        assert [ast.unparse(node) for node in imports] == ["import numpy as np"]
        assert max(map(len, source.splitlines())) <= 100
        assert [n for n in names_of(tree) if n not in {"loss", "loss_and_gradients"}] == helpers_called(tree)


def names_of(tree):
    return [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]


def helpers_called(tree):
    called = {ast.unparse(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
    return [name for name in names_of(tree) if name in called]


def test_source_does_not_depend_on_the_length():
    shown = network(cell("lstm"))
    lengths = [numpy_source(derive(shown.with_sizes({T: steps}))) for steps in (6, 600)]
    assert lengths[0].replace("T = 6", "T = 600").count("\n") == lengths[1].count("\n")
    assert "range(1, T + 1)" in numpy_source(derive(shown))


def test_a_line_is_an_equation():
    lines = [line.strip() for line in numpy_source(derive(network(cell("lstm")))).splitlines()]
    for expected in (
        "# a_{f,t} = W_f h_{t-1} + U_f x_t + b_f",
        "a_f[t] = h[t - 1] @ W_f.T + x[t] @ U_f.T + b_f",
        "f[t] = sigmoid(a_f[t])",
        "c[t] = f[t] * c[t - 1] + i[t] * c_tilde[t]",
        "h[t] = o[t] * s_c[t]",
        "ell[t] = -np.sum(y[t] * log_softmax(a_y[t]), axis=-1, keepdims=True)",
        "L += ell[t]",
        "for t in range(T, 0, -1):",
        "d_a_y[t] = y_hat[t] - y[t]",
        "if t == T:",
        "d_c[t] = d_s_c[t] * (1 - s_c[t] * s_c[t]) + d_c[t + 1] * f[t + 1]",
        "d_W_f += d_a_f[t].T @ h[t - 1]",
        "d_b_f += d_a_f[t].sum(axis=0)",
        "d_c[0] = d_c[1] * f[1]",
        '"x": np.stack([d_x[t] for t in range(1, T + 1)], axis=1),',
    ):
        assert expected in lines, expected


def test_what_nobody_needs_is_left_out():
    source = numpy_source(derive(network(cell("lstm"))))
    assert "d_ell" not in source
    assert "y_hat" not in source[source.index("def loss("):source.index("def loss_and_gradients(")]


def test_a_readout_at_the_last_time_stands_beside_the_loop():
    source = numpy_source(derive(network(cell("rnn"), task="many-to-one")))
    assert "\n    a_y = {T: h[T] @ W_hy.T + b_y}\n" in source
    assert "\n    d_a_y = {T: y_hat[T] - y[T]}\n" in source


def test_fractions_are_divided_in_the_dtype():
    source = numpy_source(derive(network(cell("rnn"), loss="squared-error", over_time="mean", over_batch="mean")))
    assert "axis=-1, keepdims=True) / 2" in source
    assert "L += ell[t] / (B * T)" in source
    assert "0.5" not in source
    x, h = series("x", "D"), series("h", "H")
    own = Cell("own", [(h[t], tanh(parameter("W", "H", "D") @ x[t]) + Rational(1, 3))], inputs=[x])
    assert "/ 3" in numpy_source(derive(network(own)))
    assert "1 / 3" not in numpy_source(derive(network(own)))


def test_formulas_of_comments_follow_the_notation_and_the_code_keeps_names():
    derivation = derive(network(cell("lstm")))
    plain, notes = numpy_source(derivation), numpy_source(derivation, notation="notes-000")
    code = [[line for line in source.splitlines() if not line.strip().startswith("#")] for source in (plain, notes)]
    assert code[0] == code[1]
    assert plain != notes


def own_network(*names):
    """A linear recurrence whose quantities have names of our choice: input, state, weight."""
    x, h, w = series(names[0], "D"), series(names[1], "D"), parameter(names[2], "D", "D")
    scan = Scan((Equation(h[t], w @ h[t - 1] + x[t], Span(1, T)),))
    return Network(
        "own", (Given(w, "parameter"), Given(x, "input", Span(1, T)), Given(h, "initial", Span(0, 0))),
        (scan, Equation(Static("L"), time_sum(Total(h[t] * h[t]), 1, T), None, "loss")), Static("L"),
    )


@pytest.mark.parametrize("names", [("lambda", "np", "T"), ("t", "params", "D"), ("B", "sum", "range"), ("l", "I", "O")])
def test_names_that_the_code_needs_are_changed(names):
    program = to_numpy(derive(own_network(*names)))
    plain = to_numpy(derive(own_network("x", "h", "w")))
    point = point_of(plain)
    renamed = {"x": names[0], "h_0": f"{names[1]}_0", "w": names[2]}
    loss, gradients = program.gradients({renamed[name]: array for name, array in point.items()})
    expected, others = plain.gradients(point)
    assert loss == expected
    for name, gradient in others.items():
        np.testing.assert_array_equal(gradients[renamed[name]], gradient)


def test_a_size_within_another_is_solved_for():
    x, h = series("x", "D"), series("h", "H")
    w = parameter("W", "H", dim("D") + dim("H"))
    own = Cell("fused", [(h[t], tanh(w @ stack(h[t - 1], x[t])))], inputs=[x])
    program = to_numpy(derive(network(own, task="one-to-many", feed="nothing")))
    loss, gradients = program.gradients(point_of(program))
    assert gradients["W"].shape == (5, 8)
    assert np.isfinite(loss)


def test_a_length_that_no_array_tells_is_an_argument():
    source = network_source(network(cell("rnn"), task="one-to-many"))
    assert "def forward(params, x, *, T, h_0=None):" in source
    program = program_of("rnn", task="one-to-many")
    point = {name: array for name, array in point_of(program).items() if name != "y"}
    assert program.forward({**point, "T": 3})["y_hat"].shape == (2, 3, 7)


def test_ones_take_the_dtype_of_the_numbers():
    x, h = series("x", "D"), series("h", "D")
    own = Cell("ones", [(h[t], Ones("D", 1) + 0 * x[t])], inputs=[x])
    program = to_numpy(derive(network(own)))
    loss, _ = program.gradients(point_of(program, dtype=np.float32))
    assert loss.dtype == np.float32


def test_a_call_takes_arrays_or_dictionaries():
    program = program_of("rnn", mask=True)
    point = point_of(program)
    params = {name: point[name] for name in ("W_hh", "W_xh", "b_h", "W_hy", "b_y")}
    expected, _ = program.gradients(point)
    assert program(params, point["x"], point["y"], h_0=point["h_0"], m=point["m"])[0] == expected
    assert program(params, {"x": point["x"]}, {"y": point["y"]}, h_0=point["h_0"], m=point["m"])[0] == expected


def test_states_before_the_first_time_and_after_the_last_have_identifiers():
    x, h = series("x", "D"), series("h", "D")
    back = Scan((Equation(h[t], tanh(x[t] + h[t + 2]), Span(1, T)),), -1)
    reads_two = Network(
        "two", (Given(x, "input", Span(1, T)), Given(h, "initial", Span(T + 1, T + 2))),
        (back, Equation(Static("L"), time_sum(Total(h[t] * h[t]), 1, T), None, "loss")), Static("L"),
    )
    program = to_numpy(derive(reads_two))
    point = point_of(program, T=6)
    loss, gradients = program({}, point["x"], h_Tp1=point["h_Tp1"])
    assert loss == program.loss(point)
    assert gradients["h_Tp1"].shape == (2, 2, 3)


def test_an_axis_of_length_one_may_be_given():
    program = program_of("rnn")
    point = point_of(program)
    loss, gradients = program.gradients({**point, "b_h": point["b_h"][:, None]})
    assert loss == program.loss(point)
    assert gradients["b_h"].shape == (SIZES["H"], 1)


WRONG = [
    ("W_hh", lambda a: a[:, :-1], r"^W_hh: expected shape \(H, H\), which is \(5, 5\); got \(5, 4\) \(H = 5 from W_hh\)$"),
    ("x", lambda a: a[0], r"^x: expected shape \(B, T, D\); got \(4, 3\)$"),
    ("x", lambda a: a[..., :-1], r"^x: expected shape \(B, T, D\), which is \(2, 4, 3\); got \(2, 4, 2\) \("),
    ("y", lambda a: a[:, :3], r"^y: expected shape \(B, T, K\), which is \(2, 4, 7\); got \(2, 3, 7\) \("),
    ("y", lambda a: a[..., 0], r"^y: expected shape \(B, T, K\), or integers without the last axis; got \(2, 4\)$"),
    ("y", lambda a: np.full((2, 4), 7), r"^y: expected classes 0 … 6; got 7 … 7$"),
    ("x", lambda a: a * complex(0, np.nan), r"^x: NaN or infinity among the numbers; clean the data, or pass check_finite=False$"),
    ("x", lambda a: a * np.nan, r"^x: NaN or infinity among the numbers; clean the data, or pass check_finite=False$"),
    ("x", lambda a: a[:, :0], r"^x: T = 0; expected at least 1$"),
    ("x", lambda a: a.astype(str), r"^x: expected numbers; got dtype <U"),
    ("x", lambda a: [[1.0], [1.0, 2.0]], r"^x: expected an array \(B, T, D\); "),
]


@pytest.mark.parametrize(("name", "change", "message"), WRONG, ids=[f"{n}-{k}" for k, (n, _, _) in enumerate(WRONG)])
def test_data_that_do_not_fit_are_refused(name, change, message):
    program = program_of("rnn")
    point = point_of(program)
    with pytest.raises(DataError, match=message):
        program.gradients({**point, name: change(point[name])})


def test_nan_passes_where_it_is_wanted():
    program = program_of("rnn")
    point = point_of(program)
    assert np.isnan(program.loss({**point, "x": point["x"] * np.nan}, check_finite=False))


def test_names_that_do_not_fit_are_refused():
    program = program_of("rnn", activation="phi")
    point = point_of(program)
    params = {name: point[name] for name in ("W_hh", "W_xh", "b_h", "W_hy", "b_y")}
    with pytest.raises(SpecError, match=r"^unknown parameter 'w_hh'; did you mean W_hh"):
        program({**params, "w_hh": params["W_hh"]}, point["x"], point["y"])
    with pytest.raises(SpecError, match=r"^the parameter W_hy is missing; give an array \(K, H\)$"):
        program({n: a for n, a in params.items() if n != "W_hy"}, point["x"], point["y"])
    with pytest.raises(SpecError, match=r"^unknown option 'h0'; did you mean h_0\?$"):
        program(params, point["x"], point["y"], h0=point["h_0"])
    with pytest.raises(SpecError, match=r"^the target y is missing; give an array \(B, T, K\)$"):
        program(params, point["x"])
    with pytest.raises(SpecError, match=r"^phi is missing; give phi=\.\.\.$"):
        program.loss(point)
    with pytest.raises(SpecError, match=r"^unknown quantity 'z'; "):
        program.loss({**point, "z": point["x"]})
    with pytest.raises(SpecError, match=r"^unknown style 'slow'; "):
        to_numpy(program.derivation, style="slow")
    with pytest.raises(SpecError, match=r"^unknown notation 'greek'; "):
        to_numpy(program.derivation, notation="greek")


def test_a_missing_mask_is_named():
    program = program_of("rnn", mask=True)
    point = point_of(program)
    del point["m"]
    with pytest.raises(SpecError, match=r"^the mask m is missing; give an array \(B, T\)$"):
        program.loss(point)


def test_a_static_input_belongs_to_one_sequence():
    v, h, u = Static("v", (), "D"), series("h", "H"), parameter("U", "H", "D")
    scan = Scan((Equation(h[t], tanh(h[t - 1] + u @ v), Span(1, T)),))
    image = Network(
        "image", (Given(u, "parameter"), Given(v, "input"), Given(h, "initial", Span(0, 0))),
        (scan, Equation(Static("L"), time_sum(Total(h[t] * h[t]), 1, T), None, "loss")), Static("L"),
    )
    program = to_numpy(derive(image))
    rng = np.random.default_rng(0)
    point = {"U": rng.standard_normal((5, 3)), "v": rng.standard_normal((2, 3)), "T": 4}
    loss, gradients = program.gradients(point)
    assert gradients["v"].shape == (2, 3)
    stepped = program.loss({**point, "v": point["v"] + 1e-30j}).imag / 1e-30
    np.testing.assert_allclose(gradients["v"].sum(), stepped)
    alone = [program.loss({**point, "v": point["v"][k:k + 1]}) for k in range(2)]
    np.testing.assert_allclose(sum(alone), loss)


def test_a_recurrence_without_inputs_and_parameters_runs():
    h = series("h", "H")
    free = Network(
        "free", (Given(h, "initial", Span(0, 0)),),
        (Scan((Equation(h[t], tanh(h[t - 1]), Span(1, T)),)), Equation(Static("L"), Total(h[T]), None, "loss")), Static("L"),
    )
    program = to_numpy(derive(free))
    state = np.full((2, 5), 0.5)
    _, gradients = program.gradients({"h_0": state, "B": 2, "H": 5, "T": 1})
    np.testing.assert_allclose(gradients["h_0"], 1 - np.tanh(0.5) ** 2)
