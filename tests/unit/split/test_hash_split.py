"""The split by hash: what a row's split depends on, how rows get into shards, what is counted of them."""

import csv
import gzip
import json
import math
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import mmh3
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stages import split as stage
from textclf.artifacts import shards
from textclf.core import files
from textclf.core import resources as budget
from textclf.core.errors import UserError
from textclf.params import MAX_SEED, Data, Params, Split, load
from textclf.split import splitting
from textclf.tables import corpus
from textclf.tables import readers as tables
from textclf.tables.corpus import Stream

ROOT = Path(__file__).resolve().parents[3]
LESSON = load(ROOT / "params.yaml")
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


def data(**changed: Any) -> Data:
    return LESSON.data.model_copy(update={"path": "unused", **changed})


def hashing(test_size: float = 0.25, validation_size: float = 0.0, seed: int = 1) -> Split:
    return LESSON.split.model_copy(
        update={"method": "hash", "test_size": test_size, "validation_size": validation_size, "seed": seed}
    )


def params(chosen: Split, **changed: Any) -> Params:
    return LESSON.model_copy(update={"split": chosen, "data": data(**changed)})


def batch_of(rows: list[tuple[str, str]], start: int = 0) -> splitting.Batch:
    return {
        "id": [f"c:{number}" for number in range(start, start + len(rows))],
        "text": [text for text, _ in rows],
        "label": [label for _, label in rows],
    }


def numbered(count: int) -> list[tuple[str, str]]:
    return [(f"text {number}", str(number % 2)) for number in range(count)]


