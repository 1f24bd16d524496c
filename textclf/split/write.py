"""A table of labelled texts split into files, by either method."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from textclf.artifacts import room, shards, splits
from textclf.artifacts.corrected import uncorrected_test_rows
from textclf.artifacts.splits import CLUSTERED, SCHEMA
from textclf.core import progress, threads
from textclf.core.arrow import as_array, encode, hash_normalized, hash_texts
from textclf.core.errors import UserError
from textclf.core.files import SPLITS
from textclf.core.formatting import count_noun, split_rows
from textclf.core.quoting import list_names
from textclf.split.correct import Corrector
from textclf.split.draw import cluster_keys, draw_positions
from textclf.split.leaks import LeakCounter
from textclf.split.settings import Split
from textclf.split.shuffle import write_taken
from textclf.tables import corpus
from textclf.tables.corrections import Corrections
from textclf.tables.given import given_splits
from textclf.tables.limits import BLOCK_BYTES, BLOCK_ROWS
from textclf.tables.settings import Data

CLASSES_SHOWN = 50  # with their number of rows


def write_splits(
    table: Path, data: Data, settings: Split, folder: Path, corrections: Corrections | None = None
) -> tuple[list[str], dict[str, Any]]:
    """Write the splits of a table and its classes to a folder; return the classes, in order, and the report.

    The report is that of `LeakCounter`, with the numbers of rows that were left out under `dropped` and, if the table
    gives splits, the number of rows of each under `given`. Method random reads all rows into memory; method hash
    streams them. `corrections` replace labels once the rows are assigned; the report then says under `corrections` what
    became of them. Raises `UserError` for wrong corrections, and if there are so many classes that predictions could
    not be evaluated.
    """
    method = {"random": _write_random, "hash": _write_by_hash}[settings.method]
    corrector = Corrector(corrections, data.correct_test_rows) if corrections else None
    classes, report = method(table, data, settings, folder, corrector)
    if corrector is not None:
        report["corrections"] = corrector.report()
    rows = sum(sum(report[name]["classes"].values()) for name in SPLITS if name in report)
    room.require_measuring(rows, len(classes), models=1, where=str(table))
    splits.write_classes(classes, folder)
    return classes, report


def _write_random(
    table: Path, data: Data, settings: Split, folder: Path, corrector: Corrector | None
) -> tuple[list[str], dict[str, Any]]:
    content = corpus.read(table, data)
    rows = content.table
    exact, normalised = (
        np.concatenate([hashed(batch.column("text")) for batch in rows.to_batches()])
        for hashed in (hash_texts, hash_normalized)
    )
    columns = dict(zip(rows.column_names, rows.columns, strict=True))
    clusters = pa.array(cluster_keys(columns, normalised))
    drawn = draw_positions(columns, settings)
    if corrector is not None:
        rows = _corrected(rows, drawn, corrector)
    counter = LeakCounter()
    codes = counter.encode(as_array(rows["label"]))
    # Only given splits can divide a group.
    groups = hash_texts(as_array(rows["group"])) if {"group", "split"} <= columns.keys() else None
    with_clusters = rows.select([*SCHEMA.names, *splits.slice_columns(columns)])
    with_clusters = with_clusters.add_column(len(SCHEMA), CLUSTERED.field("cluster"), clusters)
    with threads.Tasks() as writing:
        for name, positions in drawn.items():
            divided = None if groups is None else groups[positions]
            counter.add(name, exact[positions], normalised[positions], codes[positions], divided)
            starts = range(0, len(positions), shards.ROWS)
            pieces = ((with_clusters, positions[start : start + shards.ROWS]) for start in starts)
            save = partial(writing.start, write_taken) if len(starts) > 1 else write_taken
            shards.write(pieces, folder, name, splits.SUFFIX, save)
    return content.classes, counter.report() | _counts(content)


def _corrected(rows: pa.Table, drawn: Mapping[str, NDArray[np.int64]], corrector: Corrector) -> pa.Table:
    """Return the rows with corrected labels; `drawn` are the positions of those of each split."""
    split_of = np.zeros(len(rows), np.int8)
    for name, positions in drawn.items():
        split_of[positions] = SPLITS.index(name)
    labels = corrector.correct(as_array(rows["id"]), as_array(rows["label"]), split_of)
    corrector.finish(encode(labels.take(drawn["train"]))[1])
    return rows.set_column(rows.column_names.index("label"), "label", labels)


def _write_by_hash(
    table: Path, data: Data, settings: Split, folder: Path, corrector: Corrector | None
) -> tuple[list[str], dict[str, Any]]:
    if data.group is not None and settings.group_duplicates:
        raise UserError(
            "params.yaml: split.group_duplicates must be false with method hash and a data.group, by which alone rows "
            "are then kept together; got true"
        )
    from textclf.split.by_hash import hash_splits

    rows = corpus.Corpus(table, data)
    slices = splits.slice_columns(rows.layout.columns)
    report = hash_splits(_track_rows(rows), settings, folder, given_splits(table, data), slices, corrector)
    return rows.classes, report | _counts(rows)


def _counts(rows: corpus.Corpus) -> dict[str, dict[str, int]]:
    """Return the parts of the report that reading a table gives."""
    return {"dropped": rows.dropped} | ({"given": dict(rows.given)} if rows.given else {})


def _track_rows(batches: corpus.Corpus) -> Iterator[pa.RecordBatch]:
    """Yield the rows in batches of at least `BLOCK_ROWS` and show how many have passed, if it takes long."""
    with contextlib.closing(progress.bar("split", None)) as bar:
        for batch in _merge_small(batches):
            yield batch
            bar.update(len(batch["id"]))


def _merge_small(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the rows in larger batches: each file is one at least, and may be a single text."""
    merged: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in batches:
        merged.append(batch)
        rows += len(batch["id"])
        size += batch["text"].nbytes
        if rows >= BLOCK_ROWS or size >= BLOCK_BYTES:
            yield pa.concat_batches(merged)
            merged, rows, size = [], 0, 0
    if merged:
        yield pa.concat_batches(merged)


