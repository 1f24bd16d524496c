"""Splits of texts with several labels, through the stage split."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from tests.refusal import refusal
from tests.unit.split.rows import rows_of, split_table, write_csv
from textclf.artifacts import splits
from textclf.core.errors import UserError
from textclf.split.settings import Split
from textclf.tables.settings import Data

NAMES = ["rare", "big", "mid"]
RATES = {"big": 0.6, "mid": 0.2, "rare": 0.03}


def made(count: int = 400) -> list[tuple[str, ...]]:
    """Return texts, each of an author, with labels at these rates."""
    random = np.random.RandomState(0)
    has = {name: random.random_sample(count) < rate for name, rate in RATES.items()}
    return [
        (f"text {n}", "|".join(name for name in NAMES if has[name][n]), f"w{n % 150}")
        for n in range(count)
    ]


def run(
    folder: Path,
    rows: Sequence[tuple[str, ...]],
    corrections: str = "id,label\n",
    data: Mapping[str, Any] = MappingProxyType({}),
    **changes: Any,
) -> tuple[dict[str, dict[str, list[int]]], dict[str, Any]]:
    """Run the stage; return the labels of each text by split, as positions, and the report."""
    path = write_csv(folder / "c.csv", rows, ("text", "label", "who"))
    corrected = folder / "mine.csv"
    corrected.write_text(corrections)
    settings = Data.model_validate(
        {"path": str(path), "task": "multilabel", "label_separator": "|", **data}
    )
    split = Split(**{"test_size": 0.25, "validation_size": 0.15, "seed": 1} | changes)
    report = split_table(folder, settings, split, corrected)
    return {
        name: {row["text"]: row["label"] for row in part} for name, part in rows_of(folder).items()
    }, report


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    "changes", [{"stratify": True}, {"stratify": False}, {"method": "hash"}], ids=str
)
@pytest.mark.parametrize("order", [None, NAMES])
def test_the_files_hold_ascending_positions_of_the_labels(
    tmp_path: Path, changes: dict[str, Any], order: list[str] | None
) -> None:
    rows = made()
    parts, report = run(tmp_path, rows, data={"classes": order}, **changes)
    names = splits.read_classes(tmp_path / "splits")
    assert names == (order or sorted(NAMES))
    actual = {
        text: [names[place] for place in places]
        for part in parts.values()
        for text, places in part.items()
    }
    assert all(places == sorted(places) for part in parts.values() for places in part.values())
    assert actual == {
        text: sorted(cell.split("|") if cell else [], key=names.index) for text, cell, _ in rows
    }
    for name, part in parts.items():
        counts = {
            label: sum(names.index(label) in places for places in part.values()) for label in names
        }
        assert report[name]["classes"] == {label: count for label, count in counts.items() if count}
        assert (report[name]["rows"], report[name]["without_labels"]) == (
            len(part),
            list(part.values()).count([]),
        )


@pytest.mark.parametrize("grouped", [False, True])
def test_stratified_splits_have_each_label_in_its_share_and_whole_groups(
    tmp_path: Path, grouped: bool
) -> None:
    rows = made()
    parts, _ = run(tmp_path, rows, data={"group": "who"} if grouped else {}, stratify=True)
    shares = {"train": 0.6, "validation": 0.15, "test": 0.25}
    cells = {text: cell.split("|") for text, cell, _ in rows}
    for name, part in parts.items():
        assert len(part) == pytest.approx(400 * shares[name], abs=3)
        for label in NAMES:
            have = sum(label in cells[text] for text in part)
            total = sum(label in cell for cell in cells.values())
            assert have == pytest.approx(total * shares[name], abs=3 if grouped else 1.01)
    if grouped:
        who = {text: author for text, _, author in rows}
        authors = [{who[text] for text in part} for part in parts.values()]
        assert not (authors[0] & authors[1])
        assert not (authors[0] & authors[2])
        assert not (authors[1] & authors[2])


def test_a_label_of_two_rows_is_trained_on_and_tested(tmp_path: Path) -> None:
    for seed in range(10):
        rows = [
            (text, f"{cell}|two" if n in (5, 9) else cell, who)
            for n, (text, cell, who) in enumerate(made(100))
        ]
        _, report = run(tmp_path, rows, stratify=True, validation_size=0.0, seed=seed)
        assert (report["train"]["classes"]["two"], report["test"]["classes"]["two"]) == (1, 1)


def test_what_the_splits_hold_is_described(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [(f"t{n}", ["a|b", "", "b", "a"][n % 4], "") for n in range(20)]
    _, report = run(tmp_path, [*rows, ("t0", "a", ""), ("T1", "", "")], validation_size=0.0)
    printed = capsys.readouterr().out
    assert "2 labels: a (11), b (10)\n" in printed
    assert "rows (" in printed
    assert report["label_conflicts"] == {
        "exact": 1,
        "normalised": 1,
    }  # T1 has the set of t1, t0 has two


@pytest.mark.parametrize(
    ("labels", "line"),
    [
        (
            ["a|b", "a"],
            (
                "the training rows must hold rows without each label; all 11 have a: "
                "add rows without it, or leave the label out"
            ),
        ),
        (
            [*["a", "b"] * 10, "c"],
            (
                "the training rows must hold every class; class c has none of 11: "
                "set split.stratify to true, or a smaller split.test_size; "
                "or set data.rare to drop or merge"
            ),
        ),
    ],
)
def test_training_rows_need_rows_with_and_without_each_label(
    tmp_path: Path, labels: list[str], line: str
) -> None:
    rows = [(f"t{n}", labels[n % len(labels)], "") for n in range(21)]

    def split_by_seeds() -> None:
        for seed in range(20):  # of which one leaves c to other rows
            run(tmp_path, rows, seed=seed)

    assert refusal(split_by_seeds) == line


def test_corrections_are_sets_of_labels_in_the_form_of_the_table_or_json(tmp_path: Path) -> None:
    rows = [(f"t{n}", ["big|mid", "rare", "mid"][n % 3], "") for n in range(30)]
    before, _ = run(tmp_path, rows)
    trained = [text for text in before["train"] if before["train"][text] == [0, 1]][:3]
    lines = dict(zip(trained, ["mid|rare", "[]", '"[""big"", ""mid""]"'], strict=True))
    ids = {f"t{n}": f"c.csv:{n + 2}" for n in range(30)}
    corrections = "id,label\n" + "".join(f"{ids[text]},{label}\n" for text, label in lines.items())
    after, report = run(tmp_path, rows, corrections)
    assert [after["train"][text] for text in trained] == [[1, 2], [], [0, 1]]
    assert report["corrections"] == {"applied": {"train": 2}, "unchanged": 1, "skipped": 0}
    with pytest.raises(
        UserError,
        match=r"mine.csv:2: label must be one of the classes \(big, mid, rare\); got 'new'",
    ):
        run(tmp_path, rows, f"id,label\n{ids[trained[0]]},mid|new\n")


def test_an_empty_cell_is_no_correction_to_no_labels(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"label must not be empty; got ''; write \[\] for none$"):
        run(tmp_path, made(), "id,label\nc.csv:2,\n")
    assert refusal(run, tmp_path, made(), "id,label\n,[]\n").endswith(
        "id must not be empty; got ''"
    )
    run(tmp_path, made(), "id,label\nc.csv:2,[]\n")


def test_classes_that_may_be_several_labels_each_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [(f"text {n}", ["a|b", "c|d", "e"][n % 3], "w") for n in range(30)]
    run(tmp_path, rows, data={"task": "multiclass", "label_separator": None})
    assert (
        capsys.readouterr()
        .out.splitlines()[-1]
        .startswith("'|' is in many labels; if it separates labels")
    )
    run(tmp_path, rows, data={})
    assert "in most labels" not in capsys.readouterr().out
