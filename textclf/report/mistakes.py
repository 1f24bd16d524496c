"""The section on mistakes: what is looked for in the test rows, read once, piece by piece."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from textclf.core.errors import UserError
from textclf.evaluate.measure import read_together
from textclf.report.run import Run

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


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


def find(run: Run, compared: Sequence[str], groups: Ints) -> Findings:
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
        if end > len(groups):
            raise other_rows()
        rows = pd.DataFrame({"place": np.arange(start, end), "id": first.ids, "actual": first.y})
        calibrated = {name: decision.calibrate(batch[name].probabilities) for name, decision in decisions.items()}
        decided = np.column_stack([decisions[name].decide(part) for name, part in calibrated.items()])
        confidence = np.column_stack([part[rows.index, decided[:, n]] for n, part in enumerate(calibrated.values())])
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
    if start != len(groups):
        raise other_rows()
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


def other_rows() -> UserError:
    """Return the error of predictions for other rows than the test rows."""
    return UserError("predictions: test rows must be those of the test split, in its order; got others; run dvc repro")
