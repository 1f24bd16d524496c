"""The stage split by both methods: equal bytes, no writes after an error, memory."""

import gzip
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages import split as stage
from tests.processes import python
from tests.refusal import refusal
from tests.unit.split.rows import NO_CORRECTIONS, NO_LABELLED, numbered, split_table, write_csv
from textclf.artifacts import memory, shards, splits
from textclf.artifacts.split_report import Leaks, SplitCounts, SplitReport
from textclf.core import resources
from textclf.core.errors import UserError
from textclf.split import write
from textclf.split.settings import Split
from textclf.tables import limits
from textclf.tables.settings import Data


def by_hash(test_size: float = 0.25, validation_size: float = 0.0, **changes: Any) -> Split:
    return Split(
        method="hash", test_size=test_size, validation_size=validation_size, seed=1, **changes
    )


def data(**changes: Any) -> Data:
    return Data(text="text", label="label", classes=None, **changes)


RANDOM = Split(method="random", seed=1)
ADVICE = "; split.group_duplicates: true keeps duplicates in one split"


def run(path: Path, folder: Path, split: Split, **changes: Any) -> Any:
    return split_table(folder, data(path=str(path), **changes), split)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


IMPORTS = """
import sys; from pathlib import Path; from stages.split import run
from textclf.split.settings import Split; from textclf.tables.settings import Data
paths = dict(zip(("corrections", "labelled", "splits", "report"), map(Path, sys.argv[2:6])))
run(Data(path=sys.argv[1]), Split(method=sys.argv[6]), **paths)
print({"pandas", "scipy", "sklearn"} & {*sys.modules})
"""


@pytest.mark.parametrize("method", ["hash", "random"])
def test_a_split_spares_the_imports_that_take_long(method: str, tmp_path: Path) -> None:
    table = write_csv(tmp_path / "a.csv", numbered(200))
    places = (NO_CORRECTIONS, NO_LABELLED, tmp_path / "splits", tmp_path / "report")
    done = python("-c", IMPORTS, table, *places, method)
    assert done.out.endswith("set()\n"), done.err


# What is read


def test_the_stage_says_that_each_file_is_a_text_of_its_folders_class(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(40):
        file = tmp_path / "reviews" / ("good" if number % 2 else "bad") / f"{number}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"text {number}")
    split_table(tmp_path, Data(path=str(tmp_path / "reviews")), by_hash(0.3, 0.0))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "40 files, each a text whose label is the name of its folder (bad, good)"
    assert lines[1] == "2 classes: bad (20), good (20)"
    assert {row.partition("/")[0] for row in splits.read(tmp_path / "splits")["test"]["id"]} == {
        "bad",
        "good",
    }


@pytest.mark.parametrize("name", ["table.csv", "corrections.csv", "labelled.csv"])
def test_a_file_that_changes_while_it_is_read_is_refused_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    table, *others = (tmp_path / each for each in ("table.csv", "corrections.csv", "labelled.csv"))
    write_csv(table, numbered(40))
    for path, empty in zip(others, (NO_CORRECTIONS, NO_LABELLED), strict=True):
        shutil.copy(empty, path)
    before = sorted(tmp_path.iterdir())

    def write_and_change(*arguments: Any) -> Any:
        result = write.write_splits(*arguments)
        with (tmp_path / name).open("a", encoding="utf-8") as file:
            file.write("\n")
        return result

    monkeypatch.setattr(stage, "write_splits", write_and_change)
    assert "must not change while it is read" in refusal(
        split_table, tmp_path, data(path=str(table)), RANDOM, *others
    )
    assert sorted(tmp_path.iterdir()) == before


# What is written


@pytest.mark.usefixtures("small")
@given(cuts=st.sets(st.integers(1, 59), max_size=6), blocks=st.integers(1, 70))
def test_files_and_batches_of_any_size_give_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory, cuts: set[int], blocks: int
) -> None:
    folder = tmp_path_factory.mktemp("parts")
    rows = [(f"text {number}", str(number % 3), f"row {number}") for number in range(60)]
    header = ("text", "label", "key")
    whole = write_csv(folder / "whole.csv", rows, header)
    (folder / "parts").mkdir()
    for number, (start, end) in enumerate(pairwise([0, *sorted(cuts), 60])):
        write_csv(folder / "parts" / f"{number}.csv", rows[start:end], header)
    with pytest.MonkeyPatch.context() as patch:
        report = run(whole, folder / "one", by_hash(0.3, 0.2), id="key")
        patch.setattr(limits, "BLOCK_ROWS", blocks)
        assert run(folder / "parts", folder / "several", by_hash(0.3, 0.2), id="key") == report
    several, one = (contents(folder / name / "splits") for name in ("several", "one"))
    assert several.pop("table.json") != one.pop("table.json")  # the checksums of the files
    assert several == one


