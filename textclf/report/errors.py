"""The section on mistakes: recall by class, disagreements and the most confident mistakes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from textclf.core.display import NO_ANSWER, visible
from textclf.core.formatting import display_name, join_names, percent
from textclf.evaluate.measure import read_together
from textclf.pages.parts import Chart, Table, excerpt
from textclf.plot.charts import BY_CLASS
from textclf.plot.draw import panels
from textclf.report.examples import LEGIBLE, describe_examples, rank_examples
from textclf.report.run import Run

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# Classes whose recall is drawn: of more, those with the lowest.
GROUPS = 20
# Up to this many classes the chart of the recall is not folded.
SHORT = 8
# Columns of a chart, as metrics of the classes.
RECALL = {"recall": "accuracy", "recall_low": "low", "recall_high": "high", "support": "rows"}


def errors(run: Run) -> dict[str, Any]:
    """Return the section."""
    rows = run.rows["test"]
    varied = [name for name in run.models if run.constant(name) is None]
    findings = _find(run, varied)
    kinds = [kind for of_model in findings.mistakes.values() for kind in of_model.values()]
    shown = [findings.disagreements, *findings.examples.values(), *kinds]
    texts = rows.at(pd.concat(shown)["place"], "text")["text"]
    return {
        "examples": describe_examples(run, findings.examples, texts),
        "mistakes": [_mistakes(run, name, findings, texts) for name in run.ordered],
        "disagreements": _disagreements(run, varied, findings, texts) if len(varied) > 1 else None,
        "by_class": _by_class(run),
        "set_sizes": _set_sizes(run, findings) if run.multilabel else None,
        "fold": len(run.classes) > SHORT,
    }


@dataclass(frozen=True)
class Findings:
    """The mistakes and disagreements in the test rows.

    A table has `place` among the test rows, `id`, `actual`, a list per model of the class `decided`
    and of its probability (with several labels a number per label), and `sureness`, by which it is
    ordered: the probability of a mistake, or that of the less sure side of a disagreement. Classes
    are positions.
    """

    # The most confident of each model, by kind.
    mistakes: dict[str, dict[str, pd.DataFrame]]
    # Of the default model: the surest legible row by "right" and "wrong", if there is one.
    examples: dict[str, pd.DataFrame]
    # Between the models compared; none with several labels.
    disagreements: pd.DataFrame
    # Numbers of rows.
    disagreeing: int
    all_right: int
    all_wrong: int
    # Rows by the number of their labels: under "" of actual ones, under a model of those decided.
    set_sizes: dict[str, Ints]


def _find(run: Run, compared: Sequence[str]) -> Findings:
    """Return mistakes and disagreements in the test rows, the latter between `compared` models."""
    most = run.settings.report.mistakes
    decisions = {name: run.decision(name) for name in run.models}
    # A model alone never disagrees.
    columns = [run.models.index(name) for name in compared] or [0]
    mistakes: dict[str, dict[str, list[pd.DataFrame]]] = {name: {} for name in run.models}
    examples: dict[str, list[pd.DataFrame]] = {"right": [], "wrong": []}
    default, characters = run.default[0], run.rows["test"].characters
    disagreements = []
    set_sizes = {name: np.zeros(len(run.classes) + 1, dtype=np.int64) for name in ("", *run.models)}
    disagreeing = all_right = all_wrong = start = 0
    for batch in (batch for split, batch in read_together(run.predictions) if split == "test"):
        first = next(iter(batch.values()))
        end = start + len(first)
        rows = {"place": np.arange(start, end), "id": first.ids, "actual": first.y}
        judged = {
            name: decision.judge(batch[name].probabilities, batch[name].scores)
            for name, decision in decisions.items()
        }
        calibrated = {name: probabilities for name, (probabilities, _) in judged.items()}
        decided = np.stack([answers for _, answers in judged.values()], axis=1)
        right = (decided == first.y[:, np.newaxis]).reshape(*decided.shape[:2], -1).all(axis=2)
        sure = [*calibrated.values()]
        if not first.multilabel:
            # The probability of the class that is decided, or would be without the cost of none.
            answers = (
                decisions[name].answering().decide(part) for name, part in calibrated.items()
            )
            sure = [
                part[np.arange(len(first)), answer]
                for part, answer in zip(sure, answers, strict=True)
            ]
        confidence = np.stack(sure, axis=1)
        for n, name in enumerate(run.models):
            for kind, sureness in _sureness(first.y, decided[:, n], confidence[:, n]).items():
                surest = _surest(rows, decided[:, n], confidence[:, n], sureness, most)
                mistakes[name].setdefault(kind, []).append(surest)
            if name == default:
                legible = characters[start:end] <= LEGIBLE
                ranked = rank_examples(first.y, decided[:, n], confidence[:, n], legible)
                for kind, sureness in ranked.items():
                    surest = _surest(rows, decided[:, n], confidence[:, n], sureness, 1)
                    examples[kind].append(surest)
        if first.multilabel:
            for name, labels in zip(set_sizes, [first.y, *decided.swapaxes(0, 1)], strict=True):
                set_sizes[name] += np.bincount(labels.sum(axis=1), minlength=len(run.classes) + 1)
        decided, confidence, right = decided[:, columns], confidence[:, columns], right[:, columns]
        differ = (decided != decided[:, :1]).reshape(len(first), -1).any(axis=1)
        if not first.multilabel:
            sureness = np.where(differ, _less_sure_side(decided, confidence), -np.inf)
            disagreements.append(_surest(rows, decided, confidence, sureness, most))
        disagreeing += int(differ.sum())
        all_right += int(right.all(axis=1).sum())
        all_wrong += int((~right).all(axis=1).sum())
        start = end
    merged = {
        name: {kind: _merge(parts, most) for kind, parts in kinds.items()}
        for name, kinds in mistakes.items()
    }
    return Findings(
        merged,
        {kind: _merge(parts, 1) for kind, parts in examples.items()},
        _merge(disagreements, most) if disagreements else pd.DataFrame({"place": []}),
        disagreeing,
        all_right,
        all_wrong,
        set_sizes,
    )


def _sureness(actual: Ints, decided: Ints, confidence: Floats) -> dict[str, Floats]:
    """Return by kind of mistake the sureness of each row's surest one, (rows,); -inf if none."""
    if actual.ndim == 1:
        return {"wrong": np.where(decided == actual, -np.inf, confidence)}
    missed, extra = actual > decided, actual < decided
    return {
        "missed": np.where(missed, 1 - confidence, -np.inf).max(axis=1),
        "extra": np.where(extra, confidence, -np.inf).max(axis=1),
    }


