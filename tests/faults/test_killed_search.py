"""A search that is killed goes on where it was, and ends with the same bytes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import arguments, run_stage
from tests.processes import ROOT
from tests.settings import models, put
from textclf.studies.search.scores import FILE, PATTERN

pytestmark = pytest.mark.posix

SEARCH = """
search:
  model: logistic_regression
  sampler: tpe
  trials: 30
  nested: 2
  space: {C: {low: 0.01, high: 100, log: true}, vectorize.words.min_df: [1, 2]}
"""
OUTPUTS = ("metrics/search.json", "plots/search.csv", "plots/search.svg")


def start(folder: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "stages.search", *arguments("search")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL)


def outputs(folder: Path) -> list[bytes]:
    assert start(folder).wait() == 0
    assert not list((folder / "metrics").glob(PATTERN))
    return [(folder / name).read_bytes() for name in OUTPUTS]


@pytest.mark.slow
def test_a_killed_search_ends_with_the_bytes_of_an_undisturbed_one(project: Path) -> None:
    text = put(*models("majority", "logistic_regression"))
    (project / "params.yaml").write_text(f"{text}\n{SEARCH}", encoding="utf-8")
    assert run_stage(project, "check", *arguments("check")) in {None, 0}  # writes what the search reads
    undisturbed = outputs(project)
    for name in OUTPUTS:
        (project / name).unlink()
    for trainings in (1, 50, 200):
        process = start(project)
        while process.poll() is None:
            files = list((project / "metrics").glob(f"{PATTERN}/{FILE}"))
            if files and files[0].read_bytes().count(b"\n") >= trainings:
                break
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        assert not any((project / name).exists() for name in OUTPUTS)
    assert outputs(project) == undisturbed
