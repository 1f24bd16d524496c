"""Predictions: the interface between every model and every evaluation.

A file has the columns `id`, `split`, `label` (text; a list of texts if a text has several labels)
and one `probability_<class>` (double) per class, in the order of the classes. Rows of
`UNKNOWN_SPLITS` have no label; a run with them has `score_<name>` (double) for each score of the
model. A large run has one row group per shard of features.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from textclf.artifacts.label_sets import is_multilabel, to_matrix, to_names
from textclf.core import parquet
from textclf.core.arrow import array_of_numbers, array_of_texts, flat, large_array_of, refilled
from textclf.core.errors import UserError
from textclf.core.files import reading
from textclf.core.ownership import SCRATCH

if TYPE_CHECKING:
    import pyarrow as pa

PREFIX = "probability_"  # of the columns with the probabilities of a class
SCORE = "score_"  # prefix of the columns of scores for texts of no class
SUFFIX = ".parquet"
RECORD = "training.json"  # in a trained folder: numbers about the training
# In a trained folder: predictions for training rows that were held out.
HELD_OUT = "crossvalidation.parquet"
# In a trained folder: those for test rows by models of fewer labels, which `split` names.
ROUNDS = "rounds.parquet"


@dataclass(frozen=True)
class Predictions:
    """What a model predicts for rows of one or more splits."""

    ids: NDArray[Any]
    split: NDArray[Any]
    y: NDArray[Any]  # as in `textclf.artifacts.features.Features`
    # (rows, classes); NaN for training rows that predictions made elsewhere lack.
    probabilities: NDArray[np.float64]
    classes: tuple[str, ...]  # binary: the positive class is last
    scores: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)  # (rows,) by name

    @property
    def multilabel(self) -> bool:
        """Return whether a row has a set of labels."""
        return self.y.ndim == 2

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.y)

    def take(self, rows: NDArray[Any] | slice) -> "Predictions":
        """Return the rows of a mask, of positions or of a slice, in their order."""
        return replace(
            self,
            ids=self.ids[rows],
            split=self.split[rows],
            y=self.y[rows],
            probabilities=self.probabilities[rows],
            scores={name: values[rows] for name, values in self.scores.items()},
        )


@dataclass(frozen=True)
class PredictionFile:
    """The predictions in a file, one row group at a time, in every iteration.

    With `split`, only the row groups that may have rows of it.
    """

    path: Path
    split: str | None = None

    def __iter__(self) -> Iterator[Predictions]:
        """Read each row group in order."""
        return batches(self.path, self.split)


def open_models(
    folder: Path, names: Sequence[str], split: str | None = None
) -> dict[str, PredictionFile]:
    """Return the predictions of each model in a folder, without reading them yet."""
    return {name: PredictionFile(folder / f"{name}{SUFFIX}", split) for name in names}


def batches(path: Path, split: str | None = None) -> Iterator[Predictions]:
    """Yield the row groups of a file in order, with `split` those that may have rows of it.

    Raises `UserError` as `read`.
    """
    with reading(path):
        file = parquet.open_file(path)
        column = file.schema_arrow.names.index("split")
    with file:
        for number in range(file.num_row_groups):
            bounds = file.metadata.row_group(number).column(column).statistics
            if split and bounds and bounds.has_min_max and not bounds.min <= split <= bounds.max:
                continue
            with reading(path):
                rows = _from_arrow(file.read_row_group(number))
            yield rows


def read(path: Path) -> Predictions:
    """Return all predictions of a file; `UserError` if it is missing or damaged."""
    with reading(path), parquet.open_file(path) as file:
        return _from_arrow(file.read())


def write(batches: Iterable[Predictions], path: Path) -> None:
    """Write predictions of the same classes, each batch, at least one, as one row group."""
    import pyarrow as pa

    batches = iter(batches)
    first = next(batches)
    label = pa.list_(pa.string()) if first.multilabel else pa.string()
    columns = [("id", pa.string()), ("split", pa.string()), ("label", label)]
    names = [*(PREFIX + name for name in first.classes), *(SCORE + name for name in first.scores)]
    schema = pa.schema(columns + [(name, pa.float64()) for name in names])
    with parquet.create(path, schema) as file:
        for rows in chain([first], batches):
            if rows.multilabel:
                labels = to_names(rows.y, rows.classes)
            else:
                names = large_array_of(rows.classes).cast(pa.string())
                # Rows of no class have none, which stands behind the names.
                position = np.where(rows.y < 0, len(names), rows.y)
                labels = pa.concat_arrays([names, pa.nulls(1, pa.string())])
                labels = labels.take(array_of_numbers(position))
            texts = map(array_of_texts, (rows.ids, rows.split))
            numbers = map(array_of_numbers, [*rows.probabilities.T, *rows.scores.values()])
            file.write_table(pa.Table.from_arrays([*texts, labels, *numbers], schema=schema))


def in_batches(shards: Iterable[Predictions], splits: Mapping[str, Sized]) -> Iterator[Predictions]:
    """Yield the predictions of the shards of all splits as they are written.

    If each split has one shard, they are written together.
    """
    if all(len(paths) == 1 for paths in splits.values()):
        yield concatenate(list(shards))
    else:
        yield from shards


def concatenate(parts: Sequence[Predictions]) -> Predictions:
    """Return the rows of all parts, at least one and all of the same classes, in order."""
    if len(parts) == 1:
        return parts[0]
    return Predictions(
        np.concatenate([part.ids for part in parts]),
        np.concatenate([part.split for part in parts]),
        np.concatenate([part.y for part in parts]),
        np.concatenate([part.probabilities for part in parts]),
        parts[0].classes,
        {name: np.concatenate([part.scores[name] for part in parts]) for name in parts[0].scores},
    )


def _from_arrow(table: "pa.Table") -> Predictions:
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = [name for name in table.column_names if name.startswith(PREFIX)]
    classes = tuple(name.removeprefix(PREFIX) for name in columns)
    labels = table["label"].combine_chunks()
    multilabel = is_multilabel(table)
    y = pc.index_in(flat(labels), value_set=pa.array(classes, pa.string()))
    if not multilabel:
        y = pc.if_else(labels.is_null(), -1, y)
    if not columns or y.null_count:  # a label that is not a class has no position
        raise ValueError("every label must be one of the classes")
    if multilabel:
        y = to_matrix(refilled(labels, y), len(classes))
    else:
        y = y.to_numpy().astype(np.int64)
    # One object per name, not one per row.
    splits = table["split"].combine_chunks().dictionary_encode()
    split = splits.dictionary.to_numpy(zero_copy_only=False)[splits.indices.to_numpy()]
    stacked = np.stack([table[name].to_numpy() for name in columns])
    probabilities = stacked.astype(np.float64, copy=False).T
    scores = {
        name.removeprefix(SCORE): table[name].to_numpy()
        for name in table.column_names
        if name.startswith(SCORE)
    }
    return Predictions(table["id"].to_numpy(), split, y, probabilities, classes, scores)


def leftovers(folder: Path, trained: Path, models: Sequence[str]) -> list[Path]:
    """Return the predictions and trained folders of models that were dropped.

    DVC leaves them in the workspace. A dropped model has a record in its trained folder. Raises
    `UserError` for any other file in `folder`.
    """
    dropped = {path.parent.name for path in trained.glob(f"*/{RECORD}")} - set(models)
    expected = {f"{name}{SUFFIX}" for name in (*models, *dropped)}
    for path in sorted(folder.glob("*")):
        if path.name not in expected and path.suffix != SCRATCH:
            raise UserError(
                f"{path} belongs to no model in train or evaluate.external ({', '.join(models)}); "
                f"remove it: rm -r {path}"
            )
    paths: list[Path] = []
    for name in sorted(dropped):
        paths += [folder / f"{name}{SUFFIX}", trained / name]
    return [path for path in paths if path.exists()]
