"""The projects that are looked at from outside: a row for each kind of table and option.

A new option adds its row here. The tables are made from a seed: texts of common words, some of
which are those of their class, so that models are better than the floor but not always right.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

TABLE = "table.csv"
COMMON_WORDS = 400  # that texts of all classes have
CLASS_WORDS = 30  # of each class alone
LENGTHS = (6, 16)  # fewest and most words of a text
SEPARATOR = "|"  # between the labels of a text

Make = Callable[[], pd.DataFrame]


@dataclass(frozen=True)
class Project:
    """A table, the words of `textclf init` beside --data, and changes of params.yaml.

    `settings` are values by dotted key; None takes the key away. `unknown` is the label of texts
    that belong to no class. `weights` says that the run downloads pretrained weights.
    """

    table: Make
    init: str = "--preset fast"
    settings: Mapping[str, object] = field(default_factory=dict)
    multilabel: bool = False
    unknown: str | None = None
    weights: bool = False
    every_commit: bool = False

    @property
    def costs(self) -> Mapping[str, object]:
        """The value of evaluate.costs."""
        costs = self.settings.get("evaluate.costs", {})
        assert isinstance(costs, Mapping)
        return costs


def texts(
    words_of: Sequence[Sequence[str]], signal: float, generator: np.random.Generator
) -> Iterator[str]:
    """Yield a text for each row; `signal` is the share of words that tell a class.

    `words_of` has the names of the classes of each row, none if it belongs to none.
    """
    for names in words_of:
        words = [
            f"common{word}"
            for word in generator.zipf(1.5, generator.integers(*LENGTHS)) % COMMON_WORDS
        ]
        for place in range(len(words)):
            if names and generator.random() < signal:
                words[place] = f"{generator.choice(names)}{generator.integers(CLASS_WORDS)}"
        yield " ".join(words)


def one_label(
    counts: Mapping[str, int], signal: float = 0.25, wrong: float = 0.05, seed: int = 0
) -> pd.DataFrame:
    """Return rows with so many of each class; `wrong` is the share of texts of another."""
    generator = np.random.default_rng(seed)
    labels = generator.permutation(np.repeat([*counts], [*counts.values()]))
    strays = generator.random(len(labels)) < wrong
    shown = np.where(strays, generator.permutation(labels), labels)
    rows = {"ticket": [f"T{number:05}" for number in range(len(labels))]}
    made = [*texts([[name] for name in shown], signal, generator)]
    return pd.DataFrame({**rows, "text": made, "label": labels})


def several_labels(
    shares: Mapping[str, float], count: int, empty: float, signal: float = 0.25, seed: int = 0
) -> pd.DataFrame:
    """Return rows with several labels each; so large a share of the rows has none."""
    generator = np.random.default_rng(seed)
    has = generator.random((count, len(shares))) < [*shares.values()]
    has[has.sum(axis=1) == 0, 0] = True
    has[generator.random(count) < empty] = False
    names = [[name for name, own in zip(shares, row, strict=True) if own] for row in has]
    return pd.DataFrame(
        {
            "ticket": [f"T{number:05}" for number in range(count)],
            "text": [*texts(names, signal, generator)],
            "topics": [SEPARATOR.join(row) for row in names],
        }
    )


def by_rank(classes: int, rows: int, least: int) -> dict[str, int]:
    """Return falling numbers of rows per class, about `rows` in all and at least `least`."""
    shares = 1 / np.arange(1, classes + 1)
    counts = np.maximum(least, (rows * shares / shares.sum()).astype(int))
    return {f"intent{place:02}": int(number) for place, number in enumerate(counts)}


def of_groups() -> pd.DataFrame:
    """Return rows of authors of 1 to 30 texts, mostly of one class and with own words."""
    generator = np.random.default_rng(5)
    frames = []
    for author in range(90):
        mostly = ["praise", "blame"][author % 2]
        labels = np.where(generator.random(generator.integers(1, 31)) < 0.8, mostly, "question")
        names = [[label, f"author{author:02}"] for label in labels]
        frame = pd.DataFrame({"author": f"author{author:02}", "label": labels})
        frames.append(frame.assign(text=[*texts(names, 0.3, generator)]))
    rows = pd.concat(frames, ignore_index=True)
    return rows.assign(ticket=[f"T{number:05}" for number in range(len(rows))])


def over_time() -> pd.DataFrame:
    """Return rows of 300 days, in the course of which one class becomes rarer."""
    generator = np.random.default_rng(6)
    days = np.sort(generator.integers(0, 300, 900))
    labels = np.where(generator.random(900) < 0.5 - days / 1000, "defect", "order")
    made = [*texts([[label] for label in labels], 0.15, generator)]
    dates = pd.Timestamp("2024-01-01") + pd.to_timedelta(days, unit="D")
    rows = pd.DataFrame({"day": dates.strftime("%Y-%m-%d"), "text": made, "label": labels})
    rows = rows.assign(ticket=[f"T{number:05}" for number in range(len(rows))])
    return rows.sample(frac=1, random_state=6, ignore_index=True)


def with_splits() -> pd.DataFrame:
    """Return rows whose column `fold` gives the splits; the test rows have other class shares."""
    rows = one_label({"first": 420, "second": 300, "third": 180}, seed=7)
    chance = np.where(rows["label"] == "third", 0.5, 0.2)
    drawn = np.random.default_rng(7).random(len(rows))
    fold = np.where(drawn < chance, "test", np.where(drawn > 0.88, "validation", "train"))
    return rows.assign(fold=fold)


def with_columns() -> pd.DataFrame:
    """Return rows with a number, a category and a date that tell as much as the text."""
    rows = one_label({"refund": 300, "praise": 450}, signal=0.08, seed=8)
    generator = np.random.default_rng(8)
    refund = (rows["label"] == "refund").to_numpy()
    price = (20 + 8 * refund + generator.normal(0, 10, len(rows))).round(2)
    shop = np.where(generator.random(len(rows)) < 0.6, np.where(refund, "north", "south"), "west")
    day = np.where(refund, 0, 2) + generator.integers(0, 5, len(rows))
    dates = pd.Timestamp("2024-01-01") + pd.to_timedelta(
        day + 7 * generator.integers(0, 40, len(rows)), unit="D"
    )
    return rows.assign(price=price, shop=shop, day=dates.strftime("%Y-%m-%d"))


RARE = {"no": 908, "yes": 52}
THIRD = {"no": 600, "yes": 300}
TOPICS = {"billing": 0.5, "shipping": 0.4, "login": 0.3, "refund": 0.15, "other": 0.08}
OUTSIDE = {"oos": 160, "balance": 280, "transfer": 240, "card": 170}
VALIDATED = {"split.validation_size": 0.2, "export.refit": False}
WORDS = {"kind": "logistic_regression", "features": "words", "C": 10.0}


def mostly_empty() -> pd.DataFrame:
    """Return rows with several labels, of which 59% have none."""
    return several_labels(TOPICS, 1000, 0.59, signal=0.12)


def outside() -> pd.DataFrame:
    """Return rows of three classes, and of texts that belong to none of them."""
    return one_label(OUTSIDE, signal=0.18, seed=3)


def many_classes() -> pd.DataFrame:
    """Return rows of 77 classes, twelve of which have too few for training and test rows."""
    rare = {f"rare{place:02}": 1 + place % 2 for place in range(12)}
    return one_label(by_rank(65, 1400, 4) | rare, signal=0.4, seed=3)


def third() -> pd.DataFrame:
    """Return rows of two classes, a third of them of the positive one."""
    return one_label(THIRD, signal=0.15, wrong=0.1, seed=4)


def english() -> pd.DataFrame:
    """Return these rows with words around them by which they are taken for English."""
    rows = third()
    return rows.assign(text="They have written this to us about what they want: " + rows["text"])


def all_kinds() -> dict[str, object]:
    """Return the settings that train every kind of model that is quick on words."""
    kinds = ("naive_bayes", "linear_svm", "nb_svm")
    return {f"train.{kind}": {"kind": kind, "features": "words"} for kind in kinds} | {
        "export.model": None
    }


PROJECTS: dict[str, Project] = {
    "6% of one class": Project(lambda: one_label(RARE, seed=1), every_commit=True),
    "several labels, most rows empty": Project(
        mostly_empty, "--preset fast --label topics", multilabel=True, every_commit=True
    ),
    "none of these": Project(
        outside, "--preset fast --unknown oos", unknown="oos", every_commit=True
    ),
    "balanced": Project(lambda: one_label({"bad": 350, "good": 350}), settings=all_kinds()),
    "1% of one class": Project(
        lambda: one_label({"no": 1485, "yes": 15}, signal=0.3, wrong=0, seed=2)
    ),
    "no signal": Project(lambda: one_label({"no": 700, "yes": 100}, signal=0)),
    "no signal, 6% of one class": Project(lambda: one_label(RARE, signal=0)),
    "20 classes": Project(lambda: one_label(by_rank(20, 1200, 15), seed=3)),
    "77 classes, some rare": Project(many_classes),
    "77 classes, merged": Project(many_classes, settings={"data.rare": "merge"}),
    "several labels, F1": Project(
        mostly_empty,
        "--preset fast --label topics",
        {"evaluate.threshold": "f1", "evaluate.calibration": "platt"},
        multilabel=True,
    ),
    "several labels, precision": Project(
        lambda: several_labels(TOPICS, 1200, 0.2),
        "--preset fast --label topics",
        {"evaluate.threshold": "precision", "evaluate.target_precision": 0.7, **VALIDATED},
        multilabel=True,
    ),
    "several labels, even threshold": Project(
        lambda: several_labels(TOPICS, 1000, 0.3),
        "--preset fast --label topics",
        {"evaluate.threshold": 0.5, "evaluate.calibration": "temperature"},
        multilabel=True,
    ),
    "several labels, coverage": Project(
        mostly_empty,
        "--preset fast --label topics",
        {"evaluate.coverage": 0.9, **VALIDATED},
        multilabel=True,
    ),
    "none of these, validated": Project(
        outside,
        "--preset fast --unknown oos",
        {"evaluate.unknown_score": "energy", **VALIDATED},
        unknown="oos",
    ),
    "none of these as a class": Project(
        outside, "--preset fast --unknown oos", {"data.train_unknown": True}, unknown="oos"
    ),
    "none of these, F1": Project(
        lambda: one_label({"oos": 100, "no": 800, "yes": 60}, signal=0.2, seed=9),
        "--preset fast --unknown oos",
        {"data.classes": ["no", "yes"], "evaluate.threshold": "f1"},
        unknown="oos",
    ),
    "costs": Project(
        third, settings={"evaluate.costs": {"yes": {"no": 8}}, "evaluate.calibration": "platt"}
    ),
    "costs, abstention": Project(
        third,
        settings={
            "evaluate.costs": {"yes": {"no": 3}, "abstain": 0.4},
            "evaluate.calibration": "temperature",
        },
    ),
    "costs, abstention is the floor": Project(
        third, settings={"evaluate.costs": {"yes": {"no": 5}, "no": {"yes": 5}, "abstain": 0.3}}
    ),
    "coverage": Project(
        lambda: one_label({"north": 400, "south": 300, "west": 200}, signal=0.15),
        settings={"evaluate.coverage": 0.9, **VALIDATED},
    ),
    "coverage, F1": Project(
        third, settings={"evaluate.coverage": 0.8, "evaluate.threshold": "f1", **VALIDATED}
    ),
    "groups": Project(of_groups, "--preset fast --group author --label label"),
    "groups, precision": Project(
        lambda: of_groups().assign(
            label=lambda rows: rows["label"].where(rows["label"] == "praise", "other")
        ),
        "--preset fast --group author --label label",
        {
            "data.classes": ["other", "praise"],
            "evaluate.threshold": "precision",
            "evaluate.target_precision": 0.6,
        },
    ),
    "time": Project(over_time, "--preset fast --time day --label label"),
    "time, F1": Project(
        over_time,
        "--preset fast --time day --label label",
        {"evaluate.threshold": "f1", **VALIDATED},
    ),
    "given splits": Project(
        with_splits, "--preset fast --split fold --label label", {"export.refit": False}
    ),
    "columns beside the text": Project(
        with_columns,
        "--preset fast --label label",
        {
            "data.columns": ["price", "shop", "day"],
            "vectorize.facts": {
                "method": "columns",
                "numbers": ["price"],
                "categories": ["shop"],
                "dates": ["day"],
            },
            "combine": {"both": {"first": "words", "second": "facts"}},
            "train.all": {"kind": "logistic_regression", "features": "both", "C": 1.0},
            "export.model": "all",
        },
    ),
    "threshold F1, Platt": Project(
        third, settings={"evaluate.threshold": "f1", "evaluate.calibration": "platt", **all_kinds()}
    ),
    "threshold F1, validated": Project(
        third,
        settings={"evaluate.threshold": "f1", "evaluate.calibration": "temperature", **VALIDATED},
    ),
    "threshold precision": Project(
        third, settings={"evaluate.threshold": "precision", "evaluate.target_precision": 0.7}
    ),
    "threshold accuracy, Platt": Project(
        third,
        settings={"evaluate.threshold": "accuracy", "evaluate.calibration": "platt", **VALIDATED},
    ),
    "preset good, words alone": Project(
        third,
        "--preset good",
        {
            "vectorize.sentences": None,
            "combine": None,
            "train.sentence_vectors": None,
            "train.combined": None,
        },
    ),
    "preset good": Project(english, "--preset good", {"export.refit": False}, weights=True),
    "preset best": Project(english, "--preset best", {"export.refit": False}, weights=True),
}
