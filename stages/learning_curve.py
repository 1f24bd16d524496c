"""Train every model on a tenth of the training rows, on two tenths, and so on up to all of them.

Reads: SPLITS, a folder with the rows of each split as Parquet, and the classes; PRETRAINED, the
folder of pretrained weights.
Writes: CURVE, the test accuracy by number of training rows as CSV; FIGURE, the same as SVG.
Params: combine, evaluate, split, train, vectorize.
"""

from pathlib import Path

from textclf.artifacts.checked import read_settings
from textclf.artifacts.splits import read, read_classes, read_scale
from textclf.core import files, stage
from textclf.core.outputs import outputs
from textclf.plot import figures
from textclf.studies.measure import Sections, Setup, learning_curve

# The settings that the stage check has planned with, in the place of params.yaml.
PLANNED = Path("data/studies/learning_curve.json")


def run(
    sections: Sections,
    *,
    splits: Path = Path("data/splits"),
    pretrained: Path = Path("data/pretrained"),
    curve: Path = Path("plots/learning_curve.csv"),
    figure: Path = Path("plots/learning_curve.svg"),
) -> None:
    """Draw the learning curve of the models of train."""
    setup = Setup(**vars(sections), pretrained=pretrained, scale=read_scale(splits))
    points = learning_curve(read(splits), read_classes(splits), setup)
    with outputs(curve, figure) as (curve_file, figure_file):
        files.write_csv(curve_file, points)
        figures.learning_curve(points, figure_file)
    print(f"learning curve: {figure}")


if __name__ == "__main__":
    stage.main(run, PLANNED, read_settings)
