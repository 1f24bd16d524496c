"""Measure all models by their predictions.

Reads: MODELS, the names of the models in order; PREDICTIONS, a Parquet file per model; SPLITS, for
the rows that depend on each other and the slices of the test rows; TRAINED, a folder per model, for
the shapes of its features, the records of its training, if they make choices its predictions for
held-out training rows, and those of models of fewer labels; LEAKS, which says whether the test rows
were given, and the number of training rows.
Writes: into METRICS the files evaluation, intervals, comparisons, coverage, decisions, features,
labels, slices, training and unknown as JSON, and models, a folder with the numbers of each model
that DVC compares; into PLOTS the tables history, classes, confusion, roc, precision_recall,
reliability, risk_coverage and unknown as CSV; CONFORMAL, the scores from which prediction sets
follow, of no model unless evaluate.coverage is set.
Params: evaluate, split.
"""

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd

from textclf.artifacts import conformal as prediction_sets
from textclf.artifacts import memory, shapes
from textclf.artifacts.checked import read_models
from textclf.artifacts.checksums import verify_folder
from textclf.artifacts.predictions import HELD_OUT, RECORD, ROUNDS, SUFFIX, leftovers, open_models
from textclf.artifacts.split_report import SplitReport
from textclf.artifacts.splits import read_classes
from textclf.core import files, result_files, stage
from textclf.core.files import SPLITS, UNKNOWN
from textclf.core.outputs import outputs, remove
from textclf.core.settings import Param
from textclf.evaluate.choose import explain_calibration
from textclf.evaluate.coverage import fit_sets, measure_sets
from textclf.evaluate.curves import HISTORY_COLUMNS, stack_models
from textclf.evaluate.labels_needed import measure_labels
from textclf.evaluate.looks import identify
from textclf.evaluate.measure import decide, decisions_report, measure, read_held_out, summarise
from textclf.evaluate.model_warnings import find_warnings
from textclf.evaluate.registry import METRICS, OF_SETS
from textclf.evaluate.results import Record, Results, Unknown
from textclf.evaluate.settings import Evaluate
from textclf.evaluate.slices.membership import describe_left_out, find_membership
from textclf.evaluate.slices.report import describe_weak, report
from textclf.evaluate.slices.sums import SliceSums
from textclf.evaluate.split_clusters import positions, read_keys
from textclf.evaluate.unknown import CURVE_COLUMNS, describe_few, measure_unknown


