"""`textclf predict` that is interrupted, whose reader leaves, and whose disk is full."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.faults import campaign, tracing
from tests.faults.campaign import tries
from tests.processes import ROOT, heed_signals, run

LINES = 500_000  # which take some seconds


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "textclf.cli", "predict", *words]


def start_command(*words: str, **options: Any) -> "subprocess.Popen[bytes]":
    """Start `textclf predict`."""
    return subprocess.Popen(
        command(*words),
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        preexec_fn=heed_signals,  # noqa: PLW1509 (there are no threads)
        **options,
    )


@pytest.fixture
def texts(project: Path) -> Path:
    """A file of many texts beside the models."""
    path = project / "texts.txt"
    path.write_text("".join(f"good food {number}\n" for number in range(LINES)), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("number", "ending"),
    [
        pytest.param(number, ending, marks=() if place == other else pytest.mark.nightly)
        for place, number in enumerate((signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
        for other, ending in enumerate(("jsonl", "csv", "parquet"))
    ],
)
def test_an_interrupted_prediction_leaves_the_old_output(project: Path, texts: Path, number: int, ending: str) -> None:
    generator = campaign.generator(f"{number} {ending}")
    output = project / f"labels.{ending}"
    for _ in range(tries(1)):
        output.write_text("old")
        with texts.open("rb") as stdin:
            process = start_command("--output", output.name, cwd=project, stdin=stdin, stderr=subprocess.PIPE)
            while not tracing.leftovers(project) and process.poll() is None:
                time.sleep(0.001)
            time.sleep(generator.uniform(0, 0.5))
            process.send_signal(number)
            errors = process.communicate()[1]
        if process.returncode == 0:  # it was faster
            continue
        assert (process.returncode, errors) == (128 + number, b"")
        assert output.read_text() == "old"
        assert tracing.leftovers(project) == []


@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_an_interrupted_prediction_has_printed_right_lines_up_to_the_one_that_it_was_at(
    project: Path, texts: Path, ending: str
) -> None:
    with texts.open("rb") as stdin:
        process = start_command("--to", ending, cwd=project, stdin=stdin, stdout=subprocess.PIPE)
        assert process.stdout is not None
        start = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        printed = start + process.communicate()[0]
    assert process.returncode == 128 + signal.SIGINT
    lines = printed.split(b"\n")[:-1]  # the last one may be a part: what a full pipe did not take is lost
    if ending == "jsonl":
        assert [json.loads(line)["id"] for line in lines] == [str(number + 1) for number in range(len(lines))]
    else:
        assert {line.count(b",") for line in lines} == {5}


def test_a_reader_that_leaves_ends_the_prediction_without_a_word(project: Path, texts: Path) -> None:
    line = 'set -o pipefail; "$@" <texts.txt | head -n 1'
    done = run("bash", "-c", line, "bash", *command(), folder=project, PYTHONPATH=str(ROOT))
    assert (done.status, done.err, done.out.count("\n")) == (128 + signal.SIGPIPE, "", 1)
    assert texts.exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize(
    ("ending", "words"), [("jsonl", []), ("csv", ["--output", "/dev/full"]), ("parquet", ["--output", "/dev/full"])]
)
def test_a_full_disk_is_told_in_a_line(project: Path, ending: str, words: list[str]) -> None:
    line = ("sh", "-c", 'exec "$@" >/dev/full', "sh", *command("--to", ending, *words, "good food"))
    done = run(*line, folder=project, PYTHONPATH=str(ROOT))
    assert done.status == 2
    assert done.err.startswith("error: predict: /dev/full: " if words else "error: predict: ")
    assert done.err.endswith("No space left on device\n")
    assert done.err.count("\n") == 1
