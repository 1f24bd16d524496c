"""The sections on what the models learned, the parameters and the provenance."""

import re
from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel

from textclf.core.display import display_labels
from textclf.core.formatting import display_name, join_names
from textclf.core.settings import to_yaml
from textclf.export.explanation import OCCLUDED_ROWS
from textclf.report.run import Run
from textclf.vectorize.settings import leaves

# Columns of a term.
TERM_LIMIT = 32
# Spaces at the edges of a term of letters are part of it, and shown.
EDGES = re.compile("^ +| +$")
# The analyzer of words; the others are of letters.
WORD = "word"
# Classes whose terms are listed.
CLASSES = 20
# Of these, classes whose terms are not folded.
UNFOLDED = 4
# Raw files that are listed.
FILES = 20
METHODS = {
    "weight": (
        "The weight of a term is what it adds to the log odds of the class, per unit of its value."
    ),
    "weight of several": (
        "The weight of a term is what it adds to the score of the class, "
        "minus its mean over the classes, per unit of its value."
    ),
    "occlusion": (
        "The weight of a term is how much the log odds of the class fall if the term is removed, "
        "on average over the training rows that contain it "
        f"(the first {OCCLUDED_ROWS:,} at most)."
    ),
}


def learned(run: Run) -> dict[str, Any]:
    """Return the terms of largest weight by model and class, and the models without terms."""
    terms = run.tables["terms"]
    explained = set(terms["model"])
    without = [display_name(name) for name in run.models if name not in explained]
    models = [
        _terms(run, name, terms[terms["model"] == name])
        for name in run.ordered
        if name in explained
    ]
    classes = [terms for model in models for terms in model["classes"] + model["more"]]
    return {
        "models": models,
        "letters": any(terms["letters"] for terms in classes),
        "without": join_names(without),
        "several": len(without) > 1,
    }


def _terms(run: Run, model: str, rows: pd.DataFrame) -> dict[str, Any]:
    method = str(rows["method"].iloc[0])
    if method == "weight" and len(run.classes) > 2 and not run.multilabel:
        method = "weight of several"
    largest = float(np.abs(rows["weight"]).max()) or 1.0
    rows = _split(run, model, rows)
    groups = dict(list(rows.groupby("class", sort=False)))
    classes = [name for name in run.classes if name in groups]
    listed = [
        {
            "name": run.names[name],
            "words": _listed(groups[name][~groups[name]["letters"]], largest),
            "letters": _listed(_longest(groups[name][groups[name]["letters"]]), largest),
        }
        for name in classes[:CLASSES]
    ]
    return {
        "name": display_name(model),
        "method": METHODS[method].replace("class", run.words["kind"]),
        "classes": listed[:UNFOLDED],
        "more": listed[UNFOLDED:],
        "left_out": len(classes[CLASSES:]),
    }


def _split(run: Run, model: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with `letters`, whether a term is of letters, and `shown`, without prefixes.

    A prefix is a representation, if there are several, and an analyzer, if it has two. A
    representation is shown if another one has terms of the same kind.
    """
    names = leaves(run.settings.train[model].features, run.settings.combine)
    prefix = f"({'|'.join(names)})__" if len(names) > 1 else "()"
    parts = rows["term"].str.extract(rf"(?s)^{prefix}(?:(word|char|char_wb)__)?(.*)$")
    analyzers = {name: getattr(run.settings.vectorize[name], "analyzer", WORD) for name in names}
    letters = parts[1].fillna(parts[0].replace("", names[0]).map(analyzers)) != WORD
    several = parts[0].groupby(letters).transform("nunique") > 1
    return rows.assign(letters=letters, shown=(parts[0] + "__").where(several, "") + parts[2])


def _longest(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows without pieces of a longer term that is in as many training rows.

    The pieces of one word are in as many rows as the word.
    """
    terms = list(zip(rows["shown"], rows["rows"], strict=True))
    whole = [not any(a != b and a in b and n == m for b, m in terms) for a, n in terms]
    return rows[np.array(whole, dtype=bool)]


def _listed(rows: pd.DataFrame, largest: float) -> list[dict[str, Any]]:
    """Return what a table of terms shows; the bar of the largest weight is 100 wide."""
    texts = rows["shown"].tolist()
    names = {text: EDGES.sub(lambda spaces: "␣" * len(spaces[0]), text) for text in texts}
    labels = display_labels(texts, names, TERM_LIMIT)
    return [
        {
            "term": labels[row["shown"]],
            "weight": f"{row['weight']:.2f}",
            "rows": f"{row['rows']:,}",
            "bar": round(100 * abs(row["weight"]) / largest, 1),
        }
        for row in rows.to_dict("records")
    ]


def params(run: Run) -> list[dict[str, Any]]:
    """Return the settings of the run by section: only models trained, behave only with tests."""
    sections = []
    for name in dict.fromkeys(["fetch", *(field.name for field in fields(run.settings))]):
        section = getattr(run.settings, name)
        if name == "train":
            sections += [_section(f"train.{model}", section[model]) for model in section.names()]
        elif name == "vectorize":
            sections += [
                _section(f"vectorize.{vectorizer}", section[vectorizer])
                for vectorizer in run.results.features
            ]
        elif name in ("combine", "average"):
            sections += [_section(f"{name}.{key}", pair) for key, pair in section.pairs().items()]
        elif name != "behave" or section.tests:
            sections.append(_section(name, section))
    return [section for section in sections if section["rows"]]


def _section(name: str, settings: BaseModel) -> dict[str, Any]:
    return {
        "name": name,
        "rows": [(key, to_yaml(value)) for key, value in settings.model_dump().items()],
    }


def provenance(run: Run) -> dict[str, Any]:
    """Return the raw files, checksums and locked versions."""
    return {
        "sources": run.sources[:FILES],
        "more": len(run.sources[FILES:]),
        "checksums": run.checksums,
        "versions": run.versions,
    }
