"""Work in threads whose results come in order, so that the number of threads changes nothing but the time."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from typing import TypeVar

S = TypeVar("S")
T = TypeVar("T")


def map_ahead(function: Callable[[S], T], items: Iterable[S], threads: int) -> Generator[T, None, None]:
    """Yield the function's result for each item, in order, while threads compute the next ones.

    At most `threads` results are computed or kept besides the one that is yielded. An error is raised where the result
    would be yielded; no further item is begun then, nor once the iterator is closed.
    """
    from concurrent.futures import Future, ThreadPoolExecutor

    waiting: deque[Future[T]] = deque()
    pool = ThreadPoolExecutor(threads)
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