def run(
    evaluate: Evaluate,
    split: Annotated[dict[str, Any], Param("split")],
    *,
    models: Path = Path("data/models.json"),
    predictions: Path = Path("data/predictions"),
    splits: Path = Path("data/splits"),
    trained: Path = Path("data/trained"),
    leaks: Path = Path("metrics/splits.json"),
    metrics: Path = Path("metrics"),
    plots: Path = Path("plots"),
    conformal: Path = Path("data/conformal.json"),
) -> None:
    """Evaluate the models of train and evaluate.external, and remove what dropped models have left behind."""
    trained_here, baselines = read_models(models)
    names = (*trained_here, *sorted(evaluate.external))
    dropped = leftovers(predictions, trained, names)
    memory.require_measuring(
        *memory.size_of_predictions(predictions / f"{names[0]}{SUFFIX}"),
        len(names),
        str(predictions),
    )
    records = {name: result_files.read(trained / name / RECORD, Record) for name in names}
    histories = {
        name: files.read_csv(path, HISTORY_COLUMNS)
        for name in names
        if (path := trained / name / "history.csv").exists()
    }
    held_out = read_held_out({name: trained / name / HELD_OUT for name in names}, splits)
    for name in names:
        verify_folder(trained / name)
    keys = {name: read_keys(splits, name) for name in SPLITS}
    repeated = {name: positions(of_split) for name, of_split in keys.items()}
    clusters = {name: of_split for name, of_split in repeated.items() if of_split is not None}
    split_rows: SplitReport = result_files.read(leaks, SplitReport)
    drawn = "test" not in split_rows.given  # given test rows have shares of their own
    stratified = drawn and bool(split.get("stratify"))
    slices = SliceSums(
        find_membership(splits), read_classes(splits), evaluate.slice_metric, keys["test"]
    )
    opened = open_models(predictions, names)
    rows, decided = decide(opened, evaluate, clusters, slices.membership, held_out, baselines)
    of_no_class: dict[str, dict[str, Unknown]] = {}
    curves: dict[str, pd.DataFrame] = {}
    for label in split_rows.unknown:  # one at most
        every = {
            name: np.concatenate([keys[name], read_keys(splits, f"{name}{UNKNOWN}")])
            for name in SPLITS[1:]
        }
        decided, of_no_class, curves = measure_unknown(
            opened, decided, held_out, label, every, evaluate
        )
    parts = measure(rows, decided, evaluate, stratified, clusters)
    test = parts["test"]
    fitted = fit_sets(parts.get("validation"), evaluate)
    parts_of = {
        name: {split: part for split, part in parts.items() if name in part.decisions}
        for name in names
    }
    measured = {
        name: {split: part.metrics(name) for split, part in parts_of[name].items()}
        for name in names
    }
    features = {name: shapes.read(trained / name) for name in trained_here}
    test_rows = identify(slices.membership.ids, test.of_rows.y)
    here = {name: measured[name] for name in trained_here}
    results = Results.of(
        evaluation=measured,
        intervals={
            name: {split: part.intervals(name) for split, part in parts_of[name].items()}
            for name in names
        },
        comparisons=test.comparisons(),
        coverage=measure_sets(test, fitted, evaluate),
        decisions=decisions_report(parts, decided, here, held_out, histories, test_rows),
        slices=report(slices, test.judged, evaluate.confidence),
        training=records,
        unknown=of_no_class,
        labels={
            name: measure_labels(path, test, name, parts["train"].rows)
            for name in trained_here
            if (path := trained / name / ROUNDS).exists()
        },
        features={
            name: {**part.splits, **part.notes}
            for made in features.values()
            for name, part in made.parts.items()
        },
    )
    written = {
        metrics / name: content
        for name, content in results.files().items()
        if name != "splits.json"
    }
    tables: dict[Path, pd.DataFrame] = {
        plots / "history.csv": stack_models(histories, HISTORY_COLUMNS),
        plots / "unknown.csv": stack_models(curves, CURVE_COLUMNS),
        plots / "classes.csv": stack_models(
            {
                name: pd.concat(
                    [part.by_class(name) for part in parts_of[name].values()], ignore_index=True
                )
                for name in names
            }
        ),
    }
    of_models = {name: test.tables(name) for name in names}
    for table in of_models[names[0]]:
        tables[plots / f"{table}.csv"] = stack_models(
            {name: each[table] for name, each in of_models.items()}
        )
    train_rows = sum(split_rows.rows_by_class["train"].values())
    summaries = summarise(
        measured, records, train_rows, {name: read.columns for name, read in features.items()}
    )
    with outputs(metrics / "models", conformal, *written, *tables) as (folder, scores, *scratch):
        folder.mkdir()
        for name, summary in summaries.items():
            files.write_json(folder / f"{name}.json", summary)
        prediction_sets.write(scores, fitted)
        for path, content in zip(scratch, (*written.values(), *tables.values()), strict=True):
            (files.write_csv if isinstance(content, pd.DataFrame) else files.write_json)(
                path, content
            )
    remove(dropped, "its model is no longer in train or evaluate.external")
    several = test.of_rows.multilabel
    accuracy = METRICS["accuracy"].titled(several)
    for name, numbers in measured.items():
        accuracies = ", ".join(
            f"{split} {values['accuracy']:.3f}" for split, values in numbers.items()
        )
        low, high = test.accuracy_interval(name)
        of_sets = (
            f", {METRICS[key].titled(several)} {numbers['test'][key]:.3f}"
            for key in OF_SETS
            if several
        )
        print(f"{name}: {accuracy} {accuracies} ({low:.3f} to {high:.3f}){''.join(of_sets)}")
        calibration = explain_calibration(
            results.decisions[name], evaluate.calibration, "validation" in parts
        )
        if calibration:
            print(f"{name}: calibration: {calibration}")
    left_out = describe_left_out(slices.membership.left_out)
    if left_out:
        print(f"slices not compared: {left_out}")
    for name, entries in results.slices.models.items():
        for line in describe_weak(entries, evaluate.confidence, accuracy):
            print(f"{name}: {line}")
    for sentence in describe_few(read_keys(splits, f"validation{UNKNOWN}")):
        print(f"warning: {sentence}")
    for name, sentences in find_warnings(results, names, evaluate.confidence).items():
        for sentence in sentences:
            print(f"warning: {name}: {sentence}")


if __name__ == "__main__":
    stage.main(run)
