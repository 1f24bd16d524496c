"""A table of labelled texts split into files, by either method."""

import shutil
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from textclf.artifacts import memory, shards, splits
from textclf.artifacts.corrected import DROPPED, rare_classes, uncorrected_test_rows
from textclf.artifacts.split_report import Corrected, SplitReport
from textclf.core import resources
from textclf.core.errors import UserError
from textclf.core.formatting import count_noun, split_rows
from textclf.core.quoting import list_classes, list_names
from textclf.core.scale import scale_of
from textclf.split.draw import require_classes
from textclf.split.leaks import LeakCounter
from textclf.split.settings import Split
from textclf.split.work import Work
from textclf.tables.compression import is_compressed
from textclf.tables.corpus import Corpus
from textclf.tables.corrections import Corrections
from textclf.tables.formats import FORMATS
from textclf.tables.given import find_table
from textclf.tables.labelled import LABELLED, Labelled
from textclf.tables.parts import PART_BYTES
from textclf.tables.rare_labels import NONE, Renamed, doubts
from textclf.tables.settings import Data

SCRATCH = ".parts"  # in the folder of the splits: rows on their way there
SAMPLE = 2**20  # bytes from which the length of a row is estimated


def write_splits(
    table: Path,
    data: Data,
    settings: Split,
    folder: Path,
    corrections: Corrections | None = None,
    labelled: Labelled | None = None,
    rare: Renamed = NONE,
) -> tuple[list[str], SplitReport]:
    """Write the splits of a table and its classes to a folder.

    Return the classes, in order, and a `SplitReport`. Method hash streams the rows; the others read
    all of them into memory. Once the rows are assigned, those `labelled` are added to train, and
    `corrections` replace labels. Raises `UserError` for wrong rows of either, if there are so many
    classes that predictions could not be evaluated, and if no test row has the label data.unknown;
    `TooRareError` for classes that the splits lack, unless `rare` has what to do with them.
    """
    scratch = folder.absolute() / SCRATCH
    scratch.mkdir()
    work = Work(table, data, settings, rare, scratch, corrections, labelled)
    passed = work.of_parts() if settings.method == "hash" else work.in_memory()
    passed.add_labelled()
    rows, counter, corrector = passed.rows, passed.counter, passed.corrector
    if corrector:
        corrector.finish({*counter.class_counts().get("train", {}), data.no_class_label or ""})
    _require_rows(rows, counter, settings)
    passed.write_shards(folder)
    report = counter.report() | _of_table(rows, rare)
    for step in passed.steps:
        step.report(report)
    total = sum(counter.row_counts().values())
    memory.require_measuring(total, len(rows.classes), models=1, where=str(table))
    scale = scale_of(rows.classes) if data.order else None
    splits.write_classes(rows.classes, folder, scale)
    shutil.rmtree(scratch)
    return rows.classes, SplitReport.model_validate(report)


def _require_rows(rows: Corpus, counter: LeakCounter, settings: Split) -> None:
    """Raise `TooRareError` for classes that the splits lack, `UserError` for an empty split."""
    multilabel = rows.settings.multilabel
    tested = multilabel and rows.settings.rare != "refuse"
    if settings.method == "hash" or tested:
        # Without classes that have only rows beside the table.
        of_table = {
            name: {
                label: count for label, count in by_class.items() if label not in rows.labels.added
            }
            for name, by_class in counter.class_counts().items()
        }
        row_counts = counter.row_counts() if multilabel else None
        require_classes(of_table, settings.method, set(rows.given), row_counts, tested)
    if not all(counter.row_counts().values()):  # by hash
        rule = "the validation rows must be one at least"
        raise UserError(f"{rule}; got none: set a larger split.validation_size, or 0.0")


def _of_table(rows: Corpus, rare: Renamed) -> dict[str, Any]:
    """Return what a `SplitReport` has of the table: rows by what they lack, and their labels."""
    report: dict[str, Any] = {"dropped": rows.dropped}
    if rows.settings.labels:  # rows of each label as it was written
        written = rows.labels.written
        report["labels"] = {label: written[label] for label in rows.settings.labels}
    for label, became in rare.items():  # rows of each class by what it became
        by_class = report.setdefault("rare", {}).setdefault(became or DROPPED, {})
        by_class[label] = rows.labels.meant[label]
    if rows.given:
        report["given"] = dict(rows.given)
    return report


