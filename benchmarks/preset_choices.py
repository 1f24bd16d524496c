"""Compare settings for the presets of `textclf init` by cross-validation inside the training rows of eight corpora.

    python -m benchmarks.preset_choices FOLDER [PART ...] [--corpora NAME ...]

FOLDER has <name>.train.csv of subj, emotion, hate and clinc, with the columns text and label; test rows are never read.
Each setting changes `BASE`. Its accuracy and log loss are compared on the held-out rows of 4 folds, row by row. The
mean of the differences over the corpora has Student's interval; pool is left out there, since its rows are in others.
PART is terms, together, strength, vectors or few; results are added to those that there are.
"""

import argparse
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold, train_test_split

from benchmarks import results
from benchmarks.inputs import NAMES, WEIGHTS, fetch_weights, read_rows
from textclf.artifacts.dataset import Dataset
from textclf.artifacts.features import Features, in_double
from textclf.evaluate.comparisons import corrected_t
from textclf.models.common.fitted import Folders
from textclf.models.common.fitting import fit_model, predict
from textclf.models.logistic_regression import Settings
from textclf.vectorize.in_memory import vectorize_splits
from textclf.vectorize.settings import Combine, Vectorize

RESULT = "preset_choices"
POOL = "pool"
FETCHED = ("subj", "emotion", "hate", "clinc")
# Of a corpus at most; half as many for strength and vectors if there are more than two classes.
ROWS = {"terms": 2000, "together": 2000, "strength": 2000, "vectors": 2000, "few": 3000}
SEED, FOLDS, PER_CLASS, DRAWS = 1000, 4, 8, 5
GRID = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
BASE: dict[str, Any] = {"weighting": "tfidf", "ngram_range": [1, 2]}
LETTERS = {"analyzer": "word+char_wb"}
PUNCTUATION = r"(?u)\w+|[^\w\s]"
WORDS: dict[str, dict[str, Any]] = {  # changes of BASE, all with C = 10
    "base": {},
    r"\b\w+\b": {"token_pattern": r"(?u)\b\w+\b"},
    r"\w+|[^\w\s]": {"token_pattern": PUNCTUATION},
    r"\S+": {"token_pattern": r"\S+"},
    "[1, 1]": {"ngram_range": [1, 1]},
    "[1, 3]": {"ngram_range": [1, 3]},
    "sublinear": {"sublinear_tf": True},
    "binary": {"weighting": "binary"},
    "counts": {"weighting": "counts"},
    "min_df 2": {"min_df": 2},
    "case": {"lowercase": False},
    "letters (2, 4)": {**LETTERS, "char_ngram_range": [2, 4]},
    "letters (2, 5)": LETTERS,
    "letters (3, 5)": {**LETTERS, "char_ngram_range": [3, 5]},
    "letters across words (2, 5)": {"analyzer": "word+char"},
    r"letters, \b\w+\b": {**LETTERS, "token_pattern": r"(?u)\b\w+\b"},
    r"letters, \w+|[^\w\s]": {**LETTERS, "token_pattern": PUNCTUATION},
    "letters, sublinear": {**LETTERS, "sublinear_tf": True},
    "letters, min_df 2": {**LETTERS, "min_df": 2},
    "letters, case": {**LETTERS, "lowercase": False},
    "letters (2, 5) alone": {"analyzer": "char_wb"},
}
TOGETHER: dict[str, dict[str, Any]] = {
    "words, sublinear": {"sublinear_tf": True},
    "letters (3, 5), sublinear": {**LETTERS, "char_ngram_range": [3, 5], "sublinear_tf": True},
    "letters (3, 5), sublinear, min_df 2": {**LETTERS, "char_ngram_range": [3, 5], "sublinear_tf": True, "min_df": 2},
}
VECTORIZE = Vectorize.model_validate(
    {
        **{f"terms_{number}": BASE | changes for number, changes in enumerate((WORDS | TOGETHER).values())},
        "sentences": {"method": "encoder"},
    }
)
NAMED = {title: f"terms_{number}" for number, title in enumerate(WORDS | TOGETHER)} | {"sentences": "sentences"}
COMBINE = Combine.model_validate(
    {
        "words_letters": {"first": NAMED["base"], "second": NAMED["letters (2, 5) alone"]},
        "words_sentences": {"first": NAMED["base"], "second": "sentences"},
        "letters_sentences": {"first": NAMED["letters (2, 5)"], "second": "sentences"},
    }
)
PAIRS = {
    "words combined with letters": "words_letters",
    "words and sentences": "words_sentences",
    "letters and sentences": "letters_sentences",
}
NAMED |= PAIRS
Scores = NDArray[np.float64]  # (rows, 2): whether a held-out row is right, and its log loss
Measured = dict[str, Scores]  # by setting


