"""What a search tries next: Optuna's samplers, asked and told one trial at a time."""

import itertools
import json
from collections.abc import Iterator, Mapping
from typing import Any

from textclf.studies.search.space import Dimension, Values
from textclf.studies.settings import Search

DIGITS = 4  # significant digits of a decimal between two limits
MOST_REPEATS = 100  # proposals in a row that were tried before; then the first combination that was not is taken


class Proposals:
    """Proposes settings, each once; the same ones in the same order for the same scores, also if a search resumes."""

    def __init__(self, settings: Search, space: Mapping[str, Dimension], higher_is_better: bool) -> None:
        """Make a study with the sampler of the settings."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        samplers = optuna.samplers
        make = samplers.TPESampler if settings.sampler == "tpe" else samplers.RandomSampler
        self.study = optuna.create_study(
            sampler=make(seed=settings.seed), direction="maximize" if higher_is_better else "minimize"
        )
        self.space = space
        self.distributions = {name: _distribution(each) for name, each in space.items()}
        self.repeats = 0 if settings.sampler == "grid" else MOST_REPEATS
        self.tried: dict[str, float] = {}
        self.asked: Any = None

    def ask(self) -> Values:
        """Return settings that were not tried yet; there must be such."""
        for _ in range(self.repeats):
            values = self._draw()
            if (score := self.tried.get(_key(values))) is None:
                return values
            self.study.tell(self.asked, score)
        untried = (drawn for drawn in self._combinations() if _key(self._values(drawn)) not in self.tried)
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
        """Return the values that a sampler's numbers stand for, if they apply; that of a choice is its position."""
        values: dict[str, Any] = {}
        for name, dimension in self.space.items():
            number = drawn[name]
            if dimension.choices is not None:
                values[name] = dimension.choices[number]
            elif dimension.whole:
                values[name] = number
            else:
                values[name] = min(max(float(f"{number:.{DIGITS}g}"), dimension.low), dimension.high)
        return {name: value for name, value in values.items() if self.space[name].applies(values)}

    def _combinations(self) -> Iterator[dict[str, int]]:
        """Yield every combination in the form in which samplers draw them; the last setting changes first."""
        numbers = [
            range(int(each.low), int(each.high) + 1) if each.choices is None else range(len(each.choices))
            for each in self.space.values()
        ]
        for combination in itertools.product(*numbers):
            yield dict(zip(self.space, combination, strict=True))


def _distribution(dimension: Dimension) -> Any:
    from optuna import distributions

    if dimension.choices is not None:
        return distributions.CategoricalDistribution(range(len(dimension.choices)))
    if dimension.whole:
        return distributions.IntDistribution(int(dimension.low), int(dimension.high), log=dimension.log)
    return distributions.FloatDistribution(dimension.low, dimension.high, log=dimension.log)


def _key(values: Values) -> str:
    return json.dumps(dict(values))
