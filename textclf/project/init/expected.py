"""How long the run of a preset takes on this machine, and how much disk, told before anything runs.

The costs are seconds on one core of the machine on which they were measured: benchmarks/presets.py
compares them.
"""

import os
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from textclf.core.formatting import count_noun
from textclf.core.resources import cores
from textclf.models.common.crossvalidation import FEWEST_ROWS, MOST_ROWS, PER_CLASS, fold_count
from textclf.pretrained.catalogue import ENGLISH, LARGE, MULTILINGUAL
from textclf.project.init.survey import Survey

# Start and end of a stage.
STAGE = 1.7
# Stages beside those of representations and models: check, fetch, split, evaluate, export, plot and
# report.
STAGES = 7
# To predict, measure and store a row, for each model.
ROW = 20e-6
# To find and count the terms of a character.
CHARACTER = {"words": 0.6e-6, "letters": 3.2e-6}
# Terms of a million characters that occur in `min_df` rows, and the power of the characters with
# which they grow.
TERMS = {
    ("words", 1): (110e3, 0.8),
    ("words", 2): (25e3, 0.95),
    ("letters", 1): (220e3, 0.62),
    ("letters", 2): (80e3, 0.62),
}
# A step of the solver, for each weight.
STEP = 100e-9
# Steps for two classes, for more, and for many, each of which has few rows.
STEPS = 25, 60, 25
MANY_CLASSES = 50
# Steps for each of several labels, and for classes that have few rows.
FEW_STEPS = 20
# Fewer minutes than these are said in seconds.
MINUTES = 3
# Characters of a word piece, by what separates words.
PIECE = {"words": 4.5, "characters": 1.5}
# Pieces that windows read, per piece of the text: each repeats a quarter of the one before.
OVERLAP = 1.33
# To build and compile a transformer.
FIT = 12.0
# A word piece, with its text's start and end, that the English encoder reads.
ENCODE = 0.32e-3
# The same of a transformer, in so many passes over the rows.
FINE_TUNE = 5.5e-3
EPOCHS = 4
# Word pieces of a text that a transformer reads.
READ = 128
# Fits to all rows that a choice of C from three values takes: five folds of each.
SEARCH = 12
# Seconds of `pace` on the machine of reference.
REFERENCE = 0.031
# How many times as long as the English encoder each one takes.
ENCODERS = {ENGLISH: 1, LARGE: 6.5, MULTILINGUAL: 2}
# MB in data, models and DVC's cache of an encoder, or of a transformer that starts from it.
ENCODER = {ENGLISH: 370, LARGE: 1750, MULTILINGUAL: 380}


def expected_minutes(
    sections: Mapping[str, Mapping[str, Any]], survey: Survey, validated: bool
) -> float:
    """Return the minutes that a run with these sections of params.yaml takes on this machine.

    The run is of the survey's table. Cores count as far as they are free now. `validated` says
    whether validation rows choose the default model.
    """
    train, vectorize, average = (sections[name] for name in ("train", "vectorize", "average"))
    models = len(train) + len(average)
    stages = STAGES + models + len(vectorize) + len(sections["combine"])
    seconds = STAGE * stages + ROW * survey.rows * models
    # Beside the fit that is measured: that to training and validation rows, or those of a
    # cross-validation.
    rows = min(max(PER_CLASS * len(survey.classes), FEWEST_ROWS), MOST_ROWS)
    folds = fold_count(survey.untested)
    repeats = 1.0 if validated else (folds - 1) * min(1, rows / survey.trained)
    # The share of its seconds that a fit takes without the test rows that are drawn.
    trained = survey.trained / survey.untested
    terms = vectorize["words"]
    one = free_cores(1)
    all_cores = free_cores(cores()) / one  # how many times as fast as one
    seconds += CHARACTER[_kind(terms)] * survey.characters
    pieces = survey.characters / PIECE[survey.unit] + 2 * survey.rows
    if "sentences" in vectorize:
        sentences = vectorize["sentences"]
        overlap = OVERLAP if "window" in sentences else 1
        seconds += ENCODERS[sentences["pretrained"]] * overlap * ENCODE * pieces / all_cores
    for model in train.values():
        if model["kind"] == "logistic_regression":
            columns = terms if model["features"] != "sentences" else None
            searches = SEARCH if isinstance(model["C"], list) else 0
            fits = (1 + repeats + searches) * trained * solver_share(survey)
            seconds += fits * fit_seconds(columns, survey)
        elif model["kind"] == "transformer":
            fits = 2 if validated else 1  # that compile it; the folds find it compiled
            tuning = trained * fine_tuning_seconds(model, survey, 1 + repeats)
            seconds += FIT * fits + tuning / all_cores
    return seconds * pace() / one / 60


