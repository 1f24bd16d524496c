"""A run measured again by scikit-learn, from the user's table and what `textclf predict` prints.

This module shares no code with textclf. Each check returns a line for each number that is wrong.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn import metrics as sk
from sklearn.dummy import DummyClassifier

from tests.outside import pages
from tests.outside.pages import (
    ANSWERED,
    BELONG,
    COVERED,
    FLOOR,
    GUESSING,
    MISTAKES,
    NO_CLASS,
    OF_ANSWERS,
    RIGHT,
    ROWS,
    UNANSWERED,
    WITHIN,
    Said,
    half_a_digit,
    of_class,
    value_of,
)
from tests.outside.projects import SEPARATOR
from tests.outside.runs import Run

NOTHING = "(no answer)"  # in place of a label, where predict gives none
MERGED = "other"  # the class that data.rare: merge makes
ROUNDED = 1e-6  # numbers in metrics/ have six digits
CLEAR = 10  # rows by which a class leads, so that it does in each fold
PRINTED = 0.5e-6  # by how much a probability that predict prints may differ

Labels = NDArray[Any]  # (rows,) of texts, or (rows, labels) of 0 and 1


@dataclass(frozen=True)
class Rows:
    """The rows of a split: actual labels, and ids by which predict answers them."""

    ids: list[str]
    truth: Labels


class Measured:
    """A run from outside: its splits by id, the user's labels, what scikit-learn computes."""

    def __init__(self, run: Run) -> None:
        self.run, self.project = run, run.project
        self.classes: list[str] = self._json("data/splits/classes.json")["classes"]
        index = self._json("models/index.json")
        self.default: str = index["default"]
        self.models = sorted(run.answers)

    def _json(self, name: str) -> dict[str, Any]:
        return pages.read(self.run.folder, name)

    @cached_property
    def labels(self) -> pd.Series:
        """The user's labels by id, rare classes under the name that they were given."""
        column = "topics" if self.project.multilabel else "label"
        labels = self.run.table.set_index("ticket")[column]
        if self.project.multilabel:
            return labels.map(lambda cell: [name for name in cell.split(SEPARATOR) if name])
        known = labels.isin([*self.classes, self.project.unknown])
        return labels.where(known, MERGED)

    @cached_property
    def splits(self) -> dict[str, Rows]:
        """The rows of each split, those of no class as `test_unknown` and so on."""
        names = {
            path.name.partition(".")[0]
            for path in (self.run.folder / "data/splits").glob("*.parquet")
        }
        computed = {}
        for name in sorted(names):
            ids = pd.read_parquet(self.run.folder / "data/splits" / f"{name}.parquet")[
                "id"
            ].tolist()
            computed[name] = Rows(ids, self.coded(self.labels.loc[ids]))
        return computed

    def coded(self, labels: "pd.Series") -> Labels:
        """Return labels as scikit-learn takes them; no answer is a label of its own."""
        if self.project.multilabel:
            return np.array([[int(name in own) for name in self.classes] for own in labels])
        return np.array(
            [NOTHING if label is None or label != label else str(label) for label in labels], object
        )

    def answers(self, model: str, ids: list[str]) -> Labels:
        """Return what predict answers for these rows."""
        return self.coded(self.run.answers[model].loc[ids, "label"])

    def probabilities(self, model: str, ids: list[str]) -> NDArray[np.float64]:
        """Return the printed probabilities (rows, classes)."""
        columns = [f"probability_{name}" for name in self.classes]
        return self.run.answers[model].loc[ids, columns].to_numpy(float)

    @cached_property
    def exact(self) -> dict[tuple[str, str], tuple[float, float]]:
        """What scikit-learn computes, by model and quantity, and its error by rounded input."""
        computed = {}
        for model in self.models:
            for split in [name for name in self.splits if name in pages.SPLITS.values()]:
                rows = self.splits[split]
                answers = self.answers(model, rows.ids)
                for key, number in self.scores(rows.truth, answers).items():
                    computed[model, pages.of_split(key, split)] = (number, 0.0)
                loss = log_loss(rows.truth, self.probabilities(model, rows.ids), self.classes)
                computed[model, pages.of_split("log_loss", split)] = loss
            right = computed[model, "accuracy"][0] * len(self.splits["test"].ids)
            counts = {RIGHT: right, MISTAKES: len(self.splits["test"].ids) - right}
            counts[ROWS] = len(self.splits["test"].ids)
            if not self.project.multilabel:
                belong = self.splits["test"].truth != self.project.unknown
                counts[f"{ROWS} {BELONG}"] = int(belong.sum())
                answers = self.answers(model, self.splits["test"].ids)
                counts[UNANSWERED] = int((answers == NOTHING).sum())
            for part in (
                counts,
                self.by_class(model),
                self.of_no_class(model),
                self.of_sets(model),
            ):
                computed |= {(model, key): (number, 0.0) for key, number in part.items()}
        for model in self.models:
            for other in self.models:
                computed[model, pages.against(other)] = (
                    computed[model, "accuracy"][0] - computed[other, "accuracy"][0],
                    0.0,
                )
                if self.project.costs:
                    difference = computed[model, "cost"][0] - computed[other, "cost"][0]
                    computed[model, pages.against(other, "cost")] = (difference, 0.0)
        return computed

    def scores(self, truth: Labels, answers: Labels) -> dict[str, float]:
        """Return the metrics of decisions."""
        computed = {"accuracy": float(sk.accuracy_score(truth, answers))}
        if self.project.multilabel:
            for mean, prefix in (("macro", ""), ("micro", "micro_")):
                of_mean = sk.precision_recall_fscore_support(
                    truth, answers, average=mean, zero_division=0
                )
                names = ("precision", "recall", "f1")
                computed |= {
                    f"{prefix}{name}": float(number)
                    for name, number in zip(names, of_mean, strict=False)
                }
            return computed | {"hamming_loss": float(sk.hamming_loss(truth, answers))}
        # Of two classes the last one counts; of more those that occur, no answer aside.
        counted = (
            self.classes[-1:] if len(self.classes) == 2 else sorted({*truth, *answers} - {NOTHING})
        )
        of_mean = sk.precision_recall_fscore_support(
            truth, answers, labels=counted, average="macro", zero_division=0
        )
        computed |= {
            name: float(number)
            for name, number in zip(("precision", "recall", "f1"), of_mean, strict=False)
        }
        recalls = sk.recall_score(
            truth, answers, labels=sorted({*truth}), average="macro", zero_division=0
        )
        computed["balanced_accuracy"] = float(recalls)
        if self.project.costs:
            pairs = zip(truth, answers, strict=True)
            computed["cost"] = float(
                np.mean([self.cost(actual, decided) for actual, decided in pairs])
            )
        return computed

    def cost(self, actual: str, decided: str) -> float:
        """Return what a decision costs by evaluate.costs."""
        if decided == NOTHING:
            return float(str(self.project.costs["abstain"]))
        row = self.project.costs.get(actual, {})
        assert isinstance(row, Mapping)
        return float(row.get(decided, actual != decided))

    def by_class(self, model: str) -> dict[str, float]:
        """Return the metrics of each class on the test rows."""
        rows, computed = self.splits["test"], {}
        truth, answers = rows.truth, self.answers(model, rows.ids)
        for place, label in enumerate(self.classes):
            if self.project.multilabel:
                actual, decided = truth[:, place] == 1, answers[:, place] == 1
            else:
                actual, decided = truth == label, answers == label
            of_label = sk.precision_recall_fscore_support(
                actual, decided, average="binary", zero_division=0
            )
            for key, number in zip(("precision", "recall", "f1"), of_label, strict=False):
                computed[of_class(key, label)] = float(number)
            if actual.any():
                accuracy = sk.accuracy_score(truth[actual], answers[actual])
                computed[of_class("accuracy", label)] = float(accuracy)
        return computed

    def of_no_class(self, model: str) -> dict[str, float]:
        """Return how well predict recognises test rows of no class, and is right on the others."""
        if self.project.unknown is None:
            return {}
        outside = self.splits.get("test_unknown", Rows([], np.array([], object)))
        ids = [*self.splits["test"].ids, *outside.ids]
        truth, answers = self.coded(self.labels.loc[ids]), self.answers(model, ids)
        none = truth == self.project.unknown
        rejected = (answers == NOTHING) | (answers == self.project.unknown)
        computed = {f"recall {NO_CLASS}": float(rejected[none].mean())}
        computed[WITHIN] = float(sk.accuracy_score(truth[~none], answers[~none]))
        if rejected.any():
            computed[f"precision {NO_CLASS}"] = float(none[rejected].mean())
        return computed

    def of_sets(self, model: str) -> dict[str, float]:
        """Return what the prediction sets of predict hold of the test rows."""
        if model not in self.run.sets:
            return {}
        ids = self.splits["test"].ids
        actual, sets = self.labels.loc[ids], self.run.sets[model].loc[ids, "set"]
        if self.project.multilabel:
            held = [
                len({*own} & {*some}) / len(own)
                for own, some in zip(actual, sets, strict=True)
                if own
            ]
            return {COVERED: float(np.mean(held))}
        answers = self.coded(self.run.sets[model].loc[ids, "label"])
        answered = answers != NOTHING
        computed = {
            COVERED: float(np.mean([own in some for own, some in zip(actual, sets, strict=True)]))
        }
        computed[ANSWERED] = float(np.mean([len(some) == 1 for some in sets]))
        if answered.any():
            right = sk.accuracy_score(actual.to_numpy(object)[answered], answers[answered])
            computed[OF_ANSWERS] = float(right)
        return computed

    @cached_property
    def constant(self) -> Labels:
        """The best answer for every text, by the training rows: (1,) or (1, labels)."""
        train = self.splits["train"].truth
        if self.project.multilabel:
            sets, counts = np.unique(train, axis=0, return_counts=True)
            return sets[[counts.argmax()]]
        if self.project.costs:
            choices = [*self.classes, *([NOTHING] if "abstain" in self.project.costs else [])]
            paid = {
                each: np.mean([self.cost(actual, each) for actual in train]) for each in choices
            }
            return np.array([min(choices, key=lambda each: paid[each])], object)
        dummy = DummyClassifier(strategy="most_frequent").fit(np.zeros((len(train), 1)), train)
        return np.asarray(dummy.predict(np.zeros((1, 1))))

    @cached_property
    def floor(self) -> dict[str, float]:
        """What that answer scores, by quantity; with the split unless it is test."""
        computed: dict[str, float] = {}
        for split, rows in self.splits.items():
            if split in pages.SPLITS.values():
                answers = np.repeat(self.constant, len(rows.ids), axis=0)
                scores = self.scores(rows.truth, answers)
                computed |= {pages.of_split(key, split): scores[key] for key in scores}
        return computed

    @cached_property
    def folds_of_floor(self) -> list[Said]:
        """The accuracy of the floor on held-out training rows, if each fold has the same answer."""
        decisions = pages.read(self.run.folder, "metrics/decisions.json")
        held_out = decisions["crossvalidation"].get(FLOOR, {})
        train = self.splits["train"].truth
        counts = np.sort(np.unique(train, axis=0, return_counts=True)[1])
        is_clear = counts[-1] - counts[-2] > CLEAR and not self.project.costs
        if held_out.get("rows") != len(train) or not is_clear:
            return []
        number = str(held_out["accuracy"])
        return [
            Said("crossvalidation in metrics/decisions.json", FLOOR, "accuracy of train", number)
        ]

    @cached_property
    def guess(self) -> float:
        """The log loss of DummyClassifier(strategy="prior") on the test rows."""
        train, test = self.splits["train"].truth, self.splits["test"].truth
        if self.project.multilabel:
            shares = np.tile(train.mean(axis=0), (len(test), 1))
        else:
            dummy = DummyClassifier(strategy="prior").fit(np.zeros((len(train), 1)), train)
            shares = dummy.predict_proba(np.zeros((len(test), 1)))
            shares = shares[:, [[*dummy.classes_].index(name) for name in self.classes]]
        return log_loss(test, shares, self.classes)[0]

    @cached_property
    def said(self) -> list[Said]:
        """Every number that the run says of a model."""
        folder, printed = self.run.folder, self.run.printed
        page = (folder / "reports/report.html").read_text(encoding="utf-8")
        computed = [*pages.metrics(folder), *pages.comment(printed["textclf pr-report"])]
        for command in ("dvc repro", "textclf metrics"):
            computed += pages.terminal(command, printed[command], self.models)
        computed += pages.report(page, self.models, self.default)
        for model in self.models:
            text = (folder / "models" / model / "README.md").read_text(encoding="utf-8")
            computed += pages.card(text, model)
        return computed

    @cached_property
    def first_sentences(self) -> dict[str, str]:
        """What each page says first of the default model."""
        folder, printed = self.run.folder, self.run.printed
        report = (folder / "reports/report.html").read_text(encoding="utf-8")
        card = (folder / "models" / self.default / "README.md").read_text(encoding="utf-8")
        told = {
            "the report": pages.headline(report),
            "the card": card.partition("\n# ")[2].splitlines()[3],
            "textclf metrics": printed["textclf metrics"].splitlines()[0],
            "textclf pr-report": printed["textclf pr-report"].partition("**")[2],
        }
        return {page: re.split(r"(?<=[^\d]\.) ", text)[0] for page, text in told.items()}


