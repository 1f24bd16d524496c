"""The time that stages would take with more workers."""

import pytest

from benchmarks import makespan, results, timings


@pytest.mark.parametrize(
    ("tasks", "workers", "seconds"),
    [([], 2, 0), ([3, 1, 1, 1], 1, 6), ([3, 1, 1, 1], 2, 3), ([1, 1, 3], 2, 4), ([2, 2], 8, 2)],
)
def test_each_task_goes_to_the_worker_that_is_free_first(
    tasks: list[float], workers: int, seconds: float
) -> None:
    assert makespan.makespan(tasks, workers) == seconds


def test_the_table_adds_up_the_stages() -> None:
    split = {"name": "split", "serial": 1.0, "tasks": 1500, "clock": [9.0, 5.0]}
    times = {"computed": [9.0, 5.0], "larger": [900.0, 500.0]}
    report = {**split, **times, "name": "report", "tasks": 4}
    content = {"rows": 1000, "workers": [1, 2], "larger": 100, "stages": [split | times, report]}
    table = timings.makespan({**content, "measured": results.measurement()}).splitlines()
    assert table[2] == "| split | 1,500 | 1.0 | 9.0 | 5.0 | 9.0 | 5.0 |"
    assert table[4] == "| all | 1,504 | 2.0 | 18.0 | 10.0 | 18.0 | 10.0 |"
    assert table[5] == "| all, with 100,000 rows |  |  |  |  | 1,800 | 1,000 |"