def fit_seconds(terms: Mapping[str, Any] | None, survey: Survey) -> float:
    """Return the most seconds of a fit of logistic regression on these terms, or sentence vectors.

    That is with all untested rows, and many of each class; presets are chosen by it.
    """
    outputs = _outputs(survey)
    columns = 384.0
    if terms is not None:
        number, power = TERMS[_kind(terms), terms["min_df"]]
        columns = number * (survey.untested_characters / 1e6) ** power
        analyzers = len(terms["analyzer"].split("+"))
        columns = min(columns, analyzers * (terms["max_features"] or columns))
    return STEP * _steps(outputs) * outputs * columns


def solver_share(survey: Survey) -> float:
    """Return the share of the steps of `fit_seconds` that the solver is expected to take."""
    fewer = survey.sets is not None or survey.has_few
    return FEW_STEPS / _steps(_outputs(survey)) if fewer else 1.0


def _outputs(survey: Survey) -> int:
    return len(survey.classes) if len(survey.classes) > 2 else 1


def _steps(outputs: int) -> int:
    return STEPS[(outputs > 1) + (outputs >= MANY_CLASSES)]


def fine_tuning_seconds(model: Mapping[str, Any], survey: Survey, fits: float) -> float:
    """Return the seconds of so many fits of a compiled transformer to all rows on one core."""
    pieces = (survey.characters / survey.rows) / PIECE[survey.unit] + 2
    passes: int = model.get("epochs", EPOCHS)
    size = ENCODERS[model.get("pretrained", ENGLISH)]
    return size * FINE_TUNE / EPOCHS * passes * min(pieces, READ) * survey.untested * fits


def _kind(terms: Mapping[str, Any]) -> str:
    return "letters" if "char" in terms["analyzer"] else "words"


def in_words(minutes: float) -> str:
    """Return minutes as people say them."""
    if minutes < MINUTES:
        return f"about {max(round(minutes * 12), 1) * 5} seconds"
    return f"about {count_noun(round(minutes), 'minute')}"


def disk_in_words(sections: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the disk that a run takes with these sections, as the end of a sentence.

    It is "" without pretrained weights.
    """
    encoders = [
        section["pretrained"]
        for section in sections["vectorize"].values()
        if section["method"] == "encoder"
    ]
    transformers = [
        model.get("pretrained", ENGLISH)
        for model in sections["train"].values()
        if model["kind"] == "transformer"
    ]
    megabytes = sum(ENCODER[name] for name in [*encoders, *transformers])
    return f", and about {megabytes} MB of disk" if megabytes else ""


def free_cores(threads: int) -> float:
    """Return on how many cores so many threads can run beside all that runs now."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0  # not on Windows
    return threads * min(1.0, (os.cpu_count() or threads) / (load + threads))


def pace() -> float:
    """Return how many times as long as on the reference machine arithmetic and Python take here."""
    return min(_work() for _ in range(3)) / REFERENCE


def _work() -> float:
    start = time.process_time()
    matrix = np.ones((600, 600), np.float32)
    for _ in range(5):
        matrix = matrix @ matrix * 1e-3
    counts: dict[int, int] = {}
    for number in range(100_000):
        counts[number % 1_000] = counts.get(number % 1_000, 0) + 1
    return time.process_time() - start
