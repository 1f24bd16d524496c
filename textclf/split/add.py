"""Texts that were labelled beside the table, as training rows once those of the table have been assigned."""

from collections.abc import Iterable, Iterator, Set

import pyarrow as pa
import pyarrow.compute as pc

from textclf.core.arrow import array_of, array_of_numbers, as_array, hash_normalized
from textclf.core.quoting import quote_value
from textclf.tables.corpus import Corpus
from textclf.tables.edited import raise_first
from textclf.tables.labelled import NOUN, Labelled
from textclf.tables.several import LABELS, labels_in


def with_labelled(
    parts: Iterable[tuple[str, pa.Table]], rows: Corpus, labelled: Labelled, seed: int
) -> Iterator[tuple[str, pa.Table]]:
    """Yield the parts of a table, with the columns `chosen` and `round`, and then the labelled texts as training rows.

    Their labels are added to the classes of the table. `seed` is that of the hash of a normalised text, of which their
    cluster is made. Raises `UserError` for an id that the table has too, and for labels that it could not have.
    """
    known, taken = pa.array(labelled.ids), set[str]()
    for name, part in parts:
        ids = as_array(part["id"])
        taken.update(ids.filter(pc.is_in(ids, known.cast(ids.type))).to_pylist())
        rounds = {"chosen": pa.repeat("", len(part)), "round": pa.repeat(pa.scalar(0, pa.int32()), len(part))}
        yield name, pa.table(dict(zip(part.column_names, part.columns, strict=True)) | rounds)
    errors, places, labels = [], [], []
    multilabel = rows.settings.multilabel
    for place, (row, label) in enumerate(zip(labelled.ids, labelled.labels, strict=True)):
        try:
            names = _names(row, label, rows, taken) if label else None  # without a label, it was discarded
        except ValueError as error:
            errors.append(f"{labelled.path}:{labelled.lines[row]}: {error}")
            continue
        if names or (names is not None and multilabel):
            places.append(place)
            labels.append(sorted(names))
    raise_first(errors, labelled.path, len(labelled), NOUN)
    rows.add_classes({name for each in labels for name in each})
    texts = array_of([labelled.texts[place] for place in places])
    normalised = array_of_numbers(hash_normalized(texts, seed))
    columns = {
        **dict.fromkeys((name for name in rows.layout.columns if name != "time"), pa.repeat("", len(places))),
        "id": known.take(pa.array(places, pa.int32())),
        "text": texts,
        "label": pa.array(labels, LABELS) if multilabel else array_of([name for [name] in labels]),
        "group": texts,
        "split": pa.repeat("train", len(places)),
        "cluster": normalised,
        "normalised": normalised,
        "chosen": array_of([labelled.chosen[place] for place in places]),
        "round": pa.array([labelled.rounds[place] for place in places], pa.int32()),
    }
    yield "train", pa.table(columns)


def _names(row: str, label: str, rows: Corpus, taken: Set[str]) -> set[str]:
    """Return the classes in the label of a row, as they are meant; `ValueError` if it or the id breaks a rule."""
    if row in taken:
        rule = f"id must not be that of a row of {rows.path}; got {quote_value(row)}"
        raise ValueError(f"{rule}; give it another id, or leave it out")
    separator = rows.settings.label_separator
    written = labels_in(label, "label", separator, single=True) if rows.settings.multilabel else [label]
    for each in written:
        rows.require_class(each, "label")
    return {name for each in written if (name := rows.class_of(each)) is not None}
