"""Which rows are trained on, validated on and tested on."""

import math
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from textclf.artifacts import shards
from textclf.core.errors import UserError
from textclf.core.files import SPLITS, read_json, read_parquet, reading
from textclf.params import Split

CLASSES = "classes.json"  # beside the splits: the classes in order
SCHEMA = pa.schema([("id", pa.string()), ("text", pa.string()), ("label", pa.string())])
PIECES = 100  # of a shard, that go into other shards where rows are shuffled on disk
PLAIN = bytes(32 if chr(code).isspace() else ord(chr(code).lower()) for code in range(128)) + bytes(range(128, 256))

Batch = dict[str, list[str]]  # rows: values by column


def split(rows: pd.DataFrame, settings: Split) -> dict[str, pd.DataFrame]:
    """The rows of each split, shuffled: train, validation if its size is above 0, test.

    Train and test are those of scikit-learn's `train_test_split` under the same size, seed and
    stratification. Validation is taken from the training rows in the same manner, so that the test rows do
    not depend on it. Where rows are grouped (see `groups`) what is drawn are groups, a group's label that of its
    first row; a split may then miss its size by a part of a group. `rows` has the columns `id`, `text`, `label` and
    maybe `group`. `UserError` where a split would lack rows or the training rows a class.
    """
    rest = rows
    parts = {}
    for name, share in (("test", settings.test_size), ("validation", settings.validation_size)):
        if share > 0:
            rest, parts[name] = take(rest, math.ceil(share * len(rows)), settings)
    parts["train"] = rest
    _require_classes({name: Counter(part["label"]) for name, part in parts.items()}, "set split.stratify to true")
    return {name: parts[name].reset_index(drop=True) for name in SPLITS if name in parts}


def _require_classes(counts: Mapping[str, Mapping[str, int]], advice: str) -> None:
    """`UserError` unless there are rows of each class to train on and to test on; `counts` has those of each split."""
    every = {label for count in counts.values() for label, rows in count.items() if rows}
    for name, rule, size in (("train", "training", "smaller"), ("test", "test", "larger")):
        if missing := sorted(label for label in every if not counts[name].get(label)):
            raise UserError(
                f"the {rule} rows must hold every class; class {missing[0]} has none of {sum(counts[name].values())}: "
                f"{advice}, or a {size} split.test_size"
            )


def hashed(batches: Iterable[Batch], settings: Split, folder: Path) -> dict[str, Any]:
    """What `Tally` reports of the rows, once they are written to the shards of their splits in the folder.

    Each row goes where `places` has it by its group, or without groups by its `normalised` text, so that what is
    alike stays together, no row moves when others come, and any part of a table can be split alone: nothing but the
    text and the seed decides. (A new Python may know new characters and normalise a text that holds one otherwise;
    of those that it knew, Unicode promises that they stay.) The rows of a split come in the order of `Shuffler`.
    `UserError` where a split would lack rows, or the training or test rows a class.
    """
    names = [name for name in SPLITS if name != "validation" or settings.validation_size > 0]
    tally, writers = Tally(), {name: Shuffler(folder, name, settings.seed) for name in names}
    for batch in batches:
        exact, alike = fingerprints(batch["text"]), fingerprints(normalised_bytes(batch["text"]), settings.seed)
        keys = fingerprints(batch["group"], settings.seed) if "group" in batch else alike
        split_of = places(keys, settings)
        table = pa.table([pa.array(batch[name], pa.string()) for name in SCHEMA.names], schema=SCHEMA)
        labels = tally.codes(batch["label"])
        for name, writer in writers.items():
            chosen = split_of == SPLITS.index(name)
            writer.add(table.filter(pa.array(chosen)))
            tally.count(name, exact[chosen], alike[chosen], labels[chosen])
    report = tally.report()
    _require_classes({name: report[name]["classes"] for name in names}, "set another split.seed, method random")
    if not all(report[name]["classes"] for name in names):
        raise UserError(
            "the validation rows must be one at least; got none: set a larger split.validation_size, or 0.0"
        )
    for writer in writers.values():
        writer.close()
    return report


