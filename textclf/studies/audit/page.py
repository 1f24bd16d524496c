"""The page of an audit: the texts whose labels are issues, most suspicious first."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from textclf.artifacts.corrected import UNCORRECTED
from textclf.core.display import visible
from textclf.core.formatting import count_noun, display_name, join_names, percent
from textclf.pages import page
from textclf.pages.page import Heading
from textclf.pages.parts import Table, excerpt
from textclf.studies.audit.issues import MANY_CLASSES
from textclf.studies.audit.similar import labelled_text
from textclf.studies.audit.summary import LISTED, Audited
from textclf.studies.settings import Audit
from textclf.tables.copies import SIMILAR

SECTIONS = {  # one with nothing to say is left out
    "summary": "In short",
    "suspicious": "The most suspicious labels",
    "reviewed": "What reviewers found",
    "conflicts": "Texts with different labels",
    "similar": "Nearly the same words, another label",
    "pairs": "Which labels are wrong",
    "method": "How far to trust it, and how to correct a label",
}
# Texts with several labels, and pairs of similar ones, that are shown.
TEXTS = 20
# Pairs of classes that are listed.
PAIRS = 30


def render(audited: Audited, settings: Audit, subject: str, names: Mapping[str, str]) -> str:
    """Return the page; `names` has what to show for each label."""
    models = [display_name(name) for name in audited.models]
    kind = "labels" if audited.multilabel else "classes"
    facts = (
        f"{len(audited.y):,} texts, {len(audited.classes)} {kind}, judged by {join_names(models)}"
    )
    if audited.multilabel:
        lists = {*audited.rows["label"], *audited.suggested}
        shown = {text: [names[name] for name in json.loads(text)] for text in lists}
        names = {
            **names,
            **{text: ", ".join(labels) or "no label" for text, labels in shown.items()},
        }
    context = {
        "summary": _summary(audited),
        "suspicious": _suspicious(audited, settings, names),
        "reviewed": _reviewed(audited),
        "conflicts": _conflicts(audited, names),
        "similar": _similar(audited, names),
        "pairs": _pairs(audited, names),
        "method": {
            "folds": settings.folds,
            "models": join_names(models),
            "several": len(models) > 1,
            "many": len(audited.classes) >= MANY_CLASSES,
            "multilabel": audited.multilabel,
            "uncorrected": UNCORRECTED,
        },
    }
    heading = Heading("Label issues", subject, facts)
    return page.render("textclf.studies.audit", heading, SECTIONS, context, charts=False)


def _summary(audited: Audited) -> dict[str, Any]:
    issues, models = audited.issues, len(audited.models)
    who = f"all {models} models"
    if models <= 2:
        who = "the model" if models == 1 else "both models"
    columns = [
        "model",
        "accuracy on held-out rows",
        "flagged rows",
        "estimated share of wrong labels",
    ]
    rows = [
        [
            display_name(name),
            percent(judgement.right / len(audited.y)),
            f"{int(judgement.flagged.sum()):,}",
            percent(judgement.noise),
        ]
        for name, judgement in issues.judgements.items()
    ]
    return {
        "all": f"{audited.flagged[-1]:,}",
        "any": f"{len(issues.order):,}",
        "rows": f"{len(audited.y):,}",
        "who": who,
        "several": models > 1,
        "unit": "sets of labels" if audited.multilabel else "labels",
        "sampled": f"{audited.total:,}" if audited.total > len(audited.y) else "",
        "conflicts": count_noun(len(audited.texts.conflicting), "text"),
        "similar": count_noun(len(audited.similar.pairs), "pair"),
        "models": Table("What each model says", columns, rows, (1, 2, 3)),
    }


def _suspicious(audited: Audited, settings: Audit, names: Mapping[str, str]) -> dict[str, Any]:
    issues = audited.issues
    rows = []
    flagged = issues.order[: settings.shown].tolist()
    for index, suggested in zip(flagged, audited.suggested, strict=False):
        row = audited.rows.iloc[index]
        rows.append(
            {
                "text": excerpt(row["text"]),
                "split": row["split"],
                "given": names[row["label"]],
                "suggested": names[suggested],
                "score": f"{issues.scores[index]:.3f}",
                "models": named(issues.flagged_by(index), len(audited.models)),
                "id": visible(row["id"]),
            }
        )
    return {
        "rows": rows,
        "any": f"{len(issues.order):,}",
        "listed": f"{min(LISTED, len(issues.order)):,}",
    }


def _reviewed(audited: Audited) -> dict[str, Any] | None:
    rows = []
    for places, counts in audited.reviewed.items():
        interval = (
            f"({percent(counts['low'])} to {percent(counts['high'])})" if "low" in counts else ""
        )
        numbers = (int(places), counts["wrong"], counts["right"], counts["unclear"])
        cells = [f"{number:,}" for number in numbers]
        rows.append([*cells, (percent(counts["precision"]), interval)])
    if not rows:
        return None
    columns = ["first places", "wrong", "right", "unclear", "precision"]
    return {"table": Table("Labels that were reviewed", columns, rows, range(1, 5))}


def named(models: Sequence[str], of: int) -> str:
    """Return the names of the models that contradict a label, their number if all of several do."""
    if len(models) == of > 1:
        return f"all {of}"
    return join_names([display_name(name) for name in models])


def _conflicts(audited: Audited, names: Mapping[str, str]) -> dict[str, Any] | None:
    conflicting = audited.texts.conflicting
    if not len(conflicting):
        return None
    texts = [
        labelled_text(audited.rows, positions).shown(names)
        for positions in _rows_of(audited, conflicting[:TEXTS])
    ]
    return {"number": len(conflicting), "texts": texts}


def _similar(audited: Audited, names: Mapping[str, str]) -> dict[str, Any] | None:
    pairs = audited.similar.pairs
    if not pairs and not audited.similar.words_left_out:
        return None
    shown = []
    for pair in pairs[:TEXTS]:
        texts = [
            labelled_text(audited.rows, positions).shown(names)
            for positions in _rows_of(audited, np.array([pair.first, pair.second]))
        ]
        shown.append({"similarity": percent(pair.similarity, 0), "texts": texts})
    return {
        "number": len(pairs),
        "pairs": shown,
        "least": percent(SIMILAR, 0),
        "left_out": audited.similar.words_left_out,
    }


def _rows_of(audited: Audited, texts: Any) -> list[Any]:
    """Return the positions of the rows of each of the texts."""
    return [np.flatnonzero(audited.texts.of_row == text) for text in texts.tolist()]


def _pairs(audited: Audited, names: Mapping[str, str]) -> dict[str, Any]:
    """Return the pairs of classes with flagged rows, most first, and what each model estimates."""
    counts, judgements = audited.pairs, audited.issues.judgements
    others = (
        ["missing", "too many"] if audited.multilabel else [names[name] for name in audited.classes]
    )
    pairs = sorted(np.argwhere(counts).tolist(), key=lambda pair: -counts[tuple(pair)])
    rows = [
        [
            names[audited.classes[given]],
            others[other],
            f"{counts[given, other]:,}",
            *(f"{int(judgement.joint[given, other]):,}" for judgement in judgements.values()),
        ]
        for given, other in pairs[:PAIRS]
    ]
    kinds = ["label", "mistake"] if audited.multilabel else ["given", "suggested"]
    estimates = [f"estimated by {display_name(name)}" for name in judgements]
    columns = [*kinds, "flagged rows", *estimates]
    caption = f"Rows by {join_names(kinds)}{'' if audited.multilabel else ' class'}"
    if len(pairs) > PAIRS:
        caption += f": the {PAIRS} pairs with most rows of {len(pairs):,}"
    return {"table": Table(caption, columns, rows, range(2, len(columns)))}
