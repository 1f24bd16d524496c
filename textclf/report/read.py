"""Read a run as the report shows it."""

from pathlib import Path

from textclf.artifacts import packages
from textclf.artifacts import predictions as prediction_files
from textclf.artifacts import splits as split_files
from textclf.artifacts.checksums import combine_checksums
from textclf.behave import results as behaviour_files
from textclf.core import files
from textclf.core.installed import lock_files
from textclf.evaluate.results import KINDS, Results
from textclf.export.sources import list_sources
from textclf.report.run import PageSettings, Run, tables_of
from textclf.tables.given import require_split_rows


def read_run(
    settings: PageSettings,
    splits: Path,
    predictions: Path,
    metrics: Path,
    plots: Path,
    trained: Path,
    behaviour: Path,
) -> Run:
    """Return the run whose artifacts stand in these folders.

    Raises `UserError` if the table is not the one that was split, or an artifact is damaged.
    """
    data, models, external = settings.data, settings.models.names(), settings.external
    raw = split_files.read_checksums(splits)
    require_split_rows(Path(data.path), data, raw)
    requirements = b"".join(files.require(lock).read_bytes() for lock in lock_files())
    locked = packages.locked_versions(requirements.decode("utf-8"))
    computed = packages.unite(packages.read(trained / name) for name in models)
    results = Results.read(metrics, KINDS, models, external)
    tables = {
        name: files.read_csv(plots / f"{name}.csv", columns)
        for name, columns in tables_of(data.task).items()
    }
    rates = metrics / behaviour_files.FOLDER
    return Run(
        settings=settings,
        classes=split_files.read_classes(splits),
        results=results,
        sources=list_sources(raw, data.path),
        watching=set(tables["history"]["model"]),
        splits=split_files.open_columns(splits),
        predictions=prediction_files.open_models(predictions, [*models, *external], split="test"),
        tables=tables,
        checksums={
            "the raw rows": combine_checksums(raw),
            "the locked requirements": files.sha256(requirements),
        },
        versions=packages.describe_versions(computed, locked),
        behaviour={
            name: behaviour_files.read(rates, behaviour, name, models)
            for name in settings.behave.tests
        },
        unlocked=[*packages.unlocked(computed, locked)],
    )
