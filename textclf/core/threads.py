"""Work in threads: what runs at the same time changes nothing but the time, since the results come in order."""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

S = TypeVar("S")
T = TypeVar("T")


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))


def map_ahead(function: Callable[[S], T], items: Iterable[S], threads: int) -> Generator[T, None, None]:
    """Yield the function's result for each item, in order, while threads compute the next ones.

    At most `threads` results are computed or kept besides the one that is yielded. An error is raised where the result
    would be yielded; no further item is begun then, nor once the iterator is closed.
    """
    waiting: deque[Future[T]] = deque()
    pool = ThreadPoolExecutor(threads)
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            del item  # it may be large
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
