"""Texts that were labelled beside the table, as training rows once those of the table have been assigned."""

from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from textclf.core.arrow import array_of, array_of_numbers, as_array, hash_normalized
from textclf.core.quoting import quote_value
from textclf.tables.corpus import Corpus
from textclf.tables.edited import raise_first
from textclf.tables.labelled import NOUN, Labelled
from textclf.tables.several import LABELS


def with_labelled(
    parts: Iterable[tuple[str, pa.Table]], rows: Corpus, labelled: Labelled, seed: int
) -> Iterator[tuple[str, pa.Table]]:
    """Yield the parts of a table, with the columns `chosen` and `round`, and then the labelled texts as training rows.

    Their labels are added to the classes of the table. `seed` is that of the hash of a normalised text, of which their
    cluster is made. Raises `UserError` for an id that the table has too, and for labels that it could not have.
    """
    known, taken, multilabel = pa.array(labelled.ids), set[str](), rows.settings.multilabel
    for name, part in parts:
        ids = as_array(part["id"])
        taken.update(ids.filter(pc.is_in(ids, known.cast(ids.type))).to_pylist())
        rounds = {"chosen": pa.repeat("", len(part)), "round": pa.repeat(pa.scalar(0, pa.int32()), len(part))}
        yield name, pa.table(dict(zip(part.column_names, part.columns, strict=True)) | rounds)
    rule, advice = f"id must not be that of a row of {rows.path}", "give it another id, or leave it out"
    errors, places, labels = [], [], []
    for place, (row, label) in enumerate(zip(labelled.ids, labelled.labels, strict=True)):
        where = f"{labelled.path}:{labelled.lines[row]}"
        errors += [f"{where}: {rule}; got {quote_value(row)}; {advice}"] * (row in taken and bool(label))
        try:
            names = rows.classes_of(label) if label else None  # without a label, it was discarded
        except ValueError as error:
            errors.append(f"{where}: {error}")
        else:
            if names or (names is not None and multilabel):
                places.append(place)
                labels.append(names)
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