def log_loss(
    truth: Labels, probabilities: NDArray[np.float64], classes: Sequence[str]
) -> tuple[float, float]:
    """Return the log loss, of several labels their mean, and its error by rounded input."""
    if truth.ndim == 2:
        each = [
            log_loss(column.astype(str).astype(object), np.column_stack([1 - own, own]), ["0", "1"])
            for column, own in zip(truth.T, probabilities.T, strict=True)
        ]
        return float(np.mean([loss for loss, _ in each])), float(
            np.mean([slack for _, slack in each])
        )
    order = np.argsort(classes)
    own = probabilities[np.arange(len(truth)), [classes.index(name) for name in truth]]
    shares = probabilities / probabilities.sum(axis=1, keepdims=True)
    loss = sk.log_loss(truth, shares[:, order], labels=[classes[place] for place in order])
    return float(loss), float(np.mean(PRINTED * len(classes) / np.maximum(own, PRINTED)))


def floor_is_a_floor(measured: Measured) -> Iterator[str]:
    """Yield each number of the model majority and of `guessing` that is not scikit-learn's."""
    name = "metrics/decisions.json"
    guessing = pages.read(measured.run.folder, name)["guessing"]
    exact = measured.floor | {"log_loss": measured.guess}
    said = [Said(name, GUESSING, key, str(number)) for key, number in guessing.items()]
    said += [
        each for each in measured.said if each.model in (FLOOR, GUESSING)
    ] + measured.folds_of_floor
    yield from disagreeing(
        said, lambda each: (exact[each.metric], 0.0) if each.metric in exact else None
    )
    answers = measured.run.answers[FLOOR]["label"].map(str).unique()
    if len(answers) > 1:
        yield f"textclf predict --model {FLOOR} gives {len(answers)} answers, such as {answers[1]}"


