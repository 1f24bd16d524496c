"""A `dvc repro` that is killed while a stage writes: the next run makes it good and leaves nothing behind."""

import random
import time

import pytest

from tests import verify
from tests.faults import tracing
from tests.faults.campaign import seed, tries
from tests.faults.tracing import STAGES
from tests.verify import Copy
from textclf.project.check import damaged_files

pytestmark = pytest.mark.posix

LATEST = 30.0  # seconds in which a run of the small pipeline is killed


def kill_while_writing(copy: Copy, stage: str, seconds: float) -> bool:
    """Run `dvc repro` and kill it, with its stages, so long after unfinished outputs of a stage appear.

    Returns whether it was killed before its end.
    """
    unfinished = {
        "split": "data/.splits",
        "vectorize": "data/features/.words",
        "train": "data/trained/.*",
        "evaluate": "plots/.roc.csv",
        "export": ".models",
    }[stage]
    with copy.running("repro", "--force") as process:
        due = time.monotonic() + LATEST
        while process.poll() is None and time.monotonic() < due:
            if any(copy.folder.glob(f"{unfinished}.*.scratch")):
                break
            time.sleep(0.001)
        time.sleep(seconds)
        return process.poll() is None


def test_a_pipeline_that_is_killed_while_it_writes_is_made_good_by_the_next_run(small: Copy) -> None:
    generator = random.Random(seed())  # noqa: S311 (no secret)
    expected = verify.recorded_hashes(small.folder)
    files = verify.file_hashes(small.folder)
    kills = 0
    for _ in range(tries(1)):
        stage = generator.choice(STAGES)
        kills += kill_while_writing(small, stage, generator.choice([0, 0.001, 0.01, 0.1, 0.5]))
        for _ in damaged_files(small.folder):  # what DVC leaves; troubleshooting.md has the same cures
            small.run("git", "checkout", "dvc.lock")
            (small.folder / ".dvc/tmp/rwlock").unlink(missing_ok=True)
        small.dvc("repro")
        assert verify.recorded_hashes(small.folder) == expected, stage
        assert verify.file_hashes(small.folder) == files, stage
        assert small.dvc("status", "dvc.yaml").strip() == "Data and pipelines are up to date."
    small.dvc("repro", "--force")  # a stage that is up to date has not run again, and cleans up when it does
    assert tracing.leftovers(small.folder) == []
    print(f"{kills} kills")
