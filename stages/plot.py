"""Draw the figures of the run.

Reads: RAW, for the class names of the corpora in it; the training history, the confusion matrices, the ROC curves and
the reliability curves as CSV.
Writes: a figure of each as SVG.
Params: data.path.
"""

from pathlib import Path
from typing import Annotated

from textclf.core import files, stage
from textclf.core.settings import Param
from textclf.fetch import catalogue
from textclf.plot import confusion, curves, figures, history, reliability


def run(
    path: Annotated[str, Param("data.path")],
    *,
    raw: Path,
    history_csv: Path,
    confusion_csv: Path,
    roc_csv: Path,
    reliability_csv: Path,
    history_svg: Path,
    confusion_svg: Path,
    roc_svg: Path,
    reliability_svg: Path,
) -> None:
    """Draw each table as a figure."""
    epochs = files.read_csv(history_csv, history.COLUMNS)
    pairs = files.read_csv(confusion_csv, confusion.COLUMNS)
    points = files.read_csv(roc_csv, curves.ROC_COLUMNS)
    bins = files.read_csv(reliability_csv, reliability.COLUMNS)
    models = list(dict.fromkeys(pairs["model"]))
    names = catalogue.class_names(catalogue.corpora_at(Path(path), raw))
    with files.outputs(history_svg, confusion_svg, roc_svg, reliability_svg) as (first, second, third, fourth):
        figures.history(epochs, first, models)
        figures.confusion(pairs, second, names)
        figures.roc(points, third, names)
        figures.reliability(bins, fourth)


if __name__ == "__main__":
    stage.main(run)
