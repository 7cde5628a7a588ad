"""Options of the test run and the profiles of Hypothesis."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator

import pytest
from amounts import QUICK
from hypothesis import is_hypothesis_test, settings

PASSED = "symrnn/passed"
passed_now: list[str] = []

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):  # each worker has a core; a second thread for small products only waits
    os.environ.setdefault(name, "1")

settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True, max_examples=QUICK)
settings.register_profile("full", deadline=None, derandomize=True, print_blob=True, max_examples=60)
settings.register_profile("dev", deadline=None)  # new draws in each run: SYMRNN_HYPOTHESIS=dev
settings.load_profile(os.environ.get("SYMRNN_HYPOTHESIS", "ci"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew instead of comparing")
    parser.addoption("--full", action="store_true", help="run the tests marked full as well")
    parser.addoption("--beyond", action="store_true", help="leave out what passed in the run before, random tests excepted: after the quick run")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--full") and "SYMRNN_HYPOTHESIS" not in os.environ:
        settings.load_profile("full")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    full = config.getoption("--full")
    left_out = set(beside_samples(items, full))
    if config.getoption("--beyond"):
        passed = set(config.cache.get(PASSED, []))
        left_out |= {item for item in items if item.nodeid in passed and not is_hypothesis_test(getattr(item, "obj", None))}
    if not full:
        left_out |= {item for item in items if item.get_closest_marker("full")}
    if left_out:
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]


def beside_samples(items: list[pytest.Item], full: bool) -> Iterator[pytest.Item]:
    """Yield the cases of a test that is marked ``sampled(n)``, but for each n-th; with ``--full`` its second number, or 1, is n."""
    seen: Counter[tuple[str, str]] = Counter()
    for item in items:
        marker = item.get_closest_marker("sampled")
        if marker is not None:
            key = (str(item.path), getattr(item, "originalname", item.name))
            if seen[key] % (*marker.args, 1)[full]:
                yield item
            seen[key] += 1


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call" and report.passed:
        passed_now.append(report.nodeid)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Keep the names of what passed for ``--beyond``; a worker leaves that to the process that gathers the results."""
    config = session.config
    if hasattr(config, "cache") and not hasattr(config, "workerinput") and not config.getoption("--beyond"):
        config.cache.set(PASSED, passed_now)


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update-golden"))
