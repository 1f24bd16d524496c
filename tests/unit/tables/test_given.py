"""Splits that a table gives: words, files and columns that name one, and its line."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests import approved
from tests.unit.tables.tables import data, frame_of, parquet
from textclf.core.errors import UserError
from textclf.core.files import sha256
from textclf.tables import given as table
from textclf.tables.corpus import Corpus
from textclf.tables.split_names import split_of_file

GOOD = "text,label\na,0\nb,1\n"


def put(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(GOOD, encoding="utf-8")
    return folder


# Names of files


def test_a_file_names_its_split_by_a_word_of_its_name_or_of_the_nearest_folder() -> None:
    approved.check_cases(
        Path(__file__).with_name("split_names.txt"), lambda name: [str(split_of_file(name))]
    )


def test_the_files_of_a_folder_give_splits_by_their_names_or_by_globs_and_it_is_said_how(
    tmp_path: Path,
) -> None:
    def say(case: str) -> list[str]:
        """Return each file's split and the line that says it; a case is files and settings."""
        names, _, settings = case.partition(" {")
        folder = put(Path(tempfile.mkdtemp(dir=tmp_path)), *names.split())
        given = data(**(yaml.safe_load(f"{{{settings}") if settings else {}))
        lines = [f"{file.name}: {file.split}" for file in table.find_table(folder, given)]
        return [*lines, *table.describe(folder, given).splitlines()]

    approved.check_cases(Path(__file__).with_name("split_files.txt"), say)


def test_a_single_file_is_a_table_to_split_whatever_its_name(tmp_path: Path) -> None:
    put(tmp_path, "train.csv")
    assert [file.split for file in table.find_table(tmp_path / "train.csv", data())] == [None]


# A column


def test_the_splits_of_a_column_are_known_before_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text(
        "text,label,fold\na,0,train\nb,1,Dev\nc,0, test \n", encoding="utf-8"
    )
    assert table.given_splits(tmp_path / "c.csv", data(split="fold")) == {
        "train",
        "validation",
        "test",
    }
    assert table.given_splits(tmp_path / "c.csv", data()) == set()


def test_the_column_source_gives_splits_by_file(
    read: Callable[..., Corpus], tmp_path: Path
) -> None:
    got = read({"train.csv": GOOD, "test.csv": GOOD}, split="source")
    assert got.given == {"train": 2, "test": 2}
    assert table.given_splits(tmp_path / "data", data(split="source")) == {"train", "test"}


def test_a_row_that_is_dropped_needs_no_split(read: Callable[..., Corpus]) -> None:
    rows = "text,label,fold\na,0,train\n,1,\nb,1,test\n"
    assert read({"c.csv": rows}, split="fold", missing="drop").given == {"train": 1, "test": 1}


# Files of all formats


def test_files_of_several_formats_give_splits_together(
    read: Callable[..., Corpus], tmp_path: Path
) -> None:
    contents = {
        "train.tsv": "text\tlabel\na\t0\nb\t1\n",
        "dev.txt": "c\t1\n",
        "test/c.jsonl": '{"text": "d", "label": 0}\n',
        "test/d.parquet": parquet({"text": ["e"], "label": [1]}),
    }
    got = read(contents)
    by_text = dict(zip(frame_of(got)["text"], frame_of(got)["split"], strict=True))
    assert by_text == {"a": "train", "b": "train", "c": "validation", "d": "test", "e": "test"}
    assert table.given_splits(tmp_path / "data", data()) == {"train", "validation", "test"}
    batches = list(Corpus(tmp_path / "data", data()))
    assert [split for batch in batches for split in batch["split"].to_pylist()] == frame_of(got)[
        "split"
    ].tolist()


# Checksums


def test_the_table_that_was_split_is_known_by_the_checksums_of_its_files(tmp_path: Path) -> None:
    rows = put(tmp_path / "rows", "b.csv", "a.csv", "below/c.csv")
    split = table.checksums(rows, data())
    assert list(split.items()) == [
        (name, sha256(GOOD.encode())) for name in ("a.csv", "b.csv", "below/c.csv")
    ]
    assert list(table.checksums(rows / "a.csv", data())) == ["a.csv"]
    table.require_split_rows(rows, data(), split)
    for name in ("below/new.csv", "a.csv"):
        (rows / name).write_text("changed")
        rule = (
            f"rows must be the table that was split; '?{name}'? changed after .* run dvc repro "
            "--force split, then"
        )
        with pytest.raises(UserError, match=rule):
            table.require_split_rows(rows, data(), split)
