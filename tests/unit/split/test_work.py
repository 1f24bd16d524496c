"""The stage split of a table in parts: the bytes and the errors of one process that reads it."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.split.rows import NO_CORRECTIONS, NO_LABELLED, split_table, write_csv
from textclf.artifacts import splits
from textclf.core import resources, workers
from textclf.core.errors import UserError
from textclf.split import partitions
from textclf.split.settings import Split
from textclf.tables import parts
from textclf.tables.settings import Data

SPLIT = Split(method="hash", test_size=0.3, validation_size=0.2, seed=1)
HEADER = ("key", "text", "label", "who", "fold")
COUNT = 240
CORRECTIONS = "id,label\nrow 7,b\nrow 8,b\nrow 201,c\n"
LABELLED = "id,text,label,chosen,round\nx,new words,c,random,2\n" + "".join(
    f"y{n},Copy of {n} and {n},c,,1\n" for n in range(1, 30)
)


def table(folder: Path, *changes: tuple[int, tuple[str, ...]]) -> Path:
    rows: list[tuple[str, ...]] = [
        (
            f"row {n}",
            f"copy of {n // 2} and {n // 2}" if n % 5 else f"Text  {n // 10}",
            "abc"[n % 3],
            f"author {n // 3}",
            ["train", "test", "train", "suggested"][n // 7 % 4],
        )
        for n in range(COUNT)
    ]
    for number, row in changes:
        rows[number] = row
    return write_csv(folder / "c.csv", rows, HEADER)


def run(path: Path, folder: Path, size: int, cores: int, settings: Split, **changes: Any) -> Any:
    """Run the stage with parts of this size and on this number of cores; return all it wrote."""
    files = []
    for name, content in (("corrections", CORRECTIONS), ("labelled", LABELLED)):
        files.append(folder / f"{name}.csv")
        with_ids = changes.get("id") and changes.get("unknown") is None
        empty = {"corrections": NO_CORRECTIONS, "labelled": NO_LABELLED}[name]
        files[-1].write_text(content if with_ids else empty.read_text(), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "PART_BYTES", size)
        patch.setattr(partitions, "PARTITION_BYTES", 3 * size)
        patch.setattr(resources, "cores", lambda: cores)
        split_table(folder, Data(path=str(path), **changes), settings, *files)
    written = [folder / "splits.json", *sorted((folder / "splits").iterdir())]
    return {file.name: file.read_bytes() for file in written}


TABLES: dict[str, dict[str, Any]] = {
    "one label": {},
    "corrected, and with labelled texts": {"id": "key"},
    "an id and groups": {"group": "who", "id": "key"},
    "given splits": {"split": "fold", "group": "who"},
    "rows of no class": {"unknown": "c"},
    "several labels": {"task": "multilabel", "label_separator": "|"},
    "labels that mean others": {"labels": {"c": "b"}},
}


@pytest.mark.parametrize("changes", TABLES.values(), ids=TABLES)
def test_a_table_in_parts_is_split_as_a_whole_one(tmp_path: Path, changes: dict[str, Any]) -> None:
    path = table(tmp_path, (9, ("row 9", "both", "a|c" if "task" in changes else "b", "x", "test")))
    for name in ("whole", "parts"):
        (tmp_path / name).mkdir()
    whole = run(path, tmp_path / "whole", 2**24, 1, SPLIT, **changes)
    assert json.loads(whole["splits.json"])["duplicates"]["normalised"]["train"]
    assert run(path, tmp_path / "parts", 400, 2, SPLIT, **changes) == whole


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("method", ["hash", "random"])
def test_shards_are_the_same_for_any_number_of_processes(tmp_path: Path, method: str) -> None:
    split = SPLIT.model_copy(update={"method": method})
    path, written = table(tmp_path), {}
    for cores in (1, 2, 3):
        (folder := tmp_path / str(cores)).mkdir()
        written[cores] = run(path, folder, 400, cores, split, id="key")
    assert written[1] == written[2] == written[3]
    assert sum(name.startswith("train-") for name in written[1]) > 4
    rows = splits.read(tmp_path / "1" / "splits")
    added = json.loads(written[1]["splits.json"])["labelled"]
    assert sum(map(len, rows.values())) == COUNT + added["rows"]
    assert added["test_copies"] == 30 - added["rows"] > 3
    assert max(len(shard) for shard in splits.open_shards(tmp_path / "1" / "splits")["train"]) == 10


WRONG: dict[str, tuple[int, tuple[str, ...]]] = {
    "a row without a text": (200, ("row 200", "", "a", "x", "train")),
    "an id that another part has": (200, ("row 3", "text", "a", "x", "train")),
    "a row of another width": (200, ("row 200", "text", "a", "x", "train", "y")),
    "a split that is none": (200, ("row 200", "text", "a", "x", "perhaps")),
}


@pytest.mark.parametrize(("number", "row"), WRONG.values(), ids=WRONG)
def test_errors_are_those_of_a_whole_table(
    tmp_path: Path, number: int, row: tuple[str, ...]
) -> None:
    path = table(tmp_path, (number, row), (220, ("row 4", " ", "a", "x", "train")))
    changes = {"id": "key", "split": "fold"}
    lines = []
    for size, cores in ((2**24, 1), (400, 1), (400, 2)):
        with pytest.raises(UserError) as error:
            run(path, tmp_path, size, cores, SPLIT, **changes)
        lines.append(error.value.lines)
    assert f"{path}:222: text must not be empty; got ' ' in column text" in "\n".join(lines[0])
    assert lines[0] == lines[1] == lines[2]
    assert not (tmp_path / "splits").exists()


@pytest.mark.parametrize(("size", "cores"), [(2**24, 1), (400, 1), (400, 2)])
def test_an_id_that_a_row_far_away_has_is_refused(tmp_path: Path, size: int, cores: int) -> None:
    path = table(tmp_path, (200, ("row 3", "text", "a", "x", "train")))
    with pytest.raises(UserError, match=rf"{path}:202: key must be unique; got 'row 3', as in .*5"):
        run(path, tmp_path, size, cores, SPLIT, id="key")


def test_a_quote_within_a_text_that_cuts_the_table_wrongly_has_it_read_as_a_whole(
    tmp_path: Path,
) -> None:
    path = table(tmp_path)
    text = path.read_text(encoding="utf-8").replace("copy of 3 and", 'a 5" copy of 3 and')
    path.write_text(text.replace("copy of 99", 'a "copy" of 99'), encoding="utf-8")
    for name in ("whole", "parts"):
        (tmp_path / name).mkdir()
    whole = run(path, tmp_path / "whole", 2**24, 1, SPLIT)
    assert run(path, tmp_path / "parts", 400, 2, SPLIT) == whole


def test_each_partition_of_the_hashes_is_counted_in_a_process_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks: dict[str, int] = {}
    map_here = workers.Pool.map

    def note(self: Any, function: Any, arguments: Any, description: str) -> Any:
        tasks[description] = len(arguments)
        return map_here(self, function, arguments, description)

    monkeypatch.setattr(workers.Pool, "map", note)
    path = table(tmp_path)
    run(path, tmp_path, 400, 1, SPLIT, id="key")
    size = path.stat().st_size
    assert tasks["split"] >= size // 400
    assert tasks["duplicates"] == tasks["ids"] == size // 1200 > 4
