"""Predictions: what any classifier hands to any evaluation."""

from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy as np
from numpy.typing import NDArray

from textclf.errors import UserError
from textclf.files import read_parquet
from textclf.params import Model

if TYPE_CHECKING:
    import pandas as pd

    from textclf.features import Features

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
    import pyarrow as pa
    import pyarrow.parquet as pq

    fields = [(name, pa.float64() if name.startswith(PREFIX) else pa.string()) for name in rows.columns]
    table = pa.Table.from_pandas(rows, schema=pa.schema(fields), preserve_index=False)
    pq.write_table(table.replace_schema_metadata(None), path, compression="zstd")


def dropped(folder: Path, model_folder: Path, models: tuple[str, ...]) -> list[Path]:
    """What is left, in both folders, of models that textclf knows and that are not among those named."""
    names = [name for name in get_args(Model) if name not in models]
    paths = [path for name in names for path in (folder / f"{name}.parquet", model_folder / name)]
    return [path for path in paths if path.exists()]


def read(folder: Path, models: tuple[str, ...]) -> dict[str, "pd.DataFrame"]:
    """The predictions of each model, in the order given; `UserError` if one is missing, or one of no model is there.

    What does not belong would else become part of this run's record, for DVC records the whole folder.
    """
    known = {f"{name}.parquet" for name in (*models, *get_args(Model))}  # those not named are `dropped`
    for path in sorted(folder.glob("*")):
        if path.name not in known:
            raise UserError(f"{path} is of no model in train.models ({', '.join(models)}); remove it: rm -r {path}")
    return {name: read_parquet(folder / f"{name}.parquet", ["id", "split", "label"]) for name in models}
