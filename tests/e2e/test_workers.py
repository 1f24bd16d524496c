"""A Dask cluster writes the bytes of one process, even if a worker is killed."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import dask.config
import numpy as np
import pandas as pd
import pytest

from tests import samples, stored_splits
from tests.processes import ROOT, python
from tests.settings import put
from tests.unit.split.rows import split_table, write_csv
from textclf.artifacts import shards
from textclf.artifacts import splits as split_files
from textclf.artifacts.shapes import write_features
from textclf.core import workers
from textclf.split.settings import Split
from textclf.tables import parts
from textclf.tables.settings import Data
from textclf.vectorize.stage import vectorize
from textclf.vectorize.terms.settings import Terms

pytestmark = pytest.mark.posix

ROWS = 40  # per shard
SETTINGS = Terms(analyzer="word+char_wb", weighting="tfidf", max_features=50)
PARAMS = put(
    *("vectorize.words.analyzer", "word+char_wb"),
    *("vectorize.words.weighting", "tfidf"),
    *("vectorize.words.max_features", "50"),
)


class Cluster:
    """A scheduler and two workers, each a process, in a folder of their own."""

    def __init__(self, folder: Path, stack: contextlib.ExitStack) -> None:
        self.folder, self.stack = folder, stack
        self.file = folder / "scheduler.json"
        self.log = stack.enter_context((folder / "log").open("w+"))
        self.scheduler = self.start(
            "dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-show"
        )
        self.workers = [
            self.start(
                "dask_worker",
                "--no-nanny",
                "--nthreads",
                "1",
                "--no-dashboard",
                "--death-timeout",
                "60",
            )
            for _ in range(2)
        ]

    def start(self, command: str, *options: str) -> "subprocess.Popen[str]":
        arguments = [
            sys.executable,
            "-m",
            f"distributed.cli.{command}",
            "--scheduler-file",
            str(self.file),
            *options,
        ]
        environment = os.environ | {
            "PYTHONPATH": str(ROOT),
            "DASK_DISTRIBUTED__SCHEDULER__HTTP__ROUTES": "[]",
        }
        # Set in this process by textclf, which a worker imports after numpy.
        environment.pop("NPY_DISABLE_CPU_FEATURES", None)
        process = subprocess.Popen(
            arguments, cwd=self.folder, env=environment, stdout=self.log, stderr=self.log, text=True
        )
        self.stack.callback(process.wait)
        self.stack.callback(process.kill)
        return process

    def address(self) -> str:
        """Return the address of the scheduler once both workers have joined."""
        from distributed import Client

        file = str(self.file)
        options: Any = {"scheduler_file": file, "set_as_default": False}
        with Client(**options) as client:  # type: ignore[no-untyped-call]
            client.wait_for_workers(2, timeout=60)
            return str(json.loads(self.file.read_text())["address"])


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "words").iterdir()}


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    folder = tmp_path / "cluster"
    folder.mkdir()
    with contextlib.ExitStack() as stack:
        yield Cluster(folder, stack)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with params.yaml, splits in many shards, and features by one process."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "params.yaml").write_text(PARAMS, encoding="utf-8")
    generator = np.random.default_rng(0)
    words = [f"word{number}" for number in range(300)]
    splits = folder / "splits"
    splits.mkdir()
    for name, count in (("train", 12 * ROWS), ("test", 3 * ROWS + 1)):
        texts = [" ".join(generator.choice(words, 8)) for _ in range(count)]
        ids = [f"{name}:{number}" for number in range(count)]
        rows = pd.DataFrame(
            {"id": ids, "text": texts, "label": generator.choice(["no", "yes"], count)}
        )
        pieces = [rows[start : start + ROWS] for start in range(0, count, ROWS)]
        shards.write(pieces, splits, name, ".parquet", stored_splits.write)
    split_files.write_classes(["no", "yes"], splits)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("textclf.core.workers.FEWEST_TASKS", 100)
        vectorize_here(folder, "inline")
    return folder


def vectorize_here(folder: Path, name: str) -> None:
    """Vectorize the splits in this process, into a folder as the stage writes it."""
    (target := folder / name / "words").mkdir(parents=True)
    rows = split_files.open_shards(folder / "splits")
    write_features(
        vectorize(rows, ["no", "yes"], "words", SETTINGS, target, folder, folder), target
    )


def test_a_cluster_writes_the_same_bytes(project: Path, cluster: Cluster) -> None:
    for name, statement, environment in (
        ("alone", "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})", {}),
        ("cluster", "pass", {"DASK_SCHEDULER_ADDRESS": cluster.address()}),
    ):
        code = (
            f"import os, runpy; {statement}; runpy.run_module('stages.vectorize', "
            "run_name='__main__')"
        )
        options = ["--splits", "splits", "--pretrained", "pretrained", "--features", name]
        done = python(
            "-c", code, *options, folder=project, DVC_STAGE="vectorize@words", **environment
        )
        assert (done.status, done.err) == (0, "")
    assert content(project / "cluster") == content(project / "alone")
    assert len(content(project / "cluster")) == 12 + 4 + 4


def test_a_killed_worker_changes_no_byte(
    project: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim = cluster.workers[0]

    def kill_after_first(items: Iterable[Any], description: str, _: int) -> Iterator[Any]:
        for item in items:
            yield item
            if (
                description == "vectorize" and victim.poll() is None
            ):  # the first result has come, others are running
                victim.send_signal(signal.SIGKILL)
                victim.wait()

    monkeypatch.setattr(workers, "track", kill_after_first)
    with dask.config.set({"scheduler-address": cluster.address()}):
        vectorize_here(project, "killed")
    assert victim.returncode == -signal.SIGKILL
    assert content(project / "killed") == content(project / "inline")


def test_a_killed_scheduler_is_one_line(project: Path, cluster: Cluster) -> None:
    code = f"""
