"""Texts that occur with different labels."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from textclf.artifacts.label_sets import is_multilabel
from textclf.artifacts.splits import ReadColumns
from textclf.core.arrow import hash_normalized
from textclf.pages.parts import IDS, Labelled, LabelledText
from textclf.report.run import Run, SplitRows

SHOWN = 20  # texts


def conflicts(run: Run) -> dict[str, Any] | None:
    """Return the first `SHOWN` texts that occur with several labels, and how many there are; None if there are none."""
    number = run.results.splits.label_conflicts.normalised
    if not number:
        return None
    classes = [*run.names.values()] if run.multilabel else run.classes
    found = find_conflicts(run.rows, classes, SHOWN, grouped=run.settings.data.group is not None)
    return {
        "kind": "different sets of labels" if run.multilabel else "several labels",
        "number": f"{number:,}",
        "left_out": number > SHOWN,
        "shown": SHOWN,
        "texts": [
            text.shown(dict(zip(text.rows, text.rows, strict=True)) if run.multilabel else run.names) for text in found
        ],
    }


def find_conflicts(
    splits: Mapping[str, SplitRows], classes: Sequence[str], limit: int, grouped: bool
) -> list[LabelledText]:
    """Return the first `limit` texts with several labels. Texts are equal if they differ in case and spaces alone.

    Keeps of each row a hash of its text and the position of its label; the positions, as text, of a set of labels.
    Where rows are `grouped` by a column, clusters are not those of texts, and the texts are hashed again.
    """

    def keys_of(read: ReadColumns) -> pa.Table:
        rows = read(["text" if grouped else "cluster", "label"])
        labels = rows["label"]
        if is_multilabel(rows):
            labels = pc.binary_join(labels.cast(pa.list_(pa.string())), " ")
        return pa.table({"key": hash_normalized(rows["text"]) if grouped else rows["cluster"], "label": labels})

    readers = [read for rows in splits.values() for read in rows.readers]
    rows = first_conflicting(pa.concat_tables(map(keys_of, readers)).to_pandas(), limit)
    firsts, labels = rows.drop_duplicates("key")["key"], rows.groupby(["key", "label"], sort=False)
    texts, shown = _rows_at(splits, firsts.index, "text")["text"], _rows_at(splits, labels.head(IDS).index, "id")
    found = {key: LabelledText(text, {}) for key, text in zip(firsts, texts[firsts.index], strict=True)}
    for _, part in labels:
        examples = shown.loc[part.index[:IDS]]
        ids = list(zip(examples["split"], examples["id"], strict=True))
        names = [classes[int(place)] for place in str(part["label"].iloc[0]).split()]
        found[part["key"].iloc[0]].rows[", ".join(names) or "no label"] = Labelled(len(part), ids)
    return list(found.values())


def _rows_at(splits: Mapping[str, SplitRows], places: Iterable[int], column: str) -> pd.DataFrame:
    """Return `split` and a column of the rows at these positions among all rows, which index them."""
    parts = []
    start = 0
    for split, rows in splits.items():
        part = rows.at((place - start for place in places if start <= place < start + len(rows)), column)
        parts.append(part.assign(split=split).set_index(part.index + start))
        start += len(rows)
    return pd.concat(parts)


def first_conflicting(rows: pd.DataFrame, limit: int) -> pd.DataFrame:
    """Return the rows of the first `limit` keys that have several labels; `rows` has the columns `key` and `label`."""
    repeated = rows[rows["key"].duplicated(keep=False)]
    keys = repeated["key"][~repeated.duplicated()]
    several = repeated[repeated["key"].isin(keys[keys.duplicated()])]
    return several[several["key"].isin(several["key"].unique()[:limit])]