def places(keys: NDArray[np.uint64], settings: Split) -> NDArray[np.int8]:
    """The split of each key (keys,), as its place in `SPLITS`: test by the least of the numbers, then validation."""
    numbers = (keys >> np.uint64(11)) * 2.0**-53  # from 0 to below 1, each exact
    borders = [settings.test_size, settings.test_size + settings.validation_size]
    order = [SPLITS.index(name) for name in ("test", "validation", "train")]
    return np.array(order, np.int8)[np.searchsorted(borders, numbers, side="right")]


def fingerprints(texts: Sequence[str] | Sequence[bytes], seed: int = 0) -> NDArray[np.uint64]:
    """A number of 64 bits of each text (texts,): the first half of MurmurHash3 x64 128 of its UTF-8."""
    import mmh3

    content = [text.encode() if isinstance(text, str) else text for text in texts]
    digests = b"".join([mmh3.mmh3_x64_128_digest(each, seed) for each in content])
    return np.frombuffer(digests, "<u8")[::2].astype(np.uint64)


def normalised(text: str) -> str:
    """The text by which duplicates are told: compatibility forms unified (NFKC), case folded, spaces single."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def normalised_bytes(texts: list[str]) -> list[bytes]:
    """Each text `normalised`, in UTF-8, those in ASCII all together, which takes a tenth of the time."""
    joined = "\0".join([text if text.isascii() else "" for text in texts]).encode()
    if joined.count(b"\0") != len(texts) - 1:
        return [normalised(text).encode() for text in texts]
    joined = joined.translate(PLAIN)
    while b"  " in joined:
        joined = joined.replace(b"  ", b" ")
    found = joined.replace(b" \0", b"\0").replace(b"\0 ", b"\0").strip(b" ").split(b"\0")
    for place, text in enumerate(texts):
        if not text.isascii():
            found[place] = normalised(text).encode()
    return found


def groups(rows: pd.DataFrame, duplicates: bool) -> NDArray[np.int64]:
    """The group of each row (rows,), numbered in the order of their first rows.

    Rows belong together that have one value in the column `group`, if there is one, or, with `duplicates`, one
    `normalised` text; and so do rows that a third belongs with.
    """
    keys = [rows["group"]] if "group" in rows else []
    keys += [rows["text"].map(normalised)] if duplicates else []
    if not keys:
        return np.arange(len(rows))
    codes = [pd.factorize(key)[0] for key in keys]
    if len(codes) == 1:
        return codes[0].astype(np.int64)
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    pairs = np.array([codes[0], codes[1] + codes[0].max() + 1])
    nodes = pairs.max() + 1
    _, component = connected_components(coo_array((np.ones(len(rows)), pairs), shape=(nodes, nodes)), directed=False)
    return pd.factorize(component[codes[0]])[0].astype(np.int64)


def take(rows: pd.DataFrame, count: int, settings: Split) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows that are kept, and about `count` that are taken, in random order, no group on both sides.

    The groups are those of `groups`. Where each row is one both are what scikit-learn's train_test_split gives, in
    its order. `UserError` if no row would be kept.
    """
    if count >= len(rows):
        raise UserError(f"{len(rows)} rows must be more than the {count} to be taken from them; set a smaller size")
    codes = groups(rows, settings.group_duplicates)
    sizes = np.bincount(codes)
    if settings.stratify:
        from sklearn.model_selection import train_test_split

        labels = rows["label"].to_numpy(dtype=object)[np.unique(codes, return_index=True)[1]]
        units = math.ceil(count * len(sizes) / len(rows))
        try:
            rest, first = train_test_split(
                np.arange(len(sizes)), test_size=units, random_state=settings.seed, stratify=labels
            )
        except ValueError as error:
            raise UserError(f"{len(rows)} rows can not be stratified: {error}") from error
        drawn = np.concatenate([first, rest])
    else:
        # What train_test_split does, without the second that scikit-learn takes to import.
        drawn = np.random.RandomState(settings.seed).permutation(len(sizes))
    # By rows, not groups; where each row is a group this changes nothing.
    units = int(np.searchsorted(np.cumsum(sizes[drawn]), count)) + 1
    taken, kept = drawn[:units], drawn[units:]
    if not len(kept):
        raise UserError(
            f"of {len(rows)} rows some must be kept; got none, as rows of one text or group stay together: "
            "set split.group_duplicates to false, data.group to null, or a smaller size"
        )
    place = np.argsort(np.concatenate([taken, kept]))  # of each group in the draw
    by_draw = np.argsort(place[codes], kind="stable")
    border = sizes[taken].sum()
    return rows.iloc[by_draw[border:]], rows.iloc[by_draw[:border]]