def _less_sure_side(decided: Ints, confidence: Floats) -> Floats:
    """Return the highest probability among models that contradict the surest one, (rows,).

    `decided` and `confidence` are (rows, models).
    """
    surest = decided[np.arange(len(decided)), confidence.argmax(axis=1)]
    return np.asarray(
        np.where(decided == surest[:, np.newaxis], -np.inf, confidence).max(axis=1, initial=-np.inf)
    )


def _surest(
    rows: Mapping[str, NDArray[Any]],
    decided: Ints,
    probabilities: Floats,
    sureness: Floats,
    most: int,
) -> pd.DataFrame:
    """Return at most `most` rows with the highest sureness above -inf; ties keep their order."""
    top = np.argsort(-sureness, kind="stable")[:most]
    top = top[sureness[top] > -np.inf]
    columns = {**rows, "decided": decided, "probabilities": probabilities, "sureness": sureness}
    return pd.DataFrame({name: part[top].tolist() for name, part in columns.items()})


def _merge(parts: Sequence[pd.DataFrame], most: int) -> pd.DataFrame:
    """Return the surest rows of several pieces; ties keep the order of the pieces."""
    # A piece without rows would change the types of columns.
    parts = [part for part in parts if len(part)] or parts[:1]
    return pd.concat(parts).sort_values("sureness", ascending=False, kind="stable")[:most]