def describe_splits(classes: list[str], report: dict[str, Any], settings: Split) -> Iterator[str]:
    """Yield the lines that the stage prints: sizes of classes and splits, and warnings."""
    counts = {name: report[name]["classes"] for name in SPLITS if name in report}
    totals = {label: sum(by_class.get(label, 0) for by_class in counts.values()) for label in classes}
    shown = ", ".join(f"{name!r} {count}" for name, count in islice(totals.items(), CLASSES_SHOWN))
    more = len(classes) - CLASSES_SHOWN
    yield f"classes: {shown}" + (f" and {more:,} more" if more > 0 else "")
    if len(classes) > room.MANY_CLASSES:
        yield f"warning: {len(classes):,} classes; are the labels classes, or texts or ids by mistake?"
    if dropped := report["dropped"]["rows"]:
        yield f"warning: {dropped} rows without text or label were left out"
    given = report.get("given", {})
    yield from _describe_corrections(report.get("corrections"))
    for name, by_class in counts.items():
        yield f"{name}: {sum(by_class.values())} rows{_origin(name, given, settings)}"
    if given and (missing := [label for label in classes if not counts["test"].get(label)]):
        yield f"warning: classes without test rows: {list_names(missing)}"
    advice = "; split.group_duplicates: true keeps duplicates in one split" if settings.method == "random" else ""
    for kind, what in (("normalised", "text"), ("group", "group")):
        for pair, shared in report["leaks"].get(kind, {}).items():
            later, earlier = pair.split("_in_")
            rows = f"{count_noun(shared, f'{later} row')} {'has' if shared == 1 else 'have'}"
            end = "; given rows stay where they are" if later in given else advice
            if shared:
                yield f"warning: {rows} a {what} that is also in {earlier}{end}"


def _describe_corrections(counts: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield the lines on corrections, none without them."""
    if counts is None:
        return
    applied = [count_noun(number, split_rows(name).removesuffix("s")) for name, number in counts["applied"].items()]
    has = "has" if counts["unchanged"] == 1 else "have"
    same = f"; {counts['unchanged']:,} {has} the label of the table already" if counts["unchanged"] else ""
    yield f"corrected labels: {', '.join(applied) or 'none'}{same}"
    if number := counts["skipped"]:
        yield (
            f"warning: {count_noun(number, 'correction')} of test rows {'was' if number == 1 else 'were'} not applied, "
            "since models are measured by the labels of the table; data.correct_test_rows: true applies them"
        )
    if sentence := uncorrected_test_rows(counts):
        yield f"warning: {sentence}"
    if number := counts["applied"].get("test", 0):
        yield (
            f"warning: the labels of {count_noun(number, 'test row')} were corrected (data.correct_test_rows), so that "
            "metrics are not comparable with those of the labels of the table"
        )


def _origin(name: str, given: Mapping[str, int], settings: Split) -> str:
    """Return where the rows of a split are from, if the table gives splits."""
    if not given or name == "train":
        return ""
    if name not in given:
        return ", drawn from the training rows"
    size = settings.test_size if name == "test" else settings.validation_size
    return f", as given; split.{name}_size is not used" if size else ", as given"
