"""All models of a run, measured: what stands in metrics/ and plots/, and what the stage prints."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from textclf.artifacts.decisions import Decision
from textclf.artifacts.predictions import open_models
from textclf.evaluate.choose import explain_calibration
from textclf.evaluate.coverage import fit_sets, measure_sets
from textclf.evaluate.curves import HISTORY_COLUMNS, stack_models
from textclf.evaluate.inputs import Rows, Trainings
from textclf.evaluate.labels_needed import measure_labels
from textclf.evaluate.looks import identify
from textclf.evaluate.measure import Summary, decide, decisions_report, measure, summarise
from textclf.evaluate.model_warnings import find_warnings
from textclf.evaluate.registry import METRICS, OF_SETS
from textclf.evaluate.results import Results, Unknown
from textclf.evaluate.settings import Evaluate
from textclf.evaluate.slices.membership import count_left_out
from textclf.evaluate.slices.report import describe_weak, report
from textclf.evaluate.split_metrics import SplitMetrics
from textclf.evaluate.unknown import CURVE_COLUMNS, describe_few, measure_unknown


class Evaluation:
    """The metrics of all models by split, from their predictions alone.

    `results` are the JSON files in metrics/, `sets` the scores from which prediction sets follow.
    """

    def __init__(
        self, predictions: Path, trainings: Trainings, rows: Rows, settings: Evaluate
    ) -> None:
        """Measure the models whose predictions stand in a folder.

        Raises `UserError` if predictions are damaged or of other rows, or if no rows choose.
        """
        self.trainings, self.rows, self.settings = trainings, rows, settings
        self.names = [*trainings.records]
        clusters = rows.clusters
        opened = open_models(predictions, self.names)
        of_splits, decided = decide(
            opened,
            settings,
            clusters,
            rows.slices.membership,
            trainings.held_out,
            trainings.baselines,
            rows.scale,
        )
        unknown: dict[str, dict[str, Unknown]] = {}
        self._unknown_curves: dict[str, pd.DataFrame] = {}
        for label in rows.report.unknown:  # one at most
            decided, unknown, self._unknown_curves = measure_unknown(
                opened, decided, trainings.held_out, label, rows.keys_with_unknown, settings
            )
        self.parts = measure(of_splits, decided, settings, rows.stratified, clusters)
        self.test = self.parts["test"]
        self.sets = fit_sets(self.parts.get("validation"), settings)
        self.results = self._summarise(decided, unknown)

    def parts_of(self, name: str) -> dict[str, SplitMetrics]:
        """Return the splits whose rows a model predicts."""
        return {split: part for split, part in self.parts.items() if name in part.decisions}

    def _summarise(
        self, decided: dict[str, Decision], unknown: dict[str, dict[str, Unknown]]
    ) -> Results:
        trainings, test, settings = self.trainings, self.test, self.settings
        measured = {
            name: {split: part.metrics(name) for split, part in self.parts_of(name).items()}
            for name in self.names
        }
        intervals = {
            name: {split: part.intervals(name) for split, part in self.parts_of(name).items()}
            for name in self.names
        }
        here = {name: measured[name] for name in trainings.features}
        test_rows = identify(self.rows.slices.membership.ids, test.of_rows.y)
        train_rows = self.parts["train"].rows
        return Results.of(
            evaluation=measured,
            intervals=intervals,
            comparisons=test.comparisons(),
            coverage=measure_sets(test, self.sets, settings),
            decisions=decisions_report(
                self.parts, decided, here, trainings.held_out, trainings.histories, test_rows
            ),
            slices=report(self.rows.slices, test.judged, settings.confidence),
            training=trainings.records,
            unknown=unknown,
            labels={
                name: measure_labels(path, test, name, train_rows)
                for name, path in trainings.rounds.items()
            },
            features=trainings.describe_features(),
        )

    def files(self) -> dict[str, object]:
        """Return the content of each JSON file in metrics/ by its name."""
        contents = self.results.files()
        del contents["splits.json"]  # which the stage split writes
        return contents

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return each table of plots/ by its name, with the rows of all models."""
        by_class = {
            name: pd.concat(
                [part.by_class(name) for part in self.parts_of(name).values()], ignore_index=True
            )
            for name in self.names
        }
        tables = {
            "history": stack_models(self.trainings.histories, HISTORY_COLUMNS),
            "unknown": stack_models(self._unknown_curves, CURVE_COLUMNS),
            "classes": stack_models(by_class),
        }
        of_models = {name: self.test.tables(name) for name in self.names}
        for table in of_models[self.names[0]]:
            tables[table] = stack_models({name: own[table] for name, own in of_models.items()})
        return tables

    def summaries(self) -> dict[str, Summary]:
        """Return for each model what `dvc metrics` compares."""
        columns = {name: made.columns for name, made in self.trainings.features.items()}
        train_rows = sum(self.rows.report.rows_by_class["train"].values())
        return summarise(self.results.evaluation, self.results.training, train_rows, columns)

    def describe(self) -> Iterator[str]:
        """Yield the lines that the stage prints: metrics of each model, weak slices, warnings."""
        several, confidence = self.test.of_rows.multilabel, self.settings.confidence
        accuracy = METRICS["accuracy"].titled(several)
        for name, numbers in self.results.evaluation.items():
            accuracies = ", ".join(
                f"{split} {values['accuracy']:.3f}" for split, values in numbers.items()
            )
            low, high = self.test.accuracy_interval(name)
            line = f"{name}: {accuracy} {accuracies} ({low:.3f} to {high:.3f})"
            for key in OF_SETS if several else ():
                line += f", {METRICS[key].titled(several)} {numbers['test'][key]:.3f}"
            yield line
            calibration = explain_calibration(
                self.results.decisions[name],
                self.settings.calibration,
                "validation" in self.parts,
            )
            if calibration:
                yield f"{name}: calibration: {calibration}"
        if left_out := count_left_out(self.rows.slices.membership.left_out):
            yield f"too rare or too many to compare as slices: {left_out}"
        for name, entries in self.results.slices.models.items():
            for line in describe_weak(entries, confidence, accuracy):
                yield f"{name}: {line}"
        for sentence in describe_few(self.rows.unknown["validation"]):
            yield f"warning: {sentence}"
        for name, sentences in find_warnings(self.results, self.names, confidence).items():
            for sentence in sentences:
                yield f"warning: {name}: {sentence}"
