"""What stops a comparison is one line; what is only shown stops nothing; difference quotients where there is no rule."""

from __future__ import annotations

import numpy as np
import pytest
from test_handwritten_errors import ARGS, run  # noqa: F401  # a fixture

from symrnn.errors import DataError
from symrnn.verify import verify_gradient
from symrnn.verify.balls.arrays import dual_array
from symrnn.verify.balls.scipy_functions import SPECIAL
from symrnn.verify.handwritten.naming import returned_names

RESULT = "return da @ W.T, x.T @ da"
FORWARD = "np.tanh(x @ W), (x"


@pytest.mark.parametrize(("old", "new", "args", "line"), [
    (RESULT, "pass", ARGS, r"^nothing that the backward backward returned or set is the gradient in an argument or in what the code keeps; return "),
    (RESULT, RESULT, ARGS + '[backward]\nreturns = ["dx", "dW", "db"]\n',
     r"^the backward backward returned 2 results, and 3 are named: dx, dW, db; name each of them in order"),
    (RESULT, RESULT, ARGS + '[backward]\nreturns = ["dx"]\n', r"^the backward backward returned 2 results, and 1 are named: dx; "),
    (RESULT, "return da @ W.T, x.T @ da + np.random.randn(*W.shape) * 0 + np.random.rand() * da[0, 0]", ARGS,
     r"^the backward backward is random: two runs on the same numbers return another result 2; "),
    (FORWARD, "np.nan * np.tanh(x @ W), (x", ARGS,
     r"^the forward forward stops at every point that was tried: it returned NaN or infinity everywhere in result 1; look for 0/0"),
    (FORWARD, "np.tanh(x @ W) * random.random(), (x", ARGS, r"^the forward forward is random: "),
    ("import numpy as np\n", "import numpy as np\nnp.random.seed(0)\nimport random\nrandom.seed(0)\n", ARGS, ""),
])
def test_one_line(run, old, new, args, line) -> None:  # noqa: F811  # the fixture
    new = new.replace("random.random()", "__import__('random').random()")
    if not line:
        assert run(old, new, args).ok
        return
    with pytest.raises(DataError, match=line) as caught:
        run(old, new, args)
    assert "\n" not in str(caught.value)


def test_random_numbers_with_a_global_seed_are_random_still(run) -> None:  # noqa: F811  # the fixture
    with pytest.raises(DataError, match=r"^the forward forward is random: two runs on the same numbers return another result 1; "):
        run("def forward(x, W):\n    return np.tanh(x @ W), (x", "np.random.seed(0)\ndef forward(x, W):\n    return np.tanh(x @ W) * np.random.rand(5), (x")


def test_what_is_only_shown_stops_nothing(run) -> None:  # noqa: F811  # the fixture
    report = run("    da =", "    print('%.3f' % dy.sum(), 'of %5.2e' % x[0, 0], f'{dy.mean():.4f}', '{:8.3f}'.format(W.max()), dy)\n    da =")
    assert report.ok
    assert {v.evidence for v in report.verdicts} == {"proved"}


def test_a_part_and_the_whole_have_different_names() -> None:
    def backward(h):
        dW = h
        return h[:, 1:], h, dW.ravel(), np.copy(dW), dW.copy(), np.moveaxis(h, 0, 1)

    assert returned_names(backward) == ("h[:, 1:]", "h", "dW", "dW", "dW", "np.moveaxis(h, 0, 1)")


def test_difference_quotients_where_a_function_has_no_rule() -> None:
    special = pytest.importorskip("scipy.special")

    def forward(x, W):
        return np.sum(special.gammaln(3 + x @ W)), (x, W)

    def backward(cache, factor=1.0):
        x, W = cache
        d = special.digamma(3 + x @ W) * factor
        return d @ W.T, x.T @ d

    def wrong(cache):
        return backward(cache, 1 + 1e-9)

    example = (np.ones((3, 4)), np.ones((4, 5)))
    right = verify_gradient(forward, backward, example, returns=["dx", "dW"])
    assert [(v.verdict, v.evidence, v.digits) for v in right.verdicts] == [("right", "difference quotients", None)] * 2, str(right)
    assert right.verdicts[0].title == "right (by difference quotients)"
    refused = verify_gradient(forward, wrong, example, returns=["dx", "dW"])
    assert [(v.evidence, v in refused.refused) for v in refused.verdicts] == [("difference quotients", True)] * 2, str(refused)


@pytest.mark.parametrize("name", ["expit", "log_expit", "logit", "erf", "erfc", "softmax", "log_softmax", "logsumexp", "exp10", "gamma", "gammaln", "digamma"])
def test_functions_of_scipy_are_those_of_scipy(name: str) -> None:
    special = pytest.importorskip("scipy.special")
    x = np.array([[0.3, 0.6], [0.2, 0.4]])
    found = SPECIAL[name](dual_array(x))
    expected = getattr(special, name)(x)
    assert np.shape(found) == np.shape(expected)
    for ours, theirs in zip(np.ravel(np.asarray(found, object)), np.ravel(expected), strict=True):
        assert abs(float(ours.value.mid()) - theirs) < 1e-14 * (1 + abs(theirs))


def test_xlogy_and_logsumexp_with_weights_and_axes() -> None:
    special = pytest.importorskip("scipy.special")
    x, y = np.array([0.0, 0.5]), np.array([[0.25, 0.5]])
    for found, expected in ((SPECIAL["xlogy"](dual_array(x), dual_array(y)), special.xlogy(x, y)),
                            (SPECIAL["logsumexp"](dual_array(y), axis=1, b=2.0), special.logsumexp(y, axis=1, b=2.0)),
                            (SPECIAL["logsumexp"](dual_array(y), axis=0, keepdims=True), special.logsumexp(y, axis=0, keepdims=True))):
        assert found.shape == expected.shape
        assert all(abs(float(a.value.mid()) - b) < 1e-14 for a, b in zip(found.flat, expected.flat, strict=True))
