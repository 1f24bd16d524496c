"""A Dask cluster of separate processes: the same bytes as without one, even where a worker is killed."""

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

from stages import vectorize
from tests.conftest import ROOT
from tests.settings import put
from textclf import params
from textclf.artifacts import shards
from textclf.core import files, workers
from textclf.split import splitting

ROWS = 40  # of a shard
SETTINGS = put("vectorize.analyzer", "word+char_wb", "vectorize.weighting", "tfidf", "vectorize.max_features", "50")


class Cluster:
    """A scheduler and two workers, each in a process and a folder of its own."""

    def __init__(self, folder: Path, stack: contextlib.ExitStack) -> None:
        self.folder, self.stack = folder, stack
        self.file = folder / "scheduler.json"
        self.said = stack.enter_context((folder / "log").open("w+"))
        self.start("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-show")
        self.workers = [
            self.start("dask_worker", "--no-nanny", "--nthreads", "1", "--no-dashboard", "--death-timeout", "60")
            for _ in range(2)
        ]

    def start(self, command: str, *options: str) -> "subprocess.Popen[str]":
        arguments = [sys.executable, "-m", f"distributed.cli.{command}", "--scheduler-file", str(self.file), *options]
        environment = os.environ | {"PYTHONPATH": str(ROOT), "DASK_DISTRIBUTED__SCHEDULER__HTTP__ROUTES": "[]"}
        process = subprocess.Popen(
            arguments, cwd=self.folder, env=environment, stdout=self.said, stderr=self.said, text=True
        )
        self.stack.callback(process.wait)
        self.stack.callback(process.kill)
        return process

    def address(self) -> str:
        """Where the scheduler is, once both workers are there too."""
        from distributed import Client

        with Client(scheduler_file=str(self.file), set_as_default=False) as client:  # type: ignore[no-untyped-call]
            client.wait_for_workers(2, timeout=60)
            return str(json.loads(self.file.read_text())["address"])


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    folder = tmp_path / "cluster"
    folder.mkdir()
    with contextlib.ExitStack() as stack:
        yield Cluster(folder, stack)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with params.yaml, splits in many shards, and features made of them in one process."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "params.yaml").write_text(SETTINGS, encoding="utf-8")
    generator = np.random.default_rng(0)
    words = [f"word{number}" for number in range(300)]
    splits = folder / "splits"
    splits.mkdir()
    for name, count in (("train", 12 * ROWS), ("test", 3 * ROWS + 1)):
        texts = [" ".join(generator.choice(words, 8)) for _ in range(count)]
        ids = [f"{name}:{number}" for number in range(count)]
        rows = pd.DataFrame({"id": ids, "text": texts, "label": generator.choice(["no", "yes"], count)})
        pieces = [rows[start : start + ROWS] for start in range(0, count, ROWS)]
        shards.write(pieces, splits, name, ".parquet", splitting.write)
    files.write_json(splits / splitting.CLASSES, ["no", "yes"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("textclf.core.workers.FEWEST", 100)
        vectorize.run(params.parse(SETTINGS), splits, folder / "inline", folder / "inline.json")
    return folder


def test_a_cluster_of_processes_gives_the_same_bytes(project: Path, cluster: Cluster) -> None:
    for name, prepared, environment in (
        ("alone", "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})", {}),
        ("cluster", "", {"DASK_SCHEDULER_ADDRESS": cluster.address()}),
    ):
        code = f"import os, runpy; {prepared}; runpy.run_module('stages.vectorize', run_name='__main__')"
        done = subprocess.run(
            [sys.executable, "-c", code.replace("; ;", ";"), "splits", name, f"{name}.json"],
            cwd=project,
            env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
            capture_output=True,
            text=True,
        )
        assert (done.returncode, done.stderr) == (0, "")
    assert content(project / "cluster") == content(project / "alone")
    assert len(content(project / "cluster")) == 12 + 4 + 1
    assert (project / "cluster.json").read_bytes() == (project / "alone.json").read_bytes()


def test_a_worker_killed_in_mid_run_costs_no_byte(
    project: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim = cluster.workers[0]

    def killing(pieces: Iterable[Any], what: str, _: int) -> Iterator[Any]:
        for piece in pieces:
            yield piece
            if what == "vectorize" and victim.poll() is None:  # one result is there, the others are under way
                victim.send_signal(signal.SIGKILL)
                victim.wait()

    monkeypatch.setattr(workers, "counted", killing)
    with dask.config.set({"scheduler-address": cluster.address()}):
        vectorize.run(params.parse(SETTINGS), project / "splits", project / "killed", project / "killed.json")
    assert victim.returncode == -signal.SIGKILL
    assert content(project / "killed") == content(project / "inline")
    assert (project / "killed.json").read_bytes() == (project / "inline.json").read_bytes()
