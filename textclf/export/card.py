"""What is known of a run in plain words: where its rows are from, how it measured, and the card of a model."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import PurePath
from statistics import NormalDist
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from textclf.core.files import SPLITS
from textclf.core.formatting import counted, level, listed, percent, readable, rows_of
from textclf.fetch import catalogue
from textclf.params import Data, Evaluate, Export, Fetch, Split, Train, Vectorize

TEMPLATES = resources.files("textclf") / "templates"
CARD = "card.md.j2"
YOURS = "yours to state"  # of what only the owner of the rows can know
FEW = 20  # test rows of a class, below which its own numbers mean little
UNBALANCED = 3  # times as many rows in one class as in another
LARGE_ENOUGH = 0.02  # half an interval of accuracy that a reader may take for a point
NAME_LIMIT = 60  # characters that are shown of a class's name
# Characters that have no picture, or that move those around them: said by their number instead. Of those without a
# picture, joiners (U+200C, U+200D) and selectors of variants are part of how people write.
UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)
MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~&$!]|(?<=w)\.|(?<=:)/|@)")
UNITS = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "f1": "F1",
    "precision": "precision",
    "recall": "recall",
    "roc_auc": "ROC AUC",
    "mcc": "MCC",
    "log_loss": "log loss (nats)",
    "brier": "Brier score",
    "ece": "calibration error",
}
KINDS = {
    "majority": "the share of each class among the training rows, whatever the text says",
    "naive_bayes": "multinomial naive Bayes",
    "logistic_regression": "logistic regression",
    "linear_svm": "a linear support vector machine with calibrated scores",
    "nb_svm": "a support vector machine on naive Bayes features (Wang and Manning, 2012), with calibrated scores",
    "keras": "a feed-forward network trained with Keras",
}


@dataclass(frozen=True)
class Settings:
    """The sections of params that say how a run was made."""

    fetch: Fetch
    data: Data
    split: Split
    vectorize: Vectorize
    train: Train
    evaluate: Evaluate
    export: Export


@dataclass(frozen=True)
class Source:
    """One raw file: its path, its checksum, and what is known of its rights. `corpus` names a built-in one."""

    path: str
    sha256: str
    corpus: str | None = None
    licence: str = YOURS
    citation: str = YOURS


# Words and numbers


def visible(text: str) -> str:
    """The text with a mark such as ⟨U+202E⟩ for each character that could not be seen, or would reorder others."""
    return UNSEEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text)


def labels(names: Sequence[str], limit: int = NAME_LIMIT) -> dict[str, str]:
    """Each class's name as it is shown: visible, on one line, not too long, and different from all others."""
    shown: dict[str, str] = {}
    for name in names:
        text = visible(" ".join(name.replace("\n", " ⏎ ").split())) or "(blank)"
        short = text if len(text) <= limit else f"{text[: limit - 1]}…"
        number = 2
        label = short
        while label in shown.values():
            label = f"{short[: limit - 5]} ({number})"
            number += 1
        shown[name] = label
    return shown


def markdown(text: str) -> Markup:
    """The text on one line with what Markdown would take for its own escaped."""
    return Markup(MARKDOWN.sub(r"\\\1", " ".join(visible(text).split())))  # noqa: S704 (it is escaped)


# The rows


def sources(checksums: Mapping[str, str], path: str) -> list[Source]:
    """Where the rows are from: the raw files below `path` by their checksums, as `provenance.checksums` has them.

    What the catalogue knows by its checksum brings its licence and citation along; of other files these are the
    user's to state.
    """
    known = {corpus.sha256: (name, corpus) for name, corpus in catalogue.CORPORA.items()}
    found = []
    single = list(checksums) == [PurePath(path).name]
    for name, digest in checksums.items():
        where = path if single else f"{path.rstrip('/')}/{name}"
        if digest in known:
            corpus, entry = known[digest]
            found.append(Source(where, digest, corpus, entry.licence, entry.citation))
        else:
            found.append(Source(where, digest))
    return found


def rights(found: Sequence[Source]) -> dict[str, str]:
    """`licence`, `citation`, `language` and `origin` of all the files together."""
    own = any(source.corpus is None for source in found) or not found
    names = [source.corpus for source in found if source.corpus]
    published = "Sentiment Labelled Sentences (UCI Machine Learning Repository)"
    return {
        "licence": listed(list(dict.fromkeys(source.licence for source in found))) or YOURS,
        "citation": " ".join(dict.fromkeys(source.citation for source in found)) or YOURS,
        "language": YOURS if own else "English",
        "origin": "your own file" if own else f"{listed(names)}: {published}",
    }