@pytest.mark.usefixtures("small")
def test_groups_stay_together_whatever_their_texts(tmp_path: Path) -> None:
    rows = [
        (f"text {number % 40}", str(number % 2), f"author {number // 8}") for number in range(400)
    ]
    run(
        write_csv(tmp_path / "c.csv", rows, ("text", "label", "who")),
        tmp_path,
        by_hash(0.3, 0.2),
        group="who",
    )
    parts = splits.read(tmp_path / "splits")
    authors = {
        name: {(int(row.removeprefix("c.csv:")) - 2) // 8 for row in part["id"]}
        for name, part in parts.items()
    }
    assert sum(map(len, authors.values())) == 50
    assert list(parts["train"]) == ["id", "text", "label"]


def test_a_random_split_is_cut_into_shards_in_its_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = write_csv(tmp_path / "c.csv", numbered(100))
    whole = run(table, tmp_path / "whole", RANDOM)
    monkeypatch.setattr(shards, "ROWS", 30)
    assert run(table, tmp_path / "cut", RANDOM) == whole
    assert len(splits.open_shards(tmp_path / "cut" / "splits")["train"]) == 3
    cut = splits.read(tmp_path / "cut" / "splits")
    for name, part in splits.read(tmp_path / "whole" / "splits").items():
        assert cut[name].equals(part)


def test_sizes_and_leaks_are_described() -> None:
    report = SplitReport(
        train=SplitCounts(classes={"no": 3, "yes": 2}),
        test=SplitCounts(classes={"yes": 1}),
        leaks=Leaks(normalised={"test_in_train": 1}),
        dropped={"rows": 2},
    )
    lines = [
        "2 classes: yes (3), no (3)",
        "warning: left out: 2 rows without text or label",
        "train: 5 rows",
        "test: 1 row",
        "warning: 1 test row has a text that is also in train",
    ]
    assert list(write.describe_splits(["yes", "no"], report, by_hash())) == lines
    for settings, advice in (
        (RANDOM, ADVICE),
        (Split(seed=1, group_duplicates=True), ""),
        (Split(seed=1, method="time"), "; the latest rows test"),
    ):
        assert (
            list(write.describe_splits(["yes", "no"], report, settings))[-1] == lines[-1] + advice
        )


def test_group_duplicates_is_advised_for_texts_of_drawn_rows_alone() -> None:
    report = SplitReport(
        train=SplitCounts(classes={"no": 3, "yes": 2}),
        validation=SplitCounts(classes={"no": 1, "yes": 1}),
        test=SplitCounts(classes={"no": 1, "yes": 1}),
        given={"train": 7, "validation": 2},
        leaks=Leaks(
            normalised={"test_in_train": 1, "test_in_validation": 1}, group={"test_in_train": 1}
        ),
        dropped={"rows": 0},
    )
    lines = [
        line for line in write.describe_splits(["yes", "no"], report, RANDOM) if "test row" in line
    ]
    assert lines == [
        f"warning: 1 test row has a text that is also in train{ADVICE}",
        "warning: 1 test row has a text that is also in validation; given rows stay where they are",
        "warning: 1 test row has a group that is also in train",
    ]


# Errors


def test_a_class_without_test_rows_is_an_error_and_nothing_is_written(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "c.csv", [("a", "0"), ("b", "1")])
    line = "the test rows must hold every class; class 0 has none of 0: "
    advice = (
        "set another split.seed, method random, or a larger split.test_size; "
        "or set data.rare to drop or merge"
    )
    assert refusal(run, path, tmp_path / "out", by_hash(0.001)) == f"{line}{advice}"
    assert not list((tmp_path / "out").iterdir())


def test_duplicates_and_groups_can_not_both_be_kept_together_by_hash(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "c.csv", [("a", "0"), ("b", "1")])
    with pytest.raises(UserError) as error:
        run(path, tmp_path / "out", by_hash(group_duplicates=True), group="label")
    rule = (
        "must be false with method hash and a data.group, by which alone rows are then kept "
        "together"
    )
    assert error.value.lines == (f"params.yaml: split.group_duplicates {rule}; got true",)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("number", [0, 6, 7, 59])
def test_a_wrong_row_anywhere_is_an_error_and_nothing_is_written(
    tmp_path: Path, number: int
) -> None:
    rows = numbered(60)
    rows[number] = ("", "1")
    path = write_csv(tmp_path / "c.csv", rows)
    assert refusal(run, path, tmp_path / "out", by_hash()).startswith(
        f"{path}:{number + 2}: text must not be empty"
    )
    assert not list((tmp_path / "out").iterdir())


# Room


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("words", "count", "by_method"),  # memory and disk
    [
        (100_000, 20, {"hash": ("79 MB", "20 MB"), "random": ("40 MB", "20 MB")}),
        (1, 20_000, {"hash": ("1.3 MB", "1.3 MB"), "random": ("8.1 MB", "1.3 MB")}),
    ],
)
def test_a_large_table_that_does_not_fit_on_the_disk_or_into_memory_is_refused_at_once(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: int,
    count: int,
    by_method: dict[str, tuple[str, str]],
) -> None:
    path = write_csv(
        tmp_path / "c.csv", [(f"{'text ' * words}{n}", str(n % 2)) for n in range(count)]
    )
    free = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(resources, "available_memory", lambda: 10)
    purposes = {
        "hash": "split.method hash",
        "random": f"split.method random (hash takes {by_method['hash'][0]})",
    }
    for split in (by_hash(), RANDOM):
        memory, disk = by_method[split.method]
        for space, line in (
            (0, f"{tmp_path}/out/splits needs about {disk} of disk; "),
            (10**9, f"{purposes[split.method]} needs about {memory} of memory; "),
        ):
            monkeypatch.setattr(
                shutil, "disk_usage", lambda _, space=space: free._replace(free=space)
            )
            assert refusal(run, path, tmp_path / "out", split).startswith(line)
            assert not (tmp_path / "out").exists()


