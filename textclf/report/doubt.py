"""The sections on doubt (prediction sets, rows without an answer) and on texts of no class."""

from typing import Any

from textclf.core.display import visible
from textclf.core.formatting import confidence_level, display_name, percent
from textclf.evaluate.results import MeasuredSets, MeasuredShare, format_measured
from textclf.models.settings import CONSTANT
from textclf.pages.parts import Chart, Table, ends
from textclf.plot.charts import RISK_COVERAGE
from textclf.plot.draw import panels
from textclf.report.run import Run

# Of more than twice as many classes, this many of the least and of the most covered are listed.
ENDS = 15


def doubt(run: Run) -> dict[str, Any] | None:
    """Return the coverage of prediction sets and what answers cost; None without the setting."""
    settings = run.settings.evaluate
    coverage = run.results.coverage
    models = [name for name in run.models if name in coverage.models]
    if settings.coverage is None or coverage.protocol is None or not models:
        return None
    kind, kinds = run.words["kind"], run.words["kinds"]
    columns = [
        "model",
        f"sets with the {kind}",
        f"{kinds} per set",
        f"one {kind}",
        "several",
        "none",
    ]
    if run.multilabel:
        columns[1] = "share of the labels in the set"
    title, rows = f"{RISK_COVERAGE.title}.", run.tables["risk_coverage"]
    drawn = panels(RISK_COVERAGE, rows[~rows["model"].isin(run.squeezing)], run.models, {})[""]
    return {
        "asked": confidence_level(settings.coverage),
        "by_class": settings.coverage_by_class,
        "share": settings.coverage,
        "rows": f"{coverage.protocol.validation_rows:,}",
        "clusters": "validation" in run.results.decisions.protocol.clusters,
        "chosen": _chosen(run),
        "sets": Table(
            f"Prediction sets on the test rows, with {run.level} intervals",
            columns if run.multilabel else [*columns, "accuracy of answers"],
            [_sets(name, coverage[name])[: 6 if run.multilabel else 7] for name in models],
            range(1, 7),
        ),
        "classes": _by_class(run, models),
        "charts": [Chart("risk_coverage-0", title, title + run.not_drawn, drawn)],
    }


def _sets(name: str, sets: MeasuredSets) -> list[object]:
    return [
        display_name(name),
        cell(sets.coverage),
        f"{sets.set_size:.2f}",
        *map(percent, (sets.answered, sets.several, sets.empty)),
        cell(sets.accuracy),
    ]


def _by_class(run: Run, models: list[str]) -> Table:
    """Return the coverage of each class: of many those that a model covers least and most."""
    cells = {
        label: [run.results.coverage[name].classes.get(label) for name in models]
        for label in run.classes
    }
    lowest = {
        label: min((cell.value for cell in row if cell), default=1) for label, row in cells.items()
    }
    shown = set(ends(sorted(run.classes, key=lambda label: lowest[label]), ENDS))
    kind, kinds = run.words["kind"], run.words["kinds"]
    caption = f"Share of the test rows of a {kind} whose set has it, with {run.level} intervals"
    if len(shown) < len(run.classes):
        caption += (
            f": the {ENDS} of {len(run.classes)} {kinds} that are covered least, "
            f"and the {ENDS} covered most"
        )
    return Table(
        caption,
        [kind, "rows", *map(display_name, models)],
        [
            [run.names[label], f"{next((cell.rows for cell in row if cell), 0):,}", *map(cell, row)]
            for label, row in cells.items()
            if label in shown
        ],
        range(1, 2 + len(models)),
    )


def _chosen(run: Run) -> list[str]:
    """Return the settings through which validation rows have already chosen part of a model."""
    settings = run.settings
    chosen = [
        f"{'average' if name in settings.average.pairs() else 'train'}.{name}.{setting}"
        for name in settings.models.names()
        for setting in settings.models[name].validation_choices()
    ]
    if settings.evaluate.calibration != "none":
        chosen.append("evaluate.calibration")
    candidates = [
        name for name in settings.models.names() if settings.models[name].kind != CONSTANT
    ]
    if settings.export.model is None and len(candidates) > 1:
        chosen.append("export.model")
    return chosen


def cell(share: MeasuredShare | None) -> tuple[str, str]:
    """Return a share and its interval as texts, empty without rows."""
    return ("", "") if share is None else format_measured("accuracy", share.value, share)


def unknown(run: Run) -> dict[str, Any] | None:
    """Return the rejection of test rows as decided and by each score; None without data.unknown."""
    data, evaluate = run.settings.data, run.settings.evaluate
    results = run.results.unknown
    tests = {name: results[name]["test"] for name in run.models if "test" in results.get(name, {})}
    if not tests:
        return None
    rows = [
        [
            display_name(name),
            way,
            *map(cell, (shares.accuracy, shares.recall, shares.precision)),
            ("", "") if area is None else format_measured("accuracy", area.value, area.ends),
        ]
        for name, test in tests.items()
        for way, shares, area in [
            ("as decided", test, None),
            *((score, by_score, by_score.roc_auc) for score, by_score in test.scores.items()),
        ]
    ]
    columns = [
        "accuracy within the classes",
        "recall of no class",
        "precision of no class",
        "area under the ROC curve",
    ]
    caption = f"Texts of no class among the test rows, with {run.level} intervals"
    return {
        "label": visible(data.unknown or ""),
        "trained": data.train_unknown,
        "score": evaluate.unknown_score,
        "keep": percent(evaluate.unknown_keep),
        "table": Table(caption, ["model", "by", *columns], rows, range(2, 6)),
    }