def leakage(splits: dict[str, pd.DataFrame]) -> dict[str, Any]:
    """What `Tally` reports of the splits, all in memory."""
    tally = Tally()
    for name, rows in splits.items():
        tally.add(name, rows["text"].tolist(), rows["label"].tolist())
    return tally.report()


class Tally:
    """Counts of what the splits share, in twenty bytes a row: a fingerprint of each text and of it normalised.

    Of ten million different texts two would share one with a chance of three in a million, and a count be off by one.
    """

    def __init__(self) -> None:
        """Nothing is counted yet."""
        self._codes: dict[str, int] = {}  # of labels
        self._seen: dict[str, list[tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.int32]]]] = {}

    def add(self, split: str, texts: list[str], labels: list[str]) -> None:
        """Count further rows of a split."""
        self.count(split, fingerprints(texts), fingerprints(normalised_bytes(texts)), self.codes(labels))

    def codes(self, labels: list[str]) -> NDArray[np.int32]:
        """A number of each label (labels,), by which it is counted."""
        for label in dict.fromkeys(labels):
            self._codes.setdefault(label, len(self._codes))
        return np.array([self._codes[label] for label in labels], np.int32)

    def count(self, split: str, exact: NDArray[np.uint64], alike: NDArray[np.uint64], codes: NDArray[np.int32]) -> None:
        """Count further rows by the fingerprints of their texts, of these normalised, and the codes of their labels."""
        self._seen.setdefault(split, []).append((exact, alike, codes))

    def report(self) -> dict[str, Any]:
        """The counts under `exact` and `normalised` texts, and the classes of each split.

        `<split>.classes.<class>` rows of each class. `duplicates.<kind>.<split>` rows that repeat an earlier row
        of their split. `leaks.<kind>.<one>_in_<other>` rows of `one` (test, validation) whose text also stands
        in `other`, which is used before it. `label_conflicts.<kind>` texts that carry more than one label.
        """
        names = sorted(self._seen, key=SPLITS.index)
        labels = {name: np.concatenate([piece[2] for piece in self._seen[name]]) for name in names}
        report: dict[str, Any] = {
            name: {
                "classes": {
                    label: int(count)
                    for label, count in zip(
                        self._codes, np.bincount(labels[name], minlength=len(self._codes)), strict=True
                    )
                    if count
                }
            }
            for name in names
        }
        report |= {"duplicates": {}, "leaks": {}, "label_conflicts": {}}
        for place, kind in enumerate(("exact", "normalised")):
            keys = {name: np.concatenate([piece[place] for piece in self._seen[name]]) for name in names}
            report["label_conflicts"][kind] = _conflicts(
                np.concatenate(list(keys.values())), np.concatenate(list(labels.values()))
            )
            for each in keys.values():
                each.sort()
            report["duplicates"][kind] = {name: int((each[1:] == each[:-1]).sum()) for name, each in keys.items()}
            report["leaks"][kind] = {
                f"{one}_in_{other}": _common(keys[one], keys[other])
                for position, one in enumerate(names)
                for other in names[:position]
            }
        return report


def _common(some: NDArray[np.uint64], others: NDArray[np.uint64]) -> int:
    """How many of some also stand among others; both are sorted."""
    if not len(others):
        return 0
    return int((others[np.searchsorted(others, some).clip(max=len(others) - 1)] == some).sum())


def _conflicts(keys: NDArray[np.uint64], labels: NDArray[np.int32]) -> int:
    """How many keys carry more than one label."""
    order = np.argsort(keys)
    keys, labels = keys[order], labels[order]
    return len(np.unique(keys[1:][(keys[1:] == keys[:-1]) & (labels[1:] != labels[:-1])]))


def write(rows: pd.DataFrame, path: Path) -> None:
    """Write the rows of a split as Parquet."""
    _save(pa.Table.from_pandas(rows, schema=SCHEMA, preserve_index=False), path)


