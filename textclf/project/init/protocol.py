"""Which settings suit a table: an honest protocol, and training in a bounded time."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from textclf.core.errors import UserError
from textclf.core.quoting import list_names, quote_name
from textclf.core.scripts import MOST, SOME
from textclf.project.init.columns import find_groups
from textclf.project.init.survey import Survey
from textclf.tables.columns import Column

TEST_SIZE, VALIDATION_SIZE = 0.25, 0.15
FEW_ROWS, VALIDATION_SIZE_OF_FEW = 500, 0.2  # 15% of fewer rows would be too few to choose by
ROWS_TO_VALIDATE = 20  # mean number of rows per class below which all rows that test nothing train
FEWEST_TEXTS = 4  # distinct texts of a class, so that a quarter of them is one text
ROWS_PER_FOLD = 10  # distinct texts of a class from which all 5 folds of the training rows have one
STRENGTHS = [0.1, 1.0, 10.0]
MOST_SEARCHED = 100_000  # rows times classes up to which C is searched: a minute at most on one core
MANY_ROWS = 1_000_000  # rows from which they are split by hash and streamed
MANY_TEXTS, MOST_TERMS = 100_000, 20_000  # rows from which the vocabulary is cut, and to how many terms
CHAR_NGRAMS, UNSPACED_NGRAMS = [2, 5], [1, 3]  # of letters: the default, and where a single letter may be a word
RARE = 0.1  # share of the smaller of two classes below which a threshold of 0.5 finds few of its rows
RARE_OF_MANY = 2 * RARE  # the same of the mean size of several classes
SHOWN = 3  # rare classes and columns of groups that are named
FEWEST_POSITIVE = 10  # validation rows of the positive class by which a threshold can be chosen
MANY_CLASSES, WIDE = 20, 64  # classes beyond which a hidden layer of ten units is too narrow, and a wider one


class Training(NamedTuple):
    """How long the network trains on tables of up to so many rows."""

    rows: float
    batch_size: int
    epochs: int
    early_stopping: int


# Measured: at most a minute on one core, of which early stopping saves most.
TRAINING = (
    Training(2_000, 10, 100, 10),
    Training(20_000, 32, 50, 5),
    Training(200_000, 128, 20, 3),
    Training(math.inf, 512, 10, 2),
)


class Choice(NamedTuple):
    """A value for a setting, and why."""

    key: str
    value: Any
    reason: str


def choose_settings(survey: Survey) -> list[Choice]:
    """Return the settings for a table; raise `UserError` if a class has too few texts to be learned and tested."""
    _require_texts(survey)
    return [*_split(survey), *_representation(survey), *_models(survey), *_decisions(survey), *_gate()]


def _require_texts(survey: Survey) -> None:
    small = [name for name, texts in survey.distinct.items() if texts < FEWEST_TEXTS]
    if small:
        counts = list_names([f"{quote_name(name)} ({survey.distinct[name]})" for name in small])
        raise UserError(
            f"every class must have at least {FEWEST_TEXTS} different texts, to be learned and tested; got {counts}; "
            "give them more rows, merge them with other classes, or remove their rows"
        )


def offer_settings(survey: Survey, columns: Sequence[Column]) -> Iterator[Choice]:
    """Yield settings that may suit a table, but need somebody who knows it; `columns` are the ones not yet used."""
    if survey.slices:
        yield Choice("data.slices", list(survey.slices), "measures the test rows by columns of few values")
    for column in find_groups(columns)[:SHOWN]:
        reason = f"keeps rows of one of its {column.distinct:,} values in one split, if they depend on each other"
        yield Choice("data.group", column.name, reason)
    mean = survey.rows / len(survey.classes)
    if rare := [name for name, rows in survey.classes.items() if rows < RARE_OF_MANY * mean]:
        more = f" and {len(rare) - SHOWN} more" if len(rare) > SHOWN else ""
        names = ", ".join(map(quote_name, rare[:SHOWN])) + more
        reason = f"finds more rows of {names}, with probabilities that are not those of the data"
        yield Choice("train.logistic_regression.class_weight", "balanced", reason)


def is_validated(survey: Survey) -> bool:
    """Return whether there are validation rows: given ones, or enough rows to set some apart."""
    return "validation" in survey.given or survey.rows >= ROWS_TO_VALIDATE * len(survey.classes)


def _validation_size(survey: Survey) -> float:
    """Return the share of the validation rows, if there are some: with as many texts as classes at least."""
    if not is_validated(survey):
        return 0.0
    size = VALIDATION_SIZE if survey.rows >= FEW_ROWS else VALIDATION_SIZE_OF_FEW
    texts = sum(survey.distinct.values())
    return max(size, math.ceil(100 * len(survey.classes) / texts) / 100)


def _split(survey: Survey) -> Iterator[Choice]:
    streamed = survey.rows >= MANY_ROWS
    method = "hash" if streamed else "random"
    reason = f"{MANY_ROWS:,} rows or more are streamed" if streamed else "the rows fit into memory"
    yield Choice("split.method", method, reason)
    validation = _validation_size(survey)
    chosen = "rows that choose epoch and default model" if validation else "all other rows train"
    purposes = {"test": "rows that decide nothing", "validation": chosen}
    for name, size in (("test", TEST_SIZE), ("validation", validation)):
        unused = f"not used: {name} rows are given"
        yield Choice(f"split.{name}_size", size, unused if name in survey.given else purposes[name])
    drawn = "every split that is drawn" if survey.given else "every split"
    balance = "a hash looks at no other row" if streamed else f"{drawn} has each class in its share"
    yield Choice("split.stratify", not streamed, balance)
    together = "drawn rows" if survey.given else "rows"
    yield Choice("split.group_duplicates", True, f"{together} of the same text stay in one split")


def _representation(survey: Survey) -> Iterator[Choice]:
    letters = survey.unspaced >= SOME
    analyzer = "char" if survey.unspaced >= MOST else "word+char" if letters else "word"
    script = "runs of letters, where spaces show no words" if letters else "spaces show the words"
    yield Choice("vectorize.words.analyzer", analyzer, script)
    sizes = "a single letter may be a word" if letters else "the default"
    yield Choice("vectorize.words.char_ngram_range", UNSPACED_NGRAMS if letters else CHAR_NGRAMS, sizes)
    cut = letters or survey.rows >= MANY_TEXTS
    reason = "runs of letters are many" if letters else "a vocabulary grows with the rows" if cut else "all terms fit"
    yield Choice("vectorize.words.max_features", MOST_TERMS if cut else None, reason)


def _models(survey: Survey) -> Iterator[Choice]:
    classes = len(survey.classes)
    for kind, what in (("majority", "baseline"), ("logistic_regression", "linear model"), ("keras", "network")):
        yield Choice(f"train.{kind}.kind", kind, what)
        yield Choice(f"train.{kind}.features", "words", "the representation above")
    named = "the best on validation rows" if is_validated(survey) else "the best in cross-validation"
    yield Choice("export.model", None, f"{named} is the default model")
    affordable = survey.rows * (classes if classes > 2 else 1) <= MOST_SEARCHED
    # Without validation rows the model is cross-validated, its search included, on two thirds of the training rows.
    enough = min(survey.distinct.values()) * (1 if is_validated(survey) else 2 / 3) >= ROWS_PER_FOLD
    reason = (
        "chosen by cross-validation within the training rows"
        if affordable and enough
        else "a search would take long"
        if enough
        else "a class has too few rows for a search"
    )
    yield Choice("train.logistic_regression.C", STRENGTHS if affordable and enough else 1.0, reason)
    training = next(training for training in TRAINING if survey.rows <= training.rows)
    wide = classes > MANY_CLASSES
    yield Choice(
        "train.keras.units", [WIDE] if wide else [10], f"wider, for {classes} classes" if wide else "the lesson's"
    )
    yield Choice("train.keras.epochs", training.epochs, "at most")
    yield Choice("train.keras.batch_size", training.batch_size, f"for {survey.rows:,} rows")
    validated = is_validated(survey)
    reason = "the validation rows choose the epoch" if validated else "no validation rows choose the epoch"
    yield Choice("train.keras.early_stopping", training.early_stopping if validated else None, reason)


def _decisions(survey: Survey) -> Iterator[Choice]:
    """Yield the order of two classes of very different size, and how the threshold of the smaller one is chosen."""
    order: list[str] | None = None
    threshold: float | str = 0.5
    reason = "the more probable class"
    share = min(survey.classes.values()) / survey.rows
    if len(survey.classes) == 2 and share < RARE:
        order = sorted(survey.classes, key=lambda name: -survey.classes[name])
        if share * _validation_size(survey) * survey.rows >= FEWEST_POSITIVE:
            threshold, reason = "f1", f"{share:.1%} of the rows are {quote_name(order[1])}; 0.5 would miss most of them"
        else:
            reason = f"too few rows of {quote_name(order[1])} to choose another by"
    named = "sorted" if order is None else f"{quote_name(order[1])}, the rare one, is the positive class"
    yield Choice("data.classes", order, named)
    yield Choice("evaluate.threshold", threshold, reason)
    yield Choice("evaluate.calibration", "none", "probabilities as trained")
    yield Choice("evaluate.coverage", None, "no prediction sets")


def _gate() -> Iterator[Choice]:
    for name in ("minimum", "maximum_drop", "slices"):
        yield Choice(f"gate.{name}", {}, "limits of other rows; set your own after the first run")