def numbers_are_those_of_predict(measured: Measured) -> Iterator[str]:
    """Yield each number that scikit-learn does not compute from the answers of predict."""
    yield from disagreeing(
        measured.said, lambda said: measured.exact.get((said.model, said.metric))
    )


def disagreeing(
    numbers: Sequence[Said], exact_of: Callable[[Said], tuple[float, float] | None]
) -> Iterator[str]:
    """Yield a line for each quantity that pages tell otherwise than scikit-learn."""
    wrong: dict[tuple[str, str], list[Said]] = {}
    for said in numbers:
        if (exact := exact_of(said)) is not None and not agrees(said.number, *exact):
            wrong.setdefault((said.model, said.metric), []).append(said)
    for (model, metric), computed in wrong.items():
        exact = exact_of(computed[0])
        assert exact is not None
        told = "; ".join(
            f"{number} on {', '.join(places)}" for number, places in by_number(computed).items()
        )
        yield f"{metric} of {model} is {exact[0]:.6f} by scikit-learn, but {told}"


def by_number(numbers: Sequence[Said]) -> dict[str, list[str]]:
    """Return the pages by the number that is written there."""
    computed: dict[str, list[str]] = {}
    for said in numbers:
        computed.setdefault(said.number, []).append(said.page)
    return computed


