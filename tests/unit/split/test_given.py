"""Splits that the table gives, by files or in a column, through the stage split with both methods."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest
from hypothesis import given as generate
from hypothesis import strategies as st

from stages import split as stage
from tests.conftest import arguments, run_stage
from tests.settings import put
from tests.unit.split.rows import NO_CORRECTIONS, write_csv
from textclf.artifacts import shards, splits
from textclf.core.errors import UserError
from textclf.core.files import SPLITS, read_json, write_json
from textclf.split import shuffle
from textclf.split.draw import draw_the_rest
from textclf.split.settings import Split
from textclf.tables.settings import Data

METHODS = ("random", "hash")
WAYS = ("files", "column")
Rows = Sequence[tuple[str, ...]]  # text, label and, in some tests, author
Table = Mapping[str, Rows]  # by the word that names the split


def made(count: int, classes: Sequence[str], name: str) -> list[tuple[str, ...]]:
    """Return distinct texts, whose labels come in blocks, as in a sorted table."""
    return [(f"{name} {number} what is it ?", classes[number * len(classes) // count]) for number in range(count)]


TREC_CLASSES = ("ABBR", "DESC", "ENTY", "HUM", "LOC", "NUM")
TREC = {"train": made(5452, TREC_CLASSES, "question"), "test": made(500, TREC_CLASSES, "query")}
SST2 = {
    "train": made(3000, "01", "review"),
    "dev": made(872, "01", "film"),
    "test": made(1821, "01", "scene"),
}


class Done(NamedTuple):
    """What the stage wrote and printed."""

    parts: dict[str, pd.DataFrame]
    report: dict[str, Any]
    printed: list[str]


@pytest.fixture
def split(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs the stage on a table that is written with its splits in files or in a column."""

    def run(table: Table, way: str, data: dict[str, Any] = {}, **settings: Any) -> Done:  # noqa: B006
        path = tmp_path / way
        path.mkdir(exist_ok=True)
        if way == "files":
            for word, rows in table.items():
                write_csv(path / f"{word}.csv", rows, ("text", "label", "who")[: len(rows[0])])
        else:
            marked = [(*row, word.title()) for word, part in table.items() for row in part]
            rows = [row for start in range(7) for row in marked[start::7]]  # the splits are mixed
            header = ("text", "label", "who")[: len(rows[0]) - 1]
            write_csv(path / "all.csv", rows, (*header, "fold"))
            data = {"split": "fold", **data}
        capsys.readouterr()
        stage.run(
            Data.model_validate({"path": str(path), **data}),
            Split.model_validate({"seed": 1, **settings}),
            corrections=NO_CORRECTIONS,
            splits=tmp_path / "splits",
            report=tmp_path / "splits.json",
        )
        printed = capsys.readouterr().out.splitlines()
        return Done(splits.read(tmp_path / "splits"), read_json(tmp_path / "splits.json"), printed)

    return run


def texts(rows: pd.DataFrame | Rows) -> list[str]:
    return sorted(rows["text"] if isinstance(rows, pd.DataFrame) else (row[0] for row in rows))


# Given splits are kept


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", METHODS)
def test_the_split_of_trec_is_kept_with_the_settings_of_the_lesson(split: Any, way: str, method: str) -> None:
    done = split(TREC, way, method=method)
    assert {name: texts(part) for name, part in done.parts.items()} == {
        name: texts(part) for name, part in TREC.items()
    }
    assert done.report["given"] == {"train": 5452, "test": 500}
    assert "train: 5452 rows" in done.printed
    assert "test: 500 rows, as given; split.test_size is not used" in done.printed
    assert done.printed[0].startswith("splits as given ")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", METHODS)
