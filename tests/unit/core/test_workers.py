"""Tasks in worker processes: results in order, the tasks' errors, and when none pay."""

import contextlib
import errno
import math
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import dask.config
import pytest

from tests.processes import ROOT, Ended, python
from textclf.core import files, resources, workers
from textclf.core.errors import UserError

pytestmark = pytest.mark.posix


@pytest.fixture
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "cores", lambda: 2)


def test_results_come_in_the_order_of_the_tasks(two_workers: workers.Pool) -> None:
    tasks = [(number, 7) for number in range(50)]
    expected = [math.gcd(*task) for task in tasks]
    assert (
        two_workers.map(math.gcd, tasks, "divide")
        == workers.Pool().map(math.gcd, tasks, "divide")
        == expected
    )


def test_each_core_has_a_process_in_which_arithmetic_is_pinned(two_workers: workers.Pool) -> None:
    assert os.getpid() not in two_workers.map(os.getpid, [(), ()], "name")
    assert len(multiprocessing.active_children()) == 2
    name = "NPY_DISABLE_CPU_FEATURES"
    assert two_workers.map(os.getenv, [(name,), (name,)], "look") == [os.environ.get(name)] * 2


def test_one_result_is_made_ahead_by_a_thread_and_an_error_comes_in_its_place() -> None:
    made: list[int] = []

    def make() -> Iterator[tuple[int, int]]:
        for number in range(5):
            made.append(number)
            yield number, 6 // (3 - number)

    results = workers.ahead(make())
    assert not made
    assert [next(results), next(results)] == [(0, 2), (1, 3)]
    assert len(made) <= 3
    assert next(results) == (2, 6)
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert made == [0, 1, 2, 3]


def test_an_error_in_a_worker_is_raised_as_itself(
    two_workers: workers.Pool, tmp_path: Path
) -> None:
    nowhere = tmp_path / "train.parquet"
    with pytest.raises(UserError) as mistake:
        two_workers.map(files.require, [(nowhere,)] * 2, "count terms")
    assert mistake.value.lines == (f"{nowhere} not found; run dvc repro (or dvc pull) to make it",)
    with pytest.raises(FileNotFoundError) as error:
        two_workers.map(os.listdir, [(str(tmp_path),), (str(nowhere),)], "list")
    assert error.value.filename == str(nowhere)
    assert "Traceback " in str(error.value.__cause__)
    assert two_workers.map(math.gcd, [(4, 6)] * 3, "divide") == [2] * 3


def test_a_worker_that_died_between_two_calls_is_an_error(two_workers: workers.Pool) -> None:
    first = two_workers.map(os.getpid, [(), ()], "name")
    os.kill(first[0], signal.SIGKILL)
    with pytest.raises(
        UserError, match="name: a worker died, most likely because memory ran out; "
    ):
        two_workers.map(time.sleep, [(60,)] * 9, "name")


WORK = """\
import math
from textclf.core import stage, workers

def work():
    with workers.pool(workers.FEWEST_TASKS) as pool:
        print(pool.map(math.gcd, [(4, 6)] * workers.FEWEST_TASKS, "divide"))

if __name__ == "__main__":
    raise SystemExit(stage.exit_code("vectorize", work))
"""
DASK_SETTINGS = """\
distributed:
  comm: {require-encryption: true, default-scheme: tls, timeouts: {connect: 1ms}}
  nanny: {preload: [no_such_module]}
  scheduler: {allowed-failures: 0, pickle: false, preload: [no_such_module]}
  worker: {preload: [no_such_module], memory: {terminate: 0.000001}}
"""


def work_with(configuration: str, folder: Path) -> Ended:
    """Do tasks in a process of a user who has configured Dask so."""
    (folder / "dask.yaml").write_text(configuration)
    return python("-c", WORK, DASK_CONFIG=str(folder))


def test_settings_that_a_user_made_for_clusters_change_nothing(tmp_path: Path) -> None:
    done = work_with(DASK_SETTINGS, tmp_path)
    assert (done.status, done.out) == (0, f"{[2] * workers.FEWEST_TASKS}\n"), done.err


def test_a_configuration_that_dask_cannot_read_is_an_error_in_a_line(tmp_path: Path) -> None:
    done = work_with("distributed: [", tmp_path)
    assert done.status == 2
    assert done.err.startswith(
        "error: vectorize: Dask's configuration must be valid; got: A dask config file at "
    )
    assert done.err.endswith("; mend or remove it\n")
    assert done.err.count("\n") == 1


def test_a_scheduler_that_is_not_there_is_an_error() -> None:
    import distributed  # noqa: F401 (its defaults must be there before one of them is changed)

    with (
        dask.config.set(
            {"scheduler-address": "tcp://127.0.0.1:1", "distributed.comm.timeouts.connect": "10ms"}
        ),
        pytest.raises(UserError, match="must be that of a running scheduler; got tcp://127"),
        workers.pool(workers.FEWEST_TASKS),
    ):
        pass


