"""What evaluate reads beside the predictions: the trainings, and the rows of the splits."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from textclf.artifacts import shapes
from textclf.artifacts.checksums import verify_folder
from textclf.artifacts.predictions import HELD_OUT, RECORD, ROUNDS
from textclf.artifacts.split_report import SplitReport
from textclf.artifacts.splits import read_classes, read_scale
from textclf.core import files, result_files
from textclf.core.files import SPLITS, UNKNOWN
from textclf.core.scale import Scale
from textclf.evaluate.curves import HISTORY_COLUMNS
from textclf.evaluate.measure import HeldOut, read_held_out
from textclf.evaluate.results import Record
from textclf.evaluate.slices.membership import find_membership
from textclf.evaluate.slices.sums import SliceSums
from textclf.evaluate.split_clusters import positions, read_keys


@dataclass(frozen=True)
class Trainings:
    """The trainings of all models in order; those made elsewhere, of evaluate.external, come last.

    `features` are the shapes of the features of each model that was trained here, `rounds` the
    files of those that were also trained on fewer labels.
    """

    baselines: Collection[str]
    records: dict[str, Record]
    histories: dict[str, pd.DataFrame]
    held_out: HeldOut
    features: dict[str, shapes.Shapes]
    rounds: dict[str, Path]

    @classmethod
    def read(
        cls,
        folder: Path,
        names: Sequence[str],
        here: Sequence[str],
        baselines: Collection[str],
        splits: Path,
    ) -> Self:
        """Return the trainings in a folder per model; `UserError` if one is damaged.

        `names` are those of all models, `here` those that were trained here.
        """
        folders = {name: folder / name for name in names}
        records = {name: result_files.read(path / RECORD, Record) for name, path in folders.items()}
        tables = {name: path / "history.csv" for name, path in folders.items()}
        histories = {
            name: files.read_csv(path, HISTORY_COLUMNS)
            for name, path in tables.items()
            if path.exists()
        }
        held_out = read_held_out({name: path / HELD_OUT for name, path in folders.items()}, splits)
        for path in folders.values():
            verify_folder(path)
        features = {name: shapes.read(folders[name]) for name in here}
        rounds = {
            name: folders[name] / ROUNDS for name in here if (folders[name] / ROUNDS).exists()
        }
        return cls(baselines, records, histories, held_out, features, rounds)

    def describe_features(self) -> dict[str, dict[str, object]]:
        """Return the content of features.json, by representation."""
        return {
            name: {**part.splits, **part.notes}
            for made in self.features.values()
            for name, part in made.parts.items()
        }


@dataclass(frozen=True)
class Rows:
    """The rows of the splits: which of them depend on each other, and the slices of the test rows.

    `clusters` (rows,) are those of each split with dependent rows. `unknown` (rows,) are the keys
    of the clusters of its rows of no class; if there are any, `keys_with_unknown` has those of all
    its rows, these last. `scale` is that of ordered classes.
    """

    report: SplitReport
    stratified: bool
    clusters: dict[str, NDArray[np.int64]]
    unknown: dict[str, NDArray[np.uint64]]
    keys_with_unknown: dict[str, NDArray[np.uint64]]
    slices: SliceSums
    scale: Scale | None = None

    @classmethod
    def read(
        cls, splits: Path, report: SplitReport, slice_metric: str | None, *, stratify: bool
    ) -> Self:
        """Return the rows in a folder of splits."""
        keys = {name: read_keys(splits, name) for name in SPLITS}
        unknown = {name: read_keys(splits, f"{name}{UNKNOWN}") for name in SPLITS[1:]}
        both = {}
        if report.unknown:
            both = {name: np.concatenate([keys[name], more]) for name, more in unknown.items()}
        clusters = {name: positions(of_split) for name, of_split in keys.items()}
        dependent = {name: rows for name, rows in clusters.items() if rows is not None}
        slices = SliceSums(
            find_membership(splits), read_classes(splits), slice_metric, keys["test"]
        )
        # Given test rows have shares of their own.
        stratified = stratify and "test" not in report.given
        scale = read_scale(splits)
        return cls(report, stratified, dependent, unknown, both, slices, scale)
