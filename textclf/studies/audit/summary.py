"""What an audit found: its result, the numbers of audit.json, and the table of rows whose label is an issue."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from textclf.core.errors import UserError
from textclf.core.settings import PARAMS_FILE
from textclf.models.settings import CONSTANT, Train
from textclf.studies.audit.issues import Issues, combine, held_out_probabilities
from textclf.studies.audit.similar import SimilarTexts, find_similar
from textclf.studies.audit.texts import DistinctTexts, find_texts
from textclf.studies.crossvalidation import round_numbers
from textclf.studies.measure import Setup
from textclf.studies.settings import Audit
from textclf.vectorize.in_memory import encode_labels

LISTED = 10_000  # rows in the table, which Git keeps


@dataclass(frozen=True)
class Audited:
    """The rows that were audited, of `total`, and what was found. `y` (rows,): the positions of their labels."""

    rows: pd.DataFrame
    total: int
    classes: Sequence[str]
    y: NDArray[np.int64]
    issues: Issues
    texts: DistinctTexts
    similar: SimilarTexts

    @property
    def models(self) -> list[str]:
        """The names of the models that judged."""
        return list(self.issues.judgements)

    @cached_property
    def flagged(self) -> NDArray[np.int64]:
        """The number of rows that exactly 0, 1, 2, ... models flag, (models + 1,)."""
        return np.bincount(self.issues.votes, minlength=len(self.models) + 1)

    @cached_property
    def pairs(self) -> NDArray[np.int64]:
        """The number of rows that a model flags, by given and suggested class, (classes, classes)."""
        counts = np.zeros((len(self.classes), len(self.classes)), dtype=np.int64)
        order = self.issues.order
        np.add.at(counts, (self.y[order], self.issues.suggested[order]), 1)
        return counts


def choose_models(settings: Audit, train: Train) -> list[str]:
    """Return the names of the models that judge; `UserError` if there are none."""
    models = [name for name in settings.models or train.names() if train[name].kind != CONSTANT]
    if not models:
        raise UserError(f"{PARAMS_FILE}: audit.models must name a model, since train has none but {CONSTANT}; got null")
    return models


def audit(rows: pd.DataFrame, total: int, classes: Sequence[str], setup: Setup, settings: Audit) -> Audited:
    """Return what is found in the rows, a sample of `total`; `UserError` if they are too few.

    `rows` has the columns id, text, label, split and group.
    """
    counts = rows["label"].value_counts()
    if missing := [name for name in classes if name not in counts]:
        raise UserError(
            f"the {len(rows):,} rows that are audited must hold every class; {missing[0]} has none; "
            "set a larger audit.rows"
        )
    if len(classes) < 2:
        raise UserError(f"the rows must hold two classes or more; got {len(classes)}: then no label can be wrong")
    y = encode_labels(rows["label"], classes)
    models = choose_models(settings, setup.train)
    issues = combine(y, held_out_probabilities(rows, classes, models, setup, settings))
    texts = find_texts(rows, y)
    return Audited(rows, total, classes, y, issues, texts, find_similar(texts.normalized, texts.labels))


def summarize(audited: Audited) -> dict[str, Any]:
    """Return the content of audit.json, numbers only.

    `rows.all` and `rows.audited`. `flagged.any`, `flagged.all` and `flagged.by_<k>`: rows that some model, every model
    and exactly k models flag; `flagged.<split>`: those of any. `models.<model>`: `accuracy` on held-out rows, `flagged`
    rows, `noise`, the estimated share of wrong labels, and `pairs.<given>.<true>`, the estimated number of rows.
    `suggested.<given>.<suggested>`: flagged rows. `conflicts.texts` and `.rows`: texts with several labels.
    `similar.pairs` of texts with different labels, and `similar.words_left_out`.
    """
    issues, rows, texts = audited.issues, len(audited.y), audited.texts
    split = audited.rows["split"].to_numpy()
    return {
        "rows": {"all": audited.total, "audited": rows},
        "flagged": {
            "any": len(issues.order),
            "all": int(audited.flagged[-1]),
            **{f"by_{number}": int(count) for number, count in enumerate(audited.flagged) if number},
            **{str(name): int((issues.votes[split == name] > 0).sum()) for name in dict.fromkeys(split)},
        },
        "models": {
            name: round_numbers({"accuracy": judgement.right / rows, "noise": noise_of(judgement.joint)})
            | {"flagged": int(judgement.flagged.sum()), "pairs": _pairs(judgement.joint, audited.classes)}
            for name, judgement in issues.judgements.items()
        },
        "suggested": _pairs(audited.pairs, audited.classes),
        "conflicts": {"texts": len(texts.conflicting), "rows": int(np.isin(texts.of_row, texts.conflicting).sum())},
        "similar": {"pairs": len(audited.similar.pairs), "words_left_out": audited.similar.words_left_out},
    }


def noise_of(joint: NDArray[np.int64]) -> float:
    """Return the share of the rows off the diagonal."""
    return 1 - float(joint.trace()) / float(joint.sum())


def _pairs(counts: NDArray[np.int64], classes: Sequence[str]) -> dict[str, dict[str, int]]:
    """Return the counts off the diagonal that are not 0, by the names of the classes."""
    pairs: dict[str, dict[str, int]] = {}
    for given, other in np.argwhere(counts).tolist():
        if given != other:
            pairs.setdefault(classes[given], {})[classes[other]] = int(counts[given, other])
    return pairs


def issue_table(audited: Audited) -> pd.DataFrame:
    """Return a row per label issue, most suspicious first, `LISTED` at most, without texts.

    Columns: `id`; `given`, the label; `suggested`, the most probable other one; `split`; `score`, from 0 (surely wrong)
    to 1; `models`, the number of models that flag the row, and `flagged_by`, their names.
    """
    issues, order = audited.issues, audited.issues.order[:LISTED]
    return pd.DataFrame(
        {
            "id": audited.rows["id"].to_numpy()[order],
            "given": [audited.classes[label] for label in audited.y[order]],
            "suggested": [audited.classes[label] for label in issues.suggested[order]],
            "split": audited.rows["split"].to_numpy()[order],
            "score": issues.scores[order],
            "models": issues.votes[order],
            "flagged_by": [" ".join(issues.flagged_by(row)) for row in order.tolist()],
        }
    )