def test_the_room_for_few_rows_or_for_how_many_is_not_known_is_not_announced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shards, "ROWS", 61)  # with the header
    path = write_csv(tmp_path / "c.csv", numbered(60))
    (tmp_path / "c.csv.gz").write_bytes(
        gzip.compress(write_csv(tmp_path / "d.csv", numbered(99)).read_bytes(), 0)
    )
    for table in (path, tmp_path / "c.csv.gz"):
        run(table, tmp_path / "out", by_hash())
        assert "of disk" not in capsys.readouterr().out
    run(write_csv(path, numbered(61)), tmp_path / "out", by_hash())
    assert "62 rows in 2 shards: about " in capsys.readouterr().out


@pytest.mark.parametrize("split", [RANDOM, by_hash()], ids=["random", "hash"])
@pytest.mark.parametrize("group", [None, "author"])
@pytest.mark.usefixtures("small")
def test_every_row_has_the_cluster_of_its_text_or_group(
    tmp_path: Path, split: Split, group: str | None
) -> None:
    rows = [(f"text {n // 3}", str(n // 3 % 2), f"author {n // 6}") for n in range(120)]
    path = write_csv(tmp_path / "rows.csv", rows, ("text", "label", "author"))
    run(path, tmp_path, split, group=group)
    clusters: dict[int, set[str]] = {}
    for name in ("train", "test"):
        paths = shards.paths(tmp_path / "splits", name, splits.SUFFIX)
        keys = [
            key for part in splits.open_clusters(tmp_path / "splits", name) for key in part.tolist()
        ]
        texts = [text for path in paths for text in splits.read_column(path, "text")]
        for key, text in zip(keys, texts, strict=True):
            clusters.setdefault(key, set()).add(text)
    assert len(clusters) == (40 if group is None else 20)
    assert sum(map(len, clusters.values())) == 40


def labelled(path: Path, classes: int, rows: int) -> Path:
    return write_csv(
        path, [(f"text {n}", f"c{n % classes}") for n in range(classes * rows)], ("text", "label")
    )


@pytest.mark.parametrize("method", ["random", "hash"])
def test_more_classes_than_could_be_evaluated_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setattr(memory, "MANY_CLASSES", 2)
    monkeypatch.setattr(resources, "available_memory", lambda: 120_000_000)
    table = labelled(tmp_path / "c.csv", 3, 100)
    line = refusal(run, table, tmp_path, Split.model_validate({"method": method}))
    start = (
        f"{table}: a probability of each of 3 classes (are the labels classes, "
        "or texts or ids by mistake?) for 300 "
    )
    assert line.startswith(start)
    assert not (tmp_path / "splits").exists()


def test_of_many_classes_the_ends_are_shown_with_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(labelled(tmp_path / "c.csv", 1001, 8), tmp_path, Split(stratify=True))
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "1,001 classes: from 8 (c0) to 8 rows (c999)"
    assert out[1] == "warning: 1,001 classes; are the labels classes, or texts or ids by mistake?"
    with pytest.raises(
        UserError,
        match=r"are the labels classes \(1,500\), or texts or ids by mistake\? Else set split",
    ):
        run(labelled(tmp_path / "c.csv", 1500, 1), tmp_path, Split(stratify=False))


def test_labels_that_look_alike_and_labels_that_no_row_has_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [(f"text {n}", ["a", "b", "A", "b"][n % 4]) for n in range(40)]
    report = run(
        write_csv(tmp_path / "c.csv", rows),
        tmp_path,
        Split(stratify=True),
        labels={"gone": "a", "b": "B"},
    )
    assert report["labels"] == {"gone": 0, "b": 20}
    lines = capsys.readouterr().out.splitlines()
    assert (
        "warning: data.labels: no row has gone; leave it out, or write it as in the table" in lines
    )
    alike = (
        "warning: labels that look alike: 'A' (10) as 'a' (10); if they are the same, "
        "set data.labels: {A: a}"
    )
    assert alike in lines
