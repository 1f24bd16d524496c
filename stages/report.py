"""Write the report of the run: one page of HTML that needs nothing beside it.

Reads: DATA, the raw rows, for their checksums; SPLITS; PREDICTIONS; the metrics as JSON, the curves and the terms as
CSV; REQUIREMENTS, the locked versions.
Writes: REPORT, the page; and beside it provenance.json, which names the machine and so is no output of the pipeline.
Params: data, evaluate, export, fetch, report, split, train, vectorize.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from textclf.core import files, stage
from textclf.evaluate import evaluation
from textclf.export import card, provenance
from textclf.params import Params
from textclf.plot import figures
from textclf.report import page as report
from textclf.split import splitting
from textclf.tables import corpus

PROVENANCE = "provenance.json"
ROOT = Path(report.__file__).parents[2]
CLASS_COLUMNS = (
    "model",
    "split",
    "class",
    "support",
    *(f"{metric}{end}" for metric in evaluation.CLASS_METRICS for end in ("", "_low", "_high")),
)
BIN_COLUMNS = ("model", "low", "high", "rows", *figures.RELIABILITY_COLUMNS[1:])
TERM_COLUMNS = ("model", "class", "term", "weight", "rows", "method")


class Texts:
    """The rows of a split, shard by shard, as often as they are iterated over."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """Keep the paths."""
        self.paths = paths

    def __iter__(self) -> Iterator[pd.DataFrame]:
        """The shards in order."""
        return map(splitting.read_shard, self.paths)


def run(
    params: Params,
    data: Path,
    splits: Path,
    prediction_folder: Path,
    evaluation_json: Path,
    intervals_json: Path,
    comparisons_json: Path,
    decisions_json: Path,
    training_json: Path,
    features_json: Path,
    splits_json: Path,
    history_csv: Path,
    classes_csv: Path,
    confusion_csv: Path,
    roc_csv: Path,
    precision_recall_csv: Path,
    reliability_csv: Path,
    terms_csv: Path,
    requirements: Path,
    report_html: Path,
) -> None:
    """Write the page of the run."""
    settings = card.Settings(
        params.fetch,
        params.data,
        params.split,
        params.vectorize,
        params.train,
        params.evaluate,
        params.export,
    )
    models = evaluation.open_models(prediction_folder, params.train.models)
    chosen = evaluation.choices(models, params.evaluate)
    raw = provenance.checksums(corpus.files(data, params.data))
    locked = files.require(requirements)
    page = report.page(
        report.Run(
            settings=settings,
            report=params.report,
            classes=splitting.read_classes(splits),
            splits={name: Texts(paths) for name, paths in splitting.shard_paths(splits).items()},
            decided={name: evaluation.Decided(models[name], choice) for name, choice in chosen.items()},
            decisions=files.read_json(decisions_json),
            evaluation=files.read_json(evaluation_json),
            intervals=files.read_json(intervals_json),
            comparisons=files.read_json(comparisons_json),
            training=files.read_json(training_json),
            features=files.read_json(features_json),
            splits_report=files.read_json(splits_json),
            history=files.read_csv(history_csv, figures.HISTORY_COLUMNS),
            by_class=files.read_csv(classes_csv, CLASS_COLUMNS),
            confusion=files.read_csv(confusion_csv, figures.CONFUSION_COLUMNS),
            roc=files.read_csv(roc_csv, figures.ROC_COLUMNS),
            precision_recall=files.read_csv(precision_recall_csv, ("model", "class", "recall", "precision")),
            reliability=files.read_csv(reliability_csv, BIN_COLUMNS),
            terms=files.read_csv(terms_csv, TERM_COLUMNS),
            sources=card.sources(raw, params.data.path),
            checksums={
                "the raw rows": provenance.combined(raw),
                "the locked requirements": provenance.checksum(locked),
            },
            versions=provenance.locked(locked.read_text(encoding="utf-8")),
        )
    )
    with files.outputs(report_html, report_html.with_name(PROVENANCE)) as (html, machine):
        html.write_text(page, encoding="utf-8", newline="\n")
        files.write_json(machine, provenance.machine(ROOT))
    print(f"{report_html}: {len(page.encode()) / 1e6:.1f} MB")


if __name__ == "__main__":
    stage.main(run)
