"""Tasks in worker processes: results in order, the tasks' own errors, and no Dask if it would not pay."""

import logging
import math
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from textclf.core import files, workers
from textclf.core.errors import UserError


@pytest.fixture
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})


def test_results_come_in_the_order_of_the_tasks(two_workers: workers.Pool) -> None:
    tasks = [(number, 7) for number in range(50)]
    expected = [math.gcd(*task) for task in tasks]
    assert two_workers.map(math.gcd, tasks, "divide") == workers.Pool().map(math.gcd, tasks, "divide") == expected


def test_each_core_has_a_process(two_workers: workers.Pool) -> None:
    assert two_workers.client is not None
    assert len(set(two_workers.client.run(os.getpid).values()) - {os.getpid()}) == 2


def test_arithmetic_is_pinned_in_a_worker_before_numpy_is_loaded(two_workers: workers.Pool) -> None:
    assert two_workers.client is not None
    name = "NPY_DISABLE_CPU_FEATURES"
    assert set(two_workers.client.run(os.environ.get, name).values()) == {os.environ.get(name)}


def test_an_error_in_a_worker_is_raised_as_itself(two_workers: workers.Pool, tmp_path: Path) -> None:
    nowhere = tmp_path / "train.parquet"
    with pytest.raises(UserError) as mistake:
        two_workers.map(files.require, [(nowhere,)] * 2, "count terms")
    assert mistake.value.lines == (f"{nowhere} not found; run dvc repro (or dvc pull) to make it",)
    with pytest.raises(FileNotFoundError) as error:
        two_workers.map(os.listdir, [(str(tmp_path),), (str(nowhere),)], "list")
    assert error.value.filename == str(nowhere)


@pytest.mark.usefixtures("two_cores")
def test_a_task_that_no_worker_survives_is_an_error_in_a_line() -> None:
    with workers.pool(workers.FEWEST) as pool, pytest.raises(UserError) as error:
        pool.map(signal.raise_signal, [(signal.SIGKILL,)], "count terms")
    assert len(error.value.lines) == 1
    assert error.value.lines[0].startswith("count terms: several workers died while they worked on the same part, ")


def test_a_scheduler_that_is_not_there_is_an_error() -> None:
    import dask.config

    with (
        dask.config.set({"scheduler-address": "tcp://127.0.0.1:1", "distributed.comm.timeouts.connect": "10ms"}),
        pytest.raises(UserError, match="must be that of a running scheduler; got tcp://127"),
        workers.pool(workers.FEWEST),
    ):
        pass


def test_workers_of_a_named_scheduler_that_have_other_code_are_an_error(
    two_workers: workers.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dask.config

    assert two_workers.client is not None
    address = two_workers.client.scheduler_info()["address"]
    with dask.config.set({"scheduler-address": address}):
        with workers.pool(workers.FEWEST) as pool:
            assert pool.map(abs, [(-1,)], "abs") == [1]
        two_workers.client.run(workers.code)  # kept by the workers from now on
        monkeypatch.setattr(workers, "sha256", lambda _: "other")
        workers.code.cache_clear()
        with pytest.raises(UserError, match="must import the same textclf"), workers.pool(workers.FEWEST):
            pass
    workers.code.cache_clear()


@pytest.mark.parametrize("module", ["core/workers", "artifacts/layers", "models/keras/stream", "models/common/workers"])
def test_the_hash_of_the_code_covers_every_module_wherever_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    digest = workers.code.__wrapped__()
    package = Path(shutil.copytree(Path(workers.__file__).parents[1], tmp_path / "textclf"))
    monkeypatch.setattr(workers, "__file__", str(package / "core" / "workers.py"))
    assert workers.code.__wrapped__() == digest
    with (package / f"{module}.py").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    assert workers.code.__wrapped__() != digest


@pytest.mark.parametrize(("tasks", "cores"), [(1, 2), (workers.FEWEST - 1, 2), (100, 1)])
def test_few_tasks_or_one_core_need_no_processes(tasks: int, cores: int) -> None:
    code = (
        "import os, sys; from textclf.core import workers;"
        f"os.sched_getaffinity = lambda _: set(range({cores}));"
        f"pool = workers.pool({tasks}).__enter__();"
        "print(pool.map(abs, [(-1,)], 'abs'), 'distributed' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (found.stdout, found.stderr) == ("[1] False\n", "")


@pytest.mark.usefixtures("two_cores")
def test_nothing_is_left_of_a_pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    level = logging.getLogger("distributed").level
    with workers.pool(workers.FEWEST) as pool:
        assert pool.client is not None
        running = list(pool.client.run(os.getpid).values())
        assert list(tmp_path.iterdir())
    # multiprocessing keeps a folder of its own until this process ends.
    assert [path for path in tmp_path.iterdir() if not path.name.startswith("pymp-")] == []
    assert not any(Path(f"/proc/{process}").exists() for process in running)
    assert logging.getLogger("distributed").level == level


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