def numbers_are_the_same_everywhere(measured: Measured) -> Iterator[str]:
    """Yield each number, and each end of an interval, that two pages tell differently."""
    ends = [
        Said(said.page, said.model, f"{which} end of {said.metric}", end)
        for said in measured.said
        for which, end in zip(("lower", "upper"), said.ends or (), strict=False)
    ]
    quantities: dict[tuple[str, str], list[Said]] = {}
    for said in [*measured.said, *ends]:
        quantities.setdefault((said.model, said.metric), []).append(said)
    for (model, metric), numbers in quantities.items():
        first = min(numbers, key=lambda said: half_a_digit(said.number))
        exact = value_of(first.number), half_a_digit(first.number)
        if others := [said for said in numbers if not agrees(said.number, *exact)]:
            told = "; ".join(
                f"{number} on {', '.join(places)}" for number, places in by_number(others).items()
            )
            yield f"{metric} of {model} is {first.number} on {first.page}, but {told}"


def intervals_hold_their_numbers(measured: Measured) -> Iterator[str]:
    """Yield each interval that does not hold its number."""
    for said in measured.said:
        if said.ends is None:
            continue
        number, low, high = value_of(said.number), *map(value_of, said.ends)
        slack = half_a_digit(said.number) + half_a_digit(said.ends[0])
        if not low - slack <= number <= high + slack:
            yield (
                f"{said.page}: {said.metric} of {said.model} is {said.number}, outside of "
                f"its interval {' to '.join(said.ends)}"
            )


