"""The search itself: propose settings, score them by cross-validation, and store the scores."""

import hashlib
import itertools
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from textclf.artifacts.features import Features
from textclf.core import progress
from textclf.core.code import read_code
from textclf.core.errors import UserError
from textclf.core.outputs import writing
from textclf.evaluate.registry import METRICS, format_value
from textclf.studies import measure as training
from textclf.studies.crossvalidation import make_folds
from textclf.studies.measure import Setup
from textclf.studies.search.space import (
    Dimension,
    Values,
    apply,
    combinations,
    describe,
    dimensions,
    with_defaults,
)
from textclf.studies.settings import CompleteSearch, CrossValidate, Search
from textclf.vectorize.settings import leaves

Splits = Mapping[str, pd.DataFrame]
# The file of the scores in the scratch folder.
SCORES = "scores.jsonl"
# Names of scratch folders; DVC and Git ignore them.
PATTERN = ".search-*.scratch"
LIBRARIES = ("keras", "numpy", "scikit-learn", "scipy", "tensorflow")
# Significant digits of a decimal between two limits.
DIGITS = 4
# After so many proposals in a row that were tried before, the first untried combination is taken.
MOST_REPEATS = 100


@dataclass(frozen=True)
class Trial:
    """Settings, and their score on each fold (folds,)."""

    settings: Values
    scores: tuple[float, ...]

    @property
    def score(self) -> float:
        """The mean over the folds."""
        return float(np.mean(self.scores))


@dataclass(frozen=True)
class Outer:
    """An outer fold of a nested cross-validation."""

    best: Trial  # inside its training rows
    # The score of the model with these settings on its test rows, which the search did not see.
    honest: float


def scratch_folder(beside: Path, setup: Setup) -> Path:
    """Return the scratch folder of a search with these settings, code and libraries.

    Keys of scores have the rest.
    """
    digest = hashlib.sha256(f"{setup.split!r} {setup.evaluate!r} {read_code()}".encode())
    for library in LIBRARIES:
        digest.update(f"{library} {version(library)}\n".encode())
    return beside / PATTERN.replace("*", digest.hexdigest()[:16])