def describe_splits(classes: list[str], report: SplitReport, settings: Split) -> Iterator[str]:
    """Yield the lines that the stage prints: sizes of classes and splits, and warnings."""
    counts, multilabel, given = report.rows_by_class, report.multilabel, report.given
    totals = {
        label: sum(by_class.get(label, 0) for by_class in counts.values()) for label in classes
    }
    kinds = ("label",) if multilabel else ("class", "classes")
    yield f"{count_noun(len(classes), *kinds)}: {list_classes(totals)}"
    if len(classes) > memory.MANY_CLASSES:
        doubt = "are the labels classes, or texts or ids by mistake?"
        yield f"warning: {len(classes):,} classes; {doubt}"
    if dropped := report.dropped["rows"]:
        lacked = "text, label or time" if "time" in report.dropped else "text or label"
        yield f"warning: left out: {count_noun(dropped, 'row')} without {lacked}"
    if sentence := rare_classes(report):
        yield f"warning: {sentence}"
    if absent := [label for label, number in report.labels.items() if not number]:
        advice = "leave it out, or write it as in the table"
        yield f"warning: data.labels: no row has {list_names(absent)}; {advice}"
    if "corrections" in report.model_fields_set:
        yield from _describe_corrections(report.corrections)
    added = report.labelled
    if added.rows:
        rounds = f"round {added.first_round}"
        if added.last_round > added.first_round:
            rounds += f" to {added.last_round}"
        yield f"{LABELLED}: {count_noun(added.rows, 'training row')} added ({rounds})"
    if added.test_copies:
        left = count_noun(added.test_copies, "row")
        yield f"warning: {LABELLED}: {left} left out, since near copies of test rows must not train"
    for name, part in report.splits.items():
        empty = f" ({part.without_labels} without labels)" if multilabel else ""
        span = f", {part.time['first']} to {part.time['last']}" if part.time else ""
        yield f"{name}: {count_noun(part.size, 'row')}{empty}{_origin(name, given, settings)}{span}"
    for label, rows in report.unknown.items():
        if label not in classes:
            measured = ", ".join(
                count_noun(count, f"{name} row") for name, count in rows.items() if name != "train"
            )
            left_out = count_noun(rows["train"], "row")
            yield f"of no class ({label!r}): {measured}; left out of training: {left_out}"
    missing = [label for label in classes if not counts["test"].get(label)]
    if missing and (given or multilabel or added.rows or settings.method == "time"):
        yield f"warning: classes without test rows: {list_names(missing)}"
    stay = set(given) - {"train"}
    for what, leaks in (("text", report.leaks.normalised), ("group", report.leaks.group)):
        for pair, shared in leaks.items():
            later, earlier = pair.split("_in_")
            have = f"{count_noun(shared, f'{later} row')} {'has' if shared == 1 else 'have'}"
            end = ""
            if not stay.isdisjoint((later, earlier)):
                end = "; given rows stay where they are"
            elif settings.method == "time":
                end = "; the latest rows test"
            elif settings.parts_duplicates and what == "text":
                end = "; split.group_duplicates: true keeps duplicates in one split"
            if shared:
                yield f"warning: {have} a {what} that is also in {earlier}{end}"
    rare = dict(chain(*(rows.items() for rows in report.rare.values())))
    yield from doubts(totals | rare, multilabel)


def _describe_corrections(counts: Corrected) -> Iterator[str]:
    """Yield the lines on corrections."""
    applied = [
        count_noun(number, split_rows(name).removesuffix("s"))
        for name, number in counts.applied.items()
    ]
    line = f"corrected labels: {', '.join(applied) or 'none'}"
    if counts.unchanged:
        has = "has" if counts.unchanged == 1 else "have"
        line += f"; {counts.unchanged:,} {has} the label of the table already"
    yield line
    if number := counts.skipped:
        were = "was" if number == 1 else "were"
        yield (
            f"warning: {count_noun(number, 'correction')} of test rows {were} not applied, "
            "since models are measured by the labels of the table; "
            "data.correct_test_rows: true applies them"
        )
    if sentence := uncorrected_test_rows(counts):
        yield f"warning: {sentence}"
    if number := counts.applied.get("test", 0):
        yield (
            f"warning: the labels of {count_noun(number, 'test row')} were corrected "
            "(data.correct_test_rows), so that metrics are not comparable with those "
            "of the labels of the table"
        )


def _origin(name: str, given: Mapping[str, int], settings: Split) -> str:
    """Return where the rows of a split are from, if the table gives splits."""
    if not given or name == "train":
        return ""
    if name not in given:
        return ", drawn from the training rows"
    size = settings.test_size if name == "test" else settings.validation_size
    return f", as given; split.{name}_size is not used" if size else ", as given"


def require_memory_and_disk(table: Path, data: Data, settings: Split, target: Path) -> None:
    """Print what the split of a large table needs; `UserError` if memory or disk has less.

    Does nothing for tables of at most one shard, and for compressed files and formats that are not
    read by line, whose number of rows is not known without reading them.
    """
    files = find_table(table, data)
    for file in files:
        if not FORMATS[file.format].by_line or is_compressed(file.path) or not file.path.is_file():
            return
    size = sum(file.path.stat().st_size for file in files)
    with files[0].path.open("rb") as stream:
        sample = stream.read(SAMPLE)
    rows = size * sample.count(b"\n") // max(len(sample), 1)
    if rows <= shards.ROWS:
        return
    # Of one process, measured with rows of 63 bytes and of 600 bytes: a shard, and a part of the
    # table. There are only as many processes as fit into memory.
    hash_memory = 8 * size * shards.ROWS // rows + 5 * min(size, PART_BYTES)
    disk = 2 * size + 40 * rows
    if settings.method == "hash":
        memory, purpose = hash_memory, "split.method hash"
    else:
        memory = 4 * size + 350 * rows
        of_hash = resources.format_size(hash_memory)
        purpose = f"split.method {settings.method} (hash takes {of_hash})"
    resources.announce(rows, -(-rows // shards.ROWS), memory, disk)
    resources.require_disk(target, disk, str(target))
    resources.require_memory(memory, purpose)
