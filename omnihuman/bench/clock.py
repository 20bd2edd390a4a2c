"""CPU-seconds of tasks that take turns. Knows nothing of what the tasks do.

CPU time of the whole process, all its threads: waiting for other programs costs nothing. Turns make a machine that
slows down hit every task alike, and the median forgets the odd interruption.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

Clock = Callable[[], float]
"""Seconds that only ever grow."""


def interleaved(
    tasks: Mapping[str, Callable[[], object]], rounds: int, clock: Clock = time.process_time
) -> dict[str, float]:
    """Median seconds of each task over `rounds` turns, after one turn that is not counted."""
    for task in tasks.values():
        task()
    spent: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(rounds):
        for name, task in tasks.items():
            begin_s = clock()
            task()
            spent[name].append(clock() - begin_s)
    return {name: statistics.median(seconds) for name, seconds in spent.items()}


@contextmanager
def one_thread_each() -> Iterator[None]:
    """OpenCV and torch on one thread: a second one adds CPU time that depends on what else the machine does."""
    import cv2
    import torch

    opencv, network = cv2.getNumThreads(), torch.get_num_threads()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(opencv)
        torch.set_num_threads(network)
