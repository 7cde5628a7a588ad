"""What the time of a verdict goes into."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Clock:
    """Seconds by phase; what is inside a phase that is inside another counts for the inner one.

    Attributes:
        seconds: What was measured.
        before: Called with the name of a phase as it begins.
        inner: Seconds that the phases inside the open ones took.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    before: Callable[[str], None] = lambda name: None
    inner: list[float] = field(default_factory=list)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Measure what is done inside."""
        self.before(name)
        start = time.perf_counter()
        self.inner.append(0.0)
        try:
            yield
        finally:
            whole = time.perf_counter() - start
            self.seconds[name] = self.seconds.get(name, 0.0) + whole - self.inner.pop()
            if self.inner:
                self.inner[-1] += whole
