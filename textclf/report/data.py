"""The section on the data: origin, classes, lengths, duplicates, leaks and conflicting labels."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from textclf.artifacts.features import DENSE
from textclf.artifacts.label_sets import is_multilabel
from textclf.artifacts.split_report import SplitReport
from textclf.artifacts.splits import ReadColumns
from textclf.core.arrow import Lengths, hash_normalized
from textclf.core.display import labelled_names
from textclf.core.formatting import count_noun, display_name, percent
from textclf.export.sources import combine_rights
from textclf.pages.parts import IDS, Chart, Labelled, LabelledText, Table, ends
from textclf.plot.charts import LENGTHS
from textclf.plot.draw import bars as draw_bars
from textclf.plot.style import WIDTH
from textclf.report.run import Run, SplitRows, pool_of

# Beyond this many classes the table of classes is folded.
FOLDED = 20
# Of more than twice as many classes, this many of the largest and of the smallest are listed.
ENDS = 20
# Bars of the histogram of lengths.
BARS = 30
QUANTILES = {"shortest": 0, "25%": 0.25, "median": 0.5, "75%": 0.75, "95%": 0.95, "longest": 1}
# Texts with several labels that are listed.
CONFLICTS = 20
# Rows that are searched for them at once.
PART = 500_000


def data(run: Run) -> dict[str, Any]:
    """Return the section."""
    rows = run.rows
    words = np.concatenate([part.words for part in rows.values()])
    return {
        "rights": combine_rights(run.sources, run.settings.about),
        "rows": f"{len(words):,}",
        "classes": _classes(run),
        "fold": len(run.classes) > FOLDED,
        "lengths": _lengths(words),
        "quantiles": _quantiles(rows),
        "repeats": _repeats(run.results.splits, list(rows)),
        "repeated": {
            "duplicates": count_noun(sum(run.results.splits.duplicates.normalised.values()), "row"),
            "leaks": count_noun(sum(run.results.splits.leaks.normalised.values()), "row"),
        },
        "conflicts": conflicts(run),
        "weights": [
            f"{weights.name}: {weights.licence}"
            for weights in run.weights(*run.settings.train.names())
        ],
        "features": [_representation(run, name) for name in run.results.features],
    }


def _representation(run: Run, name: str) -> str:
    """Return how a text becomes the features of a representation, named if there are several."""
    shape = run.results.features[name].train
    text = run.settings.vectorize[name].describe(shape.features)
    mean = shape.nonzeros / shape.rows
    label = f"{display_name(name)}: " if len(run.results.features) > 1 else ""
    if run.settings.vectorize[name].kind == DENSE:
        # Every text has a number in every column.
        return f"{label}{text}"
    return f"{label}{text}; on average {mean:.1f} of them in a training text"


def _classes(run: Run) -> Table:
    report = run.results.splits
    counts = pd.DataFrame(report.rows_by_class, list(run.classes)).fillna(0).astype(int)
    sizes = pd.Series(report.sizes)
    counts, sizes["all"] = counts.assign(all=counts.sum(axis=1)), sizes.sum()
    names = labelled_names(run.classes, run.titles)
    shown = set(ends(sorted(run.classes, key=lambda label: -counts["all"][label]), ENDS))
    shares: pd.Series[float] = counts["all"] / sizes["all"]
    rows = [
        [names[label], *(f"{count:,}" for count in counts.loc[label]), percent(shares[label])]
        for label in run.classes
        if label in shown
    ]
    if run.multilabel:
        without = [part.without_labels or 0 for part in report.splits.values()]
        without.append(sum(without))
        rows.append(
            [
                "no label",
                *(f"{number:,}" for number in without),
                percent(without[-1] / sizes["all"]),
            ]
        )
    rows.append(["all", *(f"{size:,}" for size in sizes), percent(1.0)])
    if run.multilabel:
        rows.append(["labels per text", *(f"{mean:.2f}" for mean in counts.sum() / sizes), ""])
    columns = [run.words["kind"], *counts, "share"]
    caption = f"Rows by {run.words['kind']} and split"
    if len(shown) < len(run.classes):
        caption += (
            f": the {ENDS} largest and the {ENDS} smallest "
            f"of {len(run.classes)} {run.words['kinds']}"
        )
    return Table(caption, columns, rows, range(1, len(columns)), stack=False)


def _lengths(words: Lengths) -> Chart:
    bars, beyond = histogram(words)
    longest = f"{int(words.max()):,}"
    caption = "Texts by their number of words."
    if beyond:
        has = "has" if beyond == 1 else "have"
        caption += (
            f" Not drawn: {count_noun(beyond, 'text')} that {has} more than {bars['to'].max():,}, "
            f"up to {longest}."
        )
    return Chart(
        "lengths",
        f"Histogram of the number of words in {len(words):,} texts: half of them have "
        f"{int(np.median(words)):,} or fewer, the longest {longest}.",
        caption,
        draw_bars(LENGTHS, bars, size=(WIDTH, 150)),
    )


def histogram(values: Lengths) -> tuple[pd.DataFrame, int]:
    """Return bars (`from`, `to`, `rows`) up to about the 99th percentile, and the number beyond."""
    top = int(np.quantile(values, 0.99, method="higher")) + 1
    top = int(values.max()) + 1 if values.max() < 1.5 * top else top
    width = max(1, -(-top // BARS))
    edges = np.arange(0, top + width, width)
    counts = np.histogram(values[values < edges[-1]], bins=edges)[0]
    bars = pd.DataFrame({"from": edges[:-1], "to": edges[1:], "rows": counts})
    return bars, int((values >= edges[-1]).sum())


def _quantiles(rows: Mapping[str, SplitRows]) -> Table:
    lines = [
        [
            split,
            unit,
            *(
                f"{value:,}"
                for value in np.quantile(values, list(QUANTILES.values()), method="lower")
            ),
        ]
        for split, part in rows.items()
        for unit, values in (("words", part.words), ("characters", part.characters))
    ]
    return Table(
        "Lengths of the texts", ["split", "unit", *QUANTILES], lines, range(2, 2 + len(QUANTILES))
    )


def _repeats(report: SplitReport, splits: list[str]) -> Table:
    duplicates, leaks = report.duplicates, report.leaks
    rows = [
        [split, f"{duplicates.exact[split]:,}", f"{duplicates.normalised[split]:,}"]
        for split in splits
    ]
    rows += [
        [pair.replace("_in_", " in "), f"{number:,}", f"{leaks.normalised[pair]:,}"]
        for pair, number in leaks.exact.items()
    ]
    return Table(
        "Rows whose text occurs earlier in the split, or in another one",
        ["where", "exactly", "apart from case and spaces"],
        rows,
        (1, 2),
        stack=False,
    )


def conflicts(run: Run) -> dict[str, Any] | None:
    """Return the first `CONFLICTS` texts with several labels, and their number; None if 0."""
    number = run.results.splits.label_conflicts.normalised
    if not number:
        return None
    classes = [*run.names.values()] if run.multilabel else run.classes
    grouped = run.settings.data.group is not None
    conflicting = find_conflicts(run.rows, classes, CONFLICTS, grouped=grouped)
    return {
        "kind": "different sets of labels" if run.multilabel else "several labels",
        "number": f"{number:,}",
        "left_out": number > CONFLICTS,
        "shown": CONFLICTS,
        "texts": [
            text.shown(
                dict(zip(text.rows, text.rows, strict=True)) if run.multilabel else run.names
            )
            for text in conflicting
        ],
    }


def find_conflicts(
    splits: Mapping[str, SplitRows], classes: Sequence[str], limit: int, grouped: bool
) -> list[LabelledText]:
    """Return the first `limit` texts with several labels.

    Texts are equal if they differ in case and spaces alone.

    Keeps of each row a hash of its text and the position of its label; the positions, as text, of a
    set of labels. Where rows are `grouped` by a column, clusters are not those of texts, and the
    texts are hashed again.
    """
    readers = [read for rows in splits.values() for read in rows.readers]
    with pool_of(rows.readers for rows in splits.values()) as pool:
        keys = pool.map(_keys_of, [(read, grouped) for read in readers], "find conflicting labels")
    rows = pa.concat_tables(keys).to_pandas()
    del keys
    rows = first_conflicting(rows, limit)
    firsts, labels = rows.drop_duplicates("key")["key"], rows.groupby(["key", "label"], sort=False)
    texts = _rows_at(splits, firsts.index, "text")["text"]
    shown = _rows_at(splits, labels.head(IDS).index, "id")
    conflicting = {
        key: LabelledText(text, {}) for key, text in zip(firsts, texts[firsts.index], strict=True)
    }
    for _, part in labels:
        examples = shown.loc[part.index[:IDS]]
        ids = list(zip(examples["split"], examples["id"], strict=True))
        names = [classes[int(place)] for place in str(part["label"].iloc[0]).split()]
        rows_by_label = conflicting[part["key"].iloc[0]].rows
        rows_by_label[", ".join(names) or "no label"] = Labelled(len(part), ids)
    return list(conflicting.values())


def _keys_of(read: ReadColumns, grouped: bool) -> pa.Table:
    rows = read(["text" if grouped else "cluster", "label"])
    labels = rows["label"]
    if is_multilabel(rows):
        labels = pc.binary_join(labels.cast(pa.list_(pa.string())), " ")
    return pa.table(
        {"key": hash_normalized(rows["text"]) if grouped else rows["cluster"], "label": labels}
    )


def _rows_at(splits: Mapping[str, SplitRows], places: Iterable[int], column: str) -> pd.DataFrame:
    """Return `split` and a column of the rows at these positions among all rows (the index)."""
    parts = []
    start = 0
    for split, rows in splits.items():
        part = rows.at(
            (place - start for place in places if start <= place < start + len(rows)), column
        )
        parts.append(part.assign(split=split).set_index(part.index + start))
        start += len(rows)
    return pd.concat(parts)


def first_conflicting(rows: pd.DataFrame, limit: int) -> pd.DataFrame:
    """Return the rows of the first `limit` keys with several labels; columns `key` and `label`."""
    # Parts by key bound the memory, and their keys stay in the cache of a core.
    parts = 1 + len(rows) // PART
    part_of = rows["key"].to_numpy() % parts
    found = []
    for part in range(parts):
        own = rows[part_of == part]
        repeated = own[own["key"].duplicated(keep=False)]
        keys = repeated["key"][~repeated.duplicated()]
        conflicting = repeated[repeated["key"].isin(keys[keys.duplicated()])]
        first_keys = conflicting["key"].unique()[:limit]
        found.append(conflicting[conflicting["key"].isin(first_keys)])
    several: pd.DataFrame = pd.concat(found).sort_index()
    return several[several["key"].isin(several["key"].unique()[:limit])]