@pytest.mark.parametrize("other", [None, "other"])
def test_workers_of_a_scheduler_must_have_the_same_code(
    monkeypatch: pytest.MonkeyPatch, other: str | None
) -> None:
    class Client(contextlib.nullcontext["Client"]):
        def __init__(self, address: str, **_: object) -> None:
            assert address == "tcp://somewhere:1"
            super().__init__(self)

        def run(self, function: Callable[[], object]) -> dict[str, object]:
            return {"one": function(), "two": other or function()}

    monkeypatch.setattr("distributed.Client", Client)
    with (
        dask.config.set({"scheduler-address": "tcp://somewhere:1"}),
        contextlib.ExitStack() as stack,
    ):
        if other is None:
            assert stack.enter_context(workers.pool(workers.FEWEST_TASKS)).is_remote
        else:
            with pytest.raises(
                UserError, match="tcp://somewhere:1 must import the same textclf as this process; "
            ):
                stack.enter_context(workers.pool(workers.FEWEST_TASKS))


@pytest.mark.usefixtures("two_cores")
def test_nothing_is_left_of_a_pool() -> None:
    with workers.pool(workers.FEWEST_TASKS) as pool:
        running = pool.map(os.getpid, [(), ()], "name")
        assert all(Path(f"/proc/{process}").exists() for process in running)
    assert not any(Path(f"/proc/{process}").exists() for process in running)


def test_a_file_is_complete_or_absent(tmp_path: Path) -> None:
    target, scratch = tmp_path / "shard", tmp_path / "scratch"
    scratch.mkdir()

    def die() -> None:
        with workers.atomic_path(target, scratch) as path:
            path.write_text("half")
            raise InterruptedError

    with pytest.raises(InterruptedError):
        die()
    assert not target.exists()
    for text in ("first", "second"):
        with workers.atomic_path(target, scratch) as path:
            path.write_text(text)
        assert target.read_text() == text


@pytest.mark.usefixtures("two_cores")
def test_if_the_second_process_can_not_start_nothing_is_left_of_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun: list[int] = []
    fork = os.fork

    def fork_once() -> int:
        if begun:
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        begun.append(fork())
        return begun[0]

    monkeypatch.setattr("os.fork", fork_once)
    with pytest.raises(BlockingIOError), workers.pool(workers.FEWEST_TASKS) as pool:
        pool.map(math.gcd, [(4, 6)] * 9, "divide")
    assert not Path(f"/proc/{begun[0]}").exists()


def test_there_are_no_more_processes_than_fit_into_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(resources, "cores", lambda: 8)
    monkeypatch.setattr(resources, "available_memory", lambda: 1000)
    result = {memory: workers.processes(100, memory) for memory in (0, 100, 200, 501, 2000)}
    assert result == {0: 8, 100: 8, 200: 5, 501: 0, 2000: 0}
    assert workers.processes(workers.FEWEST_TASKS - 1) == 0
    assert workers.processes(7) == 7
    with dask.config.set({"scheduler-address": "tcp://somewhere:1"}):
        assert workers.processes(100) == 0
    monkeypatch.setattr(resources, "cores", lambda: 1)
    assert workers.processes(100) == 0
    with workers.pool(100) as pool:
        assert pool.map(os.getpid, [()], "name") == [os.getpid()]


LONG = """
import os, signal, time

def report():
    os.write(1, f"{os.getpid()}\\n".encode())  # at once, or two processes mix their lines
    time.sleep(1000)

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.sched_getaffinity = lambda _: {0, 1}
    from textclf.core import stage, workers
    def work():
        with workers.pool(6) as pool:
            pool.map(report, [()] * 6, "sleep")
    raise SystemExit(stage.exit_code("vectorize", work))
"""


def ended(process: str) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.parametrize(("name", "status"), [("SIGKILL", -9), ("SIGINT", 130)])
def test_no_worker_outlives_its_parent(tmp_path: Path, name: str, status: int) -> None:
    number = getattr(signal, name)
    (tmp_path / "long.py").write_text(LONG)
    with subprocess.Popen(
        [sys.executable, tmp_path / "long.py"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as parent:
        assert parent.stdout is not None
        processes = [parent.stdout.readline().strip() for _ in range(2)]
        if number == signal.SIGINT:
            os.killpg(parent.pid, number)  # as Ctrl+C does
        else:
            parent.send_signal(number)
        _, printed = parent.communicate(timeout=60)
    assert (parent.returncode, printed) == (status, "")
    deadline = time.monotonic() + 60
    while not all(map(ended, processes)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(("system", "method"), [("linux", "fork"), ("darwin", "spawn")])
def test_processes_are_forked_where_it_is_safe(
    system: str, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", system)
    pool = workers.LocalPool(1)
    pool.close()
    context = pool._executor._mp_context
    assert context is not None
    assert context.get_start_method() == method
