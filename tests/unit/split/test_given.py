"""Splits that the table gives, by files or a column, in the stage split by both methods."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest

from tests.conftest import run_stage
from tests.refusal import refusal
from tests.settings import put
from tests.unit.split.rows import split_table, write_csv
from textclf.artifacts import shards, splits
from textclf.core.errors import UserError
from textclf.core.files import read_json, write_json
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
    return [
        (f"{name} {number} what is it ?", classes[number * len(classes) // count])
        for number in range(count)
    ]


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

    def run(
        table: Table,
        way: str,
        data: dict[str, Any] = {},  # noqa: B006
        **settings: Any,
    ) -> Done:
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
        chosen = (
            Data.model_validate({"path": str(path), **data}),
            Split.model_validate({"seed": 1, **settings}),
        )
        report = split_table(tmp_path, *chosen)
        return Done(splits.read(tmp_path / "splits"), report, capsys.readouterr().out.splitlines())

    return run


def texts(rows: pd.DataFrame | Rows) -> list[str]:
    return sorted(rows["text"] if isinstance(rows, pd.DataFrame) else (row[0] for row in rows))


# Given splits are kept

USED = "as given; split.{}_size is not used"
KEPT: dict[str, tuple[Table, dict[str, float], list[str]]] = {
    "TREC": (TREC, {}, ["train: 5,452 rows", f"test: 500 rows, {USED.format('test')}"]),
    "a size of 0": (TREC, {"test_size": 0.0}, ["train: 5,452 rows", "test: 500 rows, as given"]),
    "SST-2": (
        SST2,
        {"validation_size": 0.15},
        [
            "train: 3,000 rows",
            f"validation: 872 rows, {USED.format('validation')}",
            f"test: 1,821 rows, {USED.format('test')}",
        ],
    ),
}


@pytest.mark.parametrize(("table", "settings", "lines"), KEPT.values(), ids=KEPT)
@pytest.mark.parametrize("method", METHODS)
def test_given_splits_are_kept_in_files_or_a_column(
    split: Any,
    table: Table,
    settings: Any,
    lines: list[str],
    method: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shards, "ROWS", 500)
    monkeypatch.setattr(shuffle, "PIECES", 50)
    files, column = (split(table, way, method=method, **settings) for way in WAYS)
    for done in (files, column):
        expected = {word.replace("dev", "validation"): texts(rows) for word, rows in table.items()}
        assert {name: texts(part) for name, part in done.parts.items()} == expected
        assert done.report["given"] == {name: len(rows) for name, rows in expected.items()}
        assert [line for line in done.printed if line in lines] == lines
        assert done.printed[0].startswith("splits as given ")
        assert done.parts["train"]["label"][:500].nunique() == len(
            done.report["train"]["classes"]
        )  # shuffled
    assert files.report == column.report
    if method == "random":  # given rows keep their order
        assert files.parts["test"]["text"].tolist() == [row[0] for row in table["test"]]


@pytest.mark.parametrize(
    ("missing", "settings", "low", "high"),
    [("validation", {"validation_size": 0.1}, 450, 640), ("test", {}, 1200, 1530)],
)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", METHODS)
def test_a_missing_split_is_drawn_from_the_training_rows(
    split: Any, way: str, method: str, missing: str, settings: Any, low: int, high: int
) -> None:
    given = "test" if missing == "validation" else "validation"
    done = split({"train": TREC["train"], given: TREC["test"]}, way, method=method, **settings)
    assert texts(done.parts[given]) == texts(TREC["test"])
    assert texts(pd.concat([done.parts["train"], done.parts[missing]])) == texts(TREC["train"])
    assert low < len(done.parts[missing]) < high
    assert (
        f"{missing}: {len(done.parts[missing]):,} rows, drawn from the training rows"
        in done.printed
    )


def test_a_validation_size_of_0_is_not_said_to_be_unused(split: Any) -> None:
    assert "validation: 872 rows, as given" in split(SST2, "files").printed


def test_files_are_pooled_only_if_this_is_asked_for(split: Any) -> None:
    done = split(TREC, "files", {"split": None})
    assert len(done.parts["test"]) == 1488
    assert "given" not in done.report
    assert not done.printed[0].startswith("splits as given")


def test_intervals_let_the_shares_of_the_classes_vary_in_given_test_rows(project: Path) -> None:
    params = project / "params.yaml"
    params.write_text(
        put("split.stratify", "true", text=params.read_text(encoding="utf-8")), encoding="utf-8"
    )
    result = {}
    for given in (False, True):
        report = read_json(project / "metrics/splits.json")
        write_json(
            project / "metrics/splits.json",
            report | ({"given": {"train": 30, "test": 10}} if given else {}),
        )
        assert run_stage(project, "evaluate") in {None, 0}
        result[given] = read_json(project / "metrics/intervals.json")["majority"]["train"].get(
            "log_loss"
        )
    assert result[False] is None  # majority gives all rows of a class the same loss
    assert result[True]["low"] < result[True]["high"]


# What given splits share is counted


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", METHODS)
def test_texts_and_groups_that_given_splits_share_are_counted_and_stay(
    split: Any, way: str, method: str
) -> None:
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
    done = split(
        {"train": made(30, "abc", "x"), "test": made(10, "ab", "y")}, "files", method=method
    )
    assert done.report["test"]["classes"] == {"a": 5, "b": 5}
    assert "warning: classes without test rows: c" in done.printed


# Errors

ADD = (
    "add some to the table; or set data.rare to drop or merge, "
    "or data.unknown to c if its texts belong to no class"
)
ANEW = "add training rows, or set data.split to null to split all rows anew"
WRONG: list[tuple[Table, str]] = [
    (
        {"train": made(30, "ab", "x"), "test": made(9, "abc", "y")},
        f"the training rows must hold every class; class c has none of 30: {ADD}",
    ),
    (
        {"test": made(30, "ab", "x")},
        f"the table must give rows to train on; got only test rows: {ANEW}",
    ),
]


@pytest.mark.parametrize(("table", "line"), WRONG)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", METHODS)
def test_given_splits_that_train_too_little_are_an_error(
    split: Any, table: Table, line: str, way: str, method: str
) -> None:
    assert refusal(split, table, way, method=method) == line


@pytest.mark.parametrize("given", [set(), {"train"}, {"train", "validation"}])
def test_a_test_size_of_0_without_given_test_rows_is_an_error(given: set[str]) -> None:
    with pytest.raises(
        UserError,
        match=r"^params\.yaml: split\.test_size must be greater than 0 unless the table gives",
    ):
        draw_the_rest(Split(test_size=0.0), given)
