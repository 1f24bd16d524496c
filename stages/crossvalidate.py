"""Cross-validate every model, and fit models with other seeds, to see how far metrics spread.

Reads: TABLE, a file or folder of labelled texts: by default data.path; PRETRAINED, the folder of
pretrained weights.
Writes: REPORT, means, standard deviations and tests between models as JSON; TRAININGS, a line of
CSV per training.
Params: combine, crossvalidate, data, evaluate, split, train, vectorize.
"""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from textclf.artifacts import splits
from textclf.artifacts.checked import read_settings
from textclf.core import files, stage
from textclf.core.outputs import outputs
from textclf.core.scale import scale_of
from textclf.core.unchanged import unchanged
from textclf.studies import crossvalidation
from textclf.studies.measure import Sections, Setup
from textclf.studies.settings import CrossValidate
from textclf.tables import corpus
from textclf.tables.given import checksums
from textclf.tables.rare_labels import Renamed, without_rare
from textclf.tables.settings import Data

# The settings that the stage check has planned with, in the place of params.yaml.
PLANNED = Path("data/studies/crossvalidate.json")


def run(
    crossvalidate: CrossValidate,
    data: Data,
    sections: Sections,
    *,
    pretrained: Path = Path("data/pretrained"),
    report: Path = Path("metrics/crossvalidation.json"),
    trainings: Path = Path("plots/crossvalidation.csv"),
    table: Path | None = None,
) -> None:
    """Cross-validate the models of train on the rows of TABLE."""
    path = table or Path(data.path)
    setup = Setup(**vars(sections), pretrained=pretrained)
    train, confidence = setup.train, setup.evaluate.confidence

    def divide(rare: Renamed) -> pd.DataFrame:
        with unchanged(path, lambda: checksums(path, data)):
            read = corpus.read(path, data, rare)
        rows = pd.DataFrame(read.table.to_pydict())
        if data.columns:
            rows["text"] = pd.Series(splits.text_rows(read.table), dtype=object)
        # Without those of data.unknown.
        known = rows[rows["label"] != data.no_class_label].reset_index(drop=True)
        scale = scale_of(read.classes) if data.order else None
        return crossvalidation.crossvalidate(
            known, read.classes, replace(setup, scale=scale), crossvalidate
        )

    results = without_rare(data, divide)
    summary = crossvalidation.summarize(results, crossvalidate, confidence)
    with outputs(report, trainings) as (report_file, trainings_file):
        files.write_json(report_file, summary)
        files.write_csv(trainings_file, results)
    print(*crossvalidation.describe(summary, train, confidence, data.multilabel), sep="\n")


if __name__ == "__main__":
    stage.main(run, PLANNED, read_settings)
