"""A table that is replaced while the stage split reads it, or before DVC has recorded it."""

import hashlib
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests import verify
from tests.faults.campaign import tries
from tests.settings import put
from tests.verify import DVC, Copy
from textclf.artifacts.splits import read_checksums
from textclf.core.errors import UserError
from textclf.tables.given import require_split_rows
from textclf.tables.settings import Data

pytestmark = pytest.mark.slow

OWN = Data(path="own.csv")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A project with a table of its own, in which check has run."""
    copy = verify.make_first_copy(tmp_path_factory.mktemp("changed"))
    params = copy.folder / "params.yaml"
    text = put("data.path", OWN.path, "data.text", "text", "data.label", "label", "data.format", "csv")
    params.write_text(text, encoding="utf-8")
    write_table(copy.folder / "own.csv", "old")
    copy.dvc("repro", "check")
    return copy


def write_table(path: Path, word: str) -> None:
    rows = "".join(f"{word} text {number},{number % 2}\n" for number in range(1000))
    path.write_text(f"text,label\n{rows}", encoding="utf-8")


def while_reading(folder: Path) -> bool:
    return any((folder / "data").glob(".splits.*.scratch"))


def after_reading(folder: Path) -> bool:
    return (folder / "data" / "splits").exists()


def split_and_replace(copy: Copy, ready: Callable[[Path], bool]) -> str:
    """Run the stage by DVC, replace the table as soon as it is ready to be, and return what was printed."""
    folder = copy.folder
    shutil.rmtree(folder / "data" / "splits", ignore_errors=True)
    write_table(folder / "own.csv", "old")
    write_table(folder / "new.csv", "new")
    with ThreadPoolExecutor(1) as executor:
        done = executor.submit(copy.run_anyway, *DVC, "repro", "--force", "--single-item", "split")
        while not done.done() and not ready(folder):
            time.sleep(0.001)
        (folder / "new.csv").replace(folder / "own.csv")
        return done.result()[0]


def require_truth(copy: Copy, printed: str) -> None:
    """Assert that the stage has refused its input, or the splits are recorded as those of the table that was read."""
    folder = copy.folder
    if not after_reading(folder):
        assert "error: split: own.csv must not change while it is read; own.csv did" in printed
        assert "Traceback" not in printed
        return
    recorded = {dep["path"]: dep["md5"] for dep in verify.read_lock(folder)["split"]["deps"]}["own.csv"]
    table = folder / "own.csv"
    read = read_checksums(folder / "data" / "splits")["own.csv"]
    if hashlib.sha256(table.read_bytes()).hexdigest() != read:  # the table was replaced after it was read
        with pytest.raises(UserError, match="must be the table that was split"):
            require_split_rows(table, OWN, {"own.csv": read})
    else:
        assert hashlib.md5(table.read_bytes(), usedforsecurity=False).hexdigest() == recorded


@pytest.mark.parametrize("ready", [while_reading, after_reading])
def test_a_table_that_is_replaced_at_the_worst_moment_is_noticed(project: Copy, ready: Callable[[Path], bool]) -> None:
    for _ in range(tries(1)):
        require_truth(project, split_and_replace(project, ready))
