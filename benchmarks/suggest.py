"""What `textclf suggest` saves against random labels; a script gives the true labels.

    python -m benchmarks.suggest FOLDER [--pool ROWS]

FOLDER has pairs <name>.train.csv and <name>.test.csv of `SETS`, with the columns text and label;
the pool of the lesson's corpora is added. Each repetition starts with 20 labels and adds 50 per
round, chosen by the function of the command, a tenth of them at random; or all at random, in the
same order. The test rows are fixed and decide nothing. With --pool, the command also runs on so
many texts without a model: two sentences of the corpora each.
"""

import argparse
import itertools
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression

from benchmarks import results
from benchmarks.inputs import POOL, WEIGHTS, fetch_weights, split_lesson
from benchmarks.presets import read
from benchmarks.watch import megabytes, watch
from textclf.label.suggest import choose, margins_of, term_vectors
from textclf.vectorize import representation
from textclf.vectorize.encoder.settings import Settings

RESULT = "suggest"
SETS = (POOL, "emotion", "irony")
REPETITIONS, POOL_ROWS = 20, 3000
ROUNDS = (20, *[50] * 6)
C = {"words": 30.0, "sentences": 10.0}  # as textclf init sets it where it chooses none


def play(
    texts: list[str],
    X: Any,
    vectors: NDArray[Any],
    y: NDArray[Any],
    pool: int,
    kind: str,
    seed: int,
) -> Any:
    """Return mean accuracy on rows after the pool, over all rounds: random, as suggested."""
    order = np.random.default_rng(seed).permutation(pool)  # as the hashes of a seed order the texts
    curves: list[list[float]] = []
    for suggesting in (False, True):
        left, labelled, margins = order, order[:0], None
        curves.append([])
        for rows in ROUNDS:
            counts = (rows, max(5, rows // 10) if suggesting else rows)
            chosen = [
                *choose(
                    vectors[left],
                    margins,
                    [texts[row] for row in left],
                    counts,
                    kind == "sentences",
                )
            ]
            labelled, left = np.append(labelled, left[chosen]), np.delete(left, chosen)
            probabilities, classes = fit(X, y, labelled, kind)
            curves[-1].append(
                float((classes[probabilities[pool:].argmax(axis=1)] == y[pool:]).mean())
            )
            margins = margins_of(probabilities[left])
    labels = np.cumsum(ROUNDS)
    return (np.trapezoid(curves, labels, axis=1) / (labels[-1] - labels[0])).tolist()


def fit(
    X: Any, y: NDArray[Any], labelled: NDArray[Any], kind: str
) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """Return all rows' probabilities and the classes, by logistic regression on labelled rows."""
    if kind == "words":  # as a run learns vocabulary and idf from the training rows
        known = X[:, np.unique(X[labelled].indices)]
        X = TfidfTransformer(sublinear_tf=True).fit(known[labelled]).transform(known)
    model = LogisticRegression(C=C[kind], max_iter=1000).fit(X[labelled], y[labelled])
    return model.predict_proba(X), model.classes_


def measure(train: pd.DataFrame, test: pd.DataFrame) -> dict[str, Any]:
    """Return the mean accuracies by features: (repetitions, 2)."""
    train = train.drop_duplicates("text")
    train = train.sample(min(POOL_ROWS, len(train)), random_state=0)
    texts, y = [*train["text"], *test["text"]], np.array([*train["label"], *test["label"]])
    encoded: Any = representation.fit((), Settings(), WEIGHTS).transform(texts)
    counts = CountVectorizer(ngram_range=(1, 2)).fit_transform(texts).tocsc().tocsr()
    inputs = {"words": (counts, term_vectors(texts[: len(train)])), "sentences": (encoded, encoded)}
    return {"pool": len(train), "test_rows": len(test)} | {
        kind: [play(texts, X, vectors, y, len(train), kind, seed) for seed in range(REPETITIONS)]
        for kind, (X, vectors) in inputs.items()
    }


def suggest_from(rows: int) -> dict[str, Any]:
    """Return seconds and peak memory in MB of the command for a pool of so many distinct texts."""
    sentences = list(dict.fromkeys(pd.concat(split_lesson(POOL))["text"]))
    pairs = itertools.islice(itertools.permutations(sentences, 2), 0, None, 8)
    with tempfile.TemporaryDirectory() as folder:
        made = pd.DataFrame({"text": [" ".join(pair) for pair in itertools.islice(pairs, rows)]})
        made.to_csv(Path(folder, "pool.csv"), index=False)
        command = [sys.executable, "-m", "textclf.cli", "suggest", "pool.csv"]
        run = watch(command, Path(folder), os.environ | {"PYTHONPATH": str(results.ROOT)})
    memory = megabytes(max(each.largest for each in run.samples))
    return {"rows": rows, "seconds": round(run.seconds, 1), "memory": memory}


def table() -> str:
    """Return the mean accuracy on the curve at random and as suggested, and the gain in points."""
    lines = []
    for name, each in results.read(RESULT)["sets"].items():
        for kind in C:
            areas = 100 * np.array(each[kind])
            gains = areas[:, 1] - areas[:, 0]
            low, high = stats.ttest_1samp(gains, 0).confidence_interval()
            gain = f"{gains.mean():+.1f} ({low:+.1f} to {high:+.1f})"
            lines.append([name, kind, *(f"{area:.1f}" for area in areas.mean(axis=0)), gain])
    header = ["texts", "features", "at random", "suggested", "gain"]
    return results.markdown(header, lines)


def main() -> None:
    """Measure all sets, and the command on a large pool if the command line names one."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pool", type=int)
    given = parser.parse_args()
    fetch_weights()
    content: dict[str, Any] = {"sets": {}}
    for name in SETS:
        files = [given.folder / f"{name}.{split}.csv" for split in ("train", "test")]
        content["sets"][name] = measure(*(split_lesson(POOL) if name == POOL else map(read, files)))
        results.tell(f"measured {name}")
    if given.pool:
        content["pool"] = suggest_from(given.pool)
    results.write(RESULT, content)
    print(table())


if __name__ == "__main__":
    main()
