"""Draw the figures of the run.

Reads: the history of the training, the confusion matrices, the ROC and the reliability curves as CSV.
Writes: a figure of each as SVG.
Params: none.
"""

from pathlib import Path

from textclf.core import files, stage
from textclf.params import Params
from textclf.plot import figures


def run(
    _: Params,
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
    drawings = (figures.history, figures.confusion, figures.roc, figures.reliability)
    tables = [
        files.read_csv(path, columns)
        for path, columns in (
            (history_csv, figures.HISTORY_COLUMNS),
            (confusion_csv, figures.CONFUSION_COLUMNS),
            (roc_csv, figures.ROC_COLUMNS),
            (reliability_csv, figures.RELIABILITY_COLUMNS),
        )
    ]
    with files.outputs(history_svg, confusion_svg, roc_svg, reliability_svg) as scratch:
        for draw, table, path in zip(drawings, tables, scratch, strict=True):
            draw(table, path)


if __name__ == "__main__":
    stage.main(run)