import os, runpy, signal
from textclf.core import workers

def kill_after_first(items, description, _):
    for item in items:
        yield item
        os.kill({cluster.scheduler.pid}, signal.SIGKILL)
        break
    yield from items

workers.track = kill_after_first
runpy.run_module("stages.vectorize", run_name="__main__")
"""
    options = ["--splits", "splits", "--pretrained", "pretrained", "--features", "lost"]
    environment = {"DVC_STAGE": "vectorize@words", "DASK_SCHEDULER_ADDRESS": cluster.address()}
    done = python("-c", code, *options, folder=project, **environment)
    assert done.status == 2
    assert done.err.endswith("lost the connection to the scheduler; restart it\n")
    assert done.err.count("\n") == 1
    assert not list((project / "lost").iterdir())


@pytest.mark.parametrize("classes", [2, 3])
def test_a_cluster_fits_the_same_model_even_if_a_worker_is_killed_between_two_passes(
    cluster: Cluster, tmp_path: Path, classes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the workers are in another folder
    shards_of_rows = samples.write_shards(samples.rows(classes), Path("features"), 10)
    settings = {"solver": "stream", "class_weight": "balanced"}
    alone = samples.fit("logistic_regression", shards_of_rows, **settings)
    victim, passes = cluster.workers[0], list[int]()
    add = workers.KeptOnCluster.sum

    def kill_after_first(kept: workers.KeptOnCluster, *arguments: Any) -> Any:
        added = add(kept, *arguments)
        passes.append(kept.passes)
        if len(passes) == 1:
            victim.send_signal(signal.SIGKILL)
            victim.wait()
        return added

    monkeypatch.setattr(workers.KeptOnCluster, "sum", kill_after_first)
    with dask.config.set({"scheduler-address": cluster.address()}):
        shared = samples.fit("logistic_regression", shards_of_rows, **settings)
    assert passes[-1] == alone.record["passes"] > 1
    for one, other in zip(alone.layers.layers, shared.layers.layers, strict=True):
        assert one.kernel.tobytes() == other.kernel.tobytes()
        assert one.bias.tobytes() == other.bias.tobytes()


def test_a_cluster_splits_a_table_in_parts_as_one_process_does_a_whole_one(
    tmp_path: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [(f"row {n}", f"text {n // 2}", "abc"[n % 3]) for n in range(300)]
    write_csv(Path("c.csv"), rows, ("key", "text", "label"))
    data, split = Data(path="c.csv", id="key"), Split(method="hash", seed=1)
    for name in ("whole", "parts"):
        Path(name).mkdir()
    split_table(Path("whole"), data, split)
    monkeypatch.setattr(parts, "PART_BYTES", 500)
    with dask.config.set({"scheduler-address": cluster.address()}):
        split_table(Path("parts"), data, split)
    whole, others = (sorted((tmp_path / name).rglob("*.*")) for name in ("whole", "parts"))
    assert [path.read_bytes() for path in others] == [path.read_bytes() for path in whole]
    assert len(whole) == 5
