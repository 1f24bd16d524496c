"""Which rows are trained on, validated on and tested on."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from textclf.errors import UserError
from textclf.files import SPLITS, of_each_split, read_parquet
from textclf.params import Split

SCHEMA = pa.schema([("id", pa.string()), ("text", pa.string()), ("label", pa.string())])


def split(rows: pd.DataFrame, settings: Split) -> dict[str, pd.DataFrame]:
    """The rows of each split, shuffled: train, validation if its size is above 0, test.

    Train and test are those of scikit-learn's `train_test_split` under the same size, seed and
    stratification. Validation is taken from the training rows in the same manner, so that the test rows do
    not depend on it. `rows` has the columns `id`, `text` and `label`. `UserError` where a split would lack
    rows or the training rows a class.
    """
    kept = np.arange(len(rows))
    labels = rows["label"].to_numpy(dtype=object)
    parts = {}
    for name, share in (("test", settings.test_size), ("validation", settings.validation_size)):
        if share == 0:
            continue
        count = math.ceil(share * len(rows))
        if count >= len(kept):
            raise UserError(f"{len(rows)} rows are too few for split.{name}_size {share:g} and one row to train on")
        draw = _stratified if settings.stratify else _random
        kept, parts[name] = draw(kept, labels[kept], count, settings.seed)
    parts["train"] = kept
    splits = {name: rows.iloc[parts[name]].reset_index(drop=True) for name in SPLITS if name in parts}
    for name, rule, advice in (("train", "training", "smaller"), ("test", "test", "larger")):
        if missing := sorted(set(rows["label"]) - set(splits[name]["label"])):
            raise UserError(
                f"the {rule} rows must hold every class; class {missing[0]} has none of {len(splits[name])}: "
                f"set split.stratify to true, or a {advice} split.test_size"
            )
    return splits


def _random(
    positions: NDArray[np.int64], _: NDArray[np.object_], count: int, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """What is kept and `count` that are taken, in scikit-learn's order, without its second of import."""
    order = np.random.RandomState(seed).permutation(len(positions))
    return positions[order[count:]], positions[order[:count]]


def _stratified(
    positions: NDArray[np.int64], labels: NDArray[np.object_], count: int, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The same with the balance of the labels kept on both sides."""
    from sklearn.model_selection import train_test_split

    try:
        kept, taken = train_test_split(positions, test_size=count, random_state=seed, stratify=labels)
    except ValueError as error:
        raise UserError(f"{len(positions)} rows can not be stratified: {error}") from error
    return kept, taken


def write(rows: pd.DataFrame, path: Path) -> None:
    """Write the rows of a split as Parquet."""
    table = pa.Table.from_pandas(rows, schema=SCHEMA, preserve_index=False)
    # Without pandas' own metadata: a reader needs none, and the bytes should not name a version of pandas.
    pq.write_table(table.replace_schema_metadata(None), path, compression="zstd")


def read(folder: Path) -> dict[str, pd.DataFrame]:
    """The rows of each split in a folder, in the order of `SPLITS`; `UserError` if there are none."""
    return {name: read_parquet(path, SCHEMA.names) for name, path in of_each_split(folder, ".parquet").items()}
