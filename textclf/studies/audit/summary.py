"""The result of an audit: the numbers of audit.json, and the table of rows with label issues."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from textclf.artifacts.corrected import UNCORRECTED
from textclf.artifacts.label_sets import to_names
from textclf.core.errors import UserError
from textclf.core.files import DIGITS
from textclf.core.formatting import count_noun
from textclf.core.quoting import quote_name
from textclf.core.settings import PARAMS_FILE
from textclf.evaluate.intervals import wilson
from textclf.models.settings import CONSTANT, Train
from textclf.studies.audit.issues import Issues, Labels, combine, held_out_probabilities
from textclf.studies.audit.similar import DistinctTexts, SimilarTexts, find_similar, find_texts
from textclf.studies.crossvalidation import FEWEST_FOLDS, most_folds, round_numbers
from textclf.studies.measure import Setup
from textclf.studies.settings import Audit
from textclf.tables.corrections import Corrections
from textclf.vectorize.in_memory import encode_labels

# Rows in the table, which Git keeps.
LISTED = 10_000
# Places of that table up to which reviews are counted.
PLACES = (10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000)
# Mistakes of one of several labels: not given but right, and given but wrong.
MISTAKES = ("missing", "too_many")


@dataclass(frozen=True)
class Audited:
    """The rows that were audited, of `total`, and what was found.

    A set of labels in `rows` is a JSON list.
    """

    rows: pd.DataFrame
    total: int
    classes: Sequence[str]
    y: Labels
    issues: Issues
    texts: DistinctTexts
    similar: SimilarTexts
    # As `count_reviews` returns it.
    reviewed: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

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
        """The number of rows that a model flags, by given and suggested class.

        It has the form of `Judgement.joint`.
        """
        given, suggested = self.y[self.issues.order], self.issues.suggested[self.issues.order]
        if self.multilabel:
            missing, too_many = (suggested > given).sum(axis=0), (suggested < given).sum(axis=0)
            return np.stack([missing, too_many], axis=1)
        counts = np.zeros((len(self.classes), len(self.classes)), dtype=np.int64)
        np.add.at(counts, (given, suggested), 1)
        return counts

    @property
    def multilabel(self) -> bool:
        """Whether a text may have several labels."""
        return self.y.ndim == 2

    @cached_property
    def suggested(self) -> NDArray[np.object_]:
        """The suggested label of each flagged row, in the order of `issues.order`.

        A set of labels is a JSON list.
        """
        return _written(self.issues.suggested[self.issues.order], self.classes)


def choose_models(settings: Audit, train: Train) -> list[str]:
    """Return the names of the models that judge; `UserError` if there are none."""
    models = [name for name in settings.models or train.names() if train[name].kind != CONSTANT]
    if not models:
        raise UserError(
            f"{PARAMS_FILE}: audit.models must name a model, since train has none but {CONSTANT}; "
            "got null"
        )
    return models


def fit_folds(rows: pd.DataFrame, settings: Audit) -> tuple[Audit, list[str]]:
    """Return the settings with no more folds than the rarest class allows, and a line if fewer."""
    most, rarest = most_folds(rows)
    if not FEWEST_FOLDS <= most < settings.folds:
        return settings, []
    line = (
        f"{most} folds, not {settings.folds} as audit.folds says: class {quote_name(rarest)} has "
        f"only {most} different texts or groups"
    )
    return settings.model_copy(update={"folds": most}), [line]


def audit(
    rows: pd.DataFrame, total: int, classes: Sequence[str], setup: Setup, settings: Audit
) -> Audited:
    """Return what is found in the rows, a sample of `total`; `UserError` if they are too few.

    `rows` has the columns id, text, label, split and group.
    """
    counts = rows["label"].explode().value_counts()
    if missing := [name for name in classes if name not in counts]:
        raise UserError(
            f"the {len(rows):,} rows that are audited must hold every class; "
            f"{missing[0]} has none; set a larger audit.rows"
        )
    y = encode_labels(rows["label"], classes)
    models = choose_models(settings, setup.train)
    issues = combine(y, held_out_probabilities(rows, classes, models, setup, settings))
    rows = rows.assign(label=_written(y, classes))
    texts = find_texts(rows, pd.factorize(rows["label"])[0])
    similar = find_similar(texts.normalized, texts.labels)
    return Audited(rows, total, classes, y, issues, texts, similar)


def _written(y: Labels, classes: Sequence[str]) -> NDArray[np.object_]:
    """Return the labels as tables have them, (rows,): the name of a class, or a JSON list."""
    if y.ndim == 1:
        return np.array(classes, dtype=object)[y]
    sets = to_names(y, classes).to_pylist()
    return np.array([json.dumps(sorted(names), ensure_ascii=False) for names in sets], dtype=object)


def summarize(audited: Audited) -> dict[str, Any]:
    """Return the content of audit.json, numbers only.

    `rows.all` and `rows.audited`. `flagged.any`, `flagged.all` and `flagged.by_<k>`: rows that some
    model, every model and exactly k models flag; `flagged.<split>`: those of any. `models.<model>`:
    `accuracy` on held-out rows, `flagged` rows, `noise`, the estimated share of wrong labels, and
    `pairs.<given>.<true>`, the estimated number of rows. `suggested.<given>.<suggested>`: flagged
    rows. With several labels per text, a set must be right as a whole, and the pairs are
    `<label>.missing` and `.too_many`. `conflicts.texts` and `.rows`: texts with different labels.
    `similar.pairs` of texts with different labels, and `similar.words_left_out`. `reviewed`, if
    there are reviews: `count_reviews`.
    """
    issues, rows, texts = audited.issues, len(audited.y), audited.texts
    split = audited.rows["split"].to_numpy()
    flagged = {"any": len(issues.order), "all": int(audited.flagged[-1])}
    flagged |= {f"by_{number}": int(count) for number, count in enumerate(audited.flagged[1:], 1)}
    flagged |= {
        str(name): int((issues.votes[split == name] > 0).sum()) for name in dict.fromkeys(split)
    }
    return {
        "rows": {"all": audited.total, "audited": rows},
        "flagged": flagged,
        "models": {
            name: round_numbers({"accuracy": judgement.right / rows, "noise": judgement.noise})
            | {"flagged": int(judgement.flagged.sum()), "pairs": _pairs(judgement.joint, audited)}
            for name, judgement in issues.judgements.items()
        },
        "suggested": _pairs(audited.pairs, audited),
        "conflicts": {
            "texts": len(texts.conflicting),
            "rows": int(np.isin(texts.of_row, texts.conflicting).sum()),
        },
        "similar": {
            "pairs": len(audited.similar.pairs),
            "words_left_out": audited.similar.words_left_out,
        },
        **({"reviewed": audited.reviewed} if audited.reviewed else {}),
    }


def describe(
    content: Mapping[str, Any], models: Sequence[str], several: bool, page: Path
) -> Iterator[str]:
    """Yield what the stage prints of audit.json.

    `several` says whether a text has several labels.
    """
    kind = ("set of labels", "sets of labels") if several else ("label",)
    flagged, number = content["flagged"], count_noun(content["rows"]["audited"], *kind)
    if len(models) == 1:
        yield f"the model contradicts {flagged['all']:,} of {number}"
    else:
        yield (
            f"every model contradicts {flagged['all']:,} of {number}; "
            f"at least one contradicts {flagged['any']:,}"
        )
    yield f"read them in {page}"
    yield f"if you correct labels: {UNCORRECTED}"


def count_reviews(corrections: Corrections) -> dict[str, dict[str, float]]:
    """Return what reviews say of the first 10, 20, 50, ... places of an audit, up to the last one.

    By the number of places: `wrong`, `right` and `unclear` labels, and the `precision`, the share
    of wrong ones among the clear ones. If some of these places were not reviewed, it is an
    estimate, from `low` to `high` (Wilson's interval); otherwise it is known.
    """
    by_places: dict[str, dict[str, float]] = {}
    reviews = [
        (place, given, corrections.labels.get(row))
        for row, (given, place) in corrections.reviews.items()
    ]
    last = max((place for place, _, _ in reviews), default=0)
    for places in [*(places for places in PLACES if places < last), last]:
        first = [(given, label) for place, given, label in reviews if 0 < place <= places]
        seen = {place for place, _, _ in reviews if 0 < place <= places}
        unclear = sum(label is None for _, label in first)
        right = sum(label == given for given, label in first)
        if clear := len(first) - unclear:
            wrong = clear - right
            ends = wilson(wrong, clear).rounded() if len(seen) < places else {}
            by_places[str(places)] = {
                "wrong": wrong,
                "right": right,
                "unclear": unclear,
                "precision": round(wrong / clear, DIGITS),
                **ends,
            }
    return by_places


def _pairs(counts: NDArray[np.int64], audited: Audited) -> dict[str, dict[str, int]]:
    """Return the counts of mistakes that are not 0, by classes, or by label and kind of mistake."""
    others = MISTAKES if audited.multilabel else audited.classes
    pairs: dict[str, dict[str, int]] = {}
    for given, other in np.argwhere(counts).tolist():
        if audited.multilabel or given != other:
            pairs.setdefault(audited.classes[given], {})[others[other]] = int(counts[given, other])
    return pairs


def issue_table(audited: Audited) -> pd.DataFrame:
    """Return a row per label issue, most suspicious first, `LISTED` at most, without texts.

    Columns: `id`; `given`, the label; `suggested`, another one, or both as JSON lists; `split`;
    `score`, from 0 (surely wrong) to 1; `models`, the number of models that flag the row, and
    `flagged_by`, their names.
    """
    issues, order = audited.issues, audited.issues.order[:LISTED]
    return pd.DataFrame(
        {
            "id": audited.rows["id"].to_numpy()[order],
            "given": audited.rows["label"].to_numpy()[order],
            "suggested": audited.suggested[:LISTED],
            "split": audited.rows["split"].to_numpy()[order],
            "score": issues.scores[order],
            "models": issues.votes[order],
            "flagged_by": [" ".join(issues.flagged_by(row)) for row in order.tolist()],
        }
    )
