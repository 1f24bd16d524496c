"""The section on mistakes: accuracy by length and by class, disagreements and the most confident mistakes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from textclf.core.arrow import Lengths
from textclf.core.formatting import display_name, join_names, percent
from textclf.core.labels import NO_ANSWER, visible
from textclf.evaluate.intervals import wilson
from textclf.evaluate.measure import read_together
from textclf.evaluate.registry import format_measured
from textclf.pages.parts import Chart, Table, ends, excerpt
from textclf.plot.charts import BY_CLASS, BY_LENGTH
from textclf.plot.charts import Chart as Drawn
from textclf.plot.panels import panels
from textclf.report.run import Run

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

GROUPS = 20  # classes whose recall is drawn
SHORT = 8  # classes up to which that chart is not folded
ENDS = 15  # of more than twice as many classes, the hardest and the easiest whose recall is listed
LENGTHS = 4  # groups of texts by length


def errors(run: Run) -> dict[str, Any]:
    """Return the section."""
    rows = run.rows["test"]
    counts = {name: run.counts(name) for name in run.models}
    varied = [name for name in run.models if np.count_nonzero(counts[name].sum(axis=0)) > 1]
    groups, ranges = group_lengths(rows.words)
    findings = _find(run, varied, groups)
    examples = pd.concat([findings.disagreements, *findings.mistakes.values()])
    shown = rows.at(examples["place"])
    texts = shown["text"]
    return {
        "mistakes": [_mistakes(run, name, counts[name], name in varied, findings, texts) for name in run.ordered],
        "disagreements": _disagreements(run, varied, findings, texts) if len(varied) > 1 else None,
        "by_length": _by_length(run, findings, groups, ranges),
        "by_class": _by_class(run, counts),
        "fold": len(run.classes) > SHORT,
    }


@dataclass(frozen=True)
class Findings:
    """What was found in the test rows.

    `mistakes` are the most confident of each model, `disagreements` those between the models compared; both as tables:
    `place` among the test rows, `id`, `actual`, and a list per model in question of the class `decided` and of its
    probability; classes are positions. `sureness` orders them: the probability of a mistake, or that of the less sure
    side of a disagreement. `disagreeing`, `all_right` and `all_wrong` count rows. `right_by_group` has the number of
    right rows of each model by group.
    """

    mistakes: dict[str, pd.DataFrame]
    disagreements: pd.DataFrame
    disagreeing: int
    all_right: int
    all_wrong: int
    right_by_group: dict[str, Ints]


def _find(run: Run, compared: Sequence[str], groups: Ints) -> Findings:
    """Return what is found in the test rows.

    `compared` are the models whose disagreements are looked for; `groups` (rows,) has the group of each test row.
    """
    most = run.settings.report.mistakes
    decisions = {name: run.decision(name) for name in run.models}
    columns = [run.models.index(name) for name in compared] or [0]  # a model alone never disagrees
    mistakes: dict[str, list[pd.DataFrame]] = {name: [] for name in run.models}
    disagreements = []
    right_by_group = np.zeros((len(run.models), int(groups.max()) + 1), dtype=np.int64)
    disagreeing = all_right = all_wrong = start = 0
    for batch in (batch for split, batch in read_together(run.predictions) if split == "test"):
        first = next(iter(batch.values()))
        end = start + len(first)
        rows = pd.DataFrame({"place": np.arange(start, end), "id": first.ids, "actual": first.y})
        calibrated = {name: decision.calibrate(batch[name].probabilities) for name, decision in decisions.items()}
        decided = np.column_stack([decisions[name].decide(part) for name, part in calibrated.items()])
        answers = {name: decisions[name].answering().decide(part) for name, part in calibrated.items()}
        confidence = np.column_stack([part[rows.index, answers[name]] for name, part in calibrated.items()])
        right = decided == first.y[:, np.newaxis]
        for n, name in enumerate(run.models):
            wrong, own = ~right[:, n], confidence[:, [n]]
            mistakes[name].append(_surest(rows[wrong], decided[wrong][:, [n]], own[wrong], own[wrong, 0], most))
            right_by_group[n] += np.bincount(groups[start:end][right[:, n]], minlength=right_by_group.shape[1])
        decided, confidence, right = decided[:, columns], confidence[:, columns], right[:, columns]
        differ = (decided != decided[:, :1]).any(axis=1)
        sureness = _less_sure_side(decided[differ], confidence[differ])
        disagreements.append(_surest(rows[differ], decided[differ], confidence[differ], sureness, most))
        disagreeing += int(differ.sum())
        all_right += int(right.all(axis=1).sum())
        all_wrong += int((~right).all(axis=1).sum())
        start = end
    return Findings(
        {name: _merge(parts, most) for name, parts in mistakes.items()},
        _merge(disagreements, most),
        disagreeing,
        all_right,
        all_wrong,
        dict(zip(run.models, right_by_group, strict=True)),
    )


def _less_sure_side(decided: Ints, confidence: Floats) -> Floats:
    """Return the highest probability of those who contradict the surest model, (rows,); both are (rows, models)."""
    surest = decided[np.arange(len(decided)), confidence.argmax(axis=1)]
    other_side: Floats = np.where(decided == surest[:, np.newaxis], -np.inf, confidence).max(axis=1, initial=-np.inf)
    return other_side


def _surest(rows: pd.DataFrame, decided: Ints, confidence: Floats, sureness: Floats, most: int) -> pd.DataFrame:
    """Return the rows with the highest sureness, `most` at most; the first of equal ones first."""
    top = np.argsort(-sureness, kind="stable")[:most]
    lists = {"decided": decided[top].tolist(), "probabilities": confidence[top].tolist()}
    return rows.iloc[top].assign(**lists, sureness=sureness[top])


def _merge(parts: Sequence[pd.DataFrame], most: int) -> pd.DataFrame:
    """Return the surest rows of several pieces, in their order."""
    return pd.concat(parts).sort_values("sureness", ascending=False, kind="stable")[:most]


def _mistakes(run: Run, model: str, counts: Ints, varied: bool, findings: Findings, texts: pd.Series) -> dict[str, Any]:
    """Return the most confident mistakes of a model; `constant` is the class of a model that predicts only one."""
    names = [*run.names.values(), NO_ANSWER]  # the last for a position of -1
    return {
        "model": display_name(model),
        "wrong": int(counts.sum() - counts.trace()),
        "constant": None if varied else names[int(counts.sum(axis=0).argmax())],
        "rows": [
            {
                "id": visible(example["id"]),
                "text": excerpt(texts[example["place"]]),
                "actual": names[example["actual"]],
                "predicted": names[example["decided"][0]],
                "confidence": percent(example["sureness"]),
            }
            for example in findings.mistakes[model].to_dict("records")
        ],
    }


def _disagreements(run: Run, models: Sequence[str], findings: Findings, texts: pd.Series) -> dict[str, Any]:
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
                    {"name": names[decided], "confidence": percent(probability), "right": decided == example["actual"]}
                    for decided, probability in zip(example["decided"], example["probabilities"], strict=True)
                ],
            }
            for example in findings.disagreements.to_dict("records")
        ],
        "number": findings.disagreeing,
        "total": len(run.rows["test"]),
        "all_right": findings.all_right,
        "all_wrong": findings.all_wrong,
    }


def group_lengths(words: Lengths) -> tuple[Ints, dict[int, str]]:
    """Return the group of each text by its number of words, (rows,), and the range of each; all of about equal size."""
    cuts = np.unique(np.quantile(words, np.arange(1, LENGTHS) / LENGTHS, method="higher"))
    groups = np.searchsorted(cuts, words, side="left")
    ranges = {}
    for group in np.unique(groups).tolist():
        low, high = words[groups == group].min(), words[groups == group].max()
        ranges[group] = f"{low}" if low == high else f"{low} to {high}"
    return groups, ranges


def _by_length(run: Run, findings: Findings, groups: Ints, ranges: Mapping[int, str]) -> dict[str, Any]:
    sizes = np.bincount(groups)
    rows = [
        {"model": name, "words": title, **_share(run, int(findings.right_by_group[name][group]), int(sizes[group]))}
        for name in run.models
        for group, title in ranges.items()
    ]
    return _grouped(run, BY_LENGTH, rows, "words")


def _by_class(run: Run, counts: Mapping[str, Ints]) -> dict[str, Any]:
    """Return the recall of each class; if there are many, the chart has those with the lowest recall."""
    rows: list[dict[str, Any]] = [
        {"model": model, "class": run.names[label], **_share(run, int(counts[model][n, n]), size)}
        for model in run.models
        for n, label in enumerate(run.classes)
        if (size := int(counts[model][n].sum()))
    ]
    recall = {
        name: fmean(row["accuracy"] for row in rows if row["class"] == name)
        for name in dict.fromkeys(row["class"] for row in rows)
    }
    hardest = sorted(recall, key=recall.__getitem__)
    return _grouped(run, BY_CLASS, rows, "class", hardest)


def _share(run: Run, right: int, rows: int) -> dict[str, float]:
    worth = 1.0  # independent rows per row
    if "test" in run.clusters:
        worth = run.clusters["test"] / run.counts(run.models[0]).sum()
    low, high = wilson(right * worth, rows * worth, run.settings.evaluate.confidence)
    return {"accuracy": right / rows, "low": low, "high": high, "rows": rows}


def _grouped(
    run: Run, chart: Drawn, rows: Sequence[Mapping[str, Any]], column: str, hardest: Sequence[str] = ()
) -> dict[str, Any]:
    """Return a chart and a table of accuracy by groups.

    `hardest` are the groups from the lowest accuracy on, for a chart of the first and a table of both ends; empty: all.
    """
    title = chart.title
    groups = list(dict.fromkeys(row[column] for row in rows))
    drawn = set(hardest[:GROUPS] or groups)
    listed = set(ends(hardest, ENDS) or groups)
    cells = {(row["model"], row[column]): format_measured("accuracy", row["accuracy"], row) for row in rows}
    sizes = {row[column]: f"{row['rows']:,}" for row in rows if row[column] in listed}
    table = [[group, size, *(cells[model, group] for model in run.models)] for group, size in sizes.items()]
    models = list(map(display_name, run.models))
    caption = f"{title}, with {run.level} intervals."
    if len(drawn) < len(groups):
        caption += f" The chart shows the {len(drawn)} of {len(groups)} classes with the lowest recall."
    table_title = title
    if len(listed) < len(groups):
        table_title += f"; the {ENDS} of {len(groups)} classes with the lowest, and the {ENDS} with the highest"
    return {
        "chart": Chart(
            chart.name,
            f"{title}, for {join_names(models)}. The table has the numbers.",
            caption,
            panels(chart, pd.DataFrame([row for row in rows if row[column] in drawn]), run.models, {})[""],
            narrow=True,
        ),
        "table": Table(table_title, [column, "rows", *models], table, range(1, 2 + len(models))),
    }