def _save(table: pa.Table, path: Path) -> None:
    # Without pandas' own metadata: a reader needs none, and the bytes should not name a version of pandas.
    pq.write_table(table.replace_schema_metadata(None), path, compression="zstd")


def write_shards(rows: pd.DataFrame, folder: Path, name: str) -> list[Path]:
    """The shards that the rows of a split were written to, in their order."""
    starts = range(0, len(rows), shards.ROWS)
    return shards.write((rows.iloc[start : start + shards.ROWS] for start in starts), folder, name, ".parquet", write)


class Shuffler:
    """Writes the rows of a split to shards in random order, with one shard's rows in memory at a time.

    Tables are often sorted, and a model that learns shard by shard wants every class in each. Rows are gathered to
    a shard's number, shuffled, and cut into a hundred pieces, which wait on disk; a shard is a hundred of the
    pieces of all the split, drawn at random and shuffled. The order follows from the rows, their order and the seed.
    """

    def __init__(self, folder: Path, name: str, seed: int) -> None:
        """Nothing is written yet."""
        self.folder, self.name = folder, name
        self.random = np.random.RandomState(seed)
        self.size = max(shards.ROWS // PIECES, 1)  # rows of a piece
        self.gathered: list[pa.Table] = []
        self.count = 0  # of what is gathered
        self.waiting = folder / f".{name}.arrow"
        self.writer: pa.ipc.RecordBatchFileWriter | None = None

    def add(self, batch: pa.Table) -> None:
        """Take further rows, columns as in `SCHEMA`."""
        self.gathered.append(batch)
        self.count += len(batch)
        while self.count > shards.ROWS:
            table = pa.concat_tables(self.gathered)
            self._put_aside(table.slice(0, shards.ROWS))
            self.gathered = [table.slice(shards.ROWS)]
            self.count -= shards.ROWS

    def close(self) -> list[Path]:
        """The shards that were written."""
        rest = pa.concat_tables(self.gathered) if self.gathered else SCHEMA.empty_table()
        if self.writer is None:
            return shards.write([self._shuffled(rest)], self.folder, self.name, ".parquet", _save)
        self._put_aside(rest)
        self.writer.close()
        try:
            with pa.OSFile(str(self.waiting)) as source, pa.ipc.open_file(source) as pieces:
                return shards.write(self._drawn(pieces), self.folder, self.name, ".parquet", _save)
        finally:
            self.waiting.unlink()

    def _drawn(self, pieces: pa.ipc.RecordBatchFileReader) -> Iterator[pa.Table]:
        order = self.random.permutation(pieces.num_record_batches)
        share = shards.ROWS // self.size
        for start in range(0, len(order), share):
            yield self._shuffled(pa.Table.from_batches([pieces.get_batch(i) for i in order[start : start + share]]))

    def _put_aside(self, table: pa.Table) -> None:
        if self.writer is None:
            self.writer = pa.ipc.new_file(str(self.waiting), SCHEMA)
        self.writer.write_table(self._shuffled(table), max_chunksize=self.size)

    def _shuffled(self, table: pa.Table) -> pa.Table:
        return table.combine_chunks().take(self.random.permutation(len(table)))


def read(folder: Path) -> dict[str, pd.DataFrame]:
    """The rows of each split in a folder, in the order of `SPLITS`; `UserError` if there are none."""
    return {
        name: pd.concat([read_shard(path) for path in paths], ignore_index=True)
        for name, paths in shard_paths(folder).items()
    }


def shard_paths(folder: Path) -> dict[str, list[Path]]:
    """The shards of each split in a folder, in the order of `SPLITS`; `UserError` if there are none."""
    return shards.of_each_split(folder, ".parquet")


def read_shard(path: Path) -> pd.DataFrame:
    """The rows of a shard; `UserError` if it is missing or damaged."""
    return read_parquet(path, SCHEMA.names)


def read_classes(folder: Path) -> list[str]:
    """The classes of the splits in a folder, in order; `UserError` if they are missing or damaged."""
    path = folder / CLASSES
    content = read_json(path)
    with reading(path):
        if not isinstance(content, list) or not all(isinstance(name, str) for name in content):
            raise ValueError(content)
    return content