class Scores:
    """Scores by key, each written to the disk when it is known."""

    def __init__(self, folder: Path) -> None:
        """Read what an earlier search left in the folder, but a last line that a kill cut off."""
        folder.parent.mkdir(parents=True, exist_ok=True)
        self.path = folder / SCORES
        content = self.path.read_bytes() if self.path.exists() else b""
        complete = content[: content.rfind(b"\n") + 1]
        try:
            self.known: dict[str, float] = dict(map(json.loads, complete.splitlines()))
        except (ValueError, TypeError):
            raise UserError(
                f"{self.path} is damaged; remove {folder} and search again, from the start"
            ) from None
        if complete != content:
            os.truncate(self.path, len(complete))

    def get(self, key: str, compute: Callable[[], float]) -> float:
        """Return the score of a key; it is computed if it is not known."""
        if key not in self.known:
            score = compute()
            self.path.parent.mkdir(exist_ok=True)
            with writing(self.path), self.path.open("ab") as file:
                file.write(json.dumps([key, score]).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
            self.known[key] = score
        return self.known[key]


@dataclass(frozen=True)
class Searcher:
    """Everything that the searches of one run share."""

    settings: CompleteSearch
    setup: Setup
    classes: Sequence[str]
    scores: Scores

    def search(self, rows: pd.DataFrame, advance: Callable[[Trial], None]) -> list[Trial]:
        """Return the trials in order; `advance` is called with the best one so far after each."""
        drawn = make_folds(rows, self._folds(self.settings.folds, 0), "search.folds")
        folds = [splits for _, _, splits in drawn]
        score = self._scorer(folds)
        higher = METRICS[self.settings.metric].higher_is_better
        proposals = Proposals(self.settings, self.space, higher)
        trials: list[Trial] = []
        for number in range(1, self.trials + 1):
            values = proposals.ask()
            try:
                scores = tuple(score(values, fold) for fold in range(len(folds)))
            except UserError as error:
                trial = f"trial {number} ({describe(values)})"
                raise UserError(*(f"{trial}: {line}" for line in error.lines)) from error
            trials.append(Trial(values, scores))
            proposals.tell(trials[-1].score)
            advance(best_of(trials, self.settings.metric))
        return trials

    def nested(
        self, rows: pd.DataFrame, folds: int, advance: Callable[[Trial], None]
    ) -> list[Outer]:
        """Return the outer folds of a nested cross-validation, each of which repeats the search.

        They are drawn with the next seed, or they could be the folds that scored the trials.
        """
        results = []
        for _, _, splits in make_folds(rows, self._folds(folds, 1), "search.nested"):
            best = best_of(self.search(splits["train"], advance), self.settings.metric)
            results.append(Outer(best, self._scorer([splits])(best.settings, 0)))
        return results

    @cached_property
    def space(self) -> dict[str, Dimension]:
        """What each setting may be."""
        return dimensions(self.settings, self.setup.train, self.setup.vectorize, self.setup.combine)

    @property
    def trials(self) -> int:
        """The number of trials of a search: there may be fewer combinations than were asked for."""
        return int(min(self.settings.trials, combinations(self.space)))

    def _folds(self, number: int, later: int) -> CrossValidate:
        return CrossValidate(folds=number, repeats=1, seed=self.settings.seed + later)

    def _scorer(self, folds: Sequence[Splits]) -> Callable[[Values, int], float]:
        """Return a function from a trial's values and a fold to the score.

        It keeps features for the next trial.
        """
        name, metric = self.settings.model, self.settings.metric
        digests = [_digest(splits) for splits in folds]

        @lru_cache(maxsize=len(folds))
        def features(
            fold: int, own: str, read: tuple[tuple[str, Any], ...], validation: bool
        ) -> dict[str, Features]:
            vectorize = self.setup.vectorize.model_copy(update=dict(read))
            setup = replace(self.setup, vectorize=vectorize)
            return training.make_features(folds[fold], self.classes, own, setup, validation)

        def score(values: Values, fold: int) -> float:
            values = with_defaults(values, self.space)
            train, vectorize = apply(
                self.setup.train, self.setup.vectorize, self.setup.combine, name, values
            )
            settings = train[name]
            read = leaves(settings.features, self.setup.combine)
            representations = tuple((leaf, vectorize[leaf]) for leaf in read)

            def compute() -> float:
                validation = bool(settings.validation_choices())
                made = features(fold, settings.features, representations, validation)
                value = training.measure_features(made, settings, self.setup)[metric]
                if not np.isfinite(value):
                    raise UserError(
                        f"{metric} must be a number; got {value}; choose another search.metric"
                    )
                return float(value)

            return self.scores.get(
                f"{digests[fold]} {metric} {settings!r} {representations!r}", compute
            )

        return score


def best_of(trials: Sequence[Trial], metric: str) -> Trial:
    """Return the trial with the best score, of equal ones the first."""
    sign = -1 if METRICS[metric].higher_is_better else 1
    return min(trials, key=lambda trial: sign * trial.score)


def _digest(splits: Splits) -> str:
    """Return a hash of the rows of each split."""
    digest = hashlib.sha256()
    for name, rows in splits.items():
        beside = [getattr(text, "columns", None) for text in rows["text"]]
        content = rows[["id", "text", "label"]].astype(str).to_numpy().tolist()
        digest.update(repr((name, content, beside)).encode())
    return digest.hexdigest()


def run_search(
    rows: pd.DataFrame, classes: Sequence[str], setup: Setup, settings: CompleteSearch, beside: Path
) -> tuple[list[Trial], list[Outer]]:
    """Return the trials of the search on the training rows and, if it is nested, the outer folds.

    A scratch folder in `beside` keeps what is done; the caller removes it when it has written the
    result.
    """
    searcher = Searcher(settings, setup, classes, Scores(scratch_folder(beside, setup)))
    searches = 1 + (settings.nested or 0)
    with closing(progress.bar("search", searches * searcher.trials, "trial", scaled=False)) as bar:

        def advance(best: Trial) -> None:
            score = format_value(settings.metric, best.score)
            bar.set_postfix_str(f"best {score}: {describe(best.settings)}", False)
            bar.update()

        trials = searcher.search(rows, advance)
        outer = searcher.nested(rows, settings.nested, advance) if settings.nested else []
        return trials, outer


class Proposals:
    """Proposes settings, each once.

    They are the same in the same order for the same scores, also if a search resumes.
    """

    def __init__(
        self, settings: Search, space: Mapping[str, Dimension], higher_is_better: bool
    ) -> None:
        """Make a study with the sampler of the settings."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        samplers = optuna.samplers
        make = samplers.TPESampler if settings.sampler == "tpe" else samplers.RandomSampler
        self.study = optuna.create_study(
            sampler=make(seed=settings.seed),
            direction="maximize" if higher_is_better else "minimize",
        )
        self.space = space
        self.distributions = {name: _distribution(values) for name, values in space.items()}
        self.repeats = 0 if settings.sampler == "grid" else MOST_REPEATS
        self.tried: dict[str, float] = {}
        self.asked: Any = None

    def ask(self) -> Values:
        """Return settings that were not tried yet; there must be such."""
        for _ in range(self.repeats):
            values = self._draw()
            score = self.tried.get(_key(values))
            if score is None:
                return values
            self.study.tell(self.asked, score)
        untried = (
            drawn for drawn in self._combinations() if _key(self._values(drawn)) not in self.tried
        )
        self.study.enqueue_trial(next(untried))
        return self._draw()

    def tell(self, score: float) -> None:
        """Say the score of the settings that were asked for last."""
        self.tried[_key(self._values(self.asked.params))] = score
        self.study.tell(self.asked, score)

    def _draw(self) -> Values:
        self.asked = self.study.ask(self.distributions)
        return self._values(self.asked.params)

    def _values(self, drawn: Mapping[str, Any]) -> Values:
        """Return the values that a sampler's numbers stand for, if they apply.

        The number of a choice is its position.
        """
        values: dict[str, Any] = {}
        for name, dimension in self.space.items():
            number = drawn[name]
            if dimension.choices is not None:
                values[name] = dimension.choices[number]
            elif dimension.whole:
                values[name] = number
            else:
                rounded = float(f"{number:.{DIGITS}g}")
                values[name] = min(max(rounded, dimension.low), dimension.high)
        return {name: value for name, value in values.items() if self.space[name].applies(values)}

    def _combinations(self) -> Iterator[dict[str, int]]:
        """Yield every combination as samplers draw them; the last setting changes first."""
        numbers = [
            range(int(dimension.low), int(dimension.high) + 1)
            if dimension.choices is None
            else range(len(dimension.choices))
            for dimension in self.space.values()
        ]
        for combination in itertools.product(*numbers):
            yield dict(zip(self.space, combination, strict=True))


def _distribution(dimension: Dimension) -> Any:
    from optuna import distributions

    if dimension.choices is not None:
        return distributions.CategoricalDistribution(range(len(dimension.choices)))
    if dimension.whole:
        return distributions.IntDistribution(
            int(dimension.low), int(dimension.high), log=dimension.log
        )
    return distributions.FloatDistribution(dimension.low, dimension.high, log=dimension.log)


def _key(values: Values) -> str:
    return json.dumps(dict(values))
