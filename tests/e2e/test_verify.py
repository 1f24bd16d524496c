"""tests/verify.py itself: what differs it names, and what keeps it from comparing it says in one line."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import verify
from tests.processes import python
from tests.verify import Copy

LOCK = """\
stages:
  fetch: {outs: [{path: raw, md5: a1}]}
  plot: {outs: [{path: roc.svg, md5: b2}, {path: history.svg, md5: c3}]}
"""


def ran(folder: Path) -> Path:
    """A folder as a run leaves it: dvc.lock and the outputs it names."""
    (folder / "raw").mkdir(parents=True)
    for name in ("raw/corpus.txt", "roc.svg", "history.svg"):
        (folder / name).write_text(name)
    (folder / "dvc.lock").write_text(LOCK)
    return folder


def other_md5(folder: Path) -> None:
    (folder / "dvc.lock").write_text(LOCK.replace("c3", "c4"))


def no_stage(folder: Path) -> None:
    (folder / "dvc.lock").write_text(LOCK[: LOCK.index("  plot")])


BYTES, MD5 = "FAILED: bytes differ between the copies", "md5 differs between the copies"


@pytest.mark.parametrize(
    ("change", "fetch", "plot"),
    [
        (lambda _: None, "ok", "ok"),
        (lambda folder: (folder / "roc.svg").write_text("roc"), "ok", f"{BYTES}: roc.svg"),
        (lambda folder: shutil.rmtree(folder / "raw"), f"{BYTES}: raw/corpus.txt", "ok"),
        (other_md5, "ok", f"FAILED: {MD5}: history.svg"),
        (no_stage, "ok", f"{BYTES}: history.svg, roc.svg; {MD5}: history.svg, roc.svg"),
    ],
    ids=["nothing", "a byte", "a file less", "a recorded md5", "a stage"],
)
def test_what_differs_between_copies_is_named_with_its_stage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: Callable[[Path], object], fetch: str, plot: str
) -> None:
    one, other = ran(tmp_path / "one"), ran(tmp_path / "other")
    change(other)
    assert verify.compare_copies(one, one, other) is (fetch == plot == "ok")
    assert capsys.readouterr().out == f"fetch {fetch}\nplot {plot}\n"


def test_what_differs_from_the_committed_lock_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    committed, run = ran(tmp_path / "committed"), ran(tmp_path / "run")
    other_md5(committed)
    assert not verify.compare_copies(committed, run, run)
    assert "plot FAILED: md5 differs from the committed dvc.lock: history.svg\n" in capsys.readouterr().out


def test_a_committed_file_that_a_run_changes_is_named(
    pipeline: Copy, workshop: Callable[[], Copy], capsys: pytest.CaptureFixture[str]
) -> None:
    copy = workshop()
    (copy.folder / "metrics/features.json").write_text("{}")
    assert verify.committed_files_unchanged(pipeline)
    assert not verify.committed_files_unchanged(copy)
    assert "a run changes metrics/features.json;" in capsys.readouterr().out


def test_bytes_of_the_emulated_cpu_that_differ_are_named(
    pipeline: Copy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def split_alone(*_: object) -> list[tuple[str, Path, str]]:
        shutil.copytree(pipeline.folder / "data/splits", tmp_path / "data/splits")
        (tmp_path / "data/splits/test.parquet").write_bytes(b"")
        (tmp_path / "metrics").mkdir()
        shutil.copy(pipeline.folder / "metrics/splits.json", tmp_path / "metrics/splits.json")
        return [("split", tmp_path, "")]

    monkeypatch.setattr(verify, "EMULATOR", ("true",))
    monkeypatch.setattr(verify, "run_all_alone", split_alone)
    assert not verify.compare_emulated(pipeline, tmp_path)
    assert "split FAILED: bytes differ: data/splits/test.parquet\n" in capsys.readouterr().out


def test_without_git_it_says_so_in_one_line(tmp_path: Path) -> None:
    line = "error: verify: git not found; install it\n"
    assert python("-m", "tests.verify", folder=verify.ROOT, PATH=str(tmp_path)) == (2, "", line)
