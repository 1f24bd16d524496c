"""Runs made up for the tests of the report: a few rows, and everything that evaluate would make of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from tests.settings import put
from textclf.artifacts import predictions
from textclf.evaluate import evaluation
from textclf.export import card
from textclf.params import parse
from textclf.report import page as report
from textclf.split import splitting

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</script><script>alert(1)</script><!--",
    "{{7*7}} {% raw %} ${7*7}",
    "\u202egnirts desrever\u202c and \x00 and \x1b[31m and \u2028 a line",
    "</bdi></td></table><style>*{display:none}</style>",
    "word" * 25_000,
    "<a href='javascript:alert(1)'>click</a> &lt;b&gt; &amp;",
)
SOURCE = card.Source("rows.csv", "0" * 64)


def made(
    models: Sequence[str] = ("majority", "logistic_regression"),
    classes: Sequence[str] = ("no", "yes"),
    count: int = 40,
    validation: bool = False,
    history: Sequence[str] = (),
    texts: Sequence[str] = ("good food", "bad place, and never again", "fine"),
    settings: Mapping[str, str] | None = None,
    sources: Sequence[card.Source] = (SOURCE,),
) -> report.Run:
    """A run of these models on `count` rows of each split, texts and classes in turn; `majority` says one class."""
    changed = [f"[{', '.join(models)}]", *(part for pair in (settings or {}).items() for part in pair)]
    changed += ["split.validation_size", "0.2"] if validation else []
    params = parse(put("train.models", *changed))
    splits = {}
    for split in ("train", "validation", "test") if validation else ("train", "test"):
        rows = [
            {"id": f"rows.csv:{split}{n}", "text": texts[n % len(texts)], "label": classes[n % len(classes)]}
            for n in range(count)
        ]
        splits[split] = pd.DataFrame(rows)
    tables = {name: table(name, place, splits, classes) for place, name in enumerate(models)}
    decided, decisions = evaluation.decisions(tables, params.evaluate)
    by_split = {split: {name: rows[rows["split"] == split] for name, rows in decided.items()} for split in splits}
    draws = {split: evaluation.resampled(parts, params.evaluate, False) for split, parts in by_split.items()}
    intervals = {split: evaluation.intervals(parts, draws[split], params.evaluate) for split, parts in by_split.items()}
    curves = [
        evaluation.stacked({name: curve(rows) for name, rows in by_split["test"].items()})
        for curve in (
            evaluation.confusion,
            evaluation.roc,
            evaluation.precision_recall,
            lambda rows: evaluation.reliability(rows, params.evaluate),
        )
    ]
    confusion, roc, precision_recall, reliability = (rows.reset_index(drop=True) for rows in curves)
    by_class = {
        name: pd.concat(
            [evaluation.by_class(parts[name], draws[split][name], params.evaluate) for split, parts in by_split.items()]
        )
        for name in models
    }
    return report.Run(
        settings=card.Settings(
            params.fetch, params.data, params.split, params.vectorize, params.train, params.evaluate, params.export
        ),
        report=params.report,
        classes=list(classes),
        splits=splits,
        decided=decided,
        decisions=decisions,
        evaluation={
            name: {split: evaluation.metrics(parts[name]) for split, parts in by_split.items()} for name in models
        },
        intervals={name: {split: intervals[split][name] for split in by_split} for name in models},
        comparisons=evaluation.comparisons(by_split["test"], params.evaluate, False),
        training={name: {"parameters": 3} for name in models},
        features={split: {"rows": count, "features": 5, "nonzeros": 2 * count} for split in splits},
        splits_report=splitting.leakage(splits) | {"dropped": {"rows": 0, "text": 0, "label": 0}},
        history=epochs(history, "validation" if validation else "test"),
        by_class=evaluation.stacked(by_class).reset_index(drop=True),
        confusion=confusion,
        roc=roc,
        precision_recall=precision_recall,
        reliability=reliability,
        terms=terms([name for name in models if name != "majority"], classes, texts),
        sources=list(sources),
        checksums={"the raw rows": "1" * 64},
        versions={"numpy": "2.4.6"},
    )


def table(name: str, place: int, splits: Mapping[str, pd.DataFrame], classes: Sequence[str]) -> pd.DataFrame:
    """What a model predicts: mostly the actual class, other rows wrong for each model."""
    generator = np.random.default_rng(place)
    parts = []
    for split, rows in splits.items():
        y = rows["label"].map({label: n for n, label in enumerate(classes)}).to_numpy(int)
        raw = generator.uniform(0.1, 1, (len(rows), len(classes)))
        raw[np.arange(len(y)), y] += 1.5 * (generator.uniform(size=len(y)) < 0.8)
        if name == "majority":
            raw = np.tile(np.arange(len(classes), 0, -1.0), (len(rows), 1))
        shares = raw / raw.sum(axis=1, keepdims=True)
        columns = {f"{predictions.PREFIX}{label}": shares[:, n] for n, label in enumerate(classes)}
        parts.append(pd.DataFrame({"id": rows["id"], "split": split, "label": rows["label"], **columns}))
    return pd.concat(parts, ignore_index=True)


def epochs(models: Sequence[str], watched: str, count: int = 5) -> pd.DataFrame:
    """A history of each model: the training loss falls, the watched one falls and rises."""
    rows: list[dict[str, Any]] = []
    for model in models:
        for split, losses in (
            ("train", np.linspace(0.7, 0.1, count)),
            (watched, 0.5 + 0.1 * np.abs(np.arange(count) - 2)),
        ):
            rows += [
                {"model": model, "epoch": n + 1, "split": split, "loss": loss, "accuracy": 1 - loss}
                for n, loss in enumerate(losses.tolist())
            ]
    return pd.DataFrame(rows, columns=["model", "epoch", "split", "loss", "accuracy"])


def terms(models: Sequence[str], classes: Sequence[str], words: Sequence[str]) -> pd.DataFrame:
    """Each text as a term of each class."""
    rows = [
        {"model": model, "class": label, "term": word, "weight": 1.5 / (n + 1), "rows": 3, "method": "weight"}
        for model in models
        for label in classes
        for n, word in enumerate(words)
    ]
    return pd.DataFrame(rows, columns=["model", "class", "term", "weight", "rows", "method"])
