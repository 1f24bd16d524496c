"""Train every model on a tenth of the training rows, two tenths and so on up to all of them.

Reads: SPLITS, a Parquet file a split, and the classes.
Writes: TABLE, the test accuracy by number of training rows as CSV; FIGURE, the same as SVG.
Params: evaluate, split, train, vectorize.
"""

from pathlib import Path

from textclf.core import files, stage
from textclf.params import Params
from textclf.plot import figures
from textclf.split import splitting
from textclf.studies import crossvalidation


def run(params: Params, splits: Path, table: Path, figure: Path) -> None:
    """Draw the learning curve of the models of train.models on SPLITS."""
    curve = crossvalidation.learning_curve(splitting.read(splits), splitting.read_classes(splits), params)
    with files.outputs(table, figure) as (rows, drawing):
        files.write_csv(rows, curve)
        figures.learning_curve(curve, drawing)


if __name__ == "__main__":
    stage.main(run)
