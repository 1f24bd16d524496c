"""Draw the figures of the run.

Reads: the history of the training, the confusion matrices and the ROC curves as CSV.
Writes: a figure of each as SVG.
Params: none.
"""

from pathlib import Path

from textclf import figures, files, stage
from textclf.params import Params


def run(
    _: Params,
    history_csv: Path,
    confusion_csv: Path,
    roc_csv: Path,
    history_svg: Path,
    confusion_svg: Path,
    roc_svg: Path,
) -> None:
    """Draw each table as a figure."""
    drawings = (figures.history, figures.confusion, figures.roc)
    tables = [
        files.read_csv(path, columns)
        for path, columns in (
            (history_csv, figures.HISTORY_COLUMNS),
            (confusion_csv, figures.CONFUSION_COLUMNS),
            (roc_csv, figures.ROC_COLUMNS),
        )
    ]
    with files.outputs(history_svg, confusion_svg, roc_svg) as scratch:
        for draw, table, path in zip(drawings, tables, scratch, strict=True):
            draw(table, path)


if __name__ == "__main__":
    stage.main(run)
