"""The rows of each split: Parquet files with the columns id, text, label and cluster.

Beside them are the class names in order, with the numbers of ordered classes.

A label is the position of its class, or with several labels per text a list of positions in
ascending order; some readers return names instead. A column of data.slices is `slice_<column>`, one
of data.columns `column_<column>`, text that is empty where the table has no value. Beside the
splits are the checksums of the files that the rows were read from.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from textclf.artifacts import shards
from textclf.artifacts.checksums import read_checked_json, write_checked_json
from textclf.artifacts.shards import Shards
from textclf.core import parquet
from textclf.core.arrow import flat, refilled
from textclf.core.files import COLUMN, SLICE, reading
from textclf.core.scale import Scale
from textclf.core.text_row import TextRow

if TYPE_CHECKING:
    import pandas as pd

CLASSES, TABLE = "classes.json", "table.json"  # beside the splits
SCALE = "scale"  # in classes.json with data.order: the number of each class
SCHEMA = pa.schema([("id", pa.string()), ("text", pa.string()), ("label", pa.int32())])
LABEL_LISTS = pa.field("label", pa.list_(pa.int32()))  # in place of a single label
# A hash of a row's group or else of its normalised text, for evaluate: equal for rows that are not
# independent.
CLUSTERED = SCHEMA.append(pa.field("cluster", pa.uint64()))
SUFFIX = ".parquet"

ReadColumns = Callable[[list[str]], pa.Table]  # reads the columns of these names of some rows


class Rounds(NamedTuple):
    """The columns of `with_rounds` of the training rows, and their ids, (rows,) each."""

    rounds: NDArray[np.int32]
    chosen: NDArray[Any]
    ids: NDArray[Any]

    @property
    def suggested(self) -> NDArray[Any]:
        """The ids of the rows that were chosen, not drawn: they train and choose nothing."""
        return self.ids[np.isin(self.chosen, ("diverse", "uncertain"))]


def open_columns(folder: Path) -> dict[str, list[ReadColumns]]:
    """Return a reader per shard of each split, in the order of `SPLITS`.

    Raises `UserError` if train or test is missing.
    """
    opened = shards.open_splits(folder, SUFFIX, lambda path: partial(read_table, path))
    return {name: list(readers) for name, readers in opened.items()}


def read_table(path: Path, columns: list[str]) -> pa.Table:
    """Return columns of a shard as an Arrow table; `UserError` if it is missing or damaged."""
    with reading(path), parquet.open_file(path) as file:
        return file.read(columns).select(columns)  # KeyError if one is missing


def read_named(path: Path, columns: list[str]) -> pa.Table:
    """Return columns of a shard, as `read_table`, with the names of classes in `label`."""
    table = read_table(path, columns)
    names = pa.array(read_classes(path.parent), pa.string())
    with reading(path):
        labels = table["label"].combine_chunks()
        named = refilled(labels, names.take(flat(labels)))
        return table.set_column(columns.index("label"), "label", named)


def read(folder: Path) -> "dict[str, pd.DataFrame]":
    """Return all rows of each split, as `open_shards` reads them."""
    import pandas as pd

    return {
        name: pd.concat(list(pieces), ignore_index=True)
        for name, pieces in open_shards(folder).items()
    }


def open_shards(folder: Path, unknown: bool = False) -> "dict[str, Shards[pd.DataFrame]]":
    """Return the shards of each split, as `shards.open_splits`.

    Raises `UserError` if train or test is missing. Labels are text, or lists of texts; rows of no
    class, which `unknown` adds, can only be read by `read_table`.
    """
    return shards.open_splits(folder, SUFFIX, read_shard, unknown)


def read_shard(path: Path) -> "pd.DataFrame":
    """Return the rows of one shard, with labels as in `open_shards`.

    Raises `UserError` if it is missing or damaged.
    """
    import pandas as pd

    rows: pd.DataFrame = read_named(path, SCHEMA.names).to_pandas()
    if _columns_in(path, COLUMN):
        rows["text"] = pd.Series(read_texts(path), dtype=object)
    return rows


def read_column(path: Path, name: str) -> list[str]:
    """Return one column of a shard; `UserError` if it is missing or damaged."""
    values: list[str] = read_table(path, [name])[name].to_pylist()
    return values


def read_texts(path: Path) -> list[str]:
    """Return the texts of a shard, as `TextRow` with the columns of data.columns, if any."""
    named = _columns_in(path, COLUMN)
    if not named:
        return read_column(path, "text")
    return text_rows(read_table(path, ["id", "text", *named]))


def text_rows(rows: pa.Table) -> list[str]:
    """Return the texts of rows as `TextRow`, with their ids and the columns of data.columns."""
    names = [name for name in rows.column_names if name.startswith(COLUMN)]
    cells = pa.table({name.removeprefix(COLUMN): rows[name] for name in names}).to_pylist()
    return list(map(TextRow, rows["text"].to_pylist(), cells, rows["id"].to_pylist()))


def _columns_in(path: Path, prefix: str) -> list[str]:
    """Return the names in a shard of the columns of data.slices or of data.columns."""
    with reading(path), parquet.open_file(path) as file:
        return [name for name in file.schema_arrow.names if name.startswith(prefix)]


def schema_with(names: Iterable[str], multilabel: bool = False) -> pa.Schema:
    """Return the schema of the rows with the named columns of data.slices and data.columns."""
    schema = CLUSTERED
    if multilabel:
        schema = schema.set(schema.get_field_index("label"), LABEL_LISTS)
    for name in names:
        if name.startswith((SLICE, COLUMN)):
            schema = schema.append(pa.field(name, pa.string()))
    return schema


def with_rounds(schema: pa.Schema) -> pa.Schema:
    """Return the schema of the training rows if some are labelled beside the table.

    `round` is that of their labelling, from 1, and 0 for other rows. `chosen` is how `textclf
    suggest` chose the text: random, diverse or uncertain; "" if it did not.
    """
    return schema.append(pa.field("chosen", pa.string())).append(pa.field("round", pa.int32()))


def open_slices(folder: Path, name: str) -> Shards[pa.Table]:
    """Return the ids, texts, labels and columns of slices of a split's shards, all text.

    Raises `UserError` as `read_table`.
    """
    return Shards(shards.paths(folder, name, SUFFIX), _read_slices)


def _read_slices(path: Path) -> pa.Table:
    return read_named(path, ["id", "text", "label", *_columns_in(path, SLICE)])


def open_clusters(folder: Path, name: str) -> Shards[NDArray[np.uint64]]:
    """Return the column `cluster` of the shards of a split, none if there is no such split.

    Raises `UserError` as `read_table`.
    """
    return Shards(shards.paths(folder, name, SUFFIX), _read_clusters)


def _read_clusters(path: Path) -> NDArray[np.uint64]:
    clusters: NDArray[np.uint64] = read_table(path, ["cluster"])["cluster"].to_numpy()
    return clusters


def read_clusters_of(folder: Path, name: str, ids: NDArray[Any]) -> NDArray[np.uint64]:
    """Return the clusters of the rows of a split with these ids, (rows,); `UserError` as above."""
    clusters, wanted = np.zeros(len(ids), np.uint64), pa.array(ids, pa.string())
    for path in shards.paths(folder, name, SUFFIX):
        rows = read_table(path, ["id", "cluster"])
        places = pc.index_in(rows["id"], wanted)
        wanted_rows = places.is_valid()
        values = rows["cluster"].filter(wanted_rows).to_numpy()
        clusters[places.filter(wanted_rows).to_numpy()] = values
    return clusters


def read_rounds(folder: Path) -> Rounds | None:
    """Return the columns of `with_rounds` of the training rows; None if there are none.

    Raises `UserError` as `read_table`.
    """
    paths = shards.paths(folder, "train", SUFFIX)
    if not _columns_in(paths[0], "round"):
        return None
    rows = pa.concat_tables([read_table(path, ["round", "chosen", "id"]) for path in paths])
    return Rounds(*(column.to_numpy() for column in rows.columns))


def write_table(table: pa.Table, path: Path) -> None:
    """Write an Arrow table with the columns of `SCHEMA` or `schema_with` as Parquet."""
    # Without the metadata of pandas: no reader needs it, and the bytes must not depend on the
    # version of pandas.
    parquet.write_table(table.replace_schema_metadata(None), path)


def read_classes(folder: Path) -> list[str]:
    """Return the class names in order; `UserError` if their file is missing or damaged."""
    return list(_read_classes(folder)["classes"])


def read_scale(folder: Path) -> Scale | None:
    """Return the number of each class, None without data.order; `UserError` as `read_classes`."""
    content = _read_classes(folder)
    return tuple(content[SCALE]) if SCALE in content else None


def _read_classes(folder: Path) -> dict[str, Any]:
    return read_checked_json(folder / CLASSES, ("classes",), (SCALE,))


def write_classes(classes: list[str], folder: Path, scale: Scale | None = None) -> None:
    """Write the class names, in order, as JSON; with data.order also the number of each."""
    ordered = {} if scale is None else {SCALE: scale}
    write_checked_json(folder / CLASSES, {"classes": classes, **ordered})


def read_checksums(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of the table by its name; `UserError` as `read_classes`."""
    return dict(read_checked_json(folder / TABLE, ("files",))["files"])


def write_checksums(checksums: Mapping[str, str], folder: Path) -> None:
    """Write the checksums of the table's files as JSON."""
    write_checked_json(folder / TABLE, {"files": checksums})
