"""Two `dvc repro` at once in one folder: each ends well or names the other.

The results are right.
"""

import random
import re
import subprocess
import sys
import time

from tests import verify
from tests.faults.campaign import seed, tries
from tests.verify import Copy

# What DVC says if another DVC has what it needs.
BUSY = re.compile(r"is busy, it is being blocked by|Unable to acquire lock")


def start(copy: Copy, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "dvc", "repro", *words],
        cwd=copy.folder,
        env=copy.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_two_runs_at_once_end_well_or_say_that_the_other_one_runs(small: Copy) -> None:
    generator = random.Random(seed())  # noqa: S311 (no secret)
    expected, files = verify.recorded_hashes(small.folder), verify.file_hashes(small.folder)
    for _ in range(tries(1)):
        first = start(small, "--force")
        time.sleep(generator.uniform(0, 8))  # so that they meet in different stages
        second = start(small, *generator.choice([[], ["--force"]]))
        for process in (first, second):
            printed = process.communicate()[0]
            assert process.returncode == 0 or BUSY.search(printed), printed
            assert "Traceback" not in printed
        small.dvc("repro")
        assert verify.recorded_hashes(small.folder) == expected
        assert verify.file_hashes(small.folder) == files
        assert small.dvc("status", "dvc.yaml").strip() == "Data and pipelines are up to date."
