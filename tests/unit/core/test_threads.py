import itertools
import threading

import pytest

from textclf.core.threads import map_ahead


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("count", [0, 1, 4, 20])
def test_results_come_in_the_order_of_the_items(threads: int, count: int) -> None:
    turn = threading.Barrier(min(threads, count), timeout=30) if count % max(threads, 1) == 0 and count else None

    def work(number: int) -> int:
        if turn:  # as many at once as there are threads
            turn.wait()
        return number**2

    assert list(map_ahead(work, range(count), threads)) == [number**2 for number in range(count)]


def test_few_items_are_begun_ahead() -> None:
    begun: list[int] = []
    before = threading.active_count()
    results = map_ahead(begun.append, itertools.count(), 2)
    for taken in range(1, 6):
        next(results)
        assert len(begun) <= taken + 2
    results.close()
    assert threading.active_count() == before


def test_an_error_is_raised_in_its_place_and_ends_the_work() -> None:
    begun = []

    def work(number: int) -> float:
        begun.append(number)
        return 1 / (3 - number)

    results = map_ahead(work, range(100), 2)
    assert [next(results) for _ in range(3)] == [1 / 3, 1 / 2, 1.0]
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert len(begun) <= 6
