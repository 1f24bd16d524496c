"""The work on a table: its parts are divided, corrected, counted and written, each by itself.

What a process notes of a part is merged in the order of the parts, so results are those of one
process. Rows wait on disk in pieces, of which the shards are made.
"""

import contextlib
import uuid
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from textclf.core import progress, workers
from textclf.core.errors import UserError
from textclf.core.files import SUGGESTED, UNKNOWN
from textclf.split.by_hash import hash_splits
from textclf.split.correct import Corrector, LabelledRows
from textclf.split.draw import draw_parts
from textclf.split.leaks import LeakCounter
from textclf.split.partitions import ID, Partitions, count_partitions, repeated, tasks_of
from textclf.split.settings import Split
from textclf.split.shuffle import write_shards
from textclf.split.steps import Parts, Step, Times, UnknownRows, Writer
from textclf.tables.corpus import Corpus
from textclf.tables.corrections import Corrections
from textclf.tables.given import find_table, given_splits, layout_of
from textclf.tables.labelled import LABELLED, Labelled
from textclf.tables.parts import PART_BYTES, Part, cut
from textclf.tables.rare_labels import Renamed
from textclf.tables.settings import Data

MEMORY = 20 * PART_BYTES  # of a process that reads a part


class PartError(Exception):
    """A part can't be read by itself: the table has a wrong row, or one that needs those before."""


@dataclass
class Passed:
    """What is known once the rows of a part, or of several, have passed."""

    work: "Work"
    rows: Corpus
    writers: list[Writer]  # of the parts in their order; the first has the counts of all
    times: Times
    labelled: LabelledRows | None
    corrector: Corrector | None
    unknown: UnknownRows | None
    ids: list[Partitions] = field(default_factory=list)  # fingerprints of an id column

    @property
    def counter(self) -> LeakCounter:
        """The counts of all rows."""
        return self.writers[0].counter

    @property
    def steps(self) -> list[Step]:
        """The steps before the writer, in their order."""
        steps = (self.times, self.labelled, self.corrector, self.unknown)
        return [step for step in steps if step is not None]

    def merge(self, other: "Passed") -> None:
        """Add the next part of the table."""
        self.rows.add(other.rows)
        for step, of_other in zip(self.steps, other.steps, strict=True):
            step.merge(of_other)
        self.counter.merge(other.counter)
        self.writers += other.writers
        self.ids += other.ids

    def require_unique_ids(self) -> None:
        """Make the checks of all rows, and order the classes; raises `UserError`."""
        tasks = tasks_of(self.ids)
        with workers.pool(len(tasks), MEMORY) as pool:
            hashes = pool.map(repeated, tasks, "ids")
        self.rows.finish(np.concatenate([np.empty(0, np.uint64), *hashes]))

    def add_labelled(self) -> None:
        """Add the rows that were labelled beside the table; raises `UserError`."""
        if self.labelled is None:
            return
        writer = self.work.writer(self.rows, len(self.writers))
        parts: Parts = self.labelled.rest(self.rows)
        for step in self.steps[2:]:
            parts = step.apply(parts)
        writer.write(parts)
        self.labelled.added = writer.last
        self.counter.merge(writer.counter)
        self.writers.append(writer)

    def write_shards(self, folder: Path) -> None:
        """Write the files of the splits, once the order of the classes is known."""
        positions = {label: position for position, label in enumerate(self.rows.classes)}
        classes = [
            np.array([positions[label] for label in writer.counter.labels], np.int32)
            for writer in self.writers
        ]
        no_class = [np.array([-1], np.int32)] * len(classes)
        names = dict.fromkeys(self.counter.class_counts(), classes)
        for name in self.unknown.of_no_class if self.unknown else ():
            names[name + UNKNOWN] = no_class
        for name, codes in names.items():
            pieces = [writer.writers[name] for writer in self.writers]
            write_shards(list(zip(pieces, codes, strict=True)), folder, name, self.work.seed)


