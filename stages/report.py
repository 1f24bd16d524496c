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

from textclf.artifacts.checked import read_settings
from textclf.behave import results as behaviour_files
from textclf.core import stage
from textclf.core.outputs import outputs, remove
from textclf.evaluate.looks import count_results
from textclf.export import outcome
from textclf.report.page import render
from textclf.report.read import read_run
from textclf.report.run import PageSettings

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
    """Write the page of the run.

    Results of dropped behavioural tests, which DVC leaves behind, are removed.
    """
    tests = settings.behave.tests
    dropped = behaviour_files.leftovers(metrics / behaviour_files.FOLDER, behaviour, tests)
    shown = read_run(settings, splits, predictions, metrics, plots, trained, behaviour)
    html = render(shown)
    with outputs(page) as (written,):
        written.write_text(html, encoding="utf-8", newline="\n")
    remove(dropped, "its tests are no longer in behave.tests")
    models, external = settings.models.names(), settings.external
    looks = count_results(shown.results.decisions.protocol.test_rows, metrics)
    named, confidence = settings.export.model, settings.evaluate.confidence
    print(*outcome.describe(shown.results, models, named, confidence, external, looks), sep="\n")
    for line in shown.unlocked:
        print(f"warning: {line}")
    print(f"report: {page}")


if __name__ == "__main__":
    stage.main(run, PLANNED, read_settings)
