"""Search for the best settings of one model, scored by cross-validation inside the training rows.

Reads: SPLITS, a folder with the rows of each split as Parquet, and the classes; validation and test
rows are not read; PRETRAINED, the folder of pretrained weights.
Writes: SUMMARY, the best settings and their score as JSON; TRIALS, a line of CSV per trial; FIGURE,
the trials as SVG.
Params: combine, evaluate, search, split, train, vectorize.
"""

import shutil
from pathlib import Path

from textclf.artifacts import splits as split_files
from textclf.artifacts.checked import read_settings
from textclf.core import files, stage
from textclf.core.outputs import outputs
from textclf.evaluate.registry import METRICS
from textclf.plot import figures
from textclf.studies.measure import Sections, Setup, read_split
from textclf.studies.search.space import complete, dimensions
from textclf.studies.search.summary import describe, summarize, trial_table
from textclf.studies.search.trials import PATTERN, best_of, run_search
from textclf.studies.settings import Search

# The settings that the stage check has planned with, in the place of params.yaml.
PLANNED = Path("data/studies/search.json")


def run(
    search: Search,
    sections: Sections,
    *,
    splits: Path = Path("data/splits"),
    pretrained: Path = Path("data/pretrained"),
    summary: Path = Path("metrics/search.json"),
    trials: Path = Path("plots/search.csv"),
    figure: Path = Path("plots/search.svg"),
) -> None:
    """Search for the best settings of search.model.

    They are printed, and the command that runs the pipeline with them.
    """
    scale = split_files.read_scale(splits)
    setup = Setup(**vars(sections), pretrained=pretrained, scale=scale)
    rows, classes = read_split(splits, "train"), split_files.read_classes(splits)
    searched = setup.train, setup.vectorize, setup.combine
    search = complete(search, *searched)
    results, outer = run_search(rows, classes, setup, search, summary.parent)
    best, metric = best_of(results, search.metric), METRICS[search.metric]
    content = summarize(best, results, outer, search, setup.evaluate.confidence)
    table = trial_table(results, search)
    with outputs(summary, trials, figure) as (summary_file, trials_file, figure_file):
        files.write_json(summary_file, content)
        files.write_csv(trials_file, table)
        figures.search(table, figure_file, metric)
    for folder in summary.parent.glob(PATTERN):  # of this search, and of abandoned ones
        shutil.rmtree(folder)
    several = not isinstance(rows["label"].iloc[0], str)
    print(*describe(content, table, dimensions(search, *searched), several), sep="\n")


if __name__ == "__main__":
    stage.main(run, PLANNED, read_settings)
