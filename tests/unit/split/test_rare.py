"""Classes too rare to be divided: splits as of a table without them or with one class."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.refusal import refusal
from tests.unit.split.rows import split_table, write_csv
from textclf.artifacts.split_report import SplitReport
from textclf.core import result_files
from textclf.core.errors import TooRareError, UserError
from textclf.split.draw import require_classes
from textclf.split.settings import Split
from textclf.tables.settings import Data

Row = tuple[str, str, str, str, str]
pytestmark = pytest.mark.usefixtures("small")

HEADER = ("text", "label", "who", "n", "fold")
COMMON, RARE = ["a", "b"] * 30, ["r0", "r1", "r2", "r2"]
SINGLE = [*COMMON[:20], *RARE, *COMMON[20:]]
SETS = [*["a|b", "a", "b", ""] * 15, "a|r0", "r1", "b|r2", "r2"]


def rows(labels: Sequence[str]) -> list[Row]:
    """Return rows; the two of class r2 share an author, those of r1 are given as test rows."""
    return [
        (
            f"text {n}",
            label,
            "twin" if "r2" in label else f"who {n}",
            str(n),
            "test" if "r1" in label else "train",
        )
        for n, label in enumerate(labels)
    ]


def run(
    folder: Path, table: Sequence[Row], settings: dict[str, Any], **changed: Any
) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Return the files of the splits, without the checksum of the table, and the report."""
    folder.mkdir()
    data = Data(path=str(write_csv(folder / "c.csv", table, HEADER)), id="n", **changed)
    split = Split.model_validate({"seed": 2} | settings)
    split_table(folder, data, split)
    files = {
        path.name: path.read_bytes()
        for path in (folder / "splits").iterdir()
        if path.name != "table.json"
    }
    return files, result_files.to_json(result_files.read(folder / "splits.json", SplitReport))


def dropped(label: str) -> str:
    return "|".join(part for part in label.split("|") if not part.startswith("r"))


def merged(label: str) -> str:
    return "|".join(
        dict.fromkeys("other" if part.startswith("r") else part for part in label.split("|"))
    )


METHODS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "random": ({}, {}),
    "stratified": ({"stratify": True, "validation_size": 0.2}, {}),
    "grouped": ({"stratify": True, "group_duplicates": True}, {"group": "who"}),
    "hash": ({"method": "hash"}, {}),
    "hash of groups": ({"method": "hash", "validation_size": 0.2}, {"group": "who"}),
    "time": ({"method": "time"}, {"time": "n"}),
    "given": ({"stratify": True}, {"split": "fold"}),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("rare", "change"), [("drop", dropped), ("merge", merged)])
def test_the_splits_are_those_of_a_table_without_what_the_split_refuses(
    tmp_path: Path,
    method: str,
    rare: str,
    change: Callable[[str], str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings, changed = METHODS[method]
    table = rows(SINGLE) if method != "time" else rows([*COMMON, *RARE])  # the latest are rare
    assert "set data.rare to drop or merge" in refusal(
        run, tmp_path / "refused", table, settings, **changed
    )
    files, report = run(tmp_path / "rare", table, settings, rare=rare, **changed)
    gone = {label for names in report["rare"].values() for label in names}
    assert gone
    assert gone <= set(RARE)
    if "dropped" in report["rare"]:  # also if one class of all was too rare
        change = dropped
    others = [
        (text, change(label) if label in gone else label, *more) for text, label, *more in table
    ]
    kept = [row for row in others if row[1]]
    assert files == run(tmp_path / "kept", kept, settings, **changed)[0]  # type: ignore[arg-type]
    done = "left out" if change is dropped else "united as other"
    assert f"too rare to be divided, {done} (data.rare): " in capsys.readouterr().out


@pytest.mark.parametrize("method", ["random", "stratified", "hash"])
@pytest.mark.parametrize(("rare", "change"), [("drop", dropped), ("merge", merged)])
def test_of_a_set_of_labels_the_label_is_left_out(
    tmp_path: Path, method: str, rare: str, change: Callable[[str], str]
) -> None:
    changed: dict[str, Any] = {"task": "multilabel", "label_separator": "|"}
    settings = METHODS[method][0]
    files, report = run(tmp_path / "rare", rows(SETS), settings, rare=rare, **changed)
    assert sum(
        report[name]["rows"] for name in ("train", "validation", "test") if name in report
    ) == len(SETS)
    gone = {label for names in report["rare"].values() for label in names}
    if "dropped" in report["rare"]:
        change = dropped
    sets = [
        "|".join(filter(None, (change(part) if part in gone else part for part in row.split("|"))))
        for row in SETS
    ]
    assert files == run(tmp_path / "kept", rows(sets), settings, **changed)[0]
    for name in set(report["train"]["classes"]):
        assert report["test"]["classes"][name]


def test_classes_that_one_of_both_splits_lacks_are_refused_together() -> None:
    counts = {"train": {"a": 9, "b": 9, "c": 1}, "test": {"a": 3, "b": 3, "d": 1}}
    with pytest.raises(
        TooRareError, match="the training rows must hold every class; class d has none of 19"
    ) as error:
        require_classes(counts, "random")
    assert (error.value.rare, error.value.classes) == ({"c", "d"}, {"a", "b", "c", "d"})


def test_classes_of_data_classes_may_be_rare(tmp_path: Path) -> None:
    run(
        tmp_path / "a",
        rows(SINGLE),
        {"stratify": True},
        rare="drop",
        classes=["r0", "b", "r2", "a", "r1"],
    )
    assert '"classes": [    "b",    "a"  ]' in (
        tmp_path / "a/splits/classes.json"
    ).read_text().replace("\n", "")


def test_a_class_that_a_stratified_split_has_no_room_for_is_rare(tmp_path: Path) -> None:
    labels = [
        *["a"] * 30,
        *["b"] * 10,
        *[f"r{n // 2}" for n in range(40)],
    ]  # 22 classes, 20 test rows
    _, report = run(tmp_path / "a", rows(labels), {"stratify": True}, rare="merge")
    assert set(report["train"]["classes"]) == {"a", "b", "other"}


def test_what_is_told_of_labels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = ["A" if n == 3 else label for n, label in enumerate(SINGLE)]
    run(tmp_path / "a", rows(labels), {"stratify": True}, rare="drop", labels={"gone": "a"})
    lines = capsys.readouterr().out.splitlines()
    assert (
        "warning: 4 classes too rare to be divided, left out (data.rare): A (1), r0 (1), r1 (1), "
        "r2 (2)" in lines
    )
    alike = (
        "warning: labels that look alike: 'A' (1) as 'a' (30); if they are the same, "
        "set data.labels: {A: a}"
    )
    assert alike.replace("(30)", f"({labels.count('a')})") in lines


def test_a_correction_of_a_row_that_is_left_out_is_refused(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "c.csv", rows(SINGLE), HEADER)
    (tmp_path / "mine.csv").write_text("id,label\n20,a\n")
    data = Data(path=str(path), id="n", rare="drop")
    with pytest.raises(
        UserError, match=r"of a row of the table that data\.rare does not leave out; got '20'"
    ):
        split_table(tmp_path, data, Split(stratify=True), tmp_path / "mine.csv")
