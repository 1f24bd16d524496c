"""Texts that were labelled beside the table train, and change no other row."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.split.rows import rows_of, split_table, write_csv
from textclf.artifacts.splits import read_classes
from textclf.core.errors import UserError
from textclf.split.settings import Split
from textclf.tables.labelled import COLUMNS
from textclf.tables.settings import Data

METHODS: dict[str, Any] = {
    "random": {"validation_size": 0.2},
    "hash": {"method": "hash", "validation_size": 0.2},
    "time": {"method": "time"},
    "given": {},
}
Rows = list[tuple[str, ...]]
ROWS = [
    (
        f"text {n}",
        str(n % 2),
        f"c{n}",
        f"g{n // 2}",
        str(2000 + n),
        "test" if n % 3 == 0 else "train",
        "web",
    )
    for n in range(120)
]
ADDED: Rows = [
    ("n1", "text 0", "0", "random", "1"),
    ("n2", "new", "2", "", "3"),
    ("n3", "discarded", "", "diverse", "3"),
]


def run(folder: Path, added: Rows, method: str = "random", **changes: Any) -> dict[str, Any]:
    """Split the rows of a table and those added; return the report."""
    table = write_csv(
        folder / "c.csv", ROWS, ("text", "label", "id", "group", "year", "part", "from")
    )
    columns: dict[str, Any] = {"time": "year"} if method == "time" else {"group": "group"}
    data = Data(
        path=str(table),
        id="id",
        slices=("from",),
        split="part" * (method == "given") or None,
        **columns,
        **changes,
    )
    labelled = write_csv(folder / "mine.csv", added, COLUMNS)
    report: dict[str, Any] = split_table(
        folder, data, Split(seed=1, **METHODS[method]), labelled=labelled
    )
    return report


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.usefixtures("small")
def test_they_are_added_to_the_training_rows_and_no_other_row_moves(
    tmp_path: Path, method: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before_report, before = run(tmp_path, [], method), rows_of(tmp_path)
    assert "labelled.csv" not in capsys.readouterr().out
    old, tested = before["train"][0]["text"], before["test"][0]["text"]
    added = [("n0", tested, "0", "", "2"), ("n1", old, "0", "random", "1"), *ADDED[1:]]
    report, after = run(tmp_path, added, method), rows_of(tmp_path)
    printed = capsys.readouterr().out
    assert "labelled.csv: 2 training rows added (round 1 to 3)\n" in printed
    assert "warning: classes without test rows: 2\n" in printed
    rule = "near copies of test rows must not train"
    assert f"labelled.csv: 1 row left out, since {rule}\n" in printed
    assert report["labelled"] == {"rows": 2, "first_round": 1, "last_round": 3, "test_copies": 1}
    assert "labelled" not in before_report
    assert read_classes(tmp_path / "splits") == ["0", "1", "2"]
    assert {name: after[name] for name in ("validation", "test")} == {
        name: before[name] for name in ("validation", "test")
    }
    train = {row.pop("id"): row for row in after["train"]}
    new = {name: train.pop(name) for name in ("n1", "n2")}
    assert sorted(train) == sorted(row["id"] for row in before["train"])
    for row in before["train"]:
        assert train[row.pop("id")] == row | {"chosen": "", "round": 0}
    assert {(row["slice_from"], row["text"], row["label"]) for row in new.values()} == {
        ("", old, 0),
        ("", "new", 2),
    }
    assert [(row["chosen"], row["round"]) for row in new.values()] == [("random", 1), ("", 3)]
    assert report["leaks"]["normalised"] == before_report["leaks"]["normalised"]


def test_without_labels_not_a_byte_changes(tmp_path: Path) -> None:
    contents = []
    for added in ([], ADDED[2:]):
        run(tmp_path, added)
        contents.append({path.name: path.read_bytes() for path in (tmp_path / "splits").iterdir()})
    assert contents[0] == contents[1]


def test_corrections_names_and_rare_classes_hold_for_them_too(tmp_path: Path) -> None:
    (tmp_path / "corrections.csv").write_text("id,label\nn2,1\n")
    table = write_csv(
        tmp_path / "c.csv",
        [*(row[:3] for row in ROWS), ("seldom", "x", "r")],
        ("text", "label", "id"),
    )
    data = Data(path=str(table), id="id", labels={"no": "0"}, rare="drop")
    added = [("n1", "a", "no", "", "1"), ("n2", "b", "0", "", "1"), ("n3", "c", "x", "", "1")]
    labelled = write_csv(tmp_path / "mine.csv", added, COLUMNS)
    report = split_table(tmp_path, data, Split(), tmp_path / "corrections.csv", labelled)
    train = {row["id"]: row["label"] for row in rows_of(tmp_path)["train"]}
    assert (train["n1"], train["n2"], "n3" in train) == (0, 1, False)
    assert report["labelled"]["rows"] == 2


@pytest.mark.parametrize("separator", [None, "|"])
def test_several_labels_are_lists_or_written_as_in_the_table(
    tmp_path: Path, separator: str | None
) -> None:
    cells = ['["a"]', '["b"]', "[]", '["a", "b"]'] if separator is None else ["a", "b", "", "a|b"]
    table = write_csv(tmp_path / "c.csv", [(f"text {n}", cells[n % 4]) for n in range(80)])
    added = [
        ("n1", "x", '["c", "a"]', "", "1"),
        ("n2", "y", "[]", "", "1"),
        ("n3", "z", "", "", "1"),
    ]
    added += [("n4", "w", "b|a", "", "1")] if separator else []
    labelled = write_csv(tmp_path / "mine.csv", added, COLUMNS)
    data = Data(path=str(table), task="multilabel", label_separator=separator)
    split_table(tmp_path, data, Split(), labelled=labelled)
    assert read_classes(tmp_path / "splits") == ["a", "b", "c"]
    labels = {row["id"]: row["label"] for row in rows_of(tmp_path)["train"] if row["round"]}
    assert labels == {"n1": [0, 2], "n2": []} | ({"n4": [0, 1]} if separator else {})


@pytest.mark.parametrize("method", METHODS)
def test_ids_of_the_table_and_labels_that_are_no_classes_are_lines(
    tmp_path: Path, method: str
) -> None:
    added: Rows = [("c3", "x", "0", "", "1"), ("n", "y", "2", "", "1"), ("c9", "z", "", "", "1")]
    with pytest.raises(UserError) as error:
        run(tmp_path, added, method, classes=["1", "0"])
    classes = "correct it, or add it there, in quotes if it looks like a number or a boolean"
    assert [line.removeprefix(f"{tmp_path}/") for line in error.value.lines] == [
        (
            f"mine.csv:2: id must not be that of a row of {tmp_path}/c.csv; got 'c3'; "
            "give it another id, or leave it out"
        ),
        f"mine.csv:3: label must be one of data.classes (1, 0); got '2'; {classes}",
    ]
