"""Measure an encoder and a fine-tuned transformer on long documents, by their first window and by all windows.

    python -m benchmarks.long_texts

A document is sentences of the three built-in corpora in random order: as many positive as negative ones, and further
ones of its own class. What the first window holds says little of the class. A logistic regression on the vectors is
cross-validated on the documents; the transformer is fine-tuned on single sentences, of which no document has any, since
it learns from first windows alone. Word counts are the yardstick. Takes about five minutes on one core.
"""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from benchmarks import results
from benchmarks.inputs import NAMES, WEIGHTS, fetch_weights, read_rows
from textclf.artifacts.dataset import Dataset
from textclf.artifacts.features import Features
from textclf.evaluate.intervals import wilson
from textclf.models import transformer
from textclf.models.common.fitted import Folders
from textclf.vectorize.encoder import settings as encoder_settings
from textclf.vectorize.encoder.representation import Representation as Encoder
from textclf.vectorize.tokenizer import Window
from textclf.vectorize.wordpieces import settings as piece_settings
from textclf.vectorize.wordpieces.representation import Representation as Pieces

DOCUMENTS, NEUTRAL, OWN = 100, 120, 40  # documents; sentences of both classes in equal shares, and of the own one
TRAINED = 500  # sentences that fine-tune the transformer
SEED = 1
WINDOWS: tuple[Window, ...] = ("first", "mean")
Row = tuple[str, int]


def make_documents(sentences: Sequence[Row], generator: np.random.Generator) -> tuple[list[str], Any]:
    """Return the texts of the documents and their classes, half of them 1."""
    of_class = [np.array([text for text, label in sentences if label == chosen], dtype=object) for chosen in (0, 1)]
    y = np.arange(DOCUMENTS) % 2
    texts = []
    for label in y:
        drawn = [generator.choice(of_class[chosen], NEUTRAL // 2 + OWN * (chosen == label)) for chosen in (0, 1)]
        texts.append(" ".join(generator.permutation(np.concatenate(drawn))))
    return texts, y


def measure() -> dict[str, Any]:
    """Return accuracy with its interval and seconds of one core per document of each way to read the documents."""
    fetch_weights()
    generator = np.random.default_rng(SEED)
    rows = [(text, int(label)) for name in NAMES for text, label in read_rows(name)]
    order = generator.permutation(len(rows))
    single, others = ([rows[row] for row in part] for part in (order[:TRAINED], order[TRAINED:]))
    texts, y = make_documents(others, generator)
    words = make_pipeline(CountVectorizer(), LogisticRegression(max_iter=1000))
    found: dict[str, dict[str, Any]] = {"words": {"accuracy": shares(crossvalidate(words, texts, y) == y)}}
    for window in WINDOWS:
        encoder = Encoder.fit((), encoder_settings.Settings(window=window), WEIGHTS)
        vectors, seconds = timed(lambda encoder=encoder: encoder.transform(texts))
        predicted = crossvalidate(LogisticRegression(C=10, max_iter=1000), vectors, y)
        results.tell(f"encoder, {window}: {(predicted == y).mean():.3f}, {seconds:.0f} s")
        found[f"encoder, {window}"] = {"accuracy": shares(predicted == y), "seconds": seconds / len(texts)}
    model = fine_tune(single)
    for window in WINDOWS:
        tokens = pieces(window).transform(texts)
        probabilities, seconds = timed(lambda tokens=tokens: model.predict_proba(tokens))
        correct = probabilities.argmax(axis=1) == y
        results.tell(f"transformer, {window}: {correct.mean():.3f}, {seconds:.0f} s")
        found[f"transformer, {window}"] = {"accuracy": shares(correct), "seconds": seconds / len(texts)}
    counts = [len(text.split()) for text in texts]
    return {"documents": len(texts), "words": float(np.mean(counts)), "ways": found}


def pieces(window: Window) -> Pieces:
    """Return the tokenizer of the transformer."""
    return Pieces.fit((), piece_settings.Settings(window=window), WEIGHTS)


def fine_tune(rows: Sequence[Row]) -> Any:
    """Return the transformer with its default settings, fine-tuned on sentences."""
    texts, y = zip(*rows, strict=True)
    names = np.array(["negative", "positive"])
    part = Features(np.arange(len(y)).astype(str), pieces("first").transform(texts), np.array(y), names)
    return transformer.fit(
        Dataset.of_rows(part), Dataset.of_rows(part), transformer.Settings(epochs=2), Folders(WEIGHTS)
    ).layers


def crossvalidate(model: Any, X: Any, y: Any) -> Any:
    """Return the classes that are predicted for held-out documents of five folds."""
    return cross_val_predict(model, X, y, cv=StratifiedKFold(5, shuffle=True, random_state=SEED))


def shares(correct: Any) -> dict[str, Any]:
    """Return the share of correct documents with its interval by Wilson's formula."""
    return {"value": float(correct.mean()), "interval": list(wilson(float(correct.sum()), len(correct)))}


def timed(work: Any) -> tuple[Any, float]:
    """Return what the function gives, and the seconds of one core that it took."""
    started = time.process_time()
    result = work()
    return result, time.process_time() - started


def table() -> str:
    """Return accuracy and time of each way to read the documents."""
    rows = []
    for way, found in results.read("long_texts")["ways"].items():
        low, high = found["accuracy"]["interval"]
        seconds = f"{found['seconds']:.2f}" if "seconds" in found else ""
        rows.append([way, f"{found['accuracy']['value']:.2f} ({low:.2f} to {high:.2f})", seconds])
    return results.markdown(["read by", "accuracy", "seconds of a core per document"], rows)


if __name__ == "__main__":
    results.main({"long_texts": measure})
