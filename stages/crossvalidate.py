"""Train every model on many splits of all rows, and the network with many seeds, to see how far numbers spread.

Reads: DATA, a file or folder of labelled texts: the corpus as published, or the user's own.
Writes: METRICS, means, standard deviations and tests between models; TABLE, every training as a row of CSV.
Params: crossvalidate, data, evaluate, split, train, vectorize.
"""

from pathlib import Path

from textclf.core import files, stage
from textclf.params import Params
from textclf.studies import crossvalidation
from textclf.tables import corpus


def run(params: Params, data: Path, metrics: Path, table: Path) -> None:
    """Cross-validate the models of train.models on the rows of DATA."""
    read = corpus.read(data, params.data)
    trainings = crossvalidation.crossvalidate(read.rows, read.classes, params)
    report = crossvalidation.summary(trainings, params.crossvalidate, params.evaluate.confidence)
    with files.outputs(metrics, table) as (numbers, rows):
        files.write_json(numbers, report)
        files.write_csv(rows, trainings)
    for name in params.train.models:
        accuracy = report[name]["accuracy"]
        print(f"{name}: accuracy {accuracy['mean']:.3f}, standard deviation {accuracy['sd']:.3f} over folds")


if __name__ == "__main__":
    stage.main(run)
