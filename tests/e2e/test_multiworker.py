"""Trainings in processes of their own: killed, and of two workers together."""

import itertools
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
from textclf.artifacts import shards
from textclf.models import multiworker
from textclf.vectorize import features

ROOT = Path(__file__).parents[2]
TIME = 120  # seconds until a process that hangs is ended
SETTINGS = {"units": [4], "learning_rate": 0.1, "epochs": 4, "batch_size": 33}
# It says when it has kept a state, which it does after every shard.
PROGRAM = """
import json, os, sys
from pathlib import Path
from tests import samples
from textclf.models import multiworker
from textclf.models import streaming
from textclf.vectorize import features
from textclf.models import keras
save, streaming.SECONDS = streaming.Kept.save, 0.0
streaming.Kept.save = lambda *given, **named: (save(*given, **named), print("kept", flush=True))
folder, scratch, settings = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])
splits = features.open_shards(folder)
model = keras.fit_stream(splits["train"], splits["validation"], samples.settings("keras", **settings), scratch)
assert multiworker.is_chief() or not scratch.exists()
scratch.mkdir(exist_ok=True)
model.history.to_csv(scratch / "history.csv", index=False)
(scratch / "weights").write_bytes(b"".join(weights.tobytes() for weights in model.plain.get_weights()))
sys.stdout.flush()
os._exit(0)  # as a stage does
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Features in shards, the last step of some with one row, and so none for the second of two workers."""
    folder = tmp_path_factory.mktemp("features")
    rows = samples.rows(count=700)
    for name, borders in {"train": (0, 199, 398, 500), "validation": (500, 600, 640), "test": (640, 700)}.items():
        pieces = [samples.taken(rows, np.arange(start, end)) for start, end in itertools.pairwise(borders)]
        shards.write(pieces, folder, name, ".npz", features.write)
    return folder


def start(folder: Path, scratch: Path, cluster: Any = None) -> subprocess.Popen[str]:
    """A process that trains."""
    environment = {name: value for name, value in os.environ.items() if name != multiworker.VARIABLE}
    environment |= {"PYTHONPATH": str(ROOT)} | ({multiworker.VARIABLE: json.dumps(cluster)} if cluster else {})
    command = [sys.executable, "-c", PROGRAM, str(folder), str(scratch), json.dumps(SETTINGS)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(*processes: subprocess.Popen[str]) -> None:
    """All end well."""
    try:
        for process in processes:
            _, said = process.communicate(timeout=TIME)
            assert process.returncode == 0, said
    finally:
        for process in processes:
            process.kill()
            process.wait()


def kill(process: subprocess.Popen[str], states: int) -> None:
    """The process is killed at whatever it does when it is seen to have kept so many states."""
    assert process.stdout is not None
    for _ in range(states):
        assert process.stdout.readline() == "kept\n"
    process.kill()
    process.communicate()


def made(scratch: Path) -> tuple[bytes, bytes]:
    return (scratch / "history.csv").read_bytes(), (scratch / "weights").read_bytes()


@pytest.fixture(scope="module")
def undisturbed(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scratch folder of a training that was let be."""
    scratch = tmp_path_factory.mktemp("undisturbed") / "scratch"
    finish(start(folder, scratch))
    return scratch


@pytest.fixture(scope="module")
def killed(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scratch folder of a training that was killed after the first shard or two."""
    scratch = tmp_path_factory.mktemp("killed") / "scratch"
    kill(start(folder, scratch), 1)
    return scratch


def test_a_training_killed_three_times_ends_with_the_bytes_of_one_that_was_let_be(
    folder: Path, undisturbed: Path, killed: Path, tmp_path: Path
) -> None:
    scratch = Path(shutil.copytree(killed, tmp_path / "scratch"))
    for states in (1, 4):
        kill(start(folder, scratch), states)
        assert not (scratch / "weights").exists()
    finish(start(folder, scratch))
    assert made(scratch) == made(undisturbed)


def ports(number: int) -> list[int]:
    """Ports that are free."""
    sockets = [socket.socket() for _ in range(number)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    found = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return found


def test_two_workers_go_on_from_what_one_left_and_their_losses_are_those_of_one(
    folder: Path, undisturbed: Path, killed: Path, tmp_path: Path
) -> None:
    # The state is in the chief's folder alone, as on machines that share none.
    scratch = [Path(shutil.copytree(killed, tmp_path / "chief")), tmp_path / "other"]
    workers = [f"127.0.0.1:{port}" for port in ports(2)]
    places = [{"type": "worker", "index": number} for number in range(2)]
    clusters = [{"cluster": {"worker": workers}, "task": place} for place in places]
    finish(*(start(folder, where, cluster) for where, cluster in zip(scratch, clusters, strict=True)))
    assert made(scratch[0]) == made(scratch[1])
    one, two = (pd.read_csv(where / "history.csv") for where in (undisturbed, scratch[0]))
    np.testing.assert_allclose(two[["loss", "accuracy"]], one[["loss", "accuracy"]], rtol=1e-5)
    assert two[["epoch", "split"]].equals(one[["epoch", "split"]])
