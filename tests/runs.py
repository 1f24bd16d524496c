"""Runs of a few rows for the tests of the report, measured as the stage evaluate does it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from tests import curves
from tests.curves import HOSTILE
from tests.leaks import count_leaks
from tests.settings import models as train
from tests.settings import put
from tests.unit.evaluate.samples import run_measured
from textclf.artifacts.label_sets import is_multilabel
from textclf.artifacts.predictions import Predictions
from textclf.behave.results import Results as Behaviours
from textclf.core.arrow import hash_normalized
from textclf.core.files import SPLITS
from textclf.evaluate.coverage import fit_sets, measure_sets
from textclf.evaluate.curves import stack_models
from textclf.evaluate.measure import HeldOut, decisions_report
from textclf.evaluate.results import Results
from textclf.evaluate.slices.membership import membership_of
from textclf.evaluate.slices.report import report
from textclf.evaluate.slices.sums import SliceSums
from textclf.export import explanation
from textclf.export.sources import Source
from textclf.params import parse
from textclf.report.run import PageSettings, Run

__all__ = ["ALL", "HOSTILE", "SOURCE", "YELP", "make_run"]

ALL = ("majority", "naive_bayes", "logistic_regression", "linear_svm", "nb_svm", "keras")
SOURCE = Source("rows.csv", "0" * 64)
YELP = Source("yelp_labelled.txt", "1" * 64, "yelp")


def make_run(
    models: Sequence[str] = ("majority", "logistic_regression"),
    classes: Sequence[str] = ("no", "yes"),
    count: int = 40,
    validation: bool = False,
    history: Sequence[str] = (),
    texts: Sequence[str] = ("good food", "bad place, and never again", "fine"),
    settings: Mapping[str, str] | None = None,
    sources: Sequence[Source] = (SOURCE,),
    columns: Mapping[str, Sequence[str]] | None = None,
    behaviour: Mapping[str, Behaviours] | None = None,
    sets: Sequence[Sequence[str]] = (),
) -> Run:
    """Return a run of these models on `count` rows per split, with texts and classes in turn.

    `majority` predicts one class; `history` are the models trained in epochs; `settings` are values
    by dotted key; `columns` are those of data.slices, with values in turn; `behaviour` are the
    results of behavioural tests. `sets` are the sets of labels that texts have in turn, of a run of
    several labels.
    """
    changed = [part for pair in (settings or {}).items() for part in pair]
    changed += ["data.task", "multilabel"] if sets else []
    changed += ["split.validation_size", "0.2"] if validation else []
    params = parse(put(*train(*models), "export.model", "null", *changed))
    splits = {
        split: rows_of(split, [texts[n % len(texts)] for n in range(count)], sets or classes)
        for split in SPLITS
        if validation or split != "validation"
    }
    for name, values in (columns or {}).items():
        repeated = [values[n % len(values)] for n in range(count)]
        splits = {
            split: part.append_column(f"slice_{name}", [repeated]) for split, part in splits.items()
        }
    predictions = {name: [predict(name, n, splits, classes)] for n, name in enumerate(models)}
    slices = SliceSums(
        membership_of([splits["test"]], [splits["train"]]), classes, params.evaluate.slice_metric
    )
    baselines = [name for name in models if name == "majority"]
    measured, decisions = run_measured(
        predictions, params.evaluate, False, membership=slices.membership, baselines=baselines
    )
    metrics = {
        name: {split: part.metrics(name) for split, part in measured.items()} for name in models
    }
    test = measured["test"]
    by_class = {
        name: pd.concat([part.by_class(name) for part in measured.values()], ignore_index=True)
        for name in models
    }
    of_models = {"classes": by_class} | {
        table: {model: test.tables(model)[table] for model in models}
        for table in ("confusion", "roc", "precision_recall", "reliability", "risk_coverage")
    }
    tables = {
        table: stack_models({model: each[model] for model in models})
        for table, each in of_models.items()
    }
    return Run(
        settings=PageSettings(
            **{name: getattr(params, name) for name in PageSettings.__dataclass_fields__}
        ),
        classes=list(classes),
        results=Results.of(
            evaluation=metrics,
            intervals={
                name: {split: part.intervals(name) for split, part in measured.items()}
                for name in models
            },
            comparisons=test.comparisons(),
            decisions=decisions_report(measured, decisions, metrics, HeldOut(), history),
            slices=report(slices, test.judged, params.evaluate.confidence),
            coverage=measure_sets(
                test, fit_sets(measured.get("validation"), params.evaluate), params.evaluate
            ),
            training={name: {"parameters": 3} for name in models},
            features={
                "words": {
                    split: {"rows": count, "features": 5, "nonzeros": 2 * count} for split in splits
                }
            },
            splits=count_leaks(splits) | {"dropped": {"rows": 0, "text": 0, "label": 0}},
        ),
        sources=list(sources),
        watching=history,
        splits={split: [with_positions(rows, classes).select] for split, rows in splits.items()},
        predictions=predictions,
        checksums={"the raw rows": "1" * 64},
        versions={"numpy": "2.4.6"},
        behaviour=behaviour or {},
        tables=tables
        | {
            "history": curves.history(history, "validation" if validation else "test"),
            "terms": make_terms([name for name in models if name != "majority"], classes, texts),
        },
    )


def rows_of(
    split: str, texts: Sequence[str], classes: Sequence[str] | Sequence[Sequence[str]]
) -> pa.Table:
    """Return the rows of a split as the stage split writes them, with labels as text."""
    return pa.table(
        {
            "id": [f"rows.csv:{split}{n}" for n in range(len(texts))],
            "text": list(texts),
            "label": [classes[n % len(classes)] for n in range(len(texts))],
            "cluster": hash_normalized(texts),
        }
    )


def with_positions(rows: pa.Table, classes: Sequence[str]) -> pa.Table:
    """Return rows with the positions of their classes as labels."""
    labels = rows["label"].to_pylist()
    if is_multilabel(rows):
        positions = pa.array(
            [[classes.index(label) for label in each] for each in labels], pa.list_(pa.int32())
        )
    else:
        positions = pa.array([classes.index(label) for label in labels], pa.int32())
    return rows.set_column(rows.column_names.index("label"), "label", positions)


def predict(
    model: str, seed: int, splits: Mapping[str, pa.Table], classes: Sequence[str]
) -> Predictions:
    """Return predictions that mostly prefer the actual class; models err on different rows."""
    generator = np.random.default_rng(seed)
    rows = [row | {"split": split} for split, part in splits.items() for row in part.to_pylist()]
    ids, split = (np.array([row[name] for row in rows], dtype=object) for name in ("id", "split"))
    if isinstance(rows[0]["label"], list):
        y = np.array([[label in row["label"] for label in classes] for row in rows], dtype=np.int8)
        raw = np.clip(0.1 + 0.7 * y + generator.uniform(-0.1, 0.6, y.shape) * (1 - 1.6 * y), 0, 1)
        return Predictions(
            ids, split, y, raw * (model != "majority") + 0.2 * (model == "majority"), tuple(classes)
        )
    y = np.array([classes.index(row["label"]) for row in rows], dtype=np.int64)
    raw = generator.uniform(0.1, 1, (len(rows), len(classes)))
    raw[np.arange(len(y)), y] += 1.5 * (generator.uniform(size=len(y)) < 0.8)
    if model == "majority":
        raw = np.tile(np.arange(len(classes), 0, -1.0), (len(rows), 1))
    return Predictions(ids, split, y, raw / raw.sum(axis=1, keepdims=True), tuple(classes))


def make_terms(models: Sequence[str], classes: Sequence[str], words: Sequence[str]) -> pd.DataFrame:
    """Return each text as a term of each class."""
    rows: list[dict[str, Any]] = [
        {
            "model": model,
            "class": label,
            "term": word,
            "weight": 1.5 / (n + 1),
            "rows": 3,
            "method": "weight",
        }
        for model in models
        for label in classes
        for n, word in enumerate(words)
    ]
    return pd.DataFrame(rows, columns=explanation.COLUMNS)
