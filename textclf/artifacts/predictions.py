"""Predictions: the interface between every model and every evaluation.

A file has the columns `id`, `split`, `label` (text) and one `probability_<class>` (double) per class, in the order of
the classes. A large run has one row group per shard of features, each of one split; a small run has one row group.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from contextlib import nullcontext
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from textclf.core import parquet
from textclf.core.errors import UserError
from textclf.core.files import reading
from textclf.core.outputs import SCRATCH

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

PREFIX = "probability_"  # of the columns with the probabilities of a class
SUFFIX = ".parquet"
RECORD = "training.json"  # in a trained folder: numbers about the training
MAX_ASCII = 127
WIDEST = 1000  # bytes of a text that is repeated in an array of fixed width, which is padded to the longest
HELD_OUT = "crossvalidation.parquet"  # in a trained folder: predictions for training rows that were held out


@dataclass(frozen=True)
class Predictions:
    """What a model predicts for rows of one or more splits.

    `ids` and `split` (rows,) are text, of fixed width or objects; `y` (rows,) the positions of the labels in `classes`;
    `probabilities` (rows, classes). Binary: the positive class is last. Predictions made elsewhere may lack the
    training rows, whose probabilities are then NaN.
    """

    ids: NDArray[Any]
    split: NDArray[Any]
    y: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    classes: tuple[str, ...]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.y)

    def take(self, rows: NDArray[Any] | slice) -> "Predictions":
        """Return the rows of a mask, of positions or of a slice, in their order."""
        arrays = {name: getattr(self, name)[rows] for name in ("ids", "split", "y", "probabilities")}
        return replace(self, **arrays)


@dataclass
class PredictionFile:
    """The predictions in a file, one row group at a time; every iteration reads them again.

    With `split`, row groups that have no row of that split are left out. The first iteration verifies the checksum of
    the file; `verified` says whether that is done.
    """

    path: Path
    split: str | None = None
    verified: bool = False

    def __iter__(self) -> Iterator[Predictions]:
        """Read each row group in order."""
        for rows in batches(self.path, self.split, self.verified):
            self.verified = True
            yield rows


def open_models(folder: Path, names: Sequence[str], split: str | None = None) -> dict[str, PredictionFile]:
    """Return the predictions of each model in a folder, of one split perhaps, without reading them yet."""
    return {name: PredictionFile(folder / f"{name}{SUFFIX}", split) for name in names}


def batches(path: Path, split: str | None = None, verified: bool = False) -> Iterator[Predictions]:
    """Yield the row groups of a file in order, those with rows of a split if one is named.

    `verified` says that its checksum was found to be right. Raises `UserError` if the file is missing or damaged.
    """
    with reading(path):
        file = parquet.open_file(path, verified, required=True)
    with file:
        for number in range(file.num_row_groups):
            with reading(path):
                if split is not None and not _may_have(file, number, split):
                    continue
                rows = _from_arrow(file.read_row_group(number))
            yield rows


def _may_have(file: "pq.ParquetFile", group: int, split: str) -> bool:
    """Return whether a row group may have rows of a split, by the least and the greatest name in its statistics."""
    column = file.metadata.row_group(group).column(file.schema_arrow.names.index("split"))
    names = column.statistics
    return names is None or not names.has_min_max or names.min <= split <= names.max


def read(source: Path | IO[bytes]) -> Predictions:
    """Return all predictions of a file, which must have a checksum, or of a buffer.

    Raises `UserError` if a path is missing or damaged, and errors of the reader, such as `ValueError`, for a damaged
    buffer.
    """
    with reading(source) if isinstance(source, Path) else nullcontext():
        return _from_arrow(parquet.open_file(source, required=isinstance(source, Path)).read())


def write(batches: Iterable[Predictions], path: Path) -> None:
    """Write predictions of the same classes, each batch as one row group; there must be at least one."""
    import pyarrow as pa

    batches = iter(batches)
    first = next(batches)
    columns = [*((name, pa.string()) for name in ("id", "split", "label"))]
    schema = pa.schema(columns + [(PREFIX + name, pa.float64()) for name in first.classes])
    with parquet.create(path, schema) as file:
        for rows in chain([first], batches):
            labels = _repeated(rows.classes, rows.y)
            probabilities = [pa.array(values, pa.float64()) for values in rows.probabilities.T]
            arrays = [_strings(rows.ids), _runs(rows.split), labels, *probabilities]
            file.write_table(pa.Table.from_arrays(arrays, schema=schema))


def _strings(values: NDArray[Any]) -> "pa.Array":
    """Return the texts as Arrow strings; ASCII of fixed width without a Python object per text."""
    import pyarrow as pa

    if values.dtype.kind != "U" or not values.dtype.itemsize:
        return pa.array(values, pa.string())
    codes = np.ascontiguousarray(values).view(np.uint32).reshape(len(values), values.dtype.itemsize // 4)
    if codes.max(initial=0) > MAX_ASCII:
        return pa.array(values.astype(object), pa.string())
    used = codes != 0
    lengths = np.where(used.any(axis=1), codes.shape[1] - used[:, ::-1].argmax(axis=1), 0)  # NUL fills up to the width
    return _from_letters(codes.astype(np.uint8), lengths)


def _runs(values: NDArray[Any]) -> "pa.Array":
    """Return the texts as Arrow strings; most of them are equal to the one before."""
    starts = np.flatnonzero(np.append(True, values[1:] != values[:-1]))[: len(values)]
    places = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(values)))
    return _repeated(values[starts].tolist(), places)


def _repeated(texts: Sequence[str], places: NDArray[np.int64]) -> "pa.Array":
    """Return some of a few texts, by their places, as Arrow strings."""
    encoded = [text.encode() for text in texts]
    lengths = np.array([len(text) for text in encoded], dtype=np.int64)
    if (width := lengths.max(initial=0)) > WIDEST:
        import pyarrow as pa

        return pa.array(texts, pa.string()).take(pa.array(places))
    letters = np.frombuffer(b"".join(text.ljust(width) for text in encoded), dtype=np.uint8).reshape(len(texts), width)
    return _from_letters(letters[places], lengths[places])


def _from_letters(letters: NDArray[np.uint8], lengths: NDArray[np.int64]) -> "pa.Array":
    """Return texts of UTF-8, (rows, bytes), of which the first `lengths` (rows,) bytes count, as Arrow strings."""
    import pyarrow as pa

    used = letters[np.arange(letters.shape[1]) < lengths[:, None]]
    ends = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return pa.StringArray.from_buffers(len(lengths), pa.py_buffer(ends), pa.py_buffer(used))


def in_batches(shards: Iterable[Predictions], splits: Mapping[str, Sized]) -> Iterator[Predictions]:
    """Yield the predictions of the shards of all splits as they are written: if each split has one shard, together."""
    if all(len(paths) == 1 for paths in splits.values()):
        yield concatenate(list(shards))
    else:
        yield from shards


def concatenate(parts: Sequence[Predictions]) -> Predictions:
    """Return the rows of all parts, at least one and all of the same classes, in order."""
    if len(parts) == 1:
        return parts[0]
    ids, split, y, probabilities = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("ids", "split", "y", "probabilities")
    )
    return Predictions(ids, split, y, probabilities, parts[0].classes)


def _from_arrow(table: "pa.Table") -> Predictions:
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = [name for name in table.column_names if name.startswith(PREFIX)]
    classes = tuple(name.removeprefix(PREFIX) for name in columns)
    y = pc.index_in(table["label"], value_set=pa.array(classes, pa.string())).to_numpy()
    if not columns or not np.issubdtype(y.dtype, np.integer):  # a label that is no class has no position
        raise ValueError("every label must be one of the classes")
    splits = table["split"].combine_chunks().dictionary_encode()  # one object per name, not one per row
    split = splits.dictionary.to_numpy(zero_copy_only=False)[splits.indices.to_numpy()]
    probabilities = np.stack([table[name].to_numpy() for name in columns]).astype(np.float64, copy=False).T
    return Predictions(table["id"].to_numpy(), split, y.astype(np.int64), probabilities, classes)


def leftovers(folder: Path, trained: Path, models: Sequence[str]) -> list[Path]:
    """Return the predictions and trained folders of models that are no longer among those named.

    A dropped model is recognised by the record in its trained folder: DVC keeps the outputs of a stage that left the
    pipeline in the workspace, and would record them as inputs of this run. Raises `UserError` for anything else in
    `folder` that belongs to no model.
    """
    dropped = {path.parent.name for path in trained.glob(f"*/{RECORD}")} - set(models)
    expected = {f"{name}{SUFFIX}" for name in (*models, *dropped)}
    for path in sorted(folder.glob("*")):
        if path.name not in expected and path.suffix != SCRATCH:
            raise UserError(
                f"{path} belongs to no model in train or evaluate.external ({', '.join(models)}); "
                f"remove it: rm -r {path}"
            )
    paths = [path for name in sorted(dropped) for path in (folder / f"{name}{SUFFIX}", trained / name)]
    return [path for path in paths if path.exists()]