def training_rows(corpus: str, folder: Path, rows: int) -> pd.DataFrame:
    """Return at most so many training rows of a corpus, each text once: columns id, text, label."""
    if corpus in FETCHED:
        table = pd.read_csv(folder / f"{corpus}.train.csv", dtype=str, keep_default_na=False)
    else:
        table = split_lesson(corpus)[0]
    table = table.drop_duplicates("text")
    if corpus == "clinc":
        table = table.groupby("label").sample(min(20, rows // 150), random_state=SEED)
    elif len(table) > rows:
        table, _ = train_test_split(table, train_size=rows, random_state=SEED, stratify=table["label"])
    return table.reset_index(drop=True).assign(id=lambda each: each.index.astype(str))


def split_lesson(corpus: str) -> list[pd.DataFrame]:
    """Return training and test rows of one of the lesson's corpora or of their pool, as a table of one's own."""
    rows = [row for name in (NAMES if corpus == POOL else [corpus]) for row in read_rows(name)]
    table = pd.DataFrame(rows, columns=["text", "label"])
    parts: list[pd.DataFrame] = train_test_split(table, test_size=0.25, random_state=SEED, stratify=table["label"])
    return parts


def features(train: pd.DataFrame, test: pd.DataFrame, title: str) -> dict[str, Features]:
    """Return the features of a representation, by its title, fitted on the training rows."""
    classes = sorted(train["label"].unique())
    return vectorize_splits({"train": train, "test": test}, NAMED[title], VECTORIZE, COMBINE, classes, WEIGHTS)


def scores(parts: Mapping[str, Features], C: float) -> Scores:
    """Return the scores of the test rows by logistic regression on the training rows."""
    datasets = {split: Dataset.of_rows(part) for split, part in parts.items()}
    model = fit_model("logistic_regression", datasets, Settings(C=C), Folders(WEIGHTS))
    predicted = predict(model.layers, "test", parts["test"])
    own = predicted.probabilities[np.arange(len(predicted.y)), predicted.y]
    right = predicted.probabilities.argmax(axis=1) == predicted.y
    return np.column_stack([right, -np.log(np.maximum(own, 1e-15))])


def folds(rows: pd.DataFrame) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Yield training and held-out rows of each fold."""
    for train, test in StratifiedKFold(FOLDS, shuffle=True, random_state=SEED).split(rows, rows["label"]):
        yield rows.iloc[train], rows.iloc[test]


def terms(rows: pd.DataFrame) -> Measured:
    """Return the scores of each setting of the terms, with C = 10; of counts also with a stronger penalty."""
    measured: dict[str, list[Scores]] = {}
    for train, test in folds(rows):
        for title in [*WORDS, "words combined with letters"]:
            parts = features(train, test, title)
            for C in (0.3, 1, 10) if title in {"binary", "counts"} else (10,):
                name = title if C == 10 else f"{title}, C {C:g}"
                measured.setdefault(name, []).append(scores(parts, float(C)))
    return {title: np.concatenate(parts) for title, parts in measured.items()}


def together(rows: pd.DataFrame) -> Measured:
    """Return the scores of the best settings together."""
    measured: dict[str, list[Scores]] = {}
    for train, test in folds(rows):
        for title in ("base", "letters (2, 5)", *TOGETHER):
            parts = features(train, test, title)
            for C in (10.0, 30.0):
                measured.setdefault(f"{title}, C {C:g}", []).append(scores(parts, C))
    return {title: np.concatenate(parts) for title, parts in measured.items()}


def strength(rows: pd.DataFrame, titles: Sequence[str] = ("base", "letters (2, 5)")) -> Measured:
    """Return the scores of each C, and of those that cross-validation inside the training rows chooses."""
    measured: dict[str, list[Scores]] = {}
    many = rows["label"].nunique() > 2
    for train, test in folds(rows):
        for title in titles:
            parts = features(train, test, title)
            fixed = {C: scores(parts, C) for C in GRID}
            own = {f"{title}, C {C:g}": fixed[C] for C in GRID}
            ways = [(5, False), (5, True), (3, True)] if scipy.sparse.issparse(parts["train"].X) else [(5, False)]
            for inner, rescaled in [(3, True)] if many else ways:
                losses = inner_losses(parts["train"], inner, rescaled)
                for grid in (GRID, (1.0, 10.0, 100.0)):
                    chosen = min(grid, key=lambda C: losses[C])
                    how = f"{inner} folds{', rescaled' * rescaled}"
                    own[f"{title}, C of {len(grid)} by {how}"] = fixed[chosen]
            if not many and len(train) > 1000:
                sample, _ = train_test_split(
                    np.arange(len(train)), train_size=500, random_state=1, stratify=train["label"]
                )
                losses = inner_losses(take(parts["train"], sample), 5, True)
                own[f"{title}, C of 6 by 500 rows"] = fixed[min(GRID, key=lambda C: losses[C])]
            for name, values in own.items():
                measured.setdefault(name, []).append(values)
    return {name: np.concatenate(parts) for name, parts in measured.items()}


def vectors(rows: pd.DataFrame) -> Measured:
    """Return the scores of sentence vectors, alone and beside terms."""
    return strength(rows, ("sentences", "words and sentences", "letters and sentences"))


def inner_losses(part: Features, inner: int, rescaled: bool) -> dict[float, float]:
    """Return the log loss of each C in a cross-validation of some rows, as logistic regression chooses.

    Held-out rows have terms that the training rows of their fold lack, and those count in the length of their vectors.
    If `rescaled`, the vectors have their length without these, as those of new texts have.
    """
    found = dict.fromkeys(GRID, 0.0)
    X, y = in_double(part.X), part.y
    for train, test in StratifiedKFold(inner).split(y, y):
        held_out = rescale(X[train], X[test]) if rescaled else X[test]
        for C in GRID:
            model = LogisticRegression(C=C).fit(X[train], y[train])
            found[C] += log_loss(y[test], model.predict_proba(held_out), labels=model.classes_) / inner
    return found


def rescale(train: Any, test: Any) -> Any:
    """Return rows without the columns that are 0 in all training rows, scaled to the length that they had.

    Dense vectors are returned as they are.
    """
    if isinstance(test, np.ndarray):
        return test
    known = test.multiply(train.astype(bool).sum(axis=0) > 0).tocsr()
    before, after = (np.sqrt(np.asarray(X.multiply(X).sum(axis=1)).ravel()) for X in (test, known))
    return scipy.sparse.diags_array(before / np.maximum(after, 1e-9)) @ known


def take(part: Features, rows: NDArray[np.int64]) -> Features:
    """Return some rows of features."""
    return replace(part, ids=part.ids[rows], X=part.X[rows], y=part.y[rows])


def few(rows: pd.DataFrame) -> Measured:
    """Return the scores where 8 rows per class train, the mean of several draws, each on the same other rows."""
    titles = ("base", r"\b\w+\b", "[1, 1]", "letters (2, 5)", r"letters, \b\w+\b", "letters, sublinear",
              "letters (2, 5) alone", "sentences", "words and sentences", "letters and sentences")  # fmt: skip
    measured: dict[str, list[Scores]] = {}
    pools, test = train_test_split(rows, test_size=min(1500, len(rows) // 3), random_state=SEED, stratify=rows["label"])
    for draw in range(DRAWS if rows["label"].nunique() < 100 else 1):
        train = pools.groupby("label").sample(PER_CLASS, random_state=draw)
        for title in titles:
            parts = features(train, test, title)
            fixed = {C: scores(parts, C) for C in GRID}
            own = {f"{title}, C {C:g}": fixed[C] for C in GRID}
            for rescaled in (False, True) if scipy.sparse.issparse(parts["train"].X) else (False,):
                losses = inner_losses(parts["train"], 3 if len(train) > 1000 else 5, rescaled)
                how = "C chosen" + ", rescaled" * rescaled
                own[f"{title}, {how}"] = fixed[min(GRID, key=lambda C: losses[C])]
            for name, values in own.items():
                measured.setdefault(name, []).append(values)
    return {name: np.mean(each, axis=0) for name, each in measured.items()}


BASELINES = {
    "terms": "base",
    "together": "base, C 10",
    "strength": "base, C 10",
    "vectors": "sentences, C 10",
    "few": "base, C 10",
}
PARTS = {part.__name__: part for part in (terms, together, strength, vectors, few)}


def summary(measured: Measured, baseline: str) -> dict[str, Any]:
    """Return the mean of each setting, and its difference to a baseline."""
    return {
        title: {
            metric: [values[:, column].mean(), (values - measured[baseline])[:, column].mean()]
            for column, metric in enumerate(("accuracy", "log_loss"))
        }
        for title, values in measured.items()
    }


def means(corpora: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the mean difference of each setting over the corpora but the pool, with Student's interval."""
    separate = [each["settings"] for name, each in corpora.items() if name != POOL]
    found: dict[str, Any] = {}
    for title in dict.fromkeys(title for each in separate for title in each):
        lines = [each[title] for each in separate if title in each]
        if len(lines) > 1:
            tests = {
                metric: asdict(corrected_t(np.array([line[metric][1] for line in lines]), 0))
                for metric in ("accuracy", "log_loss")
            }
            found[title] = {"corpora": len(lines)} | {
                metric: [test["mean"], test["low"], test["high"]] for metric, test in tests.items()
            }
    return found


SHOWN = {  # by part: which settings the table has, beside all of terms
    "together": (*(f"{title}, C {C}" for title in TOGETHER for C in (10, 30)),),
    "strength": tuple(
        f"{title}, C {how}"
        for title in ("base", "letters (2, 5)")
        for how in ("3", "10", "30", "100", "of 6 by 5 folds", "of 6 by 5 folds, rescaled", "of 3 by 3 folds, rescaled")
    ),
    "vectors": tuple(
        f"{title}, C {C}" for title in ("sentences", "letters and sentences") for C in (1, 3, 10, 30, 100)
    ),
    "few": tuple(
        f"{title}, C {how}"
        for title in ("base", "letters (2, 5)", "sentences", "letters and sentences")
        for how in ("1", "10", "100", "chosen")
    ),
}


SHOWN_ANYWHERE = {
    *WORDS,
    "words combined with letters",
    *BASELINES.values(),
    *(title for titles in SHOWN.values() for title in titles),
}


def table() -> str:
    """Return the mean differences of settings to the baseline of their part, in points of accuracy and in log loss."""
    lines = []
    for part, content in results.read(RESULT)["parts"].items():
        for title in SHOWN.get(part, (*WORDS, "words combined with letters")):
            if title != BASELINES[part] and (each := content["means"].get(title)):
                gained = "{:+.1f} ({:+.1f} to {:+.1f})".format(*(100 * end for end in each["accuracy"]))
                loss = "{:+.3f} ({:+.3f} to {:+.3f})".format(*each["log_loss"])
                lines.append([part, f"`{title}`".replace("|", "\\|"), str(each["corpora"]), gained, loss])
    return results.markdown(["part", "setting", "corpora", "accuracy, points", "log loss"], lines)


def main() -> None:
    """Measure and add to the result."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("parts", nargs="*", default=[*PARTS])
    parser.add_argument("--corpora", nargs="*", default=[*NAMES, POOL, *FETCHED])
    given = parser.parse_args()
    fetch_weights()
    warnings.simplefilter("ignore")  # of solvers that have not converged
    for part in given.parts:
        for corpus in given.corpora:
            started = time.perf_counter()
            less = part in {"strength", "vectors"} and corpus in {"emotion", "clinc"}
            rows = training_rows(corpus, given.folder, ROWS[part] // (1 + less))
            measured = {"rows": len(rows), "settings": summary(PARTS[part](rows), BASELINES[part])}
            add(part, corpus, measured)
            results.tell(f"{part} {corpus}: {len(rows)} rows, {time.perf_counter() - started:.0f} s")


def add(part: str, corpus: str, measured: Mapping[str, Any]) -> None:
    """Add what was measured of a corpus to the result."""
    try:
        content = results.read(RESULT)
    except results.MissingResultError:
        content = {"parts": {}}
    corpora = content["parts"].setdefault(part, {}).setdefault("corpora", {})
    kept = {title: each for title, each in measured["settings"].items() if title in SHOWN_ANYWHERE}
    corpora[corpus] = {**measured, "settings": kept}
    content["parts"][part]["means"] = means(corpora)
    content.pop("measured", None)
    results.write(RESULT, content)


if __name__ == "__main__":
    main()
