"""Labels by people, applied to splits: corrections, and labels of texts beside the table."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Set
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textclf.core.arrow import array_of, array_of_numbers, as_array, flat, hash_normalized
from textclf.core.errors import UserError
from textclf.core.files import SPLITS, SUGGESTED
from textclf.core.quoting import list_names, quote_value
from textclf.tables.copies import NearCopies
from textclf.tables.corpus import Corpus
from textclf.tables.corrections import NOUN as CORRECTIONS
from textclf.tables.corrections import Corrections
from textclf.tables.edited import raise_first
from textclf.tables.labelled import NOUN as LABELLED
from textclf.tables.labelled import Labelled
from textclf.tables.settings import Data
from textclf.tables.several import LABELS, labels_in


class Corrector:
    """Applies corrections to rows that come in pieces, and counts what became of each correction.

    Labels of test rows stay as they are unless `test_rows`: what the models are measured by must
    not change silently.
    """

    def __init__(self, corrections: Corrections, data: Data) -> None:
        """Prepare to correct rows of a table; `UserError` for labels that it could not have."""
        self.corrections = corrections
        self.test_rows = data.correct_test_rows
        self._drops = data.rare == "drop"
        self._ids = array_of(list(corrections.labels))
        self._labels = array_of(list(corrections.labels.values()))
        if data.multilabel:
            self._labels = self._parse(data.label_separator)
        self._is_matched = np.zeros(len(corrections), bool)  # whether the table has the row
        self._classes: set[str] = set()
        self._trained: set[str] = set()  # classes of the training rows before they are corrected
        self._applied: Counter[str] = Counter()
        self._unchanged = self._skipped = 0

    def apply(self, parts: Iterable[tuple[str, pa.Table]]) -> Iterator[tuple[str, pa.Table]]:
        """Yield the parts with corrected labels."""
        for name, part in parts:
            yield name, self.correct(part, name)

    def merge(self, other: "Corrector") -> None:
        """Add what became of corrections in the next part of the table."""
        self._is_matched |= other._is_matched
        self._classes |= other._classes
        self._trained |= other._trained
        self._applied.update(other._applied)
        self._unchanged += other._unchanged
        self._skipped += other._skipped

    def correct(self, rows: pa.Table, split: str) -> pa.Table:
        """Return rows of a split, the labels of those with a correction corrected."""
        labels = as_array(rows["label"])
        distinct = flat(labels).unique().to_pylist()
        self._classes.update(distinct)
        if split == "train":
            self._trained.update(distinct)
        ids = as_array(rows["id"])
        positions = pc.index_in(ids, self._ids.cast(ids.type)).fill_null(-1).to_numpy()
        corrected = np.flatnonzero(positions >= 0)
        positions = positions[corrected]
        self._is_matched[positions] = True
        given = labels.take(corrected).to_pylist()
        wanted = self._labels.take(positions).to_pylist()
        differ = np.array([old != new for old, new in zip(given, wanted, strict=True)], bool)
        self._unchanged += int((~differ).sum())
        if split == "test" and not self.test_rows:
            self._skipped += int(differ.sum())
            return rows
        self._applied[split] += int(differ.sum())
        order = np.arange(len(labels))
        order[corrected[differ]] = len(labels) + positions[differ]
        labels = pa.concat_arrays([labels, self._labels.cast(labels.type)]).take(order)
        return rows.set_column(rows.column_names.index("label"), "label", labels)

    def _parse(self, separator: str | None) -> pa.ListArray:
        """Return the set of labels of each correction, written as in the table, or as JSON."""
        sets, errors = [], []
        for row, label in self.corrections.labels.items():
            try:
                sets.append(labels_in(label, "label", separator, single=True))
            except ValueError as error:
                errors.append(f"{self.corrections.path}:{self.corrections.lines[row]}: {error}")
        raise_first(errors, self.corrections.path, len(self.corrections), CORRECTIONS)
        return pa.array(sets, LABELS)

    def finish(self, trained: Collection[str]) -> None:
        """Raise `UserError` for rows that the table lacks and labels that are no classes.

        Also if corrections leave a class without training rows: `trained` are the classes that have
        some.
        """
        corrections = self.corrections
        errors = []
        labels_of_rows, is_matched = self._labels.to_pylist(), self._is_matched.tolist()
        for row, label, matched in zip(corrections.labels, labels_of_rows, is_matched, strict=True):
            where = f"{corrections.path}:{corrections.lines[row]}"
            if not matched:
                rule = "id must be that of a row of the table"
                if self._drops:
                    rule += " that data.rare does not leave out"
                errors.append(f"{where}: {rule}; got {quote_value(row)}")
            labels = label if isinstance(label, list) else [label]
            if unknown := [name for name in labels if name not in self._classes]:
                rule = f"label must be one of the classes ({list_names(sorted(self._classes))})"
                errors.append(f"{where}: {rule}; got {quote_value(unknown[0])}")
        raise_first(errors, corrections.path, len(corrections), CORRECTIONS)
        if without := sorted(self._trained - set(trained)):
            rule = "must leave training rows to every class"
            advice = "correct the label in the table itself if it is no class"
            raise UserError(
                f"{corrections.path} {rule}; got none of {list_names(without)}; {advice}"
            )

    def report(self, report: dict[str, Any]) -> None:
        """Report the numbers of labels `applied` by split, `unchanged`, and `skipped` in test."""
        applied = {name: self._applied[name] for name in SPLITS if self._applied[name]}
        numbers = {"unchanged": self._unchanged, "skipped": self._skipped}
        report["corrections"] = {"applied": applied, **numbers}


class LabelledRows:
    """Adds the texts that were labelled beside the table to the training rows, after all parts.

    All rows get the columns `chosen` and `round`. A row of the table that is `SUGGESTED` was chosen
    without a model, as diverse.
    """

    def __init__(self, labelled: Labelled, seed: int) -> None:
        """`seed` is that of the hash of a normalised text, of which their cluster is made."""
        self.labelled, self.seed = labelled, seed
        self.added = pa.table({})  # the rows that were added, with the column round
        self._taken = set[str]()  # their ids that the table has, too
        self._near = NearCopies(labelled.texts) if labelled.count else None
        self._copies: list[str] = []  # ids of near copies of test rows

    def apply(self, parts: Iterable[tuple[str, pa.Table]]) -> Iterator[tuple[str, pa.Table]]:
        """Yield the parts of a table with both columns."""
        known = array_of(self.labelled.ids)
        for name, part in parts:
            if self._near and name == "test":
                self._near.compare(part["text"])
            ids = as_array(part["id"])
            self._taken.update(ids.filter(pc.is_in(ids, known.cast(ids.type))).to_pylist())
            columns = dict(zip(part.column_names, part.columns, strict=True))
            chosen = pa.repeat("", len(part))
            if "split" in columns:
                chosen = pc.if_else(pc.equal(columns["split"], SUGGESTED), "diverse", "")
            rounds = {"chosen": chosen, "round": pa.repeat(pa.scalar(0, pa.int32()), len(part))}
            yield name, pa.table(columns | rounds)

    def merge(self, other: "LabelledRows") -> None:
        """Add what was found in the next part of the table."""
        self._taken |= other._taken
        if self._near and other._near:
            self._near.is_copy |= other._near.is_copy

    def rest(self, rows: Corpus) -> Iterator[tuple[str, pa.Table]]:
        """Yield the labelled texts as training rows; their labels are added to the classes.

        Near copies of test rows are left out. Raises `UserError` for an id that the table has too,
        and for labels that it could not have.
        """
        labelled, multilabel = self.labelled, rows.settings.multilabel
        added, labels = _accept(labelled, rows, self._taken, self._near, self._copies)
        rows.labels.order({name for names in labels for name in names})
        texts = array_of([labelled.texts[position] for position in added])
        normalised = array_of_numbers(hash_normalized(texts, self.seed))
        empty = pa.repeat("", len(added))
        columns = {
            **{name: empty for name in rows.layout.columns if name != "time"},
            "id": array_of(labelled.ids).take(pa.array(added, pa.int32())),
            "text": texts,
            "label": pa.array(labels, LABELS) if multilabel else array_of([n for [n] in labels]),
            "group": texts,
            "split": pa.repeat("train", len(added)),
            "cluster": normalised,
            "normalised": normalised,
            "chosen": array_of([labelled.chosen[position] for position in added]),
            "round": pa.array([labelled.rounds[position] for position in added], pa.int32()),
        }
        yield "train", pa.table(columns)

    def report(self, report: dict[str, Any]) -> None:
        """Report the rows that were added, and those left out as near copies of test rows."""
        added: dict[str, int] = {}
        if self.labelled.count and len(self.added):
            rounds = pc.min_max(self.added["round"]).as_py()
            added = {"rows": len(self.added)}
            added |= {"first_round": rounds["min"], "last_round": rounds["max"]}
        if self._copies:
            added["test_copies"] = len(self._copies)
        if added:
            report["labelled"] = added


def _accept(
    labelled: Labelled, rows: Corpus, taken: Set[str], near: NearCopies | None, copies: list[str]
) -> tuple[list[int], list[list[str]]]:
    """Return the positions of the labelled texts that train, and the classes in their labels.

    `taken` are their ids that rows of the table have, too. Near copies of test rows are added to
    `copies`. Raises `UserError` as `LabelledRows.rest`.
    """
    rule = f"id must not be that of a row of {rows.path}"
    advice = "give it another id, or leave it out"
    errors: list[str] = []
    added: list[int] = []
    labels: list[list[str]] = []
    for position, (row, label) in enumerate(zip(labelled.ids, labelled.labels, strict=True)):
        if not label:  # the text was discarded
            continue
        where = f"{labelled.path}:{labelled.lines[row]}"
        if row in taken:
            errors.append(f"{where}: {rule}; got {quote_value(row)}; {advice}")
        try:
            names = rows.classes_of(label)
        except ValueError as error:
            errors.append(f"{where}: {error}")
            continue
        if not names and not rows.settings.multilabel:  # data.rare leaves its class out
            continue
        if near and near.is_copy[position]:
            copies.append(row)
            continue
        added.append(position)
        labels.append(names)
    raise_first(errors, labelled.path, len(labelled), LABELLED)
    return added, labels
