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
from textclf.studies.audit.similar import SIMILAR, labelled_text
from textclf.studies.audit.summary import LISTED, Audited
from textclf.studies.settings import Audit

SECTIONS = {  # one with nothing to say is left out
    "summary": "In short",
    "suspicious": "The most suspicious labels",
    "reviewed": "What reviewers found",
    "conflicts": "Texts with different labels",
    "similar": "Nearly the same words, another label",
    "pairs": "Which labels are wrong",
    "method": "How far to trust it, and how to correct a label",
}
TEXTS = 20  # with several labels, and pairs of similar ones, that are shown
PAIRS = 30  # of classes that are listed


def render(audited: Audited, settings: Audit, subject: str, names: Mapping[str, str]) -> str:
    """Return the page; `names` has what to show for each label."""
    models = [display_name(name) for name in audited.models]
    kind = "labels" if audited.multilabel else "classes"
    facts = (
        f"{len(audited.y):,} texts, {len(audited.classes)} {kind}, judged by {join_names(models)}"
    )
    if audited.multilabel:
        lists = {*audited.rows["label"], *audited.suggested}
        names = {
            **names,
            **{
                text: ", ".join(names[name] for name in json.loads(text)) or "no label"
                for text in lists
            },
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
    return {
        "all": f"{audited.flagged[-1]:,}",
        "any": f"{len(issues.order):,}",
        "rows": f"{len(audited.y):,}",
        "who": "the model"
        if models == 1
        else "both models"
        if models == 2
        else f"all {models} models",
        "several": models > 1,
        "unit": "sets of labels" if audited.multilabel else "labels",
        "sampled": f"{audited.total:,}" if audited.total > len(audited.y) else "",
        "conflicts": count_noun(len(audited.texts.conflicting), "text"),
        "similar": count_noun(len(audited.similar.pairs), "pair"),
        "models": Table(
            "What each model says",
            [
                "model",
                "accuracy on held-out rows",
                "flagged rows",
                "estimated share of wrong labels",
            ],
            [
                [
                    display_name(name),
                    percent(judgement.right / len(audited.y)),
                    f"{int(judgement.flagged.sum()):,}",
                    percent(judgement.noise),
                ]
                for name, judgement in issues.judgements.items()
            ],
            (1, 2, 3),
        ),
    }


def _suspicious(audited: Audited, settings: Audit, names: Mapping[str, str]) -> dict[str, Any]:
    issues = audited.issues
    rows = []
    for place, suggested in zip(
        issues.order[: settings.shown].tolist(), audited.suggested, strict=False
    ):
        row = audited.rows.iloc[place]
        rows.append(
            {
                "text": excerpt(row["text"]),
                "split": row["split"],
                "given": names[row["label"]],
                "suggested": names[suggested],
                "score": f"{issues.scores[place]:.3f}",
                "models": named(issues.flagged_by(place), len(audited.models)),
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
    for places, found in audited.reviewed.items():
        interval = (
            f"({percent(found['low'])} to {percent(found['high'])})" if "low" in found else ""
        )
        counts = [
            f"{number:,}"
            for number in (int(places), found["wrong"], found["right"], found["unclear"])
        ]
        rows.append([*counts, (percent(found["precision"]), interval)])
    columns = ["first places", "wrong", "right", "unclear", "precision"]
    return (
        {"table": Table("Labels that were reviewed", columns, rows, range(1, 5))} if rows else None
    )


def named(models: Sequence[str], of: int) -> str:
    """Return the names of the models that contradict a label; of several models all that there are, their number."""
    return (
        f"all {of}"
        if len(models) == of > 1
        else join_names([display_name(name) for name in models])
    )


def _conflicts(audited: Audited, names: Mapping[str, str]) -> dict[str, Any] | None:
    found = audited.texts.conflicting
    if not len(found):
        return None
    texts = [
        labelled_text(audited.rows, places).shown(names)
        for places in _rows_of(audited, found[:TEXTS])
    ]
    return {"number": len(found), "texts": texts}


def _similar(audited: Audited, names: Mapping[str, str]) -> dict[str, Any] | None:
    pairs = audited.similar.pairs
    if not pairs and not audited.similar.words_left_out:
        return None
    shown = [
        {
            "similarity": percent(pair.similarity, 0),
            "texts": [
                labelled_text(audited.rows, places).shown(names)
                for places in _rows_of(audited, np.array([pair.first, pair.second]))
            ],
        }
        for pair in pairs[:TEXTS]
    ]
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
    """Return the pairs of classes with flagged rows, those with most first, and what each model estimates."""
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
    columns = [
        *kinds,
        "flagged rows",
        *(f"estimated by {display_name(name)}" for name in judgements),
    ]
    caption = f"Rows by {join_names(kinds)}" + " class" * (not audited.multilabel)
    if len(pairs) > PAIRS:
        caption += f": the {PAIRS} pairs with most rows of {len(pairs):,}"
    return {"table": Table(caption, columns, rows, range(2, len(columns)))}
