"""Write the report of the run: one HTML page that needs nothing beside it.

Reads: data.path, the labelled texts, for their checksums; SPLITS; PREDICTIONS; from METRICS the
files evaluation, intervals, comparisons, coverage, decisions, training, unknown, features (shapes),
labels, slices and splits (leaks) as JSON; from PLOTS the tables history, classes, confusion, roc,
precision_recall, reliability, risk_coverage and terms as CSV; from METRICS/behaviour and BEHAVIOUR
the results of behavioural tests and their cases, if there are any; REQUIREMENTS, the locked
versions, and NETWORKS, those of TensorFlow, if another file has them; TRAINED, a folder per model,
for the versions that computed it; SETTINGS, the settings of the run.
Writes: PAGE.
Params: about, average, behave, combine, data, evaluate, export, fetch, report, split, train,
vectorize.
"""

from pathlib import Path

from textclf.artifacts import packages
from textclf.artifacts import predictions as prediction_files
from textclf.artifacts import splits as split_files
from textclf.artifacts.checked import read_settings
from textclf.artifacts.checksums import combine_checksums
from textclf.behave import results as behaviour_files
from textclf.core import files, stage
from textclf.core.installed import lock_files
from textclf.core.outputs import outputs, remove
from textclf.evaluate.looks import count_results
from textclf.evaluate.results import KINDS, Results
from textclf.export import outcome
from textclf.export.sources import list_sources
from textclf.report.page import render
from textclf.report.run import PageSettings, Run, tables_of
from textclf.tables.given import require_split_rows

# The settings that the stage check has planned with, in the place of params.yaml.
PLANNED = Path("data/settings.json")


def run(
    settings: PageSettings,
    *,
    splits: Path = Path("data/splits"),
    predictions: Path = Path("data/predictions"),
    metrics: Path = Path("metrics"),
    plots: Path = Path("plots"),
    trained: Path = Path("data/trained"),
    behaviour: Path = Path("data/behaviour"),
    page: Path = Path("reports/report.html"),
) -> None:
    """Write the page of the run, and remove the results of dropped behavioural tests, which DVC leaves behind."""
    data, models, external = settings.data, settings.models.names(), settings.external
    raw = split_files.read_checksums(splits)
    require_split_rows(Path(data.path), data, raw)
    requirements_text = b"".join(files.require(lock).read_bytes() for lock in lock_files())
    locked = packages.locked_versions(requirements_text.decode("utf-8"))
    computed = packages.unite(packages.read(trained / name) for name in models)
    results = Results.read(metrics, KINDS, models, external)
    rates, tests = metrics / behaviour_files.FOLDER, settings.behave.tests
    dropped = behaviour_files.leftovers(rates, behaviour, tests)
    tables = {
        name: files.read_csv(plots / f"{name}.csv", columns)
        for name, columns in tables_of(data.task).items()
    }
    html = render(
        Run(
            settings=settings,
            classes=split_files.read_classes(splits),
            results=results,
            sources=list_sources(raw, data.path),
            watching=set(tables["history"]["model"]),
            splits=split_files.open_columns(splits),
            predictions=prediction_files.open_models(
                predictions, [*models, *external], split="test"
            ),
            tables=tables,
            checksums={
                "the raw rows": combine_checksums(raw),
                "the locked requirements": files.sha256(requirements_text),
            },
            versions=packages.describe_versions(computed, locked),
            behaviour={
                name: behaviour_files.read(rates, behaviour, name, models) for name in tests
            },
        )
    )
    with outputs(page) as (written,):
        written.write_text(html, encoding="utf-8", newline="\n")
    remove(dropped, "its tests are no longer in behave.tests")
    looks = count_results(results.decisions.protocol.test_rows, metrics)
    named, confidence = settings.export.model, settings.evaluate.confidence
    print(*outcome.describe(results, models, named, confidence, external, looks), sep="\n")
    for line in packages.unlocked(computed, locked):
        print(f"warning: {line}")
    print(f"report: {page}")


if __name__ == "__main__":
    stage.main(run, PLANNED, read_settings)
