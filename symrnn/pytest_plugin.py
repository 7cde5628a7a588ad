"""Gradients that were written by hand, verified in a test of their author: a fixture and a marker ``gradient_of``.

    def test_lstm(gradient_of):
        gradient_of(lstm_forward, lstm_backward, (x, h0, Wx, Wh, b))

    @pytest.mark.gradient_of(lstm_forward, lstm_backward, (x, h0, Wx, Wh, b))
    def test_lstm(): ...

The options are those of :func:`symrnn.verify.verify_gradient`; the message of a failure is the report.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

import pytest

from symrnn import verify

if TYPE_CHECKING:
    from symrnn.verify.handwritten.report import Report

MARKER = "gradient_of(forward, backward, example_args, **options): verify a gradient that was written by hand before the test runs"


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", MARKER)


def refuse(*args: Any, **options: Any) -> Report:
    """Verify, and fail with the report as the message.

    Args:
        args: Forward, backward, example arguments.
        options: As ``verify_gradient`` takes them.
    """
    __tracebackhide__ = True
    report: Report = verify.verify_gradient(*args, **options)
    if not report.ok:
        pytest.fail(str(report), pytrace=False)
    return report


@pytest.fixture
def gradient_of() -> Callable[..., Report]:
    """Return the function that verifies a gradient and fails with the report."""
    return refuse


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Verify what the markers of a test name, before it runs."""
    for marker in item.iter_markers("gradient_of"):
        refuse(*marker.args, **marker.kwargs)
    yield
