"""Trainings on shards in processes of their own: killed ones, and one of two workers together."""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests import samples
from textclf.models.common import workers

ROOT = Path(__file__).parents[2]
TIME_LIMIT = 120  # seconds until a process that hangs is ended
SETTINGS = {"units": [4], "learning_rate": 0.1, "epochs": 4, "batch_size": 33}
# Prints a line after each checkpoint, which it writes after every batch.
PROGRAM = """
import json, os, sys
from pathlib import Path
from tests import samples
from textclf.artifacts import features
from textclf.artifacts.dataset import Dataset
from textclf.core import files
from textclf.models import keras
from textclf.models.common import workers
from textclf.models.common.fitted import Folders
from textclf.models.common.networks import checkpoint
from textclf.models.common.networks.checkpoint import Checkpoint
save, checkpoint.INTERVAL = Checkpoint.save, 0.0
Checkpoint.save = lambda *given, **named: (save(*given, **named), print("saved", flush=True))
folder, scratch, settings = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])
splits = features.open_shards(folder)
train, watched = (Dataset.of_shards(splits[name]) for name in ("train", "validation"))
fitted = keras.fit(train, watched, samples.settings("keras", **settings), Folders(folder, scratch))
assert workers.is_chief() or not scratch.exists()
scratch.mkdir(exist_ok=True)
files.write_csv(scratch / "history.csv", fitted.history)
(scratch / "weights").write_bytes(
    b"".join(layer.kernel.tobytes() + layer.bias.tobytes() for layer in fitted.layers.layers)
)
sys.stdout.flush()
os._exit(0)  # as a stage does
"""
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Features in shards; some last steps have one row, none for the second of two workers."""
    folder = tmp_path_factory.mktemp("features")
    rows = samples.rows(count=700)
    start = 0
    for name, sizes in {"train": (199, 199, 102), "validation": (100, 40), "test": (60,)}.items():
        part = samples.take(rows, np.arange(start, start := start + sum(sizes)))
        samples.write_shards(part, folder, sizes, name)
    return folder


def start(folder: Path, scratch: Path, cluster: Any = None) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if name != workers.VARIABLE}
    environment |= {"PYTHONPATH": str(ROOT)} | (
        {workers.VARIABLE: json.dumps(cluster)} if cluster else {}
    )
    command = [sys.executable, "-c", PROGRAM, str(folder), str(scratch), json.dumps(SETTINGS)]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finish(*processes: subprocess.Popen[str]) -> None:
    try:
        for process in processes:
            _, errors = process.communicate(timeout=TIME_LIMIT)
            assert process.returncode == 0, errors
    finally:
        for process in processes:
            process.kill()
            process.wait()


def kill(process: subprocess.Popen[str], checkpoints: int) -> None:
    """Kill the process, whatever it does, when it has written so many checkpoints."""
    assert process.stdout is not None
    for _ in range(checkpoints):
        assert process.stdout.readline() == "saved\n"
    process.kill()
    process.communicate()


def result(scratch: Path) -> tuple[bytes, bytes]:
    return (scratch / "history.csv").read_bytes(), (scratch / "weights").read_bytes()


@pytest.fixture(scope="module")
def undisturbed(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scratch folder of a training that was not killed."""
    scratch = tmp_path_factory.mktemp("undisturbed") / "scratch"
    finish(start(folder, scratch))
    return scratch


@pytest.fixture(scope="module")
def killed(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scratch folder of a training that was killed after the first shard or two."""
    scratch = tmp_path_factory.mktemp("killed") / "scratch"
    kill(start(folder, scratch), 1)
    return scratch


def free_ports(number: int) -> list[int]:
    sockets = [socket.socket() for _ in range(number)]
    for unused in sockets:
        unused.bind(("127.0.0.1", 0))
    ports = [unused.getsockname()[1] for unused in sockets]
    for unused in sockets:
        unused.close()
    return ports


def test_two_workers_resume_what_one_began_and_reach_the_losses_of_one(
    folder: Path, undisturbed: Path, killed: Path, tmp_path: Path
) -> None:
    # The checkpoint is in the chief's folder alone, as on machines that share none.
    scratch = [Path(shutil.copytree(killed, tmp_path / "chief")), tmp_path / "second"]
    addresses = [f"127.0.0.1:{port}" for port in free_ports(2)]
    tasks = [{"type": "worker", "index": index} for index in range(2)]
    clusters = [{"cluster": {"worker": addresses}, "task": task} for task in tasks]
    finish(*(start(folder, path, cluster) for path, cluster in zip(scratch, clusters, strict=True)))
    assert result(scratch[0]) == result(scratch[1])
    single, double = (pd.read_csv(path / "history.csv") for path in (undisturbed, scratch[0]))
    np.testing.assert_allclose(
        double[["loss", "accuracy"]], single[["loss", "accuracy"]], rtol=1e-5
    )
    assert double[["epoch", "split"]].equals(single[["epoch", "split"]])