def test_the_splits_of_sst2_are_kept_in_shards_and_no_size_is_used(
    split: Any, way: str, method: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shards, "ROWS", 500)
    monkeypatch.setattr(shuffle, "PIECES", 5)
    done = split(SST2, way, method=method, validation_size=0.15)
    expected = {"train": SST2["train"], "validation": SST2["dev"], "test": SST2["test"]}
    assert {name: texts(part) for name, part in done.parts.items()} == {n: texts(part) for n, part in expected.items()}
    assert [len(each) for each in splits.open_shards(tmp_path / "splits").values()] == [6, 2, 4]
    assert "validation: 872 rows, as given; split.validation_size is not used" in done.printed
    assert "test: 1821 rows, as given; split.test_size is not used" in done.printed


@pytest.mark.parametrize("method", METHODS)
def test_files_and_a_column_give_the_same_splits(split: Any, method: str) -> None:
    by_files, by_column = (split(SST2, way, method=method) for way in WAYS)
    assert {name: texts(part) for name, part in by_files.parts.items()} == {
        name: texts(part) for name, part in by_column.parts.items()
    }
    assert by_files.report == by_column.report


def test_training_rows_are_shuffled_and_given_test_rows_keep_their_order(split: Any) -> None:
    done = split(TREC, "files")
    assert done.parts["test"]["text"].tolist() == [text for text, _ in TREC["test"]]
    assert done.parts["train"]["label"][:500].nunique() == len(TREC_CLASSES)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", METHODS)
def test_a_missing_validation_split_is_drawn_from_the_training_rows(split: Any, way: str, method: str) -> None:
    done = split(TREC, way, method=method, validation_size=0.1)
    assert texts(done.parts["test"]) == texts(TREC["test"])
    assert texts(pd.concat([done.parts["train"], done.parts["validation"]])) == texts(TREC["train"])
    assert 450 < len(done.parts["validation"]) < 640
    assert f"validation: {len(done.parts['validation'])} rows, drawn from the training rows" in done.printed


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", METHODS)
def test_a_missing_test_split_is_drawn_from_the_training_rows(split: Any, way: str, method: str) -> None:
    done = split({"train": TREC["train"], "dev": TREC["test"]}, way, method=method)
    assert texts(done.parts["validation"]) == texts(TREC["test"])
    assert 1200 < len(done.parts["test"]) < 1530


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", METHODS)
def test_a_test_size_of_0_suits_a_given_test_split(split: Any, way: str, method: str) -> None:
    done = split(TREC, way, method=method, test_size=0.0)
    assert {name: len(part) for name, part in done.parts.items()} == {"train": 5452, "test": 500}
    assert "test: 500 rows, as given" in done.printed


def test_a_validation_size_of_0_is_not_said_to_be_unused(split: Any) -> None:
    assert "validation: 872 rows, as given" in split(SST2, "files").printed


def test_files_are_pooled_only_if_this_is_asked_for(split: Any) -> None:
    done = split(TREC, "files", {"split": None})
    assert len(done.parts["test"]) == 1488
    assert "given" not in done.report
    assert not done.printed[0].startswith("splits as given")


