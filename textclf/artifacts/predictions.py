"""Predictions: what any classifier hands to any evaluation."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy as np
from numpy.typing import NDArray

from textclf.core.errors import UserError
from textclf.core.files import SCRATCH, read_parquet, reading
from textclf.params import Model

if TYPE_CHECKING:
    import pandas as pd

    from textclf.vectorize.features import Features

PREFIX = "probability_"  # of the columns that hold a class's probability


def table(split: str, features: "Features", probabilities: NDArray[np.float64]) -> "pd.DataFrame":
    """One row a row of the split: `id`, `split`, `label`, and `probability_<class>` for each class, in order."""
    import pandas as pd

    columns = {"id": features.ids, "split": split, "label": features.classes[features.y]}
    for position, name in enumerate(features.classes):
        columns[f"{PREFIX}{name}"] = probabilities[:, position]
    return pd.DataFrame(columns)


def classes(rows: "pd.DataFrame") -> list[str]:
    """The classes that the columns of a table of predictions name, in order."""
    return [name.removeprefix(PREFIX) for name in rows.columns if name.startswith(PREFIX)]


def write(rows: "pd.DataFrame", path: Path) -> None:
    """Write a table of predictions as Parquet: text as string, probabilities as double."""
    write_batches([rows], path)


def write_batches(tables: "Iterable[pd.DataFrame]", path: Path) -> None:
    """Write tables of predictions, one at least and all with the same columns, each as a row group of one file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    tables = iter(tables)
    first = next(tables)
    schema = pa.schema([(name, pa.float64() if name.startswith(PREFIX) else pa.string()) for name in first.columns])
    with pq.ParquetWriter(path, schema, compression="zstd") as file:
        for rows in chain([first], tables):
            table = pa.Table.from_pandas(rows, schema=schema, preserve_index=False)
            file.write_table(table.replace_schema_metadata(None))


def batches(path: Path, columns: Sequence[str] | None = None) -> "Iterator[pd.DataFrame]":
    """The columns named (or all) of each row group of a file in order; `UserError` if it is missing or damaged.

    A large run's row groups are of one split each, and of `shards.ROWS` rows at most; a small run has one.
    """
    import pyarrow.parquet as pq

    with reading(path):
        file = pq.ParquetFile(path)
    with file:
        for number in range(file.num_row_groups):
            with reading(path):
                rows = file.read_row_group(number, None if columns is None else list(columns)).to_pandas()
                rows[["id", "split", "label"] if columns is None else list(columns)]  # KeyError if one is not there
            yield rows


def dropped(folder: Path, model_folder: Path, models: tuple[str, ...]) -> list[Path]:
    """What is left, in both folders, of models that textclf knows and that are not among those named."""
    names = [name for name in get_args(Model) if name not in models]
    paths = [path for name in names for path in (folder / f"{name}.parquet", model_folder / name)]
    return [path for path in paths if path.exists()]


def paths(folder: Path, models: tuple[str, ...]) -> dict[str, Path]:
    """The file of each model, in the order given; `UserError` if one of no model is there.

    What does not belong would else become part of this run's record, for DVC records the whole folder.
    """
    known = {f"{name}.parquet" for name in (*models, *get_args(Model))}  # those not named are `dropped`
    for path in sorted(folder.glob("*")):
        if path.name not in known and path.suffix != SCRATCH:
            raise UserError(f"{path} is of no model in train.models ({', '.join(models)}); remove it: rm -r {path}")
    return {name: folder / f"{name}.parquet" for name in models}


def read(folder: Path, models: tuple[str, ...]) -> dict[str, "pd.DataFrame"]:
    """The predictions of each model in memory, as `paths` has them; `UserError` if one is missing or damaged."""
    return {name: read_parquet(path, ["id", "split", "label"]) for name, path in paths(folder, models).items()}