@dataclass(frozen=True)
class Work:
    """What is done to a table: how it is read and divided, and what is added to it."""

    table: Path
    data: Data
    settings: Split
    rare: Renamed
    scratch: Path  # an absolute path
    corrections: Corrections | None
    labelled: Labelled | None
    marked: Set[str] = frozenset()  # the splits that the table gives, and `SUGGESTED`
    partitions: int = 1

    @property
    def seed(self) -> int | None:
        """The seed by which rows are shuffled; a random split is so already."""
        return None if self.settings.method == "random" else self.settings.seed

    def in_memory(self) -> Passed:
        """Divide a table by methods that look at all rows; raises `UserError`."""
        rows = Corpus(self.table, self.data, self.rare)
        rows.load()
        partitions = count_partitions(rows.table.nbytes)
        work = replace(self, marked={*rows.marked}, partitions=partitions)
        parts = draw_parts(rows.table, self.settings, self.data.no_class_label)
        return work.pass_rows(rows, parts)

    def of_parts(self) -> Passed:
        """Divide a table part by part; raises `UserError`."""
        if self.data.group is not None and self.settings.group_duplicates:
            raise UserError(
                "params.yaml: split.group_duplicates must be false with method hash and a "
                "data.group, by which alone rows are then kept together; got true"
            )
        # A worker may be in another folder.
        found = find_table(self.table, self.data)
        files = [file._replace(path=file.path.absolute()) for file in found]
        partitions = count_partitions(sum(file.path.stat().st_size for file in files))
        marked = given_splits(self.table, self.data)
        work = replace(self, marked=marked, partitions=partitions)
        parts = cut(files, layout_of(self.data))
        passed = None
        if len(parts) > 1:
            with contextlib.suppress(PartError), workers.pool(len(parts), MEMORY) as pool:
                tasks = [(work, *numbered) for numbered in enumerate(parts)]
                passed, *others = pool.map(pass_part, tasks, "split")
                for other in others:
                    passed.merge(other)
        if passed is None:
            passed = work.pass_part(0, None)
        passed.require_unique_ids()
        return passed

    def pass_part(self, number: int, part: Part | None) -> Passed:
        """Divide a part of a table, or all of it, without the checks of all rows."""
        rows = Corpus(self.table, self.data, self.rare, part=part)
        batches = rows.batches() if part else _track(rows.batches())
        passed = self.pass_rows(rows, hash_splits(batches, self.settings, self.marked), number)
        if self.data.id is not None:
            ids = Partitions(passed.writers[0].folder / "ids", ID, self.partitions)
            ids.add(rows.take_ids())
            ids.close()
            passed.ids.append(ids)
        return passed

    def pass_rows(self, rows: Corpus, parts: Parts, number: int = 0) -> Passed:
        """Let rows pass all steps."""
        writer = self.writer(rows, number)
        labelled = corrector = unknown = None
        if self.has_rounds:
            seed = self.settings.seed if self.settings.method == "hash" else 0
            labelled = LabelledRows(self.labelled or Labelled(LABELLED), seed)
        if self.corrections:
            corrector = Corrector(self.corrections, self.data)
        if self.data.unknown is not None:
            unknown = UnknownRows(writer)
        passed = Passed(self, rows, [writer], Times(), labelled, corrector, unknown)
        for step in passed.steps:
            parts = step.apply(parts)
        writer.write(parts)
        return passed

    @property
    def has_rounds(self) -> bool:
        """Whether training rows have the columns `chosen` and `round`."""
        return self.labelled is not None or SUGGESTED in self.marked

    def writer(self, rows: Corpus, number: int) -> Writer:
        """Return the writer of a part, to a folder of its own."""
        folder = self.scratch / f"{number}-{uuid.uuid4().hex}"
        folder.mkdir()
        return Writer(folder, rows, self.has_rounds, self.seed, number, self.partitions)


def pass_part(work: Work, number: int, part: Part) -> Passed:
    """Divide a part of a table in any process; `PartError` if it needs the others."""
    try:
        passed = work.pass_part(number, part)
    except UserError as error:
        raise PartError from error
    if not passed.rows.is_sound:
        raise PartError
    return passed


def _track(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the rows and show how many have passed, if it takes long."""
    with contextlib.closing(progress.bar("split", None)) as bar:
        for batch in batches:
            yield batch
            bar.update(len(batch))
