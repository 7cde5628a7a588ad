"""``verify_gradient`` on functions, objects and closures; the report; the pytest plugin; strategies; the float fallback."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.metadata import entry_points

import numpy as np
import pytest
from amounts import examples
from handwritten_programs import FOLDER
from hypothesis import given, settings

from symrnn.errors import SpecError
from symrnn.verify import Report, verify_gradient
from symrnn.verify.handwritten.files import load
from symrnn.verify.handwritten.printed import report_html, report_markdown
from symrnn.verify.strategies import arguments

pytest_plugins = ["pytester"]
SHAPES = {"x": ["N", "T", "D"], "h0": ["N", "H"], "Wx": ["D", "4*H"], "Wh": ["H", "4*H"], "b": ["4*H"]}
LSTM = load(FOLDER / "batch_lstm.py")
lstm_forward, lstm_backward = LSTM.lstm_forward, LSTM.lstm_backward
RNN = load(FOLDER / "class_rnn.py").RNN
RNG = np.random.default_rng(0)


def lstm_arguments(N: int = 3, T: int = 8, D: int = 4, H: int = 5) -> dict[str, np.ndarray]:
    return {"x": RNG.normal(size=(N, T, D)), "h0": np.zeros((N, H)), "Wx": RNG.normal(size=(D, 4 * H)),
            "Wh": RNG.normal(size=(H, 4 * H)), "b": np.zeros(4 * H)}


def linear(x, W):
    return x @ W, (x, W)


def test_a_step_and_its_side_effect() -> None:
    given_ = lstm_arguments()
    report = verify_gradient(LSTM.lstm_step_forward, LSTM.lstm_step_backward, (given_["x"][:, 0], given_["h0"], given_["h0"], given_["Wx"], given_["Wh"], given_["b"]))
    report.assert_ok()
    assert [v.name for v in report.warnings] == ["dnext_c"]
    assert report.warnings[0].verdict == "side effect"


def test_an_object() -> None:
    model = RNN(4, 5)
    kept = model.Wx.copy()
    report = verify_gradient(model.forward, model.backward, (np.zeros((3, 7, 4)), np.zeros((3, 5))), returns=["dx", "dh0"])
    assert {v.array for v in report.verdicts} == {"x", "h0", "self.Wx", "self.Wh", "self.b"}
    assert report.ok
    assert np.array_equal(model.Wx, kept)
    assert not hasattr(model, "dWx")


def test_wrong_with_the_smallest_example() -> None:
    report = verify_gradient(linear, lambda dy, cache: (dy @ cache[1].T, 2 * cache[0].T @ dy), (np.ones((3, 4)), np.ones((4, 5))), returns=["dx", "dW"])
    dW = report.refused[0]
    assert (dW.name, dW.verdict, dW.title) == ("dW", "wrong", "proved wrong")
    assert dW.example is not None
    assert dW.example.values == {"x": "[[-1]]", "W": "[[-1]]", "dresult 1": dW.example.values["dresult 1"]}
    with pytest.raises(AssertionError, match=r"^linear and .*: 1 right, 1 wrong\n\n  dx  right: equal without any rounding\n  dW  proved wrong: "):
        report.assert_ok()


def test_gradients_that_share_a_factor() -> None:
    report = verify_gradient(linear, lambda dy, cache: (dy @ cache[1].T / 3, cache[0].T @ dy / 3), (np.ones((3, 4)), np.ones((4, 5))))
    assert [v.title for v in report.verdicts] == ["right up to the factor 1/x.shape[0]"] * 2
    assert report.status == 1


def test_truncated_after_two_steps() -> None:
    def forward(x, w):
        h, hs = 0 * x[0], []
        for x_t in x:
            h = np.tanh(x_t + w * h)
            hs.append(h)
        return np.stack(hs), (x, w, hs)

    def backward(dh, cache):
        x, w, hs = cache
        dx = np.zeros(x.shape)
        for t in range(len(x)):
            d = dh[t]
            for s in range(t, max(-1, t - 2), -1):
                d = d * (1 - hs[s] ** 2)
                dx[s] += d
                d = d * w
        return dx

    report = verify_gradient(forward, backward, (np.ones((7, 3)), np.ones(3)), returns=["dx"])
    assert [(v.verdict, v.steps) for v in report.verdicts] == [("truncated", 2)]
    assert verify_gradient(forward, backward, (np.ones((7, 3)), np.ones(3)), returns=["dx"], accept={"truncated": True}).ok


def test_code_that_does_not_run_on_balls_is_judged_in_floats() -> None:
    def forward(a):
        return float(np.linalg.slogdet(a)[1]), a

    report = verify_gradient(forward, lambda a: np.linalg.inv(a).T, (np.ones((4, 4)),), returns=["da"])
    assert [(v.verdict, v.evidence.startswith("float64")) for v in report.verdicts] == [("right", True)]
    assert "proves nothing" in str(report)
    wrong = verify_gradient(forward, lambda a: np.linalg.inv(a), (np.ones((4, 4)),), returns=["da"])
    assert [v.title for v in wrong.refused] == [wrong.refused[0].title]
    assert wrong.refused[0].title.startswith("wrong (by float64")


@dataclass
class Parameters:
    W: np.ndarray
    b: np.ndarray


@dataclass
class Gradients:
    dW: np.ndarray  # noqa: N815  # as people name it
    db: np.ndarray


def test_parameters_and_gradients_as_attributes() -> None:
    def forward(x, p):
        y = np.float64(1) * np.tanh(x @ p.W + p.b)
        return y, (x, y)

    def backward(dy, cache):
        x, y = cache
        da = dy * (1 - y * y)
        return Gradients(x.T @ da, np.einsum("nh->h", da))

    example = (np.ones((3, 4)), Parameters(np.ones((4, 5)), np.zeros(5)))
    report = verify_gradient(forward, backward, example)
    assert [(v.array, v.verdict) for v in report.verdicts] == [("p.W", "right"), ("p.b", "right")]
    assert np.array_equal(example[1].W, np.ones((4, 5)))


def cross_entropy(z, y):
    p = np.exp(z) / np.sum(np.exp(z))
    return -np.sum(y * np.log(p + 1e-8)), (p, y)


@pytest.mark.parametrize(("factor", "verdict"), [(1, "right up to float64 constants"), (1.0001, "wrong")])
def test_a_small_constant_in_one_pass_only(factor, verdict) -> None:
    def backward(cache):
        p, y = cache
        return (p - y) * (1 if factor == 1 else 1.0001)

    code = cross_entropy.__code__
    report = verify_gradient(cross_entropy, backward, (np.ones(4), np.array([0.0, 1.0, 0.0, 0.0])), returns=["dz"])
    assert [v.verdict for v in report.verdicts] == [verdict], str(report)
    assert ("right where they are 0" in report.verdicts[0].detail) == (factor == 1)
    assert cross_entropy.__code__ is code


@pytest.mark.parametrize(("args", "options", "line"), [
    ((1, 2, 3), {}, r"^the forward linear takes 2 arguments \(x, W\); the example has 3$"),
    ((np.ones(2),), {}, r"^the forward linear takes x, W; the example has no W: add it$"),
    ({"x": np.ones(2), "V": 1}, {}, r"^unknown argument of the forward linear 'V'; "),
    ((np.ones((2, 3)), np.ones((3, 4))), {"accept": {"clip": True}}, r"^unknown kind in accept 'clip'; did you mean clipped\?$"),
])
def test_wrong_requests(args, options, line) -> None:
    with pytest.raises(SpecError, match=line):
        verify_gradient(linear, lambda dy, cache: None, args, **options)


def test_reports_in_all_formats() -> None:
    report = verify_gradient(linear, lambda dy, cache: (dy @ cache[1].T, cache[0].T @ dy + 1), (np.ones((3, 4)), np.ones((4, 5))), returns=["dx", "dW"])
    assert Report.from_dict(json.loads(json.dumps(report.as_dict()))) == report
    assert "| `dW` | proved wrong |" in report_markdown(report)
    page = report_html(report)
    assert "<td><code>dW</code></td><td>proved wrong</td>" in page
    assert page.count("<tr") == page.count("</tr>") == 3


def test_the_report_says_what_the_time_went_into() -> None:
    given_ = lstm_arguments()
    step = {"x": given_["x"][:, 0], "prev_h": given_["h0"], "prev_c": given_["h0"], "Wx": given_["Wx"], "Wh": given_["Wh"], "b": given_["b"]}
    report = verify_gradient(LSTM.lstm_step_forward, LSTM.lstm_step_backward, step)
    assert report.ok
    assert sum(report.seconds.values()) > 0
    assert "derivative of the forward" in report.seconds


@settings(max_examples=examples(4), deadline=None)
@given(example=arguments(SHAPES, most=7))
def test_arguments_by_hypothesis(example) -> None:
    assert example["x"].shape[1] >= 6
    assert example["Wx"].shape == (example["x"].shape[2], 4 * example["h0"].shape[1])
    assert all((np.abs(array) >= 0.25).all() for array in example.values())
    verify_gradient(lstm_forward, lstm_backward, example).assert_ok()


def test_plugin(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import numpy as np
        import pytest
        def forward(x): return np.tanh(x), x
        def right(dy, x): return dy * (1 - np.tanh(x) ** 2)
        def wrong(dy, x): return dy * (1 - x ** 2)
        X = (np.ones(3),)
        def test_right(gradient_of): gradient_of(forward, right, X)
        def test_wrong(gradient_of): gradient_of(forward, wrong, X)
        @pytest.mark.gradient_of(forward, right, X)
        def test_marked(): pass
        @pytest.mark.gradient_of(forward, wrong, X)
        def test_marked_wrong(): pass
    """)
    installed = any(entry.value == "symrnn.pytest_plugin" for entry in entry_points(group="pytest11"))  # then it is loaded already
    named = () if installed else ("-p", "symrnn.pytest_plugin")
    result = pytester.runpytest(*named, "-p", "no:xdist", "--strict-markers")
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(["forward and wrong: 1 wrong", "*proved wrong*"])
