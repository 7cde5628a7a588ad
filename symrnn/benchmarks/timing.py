"""Times of several functions in one process, turn by turn."""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

BLOCK, MOST = 0.05, 100
"""A turn takes at least so many seconds, and no more than so many calls."""
REST = 0.05
"""Seconds before a turn with several threads: idle threads of the library before still spin for that long."""


class Time(NamedTuple):
    """Seconds a call takes, by the clock on the wall and by that of the processor; medians over the rounds."""

    wall: float
    cpu: float


def once(function: Callable[[], Any]) -> float:
    """Return the seconds of one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def turn(function: Callable[[], Any], calls: int) -> Time:
    """Call once for the caches, then so many times, and return the time of one of these."""
    function()
    start, busy = time.perf_counter(), time.process_time()
    for _ in range(calls):
        function()
    busy, start = time.process_time() - busy, time.perf_counter() - start
    return Time(start / calls, busy / calls)


def medians(functions: Mapping[str, Callable[[], Any]], rounds: int, threads: int) -> dict[str, Time]:
    """Warm up, and take the median of the rounds; in each round every function has its turn, each time another one first."""
    calls = {}
    for name, function in functions.items():
        function()
        calls[name] = max(1, min(MOST, math.ceil(BLOCK / min(once(function), once(function)))))
    gc.collect()
    gc.freeze()
    names = list(functions)
    seen: dict[str, list[Time]] = {name: [] for name in names}
    for number in range(rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            if threads > 1:
                time.sleep(REST)
            seen[name].append(turn(functions[name], calls[name]))
    gc.unfreeze()
    return {
        name: Time(*(statistics.median(column) for column in zip(*times, strict=True))) for name, times in seen.items()
    }
