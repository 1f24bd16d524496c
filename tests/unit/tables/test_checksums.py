import hashlib
from pathlib import Path

import pytest

from textclf.core.errors import UserError
from textclf.tables.given import checksums, require_split_rows
from textclf.tables.settings import Data


@pytest.fixture
def table(tmp_path: Path) -> Path:
    folder = tmp_path / "rows"
    for name in ("b.csv", "a.csv", "below/c.csv"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def test_checksums_are_sorted_by_the_names_below_the_folder(table: Path) -> None:
    found = checksums(table, Data())
    assert list(found) == ["a.csv", "b.csv", "below/c.csv"]
    assert all(checksum == hashlib.sha256(name.encode()).hexdigest() for name, checksum in found.items())


def test_the_checksum_of_a_single_file_has_its_name(table: Path) -> None:
    assert list(checksums(table / "a.csv", Data())) == ["a.csv"]


def test_the_table_that_was_split_is_accepted(table: Path) -> None:
    require_split_rows(table, Data(), checksums(table, Data()))


@pytest.mark.parametrize("name", ["a.csv", "below/new.csv"])
def test_another_table_than_the_one_that_was_split_is_refused(table: Path, name: str) -> None:
    split = checksums(table, Data())
    (table / name).write_text("changed")
    rule = f"rows must be the table that was split; '?{name}'? changed after .* run dvc repro --force split, then dvc"
    with pytest.raises(UserError, match=rule):
        require_split_rows(table, Data(), split)
