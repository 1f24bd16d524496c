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

from textclf.artifacts import conformal as prediction_sets
from textclf.artifacts import memory
from textclf.artifacts.checked import read_models
from textclf.artifacts.predictions import SUFFIX, leftovers
from textclf.artifacts.split_report import SplitReport
from textclf.core import files, result_files, stage
from textclf.core.outputs import outputs, remove
from textclf.core.settings import Param
from textclf.evaluate.evaluation import Evaluation
from textclf.evaluate.inputs import Rows, Trainings
from textclf.evaluate.settings import Evaluate


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
    """Evaluate the models of train and evaluate.external.

    What dropped models have left behind is removed.
    """
    trained_here, baselines = read_models(models)
    names = (*trained_here, *sorted(evaluate.external))
    dropped = leftovers(predictions, trained, names)
    sizes = memory.size_of_predictions(predictions / f"{names[0]}{SUFFIX}")
    memory.require_measuring(*sizes, len(names), str(predictions))
    trainings = Trainings.read(trained, names, trained_here, baselines, splits)
    split_report: SplitReport = result_files.read(leaks, SplitReport)
    stratify = split.get("stratify", False)
    rows = Rows.read(splits, split_report, evaluate.slice_metric, stratify=stratify)
    evaluation = Evaluation(predictions, trainings, rows, evaluate)
    results = {metrics / name: content for name, content in evaluation.files().items()}
    tables = {plots / f"{name}.csv": table for name, table in evaluation.tables().items()}
    with outputs(metrics / "models", conformal, *results, *tables) as (folder, sets, *scratch):
        folder.mkdir()
        for name, summary in evaluation.summaries().items():
            files.write_json(folder / f"{name}.json", summary)
        prediction_sets.write(sets, evaluation.sets)
        for path, content in zip(scratch, results.values(), strict=False):
            files.write_json(path, content)
        for path, table in zip(scratch[len(results) :], tables.values(), strict=True):
            files.write_csv(path, table)
    remove(dropped, "its model is no longer in train or evaluate.external")
    print(*evaluation.describe(), sep="\n")


if __name__ == "__main__":
    stage.main(run)