def _mistakes(run: Run, model: str, findings: Findings, texts: pd.Series) -> dict[str, Any]:
    """Return the most confident mistakes of a model by kind; `constant` is its only decision."""
    # The last name is for position -1: no answer.
    names = [*run.names.values(), NO_ANSWER]
    constant = run.constant(model)
    return {
        "model": display_name(model),
        "wrong": len(run.rows["test"]) - run.right(model),
        "constant": None if constant is None else ", ".join(names[place] for place in constant),
        "kinds": {
            kind: [
                {
                    "id": visible(example["id"]),
                    "text": excerpt(texts[example["place"]]),
                    "confidence": percent(example["sureness"]),
                    "labels": _marked(names[:-1], example, kind)
                    if run.multilabel
                    else [names[example[key]] for key in ("actual", "decided")],
                }
                for example in rows.to_dict("records")
            ]
            for kind, rows in findings.mistakes[model].items()
        },
    }


def _marked(
    names: Sequence[str], example: Mapping[Any, Any], kind: str
) -> list[tuple[str, str, str]]:
    """Return the labels that a row has or is decided to have, each with its mark and probability.

    The mistakes of this kind come first, the surest one before all.
    """
    marks = {(1, 0): "missed", (0, 1): "extra", (1, 1): "found"}
    pairs = zip(example["actual"], example["decided"], strict=True)
    labels = []
    for name, pair, probability in zip(names, pairs, example["probabilities"], strict=True):
        mark = marks.get(pair)
        if mark:
            number = probability if mark == "missed" else -probability
            labels.append((mark != kind, mark == "found", number, name, mark))
    return [(name, mark, percent(abs(number))) for *_, number, name, mark in sorted(labels)]


def _set_sizes(run: Run, findings: Findings) -> Table:
    """Return the number of test rows by the number of their labels, actual and decided."""
    columns_of_counts = (sizes.tolist() for sizes in findings.set_sizes.values())
    rows = [
        [f"{size:,}", *(f"{number:,}" for number in numbers)]
        for size, numbers in enumerate(zip(*columns_of_counts, strict=True))
        if any(numbers)
    ]
    columns = ["labels", "actual", *map(display_name, run.models)]
    return Table("Test texts by their number of labels", columns, rows, range(1, len(columns)))


def _disagreements(
    run: Run, models: Sequence[str], findings: Findings, texts: pd.Series
) -> dict[str, Any]:
    """Return the rows that models decide differently, first those where both sides are sure."""
    names = [*run.names.values(), NO_ANSWER]
    return {
        "models": list(map(display_name, models)),
        "rows": [
            {
                "id": visible(example["id"]),
                "text": excerpt(texts[example["place"]]),
                "actual": names[example["actual"]],
                "decided": [
                    {
                        "name": names[decided],
                        "confidence": percent(probability),
                        "right": decided == example["actual"],
                    }
                    for decided, probability in zip(
                        example["decided"], example["probabilities"], strict=True
                    )
                ],
            }
            for example in findings.disagreements.to_dict("records")
        ],
        "number": findings.disagreeing,
        "total": len(run.rows["test"]),
        "all_right": findings.all_right,
        "all_wrong": findings.all_wrong,
    }


def _by_class(run: Run) -> Chart:
    """Return the chart of the recall of each class, of many of those with the lowest."""
    tested, chart = run.tables["classes"], run.chart(BY_CLASS)
    tested = tested[(tested["split"] == "test") & (tested["support"] > 0)].rename(columns=RECALL)
    mean = tested.groupby("class")["accuracy"].mean()
    hardest = sorted(filter(mean.index.__contains__, run.classes), key=mean.__getitem__)[:GROUPS]
    rows = tested[tested["class"].isin(hardest)][["model", "class", *RECALL.values()]]
    rows["class"] = rows["class"].map(run.names)
    models = join_names(list(map(display_name, run.models)))
    caption = f"{chart.title}, with {run.level} intervals."
    if len(hardest) < len(mean):
        caption += f" Shown are the {len(hardest)} of {len(mean)} with the lowest recall."
    return Chart(
        chart.name,
        f"{chart.title}, for {models}.",
        caption,
        panels(chart, rows, run.models, {})[""],
    )