@generate(
    sizes=st.tuples(*[st.integers(4, 40)] * 3),
    method=st.sampled_from(METHODS),
    seed=st.integers(0, 9),
    pooled=st.booleans(),
)
def test_no_row_of_a_given_split_is_in_another(
    tmp_path_factory: pytest.TempPathFactory, sizes: tuple[int, ...], method: str, seed: int, pooled: bool
) -> None:
    folder = tmp_path_factory.mktemp("given")
    (folder / "table").mkdir()
    for name, size in zip(SPLITS, sizes, strict=True):
        rows = [{"text": f"{name} {n}", "label": n % 2, "fold": name} for n in range(size)]
        (folder / "table" / f"{name}.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    path = str(folder / "table")
    data = Data(path=path, split="fold") if pooled else Data(path=path)
    settings = Split(method="hash" if method == "hash" else "random", seed=seed)
    stage.run(data, settings, splits=folder / "splits", report=folder / "splits.json", corrections=NO_CORRECTIONS)
    for name, part in splits.read(folder / "splits").items():
        assert sorted(part["text"]) == sorted(f"{name} {n}" for n in range(sizes[SPLITS.index(name)]))


def test_intervals_let_the_shares_of_the_classes_vary_in_given_test_rows(project: Path) -> None:
    params = project / "params.yaml"
    params.write_text(put("split.stratify", "true", text=params.read_text(encoding="utf-8")), encoding="utf-8")
    found = {}
    for given in (False, True):
        report = read_json(project / "metrics/splits.json")
        write_json(project / "metrics/splits.json", report | ({"given": {"train": 30, "test": 10}} if given else {}))
        assert run_stage(project, "evaluate", *arguments("evaluate")) in {None, 0}
        found[given] = read_json(project / "metrics/intervals.json")["majority"]["train"].get("log_loss")
    assert found[False] is None  # majority gives all rows of a class the same loss
    assert found[True]["low"] < found[True]["high"]


# What given splits share is counted


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", METHODS)
def test_texts_and_groups_that_given_splits_share_are_counted_and_stay(split: Any, way: str, method: str) -> None:
    table = {
        "train": [("good", "1", "ann"), ("bad", "0", "ann"), ("fine", "1", "bob")],
        "test": [("Good ", "1", "cid"), ("awful", "0", "ann"), ("nice", "1", "bob")],
    }
    done = split(table, way, {"group": "who"}, method=method)
    assert texts(done.parts["test"]) == texts(table["test"])
    assert done.report["leaks"] == {
        "exact": {"test_in_train": 0},
        "normalised": {"test_in_train": 1},
        "group": {"test_in_train": 2},
    }
    assert done.printed[-2:] == [
        "warning: 1 test row has a text that is also in train; given rows stay where they are",
        "warning: 2 test rows have a group that is also in train; given rows stay where they are",
    ]


@pytest.mark.parametrize("method", METHODS)
def test_duplicates_stay_together_among_the_rows_that_are_drawn(split: Any, method: str) -> None:
    table = {"train": made(60, "01", "a") * 2, "test": made(60, "01", "a")}
    done = split(table, "files", method=method, validation_size=0.3, group_duplicates=True)
    leaks = done.report["leaks"]["normalised"]
    assert leaks["validation_in_train"] == 0
    assert leaks["test_in_train"] + leaks["test_in_validation"] == 60


@pytest.mark.parametrize("method", METHODS)
def test_a_given_test_split_may_lack_a_class(split: Any, method: str) -> None:
    done = split({"train": made(30, "abc", "x"), "test": made(10, "ab", "y")}, "files", method=method)
    assert done.report["test"]["classes"] == {"a": 5, "b": 5}
    assert "warning: classes without test rows: c" in done.printed


# Errors


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", METHODS)
def test_a_class_that_only_test_rows_have_is_an_error(split: Any, way: str, method: str) -> None:
    line = (
        "the training rows must hold every class; class c has none of 30: add some to the table, or leave out its rows"
    )
    with pytest.raises(UserError, match=f"^{line} in the other splits$"):
        split({"train": made(30, "ab", "x"), "test": made(9, "abc", "y")}, way, method=method)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", METHODS)
def test_test_rows_alone_are_an_error(split: Any, way: str, method: str) -> None:
    with pytest.raises(
        UserError, match=r"^the table must give rows to train on; got only test rows: add training rows"
    ):
        split({"test": made(30, "ab", "x")}, way, method=method)


@pytest.mark.parametrize("given", [set(), {"train"}, {"train", "validation"}])
def test_a_test_size_of_0_without_given_test_rows_is_an_error(given: set[str]) -> None:
    with pytest.raises(
        UserError, match=r"^params\.yaml: split\.test_size must be greater than 0 unless the table gives"
    ):
        draw_the_rest(Split(test_size=0.0), given)
