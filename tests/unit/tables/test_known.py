"""The checksum of a large file of a table is computed once for each version of it."""

import os
from pathlib import Path

import pytest

from textclf.core.files import sha256, sha256_of_file
from textclf.tables import known


@pytest.fixture
def computed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Be in a project where every file is large and settled; list the files that are read."""
    files: list[Path] = []

    def compute(path: Path) -> str:
        files.append(path)
        return sha256_of_file(path)

    (tmp_path / ".dvc").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(known, "SMALL", 0)
    monkeypatch.setattr(known, "SETTLES", -1)
    monkeypatch.setattr(known, "sha256_of_file", compute)
    Path("a.csv").write_text("old")
    return files


def read_twice() -> None:
    for _ in range(2):
        assert known.checksum(Path("a.csv")) == sha256(Path("a.csv").read_bytes())


def test_a_file_that_stays_is_read_once(computed: list[Path]) -> None:
    read_twice()
    Path("b.csv").write_text("old")
    assert known.checksum(Path("b.csv")) == known.checksum(Path("a.csv"))
    assert computed == [Path("a.csv"), Path("b.csv")]


def test_a_file_that_changed_in_place_is_read_again(computed: list[Path]) -> None:
    read_twice()
    Path("a.csv").write_text("new")
    os.utime("a.csv", (1, 1))
    read_twice()
    assert len(computed) == 2


@pytest.mark.parametrize("content", [b"", b"\xff", b"[4] 0", b"[4] 0 0"])
def test_a_damaged_record_is_made_anew(computed: list[Path], content: bytes) -> None:
    read_twice()
    (record,) = known.FOLDER.iterdir()
    record.write_bytes(content)
    read_twice()
    assert len(computed) == 2


def test_a_record_with_a_flipped_bit_is_made_anew(computed: list[Path]) -> None:
    read_twice()
    (record,) = known.FOLDER.iterdir()
    line = bytearray(record.read_bytes())
    line[-100] ^= 1  # of the checksum
    record.write_bytes(line)
    read_twice()
    assert len(computed) == 2


@pytest.mark.parametrize(
    ("name", "value"), [("SETTLES", 60), ("SMALL", 4)], ids=["just changed", "small"]
)
def test_of_some_files_none_is_kept(
    computed: list[Path], monkeypatch: pytest.MonkeyPatch, name: str, value: int
) -> None:
    monkeypatch.setattr(known, name, value)
    read_twice()
    assert len(computed) == 2
    assert not known.FOLDER.exists()


def test_outside_of_a_project_none_is_kept(computed: list[Path]) -> None:
    Path(".dvc").rmdir()
    read_twice()
    assert len(computed) == 2
    assert not Path(".dvc").exists()