def every_page_names_the_default_model(measured: Measured) -> Iterator[str]:
    """Yield each page on which the number of the default model or of the floor was not found."""
    key = "cost" if measured.project.costs else "accuracy"
    computed = {
        (said.page.partition("'")[0], said.model) for said in measured.said if said.metric == key
    }
    shared = ("dvc repro", "textclf metrics", "metrics/evaluation.json", "the report")
    # The comment compares models that read the texts.
    pages_of = {measured.default: (*shared, "textclf pr-report"), FLOOR: shared}
    for model, names in pages_of.items():
        for page in (*names, f"the card of {model}", f"metrics/models/{model}.json"):
            if (page, model) not in computed:
                yield f"{page}: no {key} of {model} was found"


def loss_to_the_floor_is_told(measured: Measured) -> Iterator[str]:
    """Yield each page that does not say first whether the default model beats the floor."""
    key = "cost" if measured.project.costs else "accuracy"
    own, floor = measured.exact[measured.default, key][0], measured.floor[key]
    beaten = own >= floor if key == "cost" else own <= floor
    for page, sentence in measured.first_sentences.items():
        if beaten != ("no better than giving every text" in sentence):
            yield (
                f"{page}: {key} of {measured.default} is {own:.6f} and {floor:.6f} of a constant "
                f"answer, but the first sentence is: {sentence}"
            )


def examples_are_right_and_wrong(measured: Measured) -> Iterator[str]:
    """Yield each text of the first screen that predict does not answer as it is told there."""
    page = (measured.run.folder / "reports/report.html").read_text(encoding="utf-8")
    rows, texts = measured.splits["test"], measured.run.table.set_index("ticket")["text"]
    told = {each.right: each for each in pages.examples(page)}
    answers = measured.answers(measured.default, rows.ids)
    right = (answers == rows.truth).reshape(len(rows.ids), -1).all(axis=1)
    if {*told} != {*right.tolist()}:
        yield f"the report has examples of {sorted(told)}, not of {sorted({*right.tolist()})}"
    for example in told.values():
        place = rows.ids.index(example.row)
        answer = NOTHING.strip("()")
        if answers.ndim == 2:
            names = [
                name for name, has in zip(measured.classes, answers[place], strict=True) if has
            ]
            answer = " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]])) or "no label"
        elif answers[place] != NOTHING:
            answer = answers[place]
        if right[place] != example.right or answer != example.answer:
            yield f"the report tells of {example.row}: {example}; predict answers {answer}"
        if not texts[example.row].startswith(example.text):
            yield f"the report shows another text of {example.row}: {example.text}"


def agrees(number: str, exact: float, slack: float) -> bool:
    """Return whether a written number is an exact one, to the precision in which it is written."""
    return abs(value_of(number) - exact) <= half_a_digit(number) + ROUNDED + slack


Check = Callable[[Measured], Iterator[str]]
CHECKS: tuple[Check, ...] = (
    floor_is_a_floor,
    numbers_are_those_of_predict,
    numbers_are_the_same_everywhere,
    intervals_hold_their_numbers,
    every_page_names_the_default_model,
    loss_to_the_floor_is_told,
    examples_are_right_and_wrong,
)
