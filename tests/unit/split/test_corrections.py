"""Corrected labels: applied after rows are assigned, to test rows never silently."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.split.rows import rows_of, split_table, write_csv
from textclf.artifacts.split_report import SplitReport
from textclf.core import result_files
from textclf.core.errors import UserError
from textclf.core.files import SPLITS
from textclf.split.settings import Split
from textclf.tables.settings import Data

METHODS = ["random", "hash", "stratified"]
ROWS = 120


def run(
    folder: Path, corrections: str = "id,label\n", method: str = "random", **changes: Any
) -> dict[str, Any]:
    """Split rows c0 to c119, of which even ones have label 0; return the report."""
    rows = [(f"text {n}", str(n % 2), f"c{n}") for n in range(ROWS)]
    table = write_csv(folder / "c.csv", rows, ("text", "label", "id"))
    corrected = folder / "mine.csv"
    corrected.write_text(corrections)
    data = Data(path=str(table), id="id", **changes)
    settings = Split(
        method="hash" if method == "hash" else "random",
        stratify=method == "stratified",
        validation_size=0.2,
        seed=1,
    )
    split_table(folder, data, settings, corrected)
    report: dict[str, Any] = result_files.to_json(
        result_files.read(folder / "splits.json", SplitReport)
    )
    return report


def labels(folder: Path) -> dict[str, dict[str, str]]:
    """Return the label of each row by split; the position of each class is its name."""
    return {
        name: {row["id"]: str(row["label"]) for row in rows}
        for name, rows in rows_of(folder).items()
    }


def some_of(folder: Path, split: str, count: int) -> dict[str, str]:
    return {row: str(1 - int(label)) for row, label in list(labels(folder)[split].items())[:count]}


def as_csv(corrections: dict[str, str]) -> str:
    return "id,label\n" + "".join(f"{row},{label}\n" for row, label in corrections.items())


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.usefixtures("small")
def test_labels_change_and_splits_do_not(tmp_path: Path, method: str) -> None:
    without = run(tmp_path, method=method)
    assert "corrections" not in without
    before = labels(tmp_path)
    corrected = {
        name: some_of(tmp_path, name, count) for name, count in zip(SPLITS, (5, 3, 4), strict=True)
    }
    same = dict(list(before["train"].items())[5:7])
    everything = {row: label for part in (*corrected.values(), same) for row, label in part.items()}
    report = run(tmp_path, as_csv(everything), method)
    after = labels(tmp_path)
    assert {name: list(rows) for name, rows in after.items()} == {
        name: list(rows) for name, rows in before.items()
    }
    assert after["train"] == before["train"] | corrected["train"]
    assert after["validation"] == before["validation"] | corrected["validation"]
    assert after["test"] == before["test"]
    assert report["corrections"] == {
        "applied": {"train": 5, "validation": 3},
        "unchanged": 2,
        "skipped": 4,
    }
    for name in SPLITS:
        counts = {label: list(after[name].values()).count(label) for label in ("0", "1")}
        assert report[name]["classes"] == counts


@pytest.mark.parametrize("method", METHODS)
def test_test_rows_are_corrected_if_the_settings_say_so_and_then_loudly(
    tmp_path: Path, method: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path, method=method)
    before, corrected = labels(tmp_path), some_of(tmp_path, "test", 3)
    report = run(tmp_path, as_csv(corrected), method, correct_test_rows=True)
    assert labels(tmp_path) == before | {"test": before["test"] | corrected}
    assert report["corrections"] == {"applied": {"test": 3}, "unchanged": 0, "skipped": 0}
    warning = (
        "warning: the labels of 3 test rows were corrected (data.correct_test_rows), "
        "so that metrics are not"
    )
    printed = capsys.readouterr().out
    assert f"{warning} comparable with those of the labels of the table" in printed
    assert "but of no test row" not in printed


def test_what_became_of_the_corrections_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path)
    assert "correct" not in capsys.readouterr().out
    corrected = (
        some_of(tmp_path, "train", 2)
        | some_of(tmp_path, "validation", 1)
        | some_of(tmp_path, "test", 1)
    )
    run(tmp_path, as_csv(corrected))
    lines = capsys.readouterr().out.splitlines()
    assert "corrected labels: 2 training rows, 1 validation row" in lines
    assert (
        "warning: 1 correction of test rows was not applied, "
        "since models are measured by the labels of the table; "
        "data.correct_test_rows: true applies them" in lines
    )
    uncorrected = (
        "warning: labels of 2 training rows and 1 validation row were corrected, "
        "but of no test row: better models "
    )
    assert [line for line in lines if line.startswith(uncorrected)]


@pytest.mark.parametrize("method", METHODS)
def test_unknown_ids_and_labels_are_lines_and_nothing_is_written(
    tmp_path: Path, method: str
) -> None:
    with pytest.raises(UserError) as error:
        run(tmp_path, as_csv({"c0": "1", "c200": "1", "c2": "2", "c300": "3"}), method)
    assert [line.removeprefix(f"{tmp_path}/") for line in error.value.lines] == [
        "mine.csv:3: id must be that of a row of the table; got 'c200'",
        "mine.csv:4: label must be one of the classes (0, 1); got '2'",
        "mine.csv:5: id must be that of a row of the table; got 'c300'",
        "mine.csv:5: label must be one of the classes (0, 1); got '3'",
    ]
    assert not (tmp_path / "splits").exists()
    assert not (tmp_path / "splits.json").exists()


@pytest.mark.parametrize("method", METHODS)
def test_a_class_must_keep_training_rows(tmp_path: Path, method: str) -> None:
    run(tmp_path, method=method)
    ones = {row: "0" for row, label in labels(tmp_path)["train"].items() if label == "1"}
    with pytest.raises(UserError) as error:
        run(tmp_path, as_csv(ones), method)
    assert error.value.lines == (
        (
            f"{tmp_path}/mine.csv must leave training rows to every class; got none of 1; "
            "correct the label in the table itself if it is no class"
        ),
    )


def test_ids_of_files_and_lines_name_rows_too(tmp_path: Path) -> None:
    table = write_csv(tmp_path / "c.csv", [(f"text {n}", str(n % 2)) for n in range(40)])
    corrected = tmp_path / "mine.csv"
    corrected.write_text("id,label\n" + "".join(f"c.csv:{n + 2},{(n + 1) % 2}\n" for n in range(4)))
    report = split_table(
        tmp_path, Data(path=str(table), correct_test_rows=True), Split(), corrected
    )
    assert sum(report["corrections"]["applied"].values()) == 4
