"""Which rows are trained on, validated on and tested on."""

import math
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from textclf.errors import UserError
from textclf.files import SPLITS, of_each_split, read_json, read_parquet, reading
from textclf.params import Split

CLASSES = "classes.json"  # beside the splits: the classes in order
SCHEMA = pa.schema([("id", pa.string()), ("text", pa.string()), ("label", pa.string())])


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
    for name, rule, advice in (("train", "training", "smaller"), ("test", "test", "larger")):
        if missing := sorted(set(rows["label"]) - set(parts[name]["label"])):
            raise UserError(
                f"the {rule} rows must hold every class; class {missing[0]} has none of {len(parts[name])}: "
                f"set split.stratify to true, or a {advice} split.test_size"
            )
    return {name: parts[name].reset_index(drop=True) for name in SPLITS if name in parts}


def normalised(text: str) -> str:
    """The text by which duplicates are told: compatibility forms unified (NFKC), case folded, spaces single."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


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
    """Counts of what the splits share, under `exact` and `normalised` texts, and the classes of each split.

    `<split>.classes.<class>` rows of each class. `duplicates.<kind>.<split>` rows that repeat an earlier row
    of their split. `leaks.<kind>.<one>_in_<other>` rows of `one` (test, validation) whose text also stands
    in `other`, which is used before it. `label_conflicts.<kind>` texts that carry more than one label.
    """
    report: dict[str, Any] = {
        name: {"classes": {str(label): int(n) for label, n in rows["label"].value_counts().items()}}
        for name, rows in splits.items()
    }
    report |= {"duplicates": {}, "leaks": {}, "label_conflicts": {}}
    for kind, key in (("exact", str), ("normalised", normalised)):
        texts = {name: rows["text"].map(key) for name, rows in splits.items()}
        report["duplicates"][kind] = {name: int(column.duplicated().sum()) for name, column in texts.items()}
        report["leaks"][kind] = {
            f"{one}_in_{other}": int(texts[one].isin(texts[other]).sum())
            for position, one in enumerate(texts)
            for other in list(texts)[:position]
        }
        every = pd.concat([rows.assign(key=texts[name]) for name, rows in splits.items()])
        report["label_conflicts"][kind] = int((every.groupby("key")["label"].nunique() > 1).sum())
    return report


def write(rows: pd.DataFrame, path: Path) -> None:
    """Write the rows of a split as Parquet."""
    table = pa.Table.from_pandas(rows, schema=SCHEMA, preserve_index=False)
    # Without pandas' own metadata: a reader needs none, and the bytes should not name a version of pandas.
    pq.write_table(table.replace_schema_metadata(None), path, compression="zstd")


def read(folder: Path) -> dict[str, pd.DataFrame]:
    """The rows of each split in a folder, in the order of `SPLITS`; `UserError` if there are none."""
    return {name: read_parquet(path, SCHEMA.names) for name, path in of_each_split(folder, ".parquet").items()}


def read_classes(folder: Path) -> list[str]:
    """The classes of the splits in a folder, in order; `UserError` if they are missing or damaged."""
    path = folder / CLASSES
    content = read_json(path)
    with reading(path):
        if not isinstance(content, list) or not all(isinstance(name, str) for name in content):
            raise ValueError(content)
    return content
