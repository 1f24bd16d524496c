"""The steps that the parts of a table pass on their way into the files of the splits.

Each takes the parts and yields them, changed or only looked at, and reports on them at the end.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textclf.artifacts import splits
from textclf.core.errors import UserError
from textclf.core.files import SPLITS, UNKNOWN, UNKNOWN_SPLITS
from textclf.core.quoting import quote_value
from textclf.split.draw import describe_time
from textclf.split.leaks import LeakCounter
from textclf.split.shuffle import PieceWriter
from textclf.tables.corpus import Corpus

# The name of a split, and some of its rows.
Parts = Iterable[tuple[str, pa.Table]]


class Step(Protocol):
    """What is done to the parts of a table, one after the other, by several processes at once."""

    def apply(self, parts: Parts) -> Parts:
        """Yield the parts as the next step takes them."""

    def merge(self, other: Any) -> None:
        """Add what the same step has noted of the next part of the table."""

    def report(self, report: dict[str, Any]) -> None:
        """Add to the content of a `SplitReport`, after all parts."""


class Writer:
    """Counts the rows and writes them: the last step, and a place for rows of no class."""

    def __init__(
        self,
        folder: Path,
        rows: Corpus,
        has_rounds: bool,
        seed: int | None,
        number: int = 0,
        partitions: int = 1,
    ) -> None:
        """Open no file yet; with a seed, the rows of a split are shuffled.

        The rows are those of the part of the table with this `number`.
        """
        self.folder, self.rows, self.counter = folder, rows, LeakCounter(folder, partitions)
        schema = splits.schema_with(rows.layout.columns, rows.settings.multilabel)
        schemas = dict.fromkeys((*SPLITS, *UNKNOWN_SPLITS), schema)
        if has_rounds:
            schemas["train"] = splits.with_rounds(schema)
        self.writers = {
            name: PieceWriter(folder / name, each, seed, number) for name, each in schemas.items()
        }
        self.last = pa.table({})

    def write(self, parts: Parts) -> None:
        """Write all parts, for `write_shards`, and close the files."""
        for name, part in parts:
            self.last = self.counter.encode(part)
            self.counter.add(name, self.last)
            self.writers[name].add(self.last)
        self.counter.close()
        for writer in self.writers.values():
            writer.close()


class Times:
    """Notes the first and the last time of each split."""

    def __init__(self) -> None:
        """Note none yet."""
        self.ends: dict[str, list[Any]] = {}

    def apply(self, parts: Parts) -> Iterator[tuple[str, pa.Table]]:
        """Yield the parts as they are."""
        for name, part in parts:
            if "time" in part.column_names and len(part):
                ends = pc.min_max(part["time"]).as_py().values()
                self.ends.setdefault(name, []).extend(ends)
            yield name, part

    def merge(self, other: "Times") -> None:
        """Add the ends of the next part."""
        for name, ends in other.ends.items():
            self.ends.setdefault(name, []).extend(ends)

    def report(self, report: dict[str, Any]) -> None:
        """Report both times of each split."""
        for name, ends in self.ends.items():
            first, last = describe_time(min(ends)), describe_time(max(ends))
            report[name]["time"] = {"first": first, "last": last}


class UnknownRows:
    """Counts the rows with the label data.unknown, and takes those of no class out of the parts.

    These train nothing; the writer writes those of validation and test apart.
    """

    def __init__(self, writer: Writer) -> None:
        """Count none yet."""
        self.writer, self.settings = writer, writer.rows.settings
        self.counts = dict.fromkeys(SPLITS, 0)

    def apply(self, parts: Parts) -> Iterator[tuple[str, pa.Table]]:
        """Yield the rows of the classes."""
        for name, part in parts:
            is_unknown = pc.equal(part["label"], self.settings.unknown)
            self.counts[name] += int(pc.sum(is_unknown).as_py() or 0)
            if self.settings.no_class_label is None:
                yield name, part
                continue
            if name != "train":
                others = part.filter(is_unknown)
                # `write_shards` writes -1 for these zeros.
                zeros = pa.array(np.zeros(len(others), np.int32))
                label = others.column_names.index("label")
                writer = self.writer.writers[name + UNKNOWN]
                writer.add(others.set_column(label, "label", zeros))
            yield name, part.filter(pc.invert(is_unknown))

    def merge(self, other: "UnknownRows") -> None:
        """Add the rows of the next part."""
        for name, count in other.counts.items():
            self.counts[name] += count

    @property
    def of_no_class(self) -> list[str]:
        """The splits with rows of no class that are measured."""
        if self.settings.no_class_label is None:
            return []
        return [name for name in SPLITS[1:] if self.counts[name]]

    def report(self, report: dict[str, Any]) -> None:
        """Report the rows by split; `UserError` unless there are test rows, which measure them."""
        rows = self.writer.rows
        counts = {name: self.counts[name] for name in self.writer.counter.class_counts()}
        report["unknown"] = {self.settings.unknown: counts}
        if not self.counts["test"]:
            rule = "data.unknown must have test rows, which measure it"
            advice = "set another split.seed or a larger split.test_size"
            if "test" in rows.given:
                advice = "add some to the test rows of the table"
            got = quote_value(self.settings.unknown)
            raise UserError(f"{rows.path}: {rule}; got none of {got}; {advice}")