def counts(report: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """The rows of each class by split, in the order in which splits are used, from the report of the split stage."""
    return {split: dict(report[split]["classes"]) for split in SPLITS if split in report}


# How it was measured


def protocol(settings: Settings, report: Mapping[str, Any], classes: Sequence[str], models: Sequence[str]) -> list[str]:
    """How these models were made and measured, a sentence or two each."""
    split, evaluate, train = settings.split, settings.evaluate, settings.train
    sizes = {name: sum(found.values()) for name, found in counts(report).items()}
    names = labels(classes)
    parts = [f"{counted(sizes['train'], 'row')} to train on"]
    parts += [f"{sizes['validation']:,} to make choices with"] if "validation" in sizes else []
    parts += [f"{sizes['test']:,} to test on"]
    by_hash = f"each by a hash of its {'text' if settings.data.group is None else 'group'}"
    drawn = f"{'drawn at random' if split.method == 'random' else by_hash} (seed {split.seed})"
    drawn += ", with the same balance of classes in each split" if split.stratify else ""
    if settings.data.group is not None:
        drawn += f", all rows of one {visible(settings.data.group)} in one split"
    said = [f"{listed(parts)}, {drawn}."]
    if split.group_duplicates:
        said.append("Rows of the same text, but for case and spaces, were kept in one split.")
    said.append("The vocabulary and all weights come from the training rows alone.")
    if "keras" in models:
        stop = train.keras.early_stopping
        epochs = counted(train.keras.epochs, "epoch")
        said.append(
            f"The network trained for all of its {epochs}."
            if stop is None
            else f"The network trained for {epochs} at most, or until {counted(stop, 'epoch')} brought no lower loss "
            "on the validation rows, and took the epoch where that was lowest."
        )
    if "logistic_regression" in models and isinstance(train.logistic_regression.C, tuple):
        tried = listed([f"{value:g}" for value in train.logistic_regression.C])
        said.append(
            f"The C of logistic regression was chosen from {tried} by cross-validation within the training rows."
        )
    if evaluate.calibration == "none":
        said.append("Probabilities are as the models give them, not calibrated afterwards.")
    else:
        method = {"platt": "Platt's scaling", "temperature": "a temperature"}[evaluate.calibration]
        said.append(f"Probabilities were calibrated by {method}, fitted on the validation rows.")
    if len(names) > 2:
        said.append("A text is given the class of the highest probability.")
    else:
        positive = f"A text is taken for class {names[classes[-1]]} where its probability is above "
        if isinstance(evaluate.threshold, float):
            said.append(f"{positive}{evaluate.threshold:g}.")
        else:
            aim = {"accuracy": "the highest accuracy", "f1": "the highest F1"}.get(
                evaluate.threshold, f"a precision of at least {percent(evaluate.target_precision)}"
            )
            said.append(f"{positive}a threshold that was chosen, for each model, for {aim} on the validation rows.")
    said.append(
        f"Intervals are {level(evaluate.confidence)} intervals: Wilson's of accuracy and recall, else the percentiles "
        f"of {evaluate.resamples:,} bootstrap resamples. They say how far a number would move with other test rows of "
        "the same kind, not with another training or another kind of text."
    )
    return said


def caveats(
    settings: Settings, report: Mapping[str, Any], classes: Sequence[str], watching: Sequence[str]
) -> list[str]:
    """What a reader must know before the numbers are believed, the gravest first; a sentence or two each.

    `watching` are the models that drew a history on the split they watched: the test rows, where there are no
    others.
    """
    rows = counts(report)
    test = rows["test"]
    n = sum(test.values())
    names = labels(classes)
    said = []
    if "validation" not in rows:
        watched = (
            f"While it trained, {listed([readable(name) for name in watching])} watched the test rows, as in the "
            "lesson: their curve is drawn and was used for nothing. "
            if watching
            else ""
        )
        said.append(
            f"There are no validation rows. {watched}A setting that is chosen by looking at these test numbers makes "
            "them too good to be true; set split.validation_size before you choose."
        )
    half = NormalDist().inv_cdf((1 + settings.evaluate.confidence) / 2) * math.sqrt(0.25 / n)
    if half > LARGE_ENOUGH:
        said.append(
            f"{counted(n, 'test row')} {'is' if n == 1 else 'are'} few: an accuracy is known to about "
            f"±{100 * min(half, 1):.0f} points at worst, and smaller differences between models are hard to tell "
            "from luck."
        )
    leaks = [(*pair.split("_in_"), count) for pair, count in report["leaks"]["normalised"].items() if count]
    if leaks:
        found = [f"that of {counted(count, f'{one} row')} among the {rows_of(other)}" for one, other, count in leaks]
        said.append(
            f"The same text, but for case and spaces, stands in two splits: {listed(found)}. A model can have learned "
            "it by heart; split.group_duplicates keeps such rows together."
        )
    if conflicts := report["label_conflicts"]["normalised"]:
        said.append(
            f"{counted(conflicts, 'text')} {'stands' if conflicts == 1 else 'stand'} under more than one class, "
            "so that no model can be right every time."
        )
    if dropped := report.get("dropped", {}).get("rows", 0):
        said.append(f"{counted(dropped, 'row')} without a text or a label {_was(dropped)} left out.")
    totals = {name: sum(found.get(name, 0) for found in rows.values()) for name in classes}
    largest, smallest = max(totals, key=lambda name: totals[name]), min(totals, key=lambda name: totals[name])
    if totals[largest] > UNBALANCED * totals[smallest]:
        said.append(
            f"The classes are of unequal size, from {totals[smallest]:,} rows ({names[smallest]}) to "
            f"{totals[largest]:,} ({names[largest]}): accuracy is mostly that of the large ones."
        )
    if rare := [name for name in classes if test.get(name, 0) < FEW]:
        which = f"class {names[rare[0]]} has" if len(rare) == 1 else f"{len(rare)} of {len(names)} classes have"
        said.append(f"{which[0].upper()}{which[1:]} fewer than {FEW} test rows; numbers of such a class mean little.")
    return said


def fine(report: Mapping[str, Any]) -> list[str]:
    """What was looked for and not found."""
    said = []
    if not any(report["leaks"]["normalised"].values()):
        said.append("No text stands in two splits.")
    if not any(report["duplicates"]["normalised"].values()):
        said.append("No text stands twice in a split.")
    return said


def _was(number: int) -> str:
    return "was" if number == 1 else "were"


def representation(settings: Vectorize, features: int) -> str:
    """How a text becomes a vector, in words."""
    words = {
        "word": "words",
        "char": "letters",
        "char_wb": "letters within words",
        "word+char": "words and letters",
        "word+char_wb": "words, and letters within words",
    }[settings.analyzer]
    ranges = []
    if "word" in settings.analyzer:
        ranges.append(("words", settings.ngram_range))
    if "char" in settings.analyzer:
        ranges.append(("letters", settings.char_ngram_range))
    runs = [f"runs of {low} to {high} {unit}" for unit, (low, high) in ranges if high > 1 and low < high]
    runs += [f"runs of {low} {unit}" for unit, (low, high) in ranges if low == high > 1]
    weighting = {"counts": "counts", "binary": "presence", "tfidf": "tf-idf"}[settings.weighting]
    columns = "hashed columns" if settings.hashing else "terms of the training rows"
    return f"{weighting} of {words}{f' ({listed(runs)})' if runs else ''}, {features:,} {columns}"


def interval(low: float, high: float, as_percent: bool) -> str:
    """Both ends of an interval."""
    return f"{percent(low)} to {percent(high)}" if as_percent else f"{low:.3f} to {high:.3f}"


# The card


def card(
    name: str,
    settings: Settings,
    classes: Sequence[str],
    measured: Mapping[str, Mapping[str, float]],
    intervals: Mapping[str, Mapping[str, Mapping[str, float]]],
    decision: Mapping[str, Any],
    training: Mapping[str, Any],
    report: Mapping[str, Any],
    shapes: Mapping[str, Mapping[str, int]],
    raw: Sequence[Source],
    watched: bool = False,
) -> str:
    """The card of a model in Markdown, with the sections of Mitchell et al. (2019), doi:10.1145/3287560.3287596.

    `classes` in order; `measured`, `intervals`, `decision` and `training` are the model's own parts of the files of
    metrics; `report` is that of the split stage, `shapes` that of vectorize; `raw` as of `sources`. `watched` says
    whether the model drew a history while it trained. A card of the same inputs has the same bytes.
    """
    environment = Environment(
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 (it is no HTML: `finalize` escapes for Markdown)
        finalize=lambda value: value if isinstance(value, Markup | int) else markdown(str(value)),
    )
    names = labels(classes)
    rows = counts(report)
    used = [split for split in SPLITS if split in measured]
    table = []
    for key, title in UNITS.items():
        if any(key in measured[split] for split in used):
            cells = []
            for split in used:
                value, ends = measured[split].get(key), intervals.get(split, {}).get(key)
                text = "" if value is None else f"{value:.3f}"
                cells.append(f"{text} ({ends['low']:.3f} to {ends['high']:.3f})" if ends and text else text)
            table.append((title, cells))
    template = environment.from_string((TEMPLATES / CARD).read_text(encoding="utf-8"))
    return template.render(
        name=readable(name),
        folder=Markup(name),  # noqa: S704 (one of params.Model; in code Markdown escapes nothing)
        kind=KINDS.get(name, readable(name)),
        classes=[names[label] for label in classes],
        positive=names[classes[-1]] if len(classes) == 2 else None,
        representation=representation(settings.vectorize, shapes["train"]["features"]),
        training=[(readable(key), _shown(value)) for key, value in sorted(training.items())],
        hyperparameters=[(key, _shown(value)) for key, value in getattr(settings.train, name).model_dump().items()],
        splits=used,
        rows={names[label]: [rows[split].get(label, 0) for split in used] for label in classes},
        totals=[sum(rows[split].values()) for split in used],
        table=table,
        accuracy=percent(measured["test"]["accuracy"]),
        ends=interval(**intervals["test"]["accuracy"], as_percent=True),
        confidence=level(settings.evaluate.confidence),
        threshold=_shown(decision["threshold"]) if "threshold" in decision else None,
        scaling=[(key, _shown(value)) for key, value in sorted(decision.items()) if isinstance(value, float)],
        protocol=protocol(settings, report, classes, [name]),
        caveats=caveats(settings, report, classes, [name] if watched else []),
        raw=raw,
        rights=rights(raw),
        yours=YOURS,
    )


def _shown(value: object) -> str:
    """A setting or a record as a reader would write it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_shown, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_shown(part)}' for key, part in value.items())}}}"
    return visible(str(value))
