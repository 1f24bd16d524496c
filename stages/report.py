"""Write the report of the run: one HTML page that needs nothing beside it.

Reads: data.path, the labelled texts, for their checksums; SPLITS; PREDICTIONS; from METRICS the files evaluation,
intervals, comparisons, coverage, decisions, training, unknown, features (shapes), slices and splits (leaks) as JSON;
from PLOTS the tables history, classes, confusion, roc, precision_recall, reliability, risk_coverage and terms as CSV;
from METRICS/behaviour and BEHAVIOUR the results of behavioural tests and their cases, if there are any; REQUIREMENTS,
the locked versions; TRAINED, a folder per model, for the versions that computed it; SETTINGS, the settings of the run.
Writes: PAGE.
Params: about, average, behave, combine, data, evaluate, export, fetch, report, split, train, vectorize.
"""

from pathlib import Path

from textclf.artifacts import packages
from textclf.artifacts import predictions as prediction_files
from textclf.artifacts import splits as split_files
from textclf.artifacts.checked import read_settings
from textclf.behave import results as behaviour_files
from textclf.behave.settings import Behave
from textclf.core import files, stage
from textclf.core.about import About
from textclf.core.outputs import outputs, remove
from textclf.evaluate import metric_files
from textclf.evaluate.looks import count_results
from textclf.evaluate.settings import Evaluate
from textclf.export import outcome
from textclf.export import versions as made_with
from textclf.export.settings import Export
from textclf.export.sources import list_sources
from textclf.fetch.settings import Fetch
from textclf.models.settings import Average, Train, with_averages
from textclf.report.page import render
from textclf.report.run import Run, Settings, tables_of
from textclf.report.settings import Report
from textclf.split.settings import Split
from textclf.tables.given import require_split_rows
from textclf.tables.settings import Data
from textclf.vectorize.settings import Combine, Vectorize

METRICS = (*outcome.FILES, "slices", "coverage", "training", "unknown", "features", "splits")


def run(
    about: About,
    average: Average,
    behave: Behave,
    combine: Combine,
    data: Data,
    evaluate: Evaluate,
    export: Export,
    fetch: Fetch,
    report: Report,
    split: Split,
    train: Train,
    vectorize: Vectorize,
    *,
    splits: Path,
    predictions: Path,
    metrics: Path,
    plots: Path,
    trained: Path,
    behaviour: Path,
    requirements: Path,
    page: Path,
) -> None:
    """Write the page of the run, and remove the results of dropped behavioural tests, which DVC leaves behind."""
    raw = split_files.read_checksums(splits)
    require_split_rows(Path(data.path), data, raw)
    requirements_text = files.require(requirements).read_bytes()
    locked = made_with.locked_versions(requirements_text.decode("utf-8"))
    external = sorted(evaluate.external)
    models = with_averages(train, average).names()
    computed = packages.unite(packages.read(trained / name) for name in models)
    contents = metric_files.read_all(metrics, METRICS, models, external)
    leaks = contents.pop("splits")
    rates = metrics / behaviour_files.FOLDER
    dropped = behaviour_files.leftovers(rates, behaviour, behave.tests)
    html = render(
        Run(
            settings=Settings(
                fetch, data, about, split, vectorize, combine, train, average, evaluate, export, report, behave
            ),
            classes=split_files.read_classes(splits),
            splits=split_files.open_columns(splits),
            predictions=prediction_files.open_models(predictions, [*models, *external], split="test"),
            **contents,
            leaks=leaks,
            tables={
                name: files.read_csv(plots / f"{name}.csv", columns) for name, columns in tables_of(data.task).items()
            },
            sources=list_sources(raw, data.path),
            checksums={
                "the raw rows": made_with.combine_checksums(raw),
                "the locked requirements": files.sha256(requirements_text),
            },
            versions=made_with.describe_versions(computed, locked),
            behaviour={name: behaviour_files.read(rates, behaviour, name, models) for name in behave.tests},
        )
    )
    with outputs(page) as (written,):
        written.write_text(html, encoding="utf-8", newline="\n")
    remove(dropped, "its tests are no longer in behave.tests")
    looks = count_results(contents["decisions"], metrics)
    print(*outcome.describe(contents, models, export.model, evaluate.confidence, external, looks), sep="\n")
    for line in made_with.unlocked(computed, locked):
        print(f"warning: {line}")
    print(f"report: {page}")


if __name__ == "__main__":
    stage.main(run, read_settings=read_settings)
