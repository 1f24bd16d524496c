"""The representations and models of `textclf init --preset`."""

import math
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any, NamedTuple

from textclf.core.errors import UserError
from textclf.core.extras import EXTRAS, how_to_install
from textclf.core.quoting import list_names
from textclf.core.writing_systems import MOST, SOME
from textclf.models.logistic_regression import IN_MEMORY
from textclf.models.transformer import CONTRASTIVE
from textclf.pretrained.catalogue import LARGE, encoder_for
from textclf.project.init.expected import SEARCH, fine_tuning_seconds, fit_seconds
from textclf.project.init.survey import FEW_PER_CLASS, Survey

PRESETS = {
    "fast": "tf-idf of words, logistic regression",
    "good": "tf-idf of words and letters, sentence vectors, and both together",
    "best": "good, a fine-tuned transformer, the average of it and of both together",
}
# Values of C to choose from, and the one without a choice, by what the model reads; with few rows
# per class, larger ones. Chosen by cross-validation within the training rows of eight corpora.
STRENGTHS = {
    "words": ([3.0, 10.0, 30.0], 30.0),
    "letters": ([3.0, 10.0, 30.0], 10.0),
    "sentences": ([1.0, 10.0, 100.0], 10.0),
    "both": ([3.0, 10.0, 30.0], 10.0),
}
OF_FEW = ([3.0, 30.0, 300.0], 100.0)
# Contrastive tuning: steps in all, rows of a step, least and most passes over the rows.
TUNED_STEPS = 40
TUNED_ROWS = 64
TUNED_EPOCHS = (3, 20)
# Core seconds of a fit up to which the preset `good` has contrastive tuning: some 400 rows. The
# folds of a cross-validation take five times as long.
TUNED_SECONDS = 120.0
# Seconds up to which C is chosen from several values.
SEARCHED = 60.0
# Seconds of a fit from which terms of a single row are dropped.
SLOW = 20.0
# Rows from which each analyzer has at most so many terms.
MANY_TEXTS = 100_000
MOST_TERMS = 20_000
# Lengths of n-grams of letters: within words, and where a single letter may be a word.
CHAR_NGRAMS = [3, 5]
UNSPACED_NGRAMS = [1, 3]
# Words of the longest texts that an encoder reads in one window.
LONG = 200


class Choice(NamedTuple):
    """A value for a setting, and why."""

    key: str
    value: Any
    reason: str


class Models(NamedTuple):
    """The sections vectorize, combine, train and average, and why some settings are as they are."""

    sections: dict[str, dict[str, Any]]
    reasons: list[Choice]

    @property
    def candidates(self) -> list[str]:
        """The models of which one will be the default."""
        return [
            *(name for name in self.sections["train"] if name != "majority"),
            *self.sections["average"],
        ]


def choose_models(preset: str, survey: Survey) -> Models:
    """Return a preset's representations and models for a table; `UserError` without a package."""
    if preset == "best" and survey.language == "English":
        _require_transformer()
    reasons: list[Choice] = []
    words = _terms(preset, survey, reasons)
    is_searched = preset != "fast" and _is_searched(survey, words, reasons)

    def regression(features: str, read: str) -> dict[str, Any]:
        values, value = OF_FEW if survey.has_few else STRENGTHS[read]
        strength = values if is_searched else value
        return {"kind": "logistic_regression", "features": features, "C": strength, "max_iter": 300}

    vectorize, combine, average = {"words": words}, {}, {}
    read = "letters" if "char" in words["analyzer"] else "words"
    train = {
        "majority": {"kind": "majority", "features": "words"},
        "logistic_regression": regression("words", read),
    }
    if preset != "fast":
        encoder = encoder_for(survey.language, preset == "best")
        vectorize["sentences"] = {"method": "encoder", "pretrained": encoder}
        if survey.longest > LONG and survey.unit == "words":
            vectorize["sentences"]["window"] = "mean"
            reasons.append(
                Choice(
                    "vectorize.sentences.window", "mean", f"some texts have more than {LONG} words"
                )
            )
        combine["words_and_sentences"] = {"first": "words", "second": "sentences"}
        train["sentence_vectors"] = regression("sentences", "sentences")
        train["combined"] = regression("words_and_sentences", "both")
    if preset == "best" and survey.language == "English":
        vectorize["pieces"] = {"method": "wordpieces"}
        train["transformer"] = {"kind": "transformer", "features": "pieces"}
        average["average"] = {"first": "combined", "second": "transformer"}
    if _is_tuned(preset, survey):
        tuned = tuned_settings(survey.untested)
        if preset == "best":
            vectorize["larger_pieces"] = {"method": "wordpieces", "pretrained": LARGE}
            tuned |= {"features": "larger_pieces", "pretrained": LARGE}
        else:
            vectorize["pieces"] = {"method": "wordpieces"}
        train["contrastive"] = tuned
        reason = f"fewer than {FEW_PER_CLASS} rows per class: docs/presets.md"
        reasons.append(Choice("train.contrastive.objective", CONTRASTIVE, reason))
    sections = {"vectorize": vectorize, "combine": combine, "train": train, "average": average}
    return Models(sections, reasons)


