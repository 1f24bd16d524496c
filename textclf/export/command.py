"""The command `textclf metrics`: print the outcome of the last run again."""

from pathlib import Path
from typing import Any

from textclf.core.settings import load_params
from textclf.evaluate import metric_files
from textclf.evaluate.looks import count_results
from textclf.evaluate.settings import Evaluate
from textclf.export import outcome
from textclf.export.settings import Export
from textclf.models.settings import Average, Train, with_averages

METRICS, PAGE = Path("metrics"), Path("reports/report.html")


def run() -> None:
    """Print a table of the models, the default model, and where the report is."""
    settings: dict[str, Any] = load_params({"train": Train, "average": Average, "evaluate": Evaluate, "export": Export})
    train, average, evaluate, export = settings.values()
    models = with_averages(train, average).names()
    external = sorted(evaluate.external)
    metrics = metric_files.read_all(METRICS, outcome.FILES, models, external)
    looks = count_results(metrics["decisions"], METRICS)
    print(*outcome.describe(metrics, models, export.model, evaluate.confidence, external, looks), sep="\n")
    print(
        f"report: {PAGE}" if PAGE.exists() else f"no report: {PAGE} not found; run dvc repro (or dvc pull) to make it"
    )