def splits_of(texts: list[str], chosen: Split) -> list[int]:
    keys = splitting.fingerprints(splitting.normalised_bytes(texts), chosen.seed)
    return [int(place) for place in splitting.places(keys, chosen)]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def table(path: Path, rows: Sequence[tuple[str, ...]], header: tuple[str, ...] = ("text", "label")) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shards of ten rows, pieces of two, blocks of seven."""
    monkeypatch.setattr(shards, "ROWS", 10)
    monkeypatch.setattr(splitting, "PIECES", 5)
    monkeypatch.setattr(tables, "BLOCK_ROWS", 7)


# Which split a row goes to


def test_a_split_is_the_hash_of_the_normalised_text_by_its_seed() -> None:
    chosen = hashing(0.25, 0.15, seed=7)
    texts = [text for text, _ in numbered(200)] + ["  Straße\tNo 1 ", "\uff27\uff4f\uff4f\uff44", "a\nb"]
    expected = []
    for text in texts:
        digest = mmh3.mmh3_x64_128_digest(splitting.normalised(text).encode(), 7)
        number = (int.from_bytes(digest[:8], "little") >> 11) / 2**53
        expected.append("test" if number < 0.25 else "validation" if number < 0.4 else "train")
    assert [files.SPLITS[place] for place in splits_of(texts, chosen)] == expected


def test_splits_stay_what_they_are() -> None:
    # Written down: the splits of a corpus must be the same in every version and on every machine.
    chosen = hashing(0.25, 0.25, seed=1000)
    assert splits_of(["good", "bad", "Wow... Loved this place.", "Crust is not good.", "é", "中"], chosen) == [
        2,
        0,
        0,
        2,
        0,
        1,
    ]


@given(st.lists(TEXTS, max_size=20), st.integers(0, MAX_SEED))
@settings(deadline=None)
def test_texts_are_normalised_together_as_they_are_alone(texts: list[str], seed: int) -> None:
    together = splitting.normalised_bytes(texts)
    assert together == [splitting.normalised(text).encode() for text in texts]
    assert splits_of(texts, hashing(0.3, 0.3, seed)) == [
        splits_of([text], hashing(0.3, 0.3, seed))[0] for text in texts
    ]


@given(st.lists(st.text(st.sampled_from("aB \t\n\x0b\x1c\x1f\0é\u3000\u0085"), max_size=6), max_size=8))
@settings(deadline=None)
def test_spaces_of_all_kinds_are_normalised_together_as_alone(texts: list[str]) -> None:
    assert splitting.normalised_bytes(texts) == [splitting.normalised(text).encode() for text in texts]


@given(TEXTS, st.integers(0, MAX_SEED), st.floats(0.1, 0.6), st.floats(0.0, 0.3))
@settings(deadline=None)
def test_duplicates_never_straddle(text: str, seed: int, test_size: float, validation_size: float) -> None:
    spelt = [text, f"  {text}\t", text.casefold(), splitting.normalised(text), f"\n{text}"]
    assume(len({splitting.normalised(each) for each in spelt}) == 1)
    assert len(set(splits_of(spelt, hashing(test_size, validation_size, seed)))) == 1


@given(st.lists(TEXTS, min_size=1, max_size=20), st.lists(TEXTS, max_size=20), st.data())
@settings(deadline=None)
def test_rows_that_come_move_none_that_are_there(texts: list[str], new: list[str], more: st.DataObject) -> None:
    order = more.draw(st.permutations(range(len(texts) + len(new))))
    both = [*texts, *new]
    before, after = splits_of(texts, hashing()), splits_of([both[place] for place in order], hashing())
    assert [after[order.index(place)] for place in range(len(texts))] == before


@pytest.mark.parametrize(("test_size", "validation_size"), [(0.25, 0.0), (0.25, 0.15), (0.01, 0.5), (0.9, 0.05)])
@pytest.mark.parametrize("seed", [0, 1, 1000, MAX_SEED])
def test_sizes_are_within_five_standard_deviations(test_size: float, validation_size: float, seed: int) -> None:
    rows = 20_000
    chosen = hashing(test_size, validation_size, seed)
    counts = Counter(splits_of([text for text, _ in numbered(rows)], chosen))
    shares = {"test": test_size, "validation": validation_size, "train": 1 - test_size - validation_size}
    for name, share in shares.items():
        deviation = math.sqrt(rows * share * (1 - share))
        assert abs(counts[files.SPLITS.index(name)] - rows * share) <= 5 * deviation


def test_other_seeds_share_out_independently() -> None:
    texts = [text for text, _ in numbered(20_000)]
    one, other = (np.array(splits_of(texts, hashing(0.5, seed=seed))) for seed in (1, 2))
    assert abs((one == other).mean() - 0.5) < 5 * 0.5 / math.sqrt(len(texts))


def test_validation_rows_are_taken_from_train_and_leave_test_alone() -> None:
    texts = [text for text, _ in numbered(500)]
    without, with_them = (np.array(splits_of(texts, hashing(0.25, size))) for size in (0.0, 0.2))
    test = files.SPLITS.index("test")
    assert ((without == test) == (with_them == test)).all()


def test_the_borders_of_the_shares_are_exact() -> None:
    chosen = hashing(0.25, 0.5)
    keys = np.array([0, 2**62 - 1, 2**62, 3 * 2**62 - 1, 3 * 2**62, 2**64 - 1], np.uint64)
    names = [files.SPLITS[place] for place in splitting.places(keys, chosen)]
    assert names == ["test", "test", "validation", "validation", "train", "train"]


# Shards


def run(path: Path, folder: Path, chosen: Split, **changed: Any) -> dict[str, Any]:
    """The metrics of the stage, the splits being written to folder / splits."""
    stage.run(params(chosen, **changed), path, folder / "splits", folder / "splits.json")
    report = files.read_json(folder / "splits.json")
    assert isinstance(report, dict)
    return report


@pytest.mark.usefixtures("small")
@given(count=st.integers(20, 130), seed=st.integers(0, MAX_SEED), validation_size=st.sampled_from([0.0, 0.3]))
@settings(deadline=None, max_examples=40)
def test_every_row_goes_whole_into_one_shard_of_its_split(
    tmp_path_factory: pytest.TempPathFactory, count: int, seed: int, validation_size: float
) -> None:
    folder = tmp_path_factory.mktemp("shards")
    rows, chosen = numbered(count), hashing(0.3, validation_size, seed)
    try:
        splitting.hashed([batch_of(rows[:33]), batch_of(rows[33:], 33)], chosen, folder)
    except UserError:
        assume(False)
    assert not [path for path in folder.iterdir() if path.suffix != ".parquet"]
    found = splitting.read(folder)
    together = pd.concat(found.values()).sort_values("id", key=lambda ids: ids.str[2:].astype(int))
    assert together.to_dict("list") == batch_of(rows)
    for name, paths in splitting.shard_paths(folder).items():
        sizes = [pq.read_metadata(path).num_rows for path in paths]
        assert len(sizes) == -(-sum(sizes) // 10)
        assert max(sizes) <= 10
        assert splits_of(found[name]["text"].tolist(), chosen) == [files.SPLITS.index(name)] * sum(sizes)
        assert pq.read_schema(paths[0]).equals(splitting.SCHEMA)


@pytest.mark.parametrize("count", [9, 10, 11, 20, 21])
def test_shards_are_full_but_for_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(shards, "ROWS", 10)
    writer = splitting.Shuffler(tmp_path, "train", seed=1)
    for number in range(count):
        writer.add(pa.table({name: [str(number)] for name in ("id", "text", "label")}, schema=splitting.SCHEMA))
    written = writer.close()
    assert [path.name for path in written] == (
        ["train.parquet"]
        if count <= 10
        else [f"train-{number:05d}.parquet" for number in range(1, -(-count // 10) + 1)]
    )
    sizes = sorted(pq.read_metadata(path).num_rows for path in written)
    assert sizes == sorted([10] * (count // 10) + [count % 10] * (count % 10 > 0))


def test_rows_of_a_sorted_table_are_mixed_through_all_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "ROWS", 200)
    rows = [(f"text {number}", str(int(number < 1000))) for number in range(2000)]
    splitting.hashed([batch_of(rows)], hashing(), tmp_path)
    for path in splitting.shard_paths(tmp_path)["train"]:
        shard = splitting.read_shard(path)
        share = shard["label"].eq("1").mean()
        assert abs(share - 0.5) < 5 * 0.5 / math.sqrt(len(shard))
        assert shard["label"].iloc[: len(shard) // 2].nunique() == 2


@pytest.mark.usefixtures("small")
@given(cuts=st.sets(st.integers(1, 59), max_size=6), blocks=st.integers(1, 70))
@settings(deadline=None, max_examples=25)
def test_files_and_batches_of_any_size_give_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory, cuts: set[int], blocks: int
) -> None:
    folder = tmp_path_factory.mktemp("parts")
    rows = [(f"text {number}", str(number % 3), f"row {number}") for number in range(60)]
    header = ("text", "label", "key")
    whole = table(folder / "whole.csv", rows, header)
    (folder / "parts").mkdir()
    borders = [0, *sorted(cuts), 60]
    for number, (start, end) in enumerate(pairwise(borders)):
        table(folder / "parts" / f"{number}.csv", rows[start:end], header)
    with pytest.MonkeyPatch.context() as patch:
        one = run(whole, folder / "one", hashing(0.3, 0.2), id="key")
        patch.setattr(tables, "BLOCK_ROWS", blocks)
        assert run(folder / "parts", folder / "several", hashing(0.3, 0.2), id="key") == one
    assert contents(folder / "several" / "splits") == contents(folder / "one" / "splits")


@pytest.mark.usefixtures("small")
def test_groups_stay_together_whatever_their_texts(tmp_path: Path) -> None:
    rows = [(f"text {number % 40}", str(number % 2), f"author {number // 8}") for number in range(400)]
    path = table(tmp_path / "c.csv", rows, ("text", "label", "who"))
    run(path, tmp_path, hashing(0.3, 0.2), group="who")
    found = splitting.read(tmp_path / "splits")
    authors = {name: {int(row.removeprefix("c.csv:")) - 2 for row in part["id"]} for name, part in found.items()}
    assert sum(len({row // 8 for row in part}) for part in authors.values()) == 50
    assert list(found["train"]) == ["id", "text", "label"]


def test_a_run_of_hash_repeats_whatever_the_seed_of_python(tmp_path: Path) -> None:
    table(tmp_path / "c.csv", [(f"text é {number}", str(number % 2)) for number in range(300)])
    yaml = (ROOT / "params.yaml").read_text().replace("method: random", "method: hash  ")
    seen = []
    for seed in ("0", "1"):
        folder = tmp_path / seed
        folder.mkdir()
        (folder / "params.yaml").write_text(yaml)
        subprocess.run(
            [sys.executable, "-m", "stages.split", tmp_path / "c.csv", "splits", "splits.json"],
            cwd=folder,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            check=True,
        )
        seen.append((contents(folder / "splits"), (folder / "splits.json").read_bytes()))
    assert seen[0] == seen[1]


# Random


def test_rows_that_are_drawn_are_cut_into_shards_in_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = table(tmp_path / "c.csv", numbered(100))
    chosen = hashing().model_copy(update={"method": "random"})
    whole = run(path, tmp_path / "whole", chosen)
    monkeypatch.setattr(shards, "ROWS", 30)
    assert run(path, tmp_path / "cut", chosen) == whole
    one, several = (splitting.read(tmp_path / name / "splits") for name in ("whole", "cut"))
    assert len(splitting.shard_paths(tmp_path / "cut" / "splits")["train"]) == 3
    for name, part in one.items():
        assert several[name].equals(part)


# What is counted


def naive(parts: dict[str, list[tuple[str, str]]]) -> dict[str, Any]:
    report: dict[str, Any] = {
        name: {"classes": dict(Counter(label for _, label in part))} for name, part in parts.items()
    }
    report |= {"duplicates": {}, "leaks": {}, "label_conflicts": {}}
    for kind, key in (("exact", str), ("normalised", splitting.normalised)):
        texts = {name: [key(text) for text, _ in part] for name, part in parts.items()}
        report["duplicates"][kind] = {name: len(part) - len(set(part)) for name, part in texts.items()}
        names = list(texts)
        report["leaks"][kind] = {
            f"{one}_in_{other}": sum(text in texts[other] for text in texts[one])
            for place, one in enumerate(names)
            for other in names[:place]
        }
        labels: dict[str, set[str]] = {}
        for part in parts.values():
            for text, label in part:
                labels.setdefault(key(text), set()).add(label)
        report["label_conflicts"][kind] = sum(len(each) > 1 for each in labels.values())
    return report


ROWS = st.lists(
    st.tuples(st.sampled_from(["a", "A", " a", "b", "B ", "é", "É", "e\u0301", "c"]), st.sampled_from("xyz")),
    max_size=12,
)


@given(train=ROWS, validation=st.none() | ROWS, test=ROWS, cut=st.integers(1, 5))
@settings(deadline=None, max_examples=300)
def test_what_splits_share_is_counted_as_naively(
    train: list[tuple[str, str]], validation: list[tuple[str, str]] | None, test: list[tuple[str, str]], cut: int
) -> None:
    parts = {"train": train, **({} if validation is None else {"validation": validation}), "test": test}
    frames = {name: pd.DataFrame(part, columns=["text", "label"]) for name, part in parts.items()}
    assert splitting.leakage(frames) == naive(parts)
    tally = splitting.Tally()
    for name in reversed(parts):
        for start in range(0, max(len(parts[name]), 1), cut):
            some = batch_of(parts[name][start : start + cut])
            tally.add(name, some["text"], some["label"])
    assert tally.report() == naive(parts)


@pytest.mark.usefixtures("small")
@given(rows=st.lists(ROWS, min_size=8, max_size=20), seed=st.integers(0, 50))
@settings(deadline=None, max_examples=40)
def test_a_stream_is_counted_as_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[tuple[str, str]]], seed: int
) -> None:
    folder = tmp_path_factory.mktemp("counted")
    try:
        report = splitting.hashed([batch_of(part) for part in rows], hashing(0.3, 0.2, seed), folder)
    except UserError:
        assume(False)
    assert report == splitting.leakage(splitting.read(folder))
    assert not any(report["leaks"]["normalised"].values())


# What can go wrong


def test_a_class_that_is_not_tested_is_an_error_and_nothing_is_written(tmp_path: Path) -> None:
    path = table(tmp_path / "c.csv", [("a", "0"), ("b", "1")])
    with pytest.raises(UserError) as error:
        run(path, tmp_path / "out", hashing(0.001))
    line = "the test rows must hold every class; class 0 has none of 0: "
    assert error.value.lines == (f"{line}set another split.seed, method random, or a larger split.test_size",)
    assert not list((tmp_path / "out").iterdir())


def test_no_validation_rows_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"the validation rows must be one at least; got none: set a larger"):
        splitting.hashed([batch_of(numbered(60))], hashing(0.3, 1e-9), tmp_path)


def test_duplicates_can_not_be_kept_together_beside_groups(tmp_path: Path) -> None:
    path = table(tmp_path / "c.csv", [("a", "0"), ("b", "1")])
    chosen = hashing().model_copy(update={"group_duplicates": True})
    with pytest.raises(UserError) as error:
        run(path, tmp_path / "out", chosen, group="label")
    rule = "must be false with method hash and a data.group, by which alone rows are kept together then"
    assert error.value.lines == (f"params.yaml: split.group_duplicates {rule}; got true",)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("place", [0, 5, 6, 7, 59])
def test_a_wrong_row_anywhere_fails_the_stage_and_nothing_is_written(tmp_path: Path, place: int) -> None:
    rows = numbered(60)
    rows[place] = ("", "1")
    path = table(tmp_path / "c.csv", rows)
    with pytest.raises(UserError, match=rf"^{path}:{place + 2}: text must not be empty"):
        run(path, tmp_path / "out", hashing())
    assert not list((tmp_path / "out").iterdir())


def outcome(path: Path, settings: Data) -> object:
    try:
        read = corpus.read(path, settings)
    except UserError as error:
        return error.lines
    return read.rows.to_dict("list"), read.classes, read.dropped


CELLS = st.sampled_from(["a", "b", "", " ", "é", "a\nb", "x\0", "1", "0", "1", "0", "\x01", 'say "so"', "u\u2028v"])


@pytest.mark.parametrize("kind", ["csv", "tsv", "txt", "jsonl", "parquet"])
@given(
    cells=st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=14),
    blocks=st.integers(1, 5),
    changed=st.fixed_dictionaries(
        {
            "missing": st.sampled_from(["error", "drop"]),
            "id": st.sampled_from([None, "key"]),
            "group": st.sampled_from([None, "key"]),
            "classes": st.sampled_from([None, ("0", "1")]),
        }
    ),
    extra=st.integers(0, 13),
)
@settings(deadline=None, max_examples=150)
def test_rows_looked_at_together_are_those_looked_at_one_by_one(
    tmp_path_factory: pytest.TempPathFactory,
    kind: str,
    cells: list[tuple[str, str, str]],
    blocks: int,
    changed: dict[str, Any],
    extra: int,
) -> None:
    path = tmp_path_factory.getbasetemp() / f"table.{kind}"
    names = ("text", "label", "key")
    match kind:
        case "csv":
            table(path, [row if number != extra else (*row, "more") for number, row in enumerate(cells)], names)
            if extra == 0:
                path.write_bytes(path.read_bytes() + b'"a\n"b,1,2\n')
        case "tsv":
            path.write_text("".join("\t".join(row) + "\n" for row in [names, *cells]), encoding="utf-8", newline="")
        case "txt":
            path.write_text("".join("\t".join(row[:2]) + "\n" for row in cells), encoding="utf-8", newline="")
            changed |= dict.fromkeys(("id", "group"))
        case "jsonl":
            lines = [
                json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=number % 2 == 0)
                for number, row in enumerate(cells)
            ]
            lines[extra:extra] = [
                '{"text": "a", "text": "b", "label": 1}',
                '{"text": "a:", "label": 1, "key": 7, "o": {}}',
            ]
            path.write_text("\n".join(lines), encoding="utf-8")
        case _:
            pq.write_table(
                pa.table({name: list(column) for name, column in zip(names, zip(*cells, strict=True), strict=True)}),
                path,
            )
    chosen = data(**changed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "BLOCK_ROWS", blocks)
        together = outcome(path, chosen)
        patch.setattr(tables, "blocks", lambda *given: ([row] for row in tables.records(*given)))
        assert outcome(path, chosen) == together


@pytest.mark.usefixtures("small")
def test_ids_that_stand_twice_are_told_by_their_places_among_the_other_errors(tmp_path: Path) -> None:
    rows = [(f"text {number}", str(number % 2), f"k{number}") for number in range(40)]
    rows[3] = ("", "0", "k1")
    rows[9], rows[30], rows[31] = (("t", "0", "k7"), ("t", "0", "k7"), ("t", "1", "k2"))
    path = table(tmp_path / "c.csv", rows, ("text", "label", "key"))
    with pytest.raises(UserError) as error:
        for _ in Stream(path, data(id="key")):
            pass
    assert error.value.lines == (
        f"{path}:5: text must not be empty; got '' in column text; fill it in, or set data.missing to drop",
        f"{path}:11: key must be another in each row; got 'k7', as in {path}:9",
        f"{path}:32: key must be another in each row; got 'k7', as in {path}:9",
        f"{path}:33: key must be another in each row; got 'k2', as in {path}:4",
    )


def test_ids_that_only_share_a_fingerprint_are_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = table(tmp_path / "c.csv", [("a", "0", "k1"), ("b", "1", "k2")], ("text", "label", "key"))
    monkeypatch.setattr(corpus, "fingerprints", lambda texts: np.full(len(texts), 7, np.uint64))
    assert corpus.read(path, data(id="key")).rows["id"].tolist() == ["k1", "k2"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_table_in_a_pipe_is_not_read_again_for_ids(tmp_path: Path) -> None:
    table(tmp_path / "c.csv", [("a", "0", "k1"), ("b", "1", "k1")], ("text", "label", "key"))
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    line = "key must be another in each row; got 1 that stand in several; a file would tell which"
    with (
        subprocess.Popen(["/bin/sh", "-c", f"cat '{tmp_path}/c.csv' > '{pipe}'"]),
        pytest.raises(UserError, match=line),
    ):
        corpus.read(pipe, data(id="key"))


# Room


@pytest.mark.usefixtures("small")
def test_a_large_table_that_does_not_fit_on_the_disk_is_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = table(tmp_path / "c.csv", numbered(60))
    free = shutil.disk_usage(tmp_path)._replace(free=100)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: free)
    with pytest.raises(UserError, match=r"splits needs about .* of disk; "):
        run(path, tmp_path / "out", hashing())
    assert not (tmp_path / "out").exists()
    assert capsys.readouterr().out.startswith("61 rows in 7 shards: about ")
    (tmp_path / "c.csv.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))
    run(tmp_path / "c.csv.gz", tmp_path / "out", hashing())  # how much is in it is not known


@pytest.mark.usefixtures("small")
def test_rows_that_do_not_fit_in_memory_are_told_of_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = table(tmp_path / "c.csv", numbered(60))
    monkeypatch.setattr(budget, "available_memory", lambda: 10)
    with pytest.raises(UserError, match=r"^split\.method random \(hash takes .*\) needs about .* of memory; "):
        run(path, tmp_path / "out", hashing().model_copy(update={"method": "random"}))


def test_few_rows_are_not_spoken_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = table(tmp_path / "c.csv", numbered(60))
    run(path, tmp_path / "out", hashing())
    assert "of disk" not in capsys.readouterr().out