def tuned_settings(rows: int) -> dict[str, Any]:
    """Return the settings of a transformer that so many training rows tune contrastively."""
    least, most = TUNED_EPOCHS
    epochs = min(max(least, math.ceil(TUNED_STEPS / math.ceil(rows / TUNED_ROWS))), most)
    return {
        "kind": "transformer",
        "features": "pieces",
        "objective": CONTRASTIVE,
        "batch_size": TUNED_ROWS,
        "epochs": epochs,
    }


def _is_tuned(preset: str, survey: Survey) -> bool:
    """Return whether a transformer is tuned on few rows.

    In the preset `good` it is if its packages are installed and a fit is not long.
    """
    if preset == "fast" or not _gains_by_tuning(survey):
        return False
    cost = fine_tuning_seconds(tuned_settings(survey.untested), survey, 1)
    return preset == "best" or (cost <= TUNED_SECONDS and not _missing())


def _gains_by_tuning(survey: Survey) -> bool:
    return survey.has_few and survey.language == "English" and survey.sets is None


def _missing() -> list[str]:
    """Return the packages that a transformer needs and that are not installed."""
    return [name for name in EXTRAS["pretrained"] if find_spec(name) is None]


def _require_transformer() -> None:
    if missing := _missing():
        raise UserError(
            f"--preset best needs {list_names(missing)}; {how_to_install('pretrained')}, "
            "or choose --preset good"
        )


def left_out(preset: str, survey: Survey) -> Iterator[str]:
    """Yield a line for each part of the preset that this table leaves out."""
    if preset == "best" and survey.language != "English":
        spoken = survey.language or "not known; about.language can name it"
        yield (
            "left out: the transformer and the average; its weights are for English, "
            f"the language is {spoken}"
        )
    if preset == "good" and _gains_by_tuning(survey) and not _is_tuned(preset, survey):
        how = "it takes long with these rows; --preset best has it"
        if missing := _missing():
            how = f"it needs {list_names(missing)}: {how_to_install('pretrained')}"
        yield f"left out: contrastive tuning, which gains a few points with few rows; {how}"


def _terms(preset: str, survey: Survey, reasons: list[Choice]) -> dict[str, Any]:
    """Return the settings of the words and letters."""
    letters = survey.unspaced >= SOME
    analyzer = "word" if preset == "fast" else "word+char_wb"
    if letters:
        analyzer = "char" if survey.unspaced >= MOST else "word+char"
        reasons.append(
            Choice("vectorize.words.analyzer", analyzer, "spaces show no words in these texts")
        )
    ranges: dict[str, Any] = {} if analyzer == "char" else {"ngram_range": [1, 2]}
    if "char" in analyzer:
        ranges["char_ngram_range"] = UNSPACED_NGRAMS if letters else CHAR_NGRAMS
    cut = survey.untested >= MANY_TEXTS
    if cut:
        reasons.append(
            Choice("vectorize.words.max_features", MOST_TERMS, "a vocabulary grows with the rows")
        )
    terms = {
        "method": "terms",
        "analyzer": analyzer,
        "weighting": "tfidf",
        "sublinear_tf": True,
        **ranges,
        "min_df": 1,
        "max_features": MOST_TERMS if cut else None,
    }
    if fit_seconds(terms, survey) > SLOW:
        terms["min_df"] = 2
        reasons.append(
            Choice("vectorize.words.min_df", 2, "a fit would take long with terms of a single row")
        )
    return terms


def _is_searched(survey: Survey, words: dict[str, Any], reasons: list[Choice]) -> bool:
    """Return whether C is chosen: this is affordable, and memory holds the rows."""
    affordable = SEARCH * fit_seconds(words, survey) <= SEARCHED and survey.untested <= IN_MEMORY
    if not affordable:
        reasons.append(Choice("train.*.C", "one value each", "a choice would take long"))
    return affordable
