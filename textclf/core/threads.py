"""Work in threads: what runs at the same time changes nothing but the time, since the results come in order."""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache, partial
from typing import Any, TypeVar

S = TypeVar("S")
T = TypeVar("T")


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0))


def depth() -> int:
    """Return how many pieces of work to have under way at a time."""
    return cores() + 1 if cores() > 1 else 1


def start(work: Callable[..., T], *arguments: Any) -> Callable[[], T]:
    """Start work in a thread and return the function that waits for its result; with one core, that does the work.

    The work must not start other work. Threads help where most of it is done without Python's lock: by numpy, Arrow
    and hashlib.
    """
    if cores() == 1:
        return partial(work, *arguments)
    return _threads().submit(work, *arguments).result


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


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(cores())
