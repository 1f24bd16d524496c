"""Draw the figures of the run.

Reads: RAW, for the class names of the corpora in it; from PLOTS the tables history, confusion, roc and reliability as
CSV.
Writes: into PLOTS a figure of each as SVG.
Params: about, data.path.
"""

from pathlib import Path
from typing import Annotated

from textclf.core import files, stage
from textclf.core.about import About
from textclf.core.outputs import outputs
from textclf.core.settings import Param
from textclf.fetch import catalogue
from textclf.plot import confusion, curves, figures, history, reliability


def run(
    about: About,
    path: Annotated[str, Param("data.path")],
    *,
    raw: Path,
    plots: Path,
) -> None:
    """Draw each table as a figure."""
    epochs = files.read_csv(plots / "history.csv", history.COLUMNS)
    pairs = files.read_csv(plots / "confusion.csv", confusion.COLUMNS)
    points = files.read_csv(plots / "roc.csv", curves.ROC_COLUMNS)
    bins = files.read_csv(plots / "reliability.csv", reliability.COLUMNS)
    names = catalogue.class_names(catalogue.corpora_at(Path(path), raw)) | about.class_names
    drawn = [plots / f"{name}.svg" for name in ("history", "confusion", "roc", "reliability")]
    with outputs(*drawn) as (first, second, third, fourth):
        figures.history(epochs, first)
        figures.confusion(pairs, second, names)
        figures.roc(points, third, names)
        figures.reliability(bins, fourth)


if __name__ == "__main__":
    stage.main(run)
