"""The training of one model: the rows that it reads, what it is fitted to, and what it predicts."""

from functools import partial
from pathlib import Path

import numpy as np

from textclf.artifacts import features as feature_files
from textclf.artifacts import memory, packages, shapes
from textclf.artifacts import predictions as prediction_files
from textclf.artifacts.checked import Teacher
from textclf.artifacts.checksums import write_manifest
from textclf.artifacts.dataset import Dataset
from textclf.artifacts.predictions import Predictions
from textclf.artifacts.splits import read_clusters_of, read_rounds
from textclf.artifacts.unknown import fit_means, scores_of, write_means
from textclf.core import files
from textclf.models.common import crossvalidation, fitting
from textclf.models.common.fitted import Folders
from textclf.models.common.loading import Entry


class Training:
    """A model of the section train, fitted by `fit` to the rows of its features.

    `held_out` and `fewer` are its predictions for held-out training rows, and those of models of
    fewer labels, once they are made.
    """

    def __init__(self, name: str, settings: Entry, read: Path, teacher: Teacher | None) -> None:
        """Read the rows of a folder of features.

        `teacher` is the record of the teacher's file. Raises `UserError` if memory does not hold
        the predictions.
        """
        self.settings, self.read, self.noted = settings, read, teacher
        self.opened = feature_files.open_shards(read)
        self.predicted = feature_files.open_shards(read, unknown=True)
        # Whether there are texts of no class.
        self.unknown = len(self.predicted) > len(self.opened)
        self.datasets = {split: Dataset.of_shards(rows) for split, rows in self.opened.items()}
        self.teacher = None
        if teacher is not None:
            from textclf.models.common.teaching import read_teacher  # which takes long to import

            self.teacher = read_teacher(teacher, self.opened["train"], self.datasets["train"])
        rows = memory.rows_in_memory(dataset.rows for dataset in self.datasets.values())
        memory.require_predicting(rows, len(self.datasets["train"].classes), f"train.{name}")
        self.added = feature_files.read_class_texts(read) if settings.takes_class_texts else None
        self.held_out: Predictions | None = None
        self.fewer: list[Predictions] = []

    def fit(self, folders: Folders) -> None:
        """Fit the model; a training that was killed resumes from `folders.scratch`."""
        if self.teacher:
            self.datasets["train"] = self.teacher.teach_all(self.datasets["train"])
        self.fitted = fitting.fit_model(
            self.settings.kind, self.datasets, self.settings, folders, self.added
        )
        self.record = fitting.training_record(self.fitted, self.settings)
        self.settled = fitting.settled(self.settings, self.record)

    def crossvalidate(self, pretrained: Path, splits: Path) -> None:
        """Predict held-out training rows, by which choices are made without validation rows."""
        labelled = read_rounds(splits)
        drawn = crossvalidation.draw_rows(self.opened["train"])
        drawn = self.teacher.teach(drawn) if self.teacher else drawn
        clusters = read_clusters_of(splits, "train", drawn.ids)
        suggested = np.isin(drawn.ids, labelled.suggested) if labelled else None
        self.held_out = crossvalidation.crossvalidate(
            self.settings.kind,
            drawn,
            self.settled,
            Folders(pretrained),
            clusters,
            self.unknown,
            self.added,
            suggested,
        )

    def predict_fewer(self, folders: Folders, splits: Path) -> None:
        """Predict by models of fewer labels, if texts were labelled beside the table."""
        labelled = read_rounds(splits)
        if labelled:
            predicted = crossvalidation.predict_fewer(
                self.datasets, labelled, self.settled, folders, self.added
            )
            self.fewer = [*predicted]

    def write(self, folder: Path, predictions: Path) -> None:
        """Write the fitted model and its records into a new folder, and the file of predictions."""
        folder.mkdir()
        self.fitted.write(folder)
        scores = None
        if self.unknown:
            means = fit_means(self.datasets["train"])
            scores = partial(scores_of, self.fitted.layers, means)
            if means is not None:
                write_means(means, folder)
        shapes.write(shapes.read(self.read), folder)
        taught = {"taught": self.teacher.rows} if self.teacher else {}
        files.write_json(folder / prediction_files.RECORD, {**self.record, **taught})
        history = self.fitted.history
        if history is not None:
            split = history["split"].replace("watched", fitting.watched_split(self.opened))
            files.write_csv(folder / "history.csv", history.assign(split=split))
        if self.held_out is not None:
            prediction_files.write([self.held_out], folder / prediction_files.HELD_OUT)
        if self.fewer:
            prediction_files.write(self.fewer, folder / prediction_files.ROUNDS)
        packages.write(folder, self.read)
        write_manifest(folder)
        predicted = fitting.predict_shards(self.fitted.layers, self.predicted, scores)
        prediction_files.write(predicted, predictions)
