"""The space of a search, and the settings of a trial: what a search knows of other sections."""

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from textclf.core.errors import UserError
from textclf.core.quoting import quote_argument
from textclf.core.settings import PARAMS_FILE, Section, suggest, to_yaml, validate
from textclf.models.settings import CONSTANT, Train
from textclf.studies.readable import unreadable_features
from textclf.studies.settings import Choices, CompleteSearch, Range, Search
from textclf.vectorize.settings import Combine, Vectorize, leaves

# The start of the names of settings of a representation; others are of the model.
REPRESENTATIONS = "vectorize."

# A value of each setting in the space that applies in a trial, by its name there.
Values = Mapping[str, Any]
Space = Mapping[str, Choices | Range]

C: Space = {"C": Range(low=0.01, high=100.0, log=True)}
ALPHA: Space = {"alpha": Range(low=0.01, high=10.0, log=True)}
NETWORK: Space = {
    "units": ((10,), (64,), (64, 32)),
    "learning_rate": Range(low=1e-4, high=1e-2, log=True),
    "epochs": Range(low=5, high=50, log=True),
}
MODELS: Mapping[str, Space] = {
    "naive_bayes": ALPHA,
    "logistic_regression": C,
    "linear_svm": C,
    "nb_svm": {**C, **ALPHA, "beta": (0.25, 0.5, 1.0)},
    "keras": NETWORK,
    "embedding": {**NETWORK, "pooling": ("max", "average")},
    "cnn": {**NETWORK, "filters": (32, 64, 128), "kernel_size": (3, 5)},
    "transformer": {"learning_rate": Range(low=1e-5, high=1e-4, log=True), "epochs": (2, 3, 4, 5)},
}
# All models of terms but nb_svm, which reads which terms occur.
WEIGHTS: Space = {"weighting": ("counts", "tfidf"), "sublinear_tf": (False, True)}
TERMS: Space = {
    "ngram_range": ((1, 1), (1, 2)),
    "char_ngram_range": ((2, 4), (2, 5), (3, 5)),
    "min_df": (1, 2, 3),
}


@dataclass(frozen=True)
class Dimension:
    """What a setting may be: one of some choices, or a number from `low` to `high`, inclusive."""

    choices: Choices | None = None
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    whole: bool = False  # integers alone
    # A setting of the space: this one applies if that has a value of `needed`.
    other: str | None = None
    needed: Choices = ()
    otherwise: Any = None  # its default, which it has in other trials

    def applies(self, values: Values) -> bool:
        """Return whether the setting applies beside these values of others."""
        return self.other is None or values[self.other] in self.needed

    def needs(self) -> dict[str, Any]:
        """Return the first value of the other setting with which it applies."""
        return {} if self.other is None else {self.other: self.needed[0]}

    @property
    def size(self) -> float:
        """The number of values, infinite for a decimal."""
        if self.choices is not None:
            return len(self.choices)
        return self.high - self.low + 1 if self.whole else math.inf


def apply(
    train: Train, vectorize: Vectorize, combine: Combine, model: str, values: Values
) -> tuple[Train, Vectorize]:
    """Return the sections train and vectorize with the values of a trial.

    Raises `UserError` with a line for each mistake.
    """
    changes: dict[Any, dict[str, Any]] = {None: {}}
    for key, value in values.items():
        representation, setting = _split_name(key)
        changes.setdefault(representation, {})[setting] = value
    settings = _change(train[model], f"train.{model}", changes.pop(None))
    representations = {}
    for name, of_representation in changes.items():
        read = leaves(settings.features, combine)
        if name not in read or name not in vectorize.names():
            raise UserError(
                f"{PARAMS_FILE}: vectorize.{name} must be a representation that train.{model} "
                f"reads; {suggest(name, read)}"
            )
        representations[name] = _change(vectorize[name], f"vectorize.{name}", of_representation)
    return train.model_copy(update={model: settings}), vectorize.model_copy(update=representations)


def _split_name(name: str) -> tuple[str | None, str]:
    """Return the representation, None for the model, and the setting in a name of the space."""
    if not name.startswith(REPRESENTATIONS):
        return None, name
    representation, _, setting = name.removeprefix(REPRESENTATIONS).partition(".")
    return representation, setting


def _change(section: Section, key: str, changes: Values) -> Any:
    return validate(type(section), dict(section) | dict(changes), prefix=key)


def dimensions(
    search: CompleteSearch, train: Train, vectorize: Vectorize, combine: Combine
) -> dict[str, Dimension]:
    """Return the values of each setting, with the condition that its section has for it.

    Such as `Terms.conditions`. They are integers if both limits are integers once they are
    validated. Raises `UserError` if a limit is wrong.
    """

    def validated(name: str, values: Values) -> Any:
        models, representations = apply(train, vectorize, combine, search.model, values)
        representation, setting = _split_name(name)
        if representation is None:
            return getattr(models[search.model], setting)
        return getattr(representations[representation], setting)

    result = {}
    for name, values in search.space.items():
        representation, setting = _split_name(name)
        section = vectorize[representation] if representation in vectorize.names() else Section()
        other, needed = getattr(section, "conditions", {}).get(setting, ("", ()))
        condition = f"{REPRESENTATIONS}{representation}.{other}"
        dimension = Dimension()
        if condition in search.space:
            default = type(section).model_fields[setting].default
            dimension = Dimension(other=condition, needed=needed, otherwise=default)
        if isinstance(values, Range):
            low, high = (
                validated(name, {**dimension.needs(), name: limit})
                for limit in (values.low, values.high)
            )
            whole = isinstance(low, int) and isinstance(high, int)
            result[name] = replace(dimension, low=low, high=high, log=values.log, whole=whole)
        else:
            result[name] = replace(dimension, choices=values)
    return result


def single_values(space: Mapping[str, Dimension]) -> Iterator[tuple[str, Values]]:
    """Yield each setting with each of its choices or limits, and with what it needs of others."""
    for name, dimension in space.items():
        for value in dimension.choices or (dimension.low, dimension.high):
            yield name, with_defaults({**dimension.needs(), name: value}, space)


def with_defaults(values: Values, space: Mapping[str, Dimension]) -> Values:
    """Return the values of a trial, and the default of each setting that does not apply in it."""
    idle = {
        name: dimension.otherwise
        for name, dimension in space.items()
        if dimension.other in values and not dimension.applies(values)
    }
    return {**values, **idle}


def combinations(space: Mapping[str, Dimension]) -> float:
    """Return the number of different trials, infinite if a setting is a decimal."""
    others = {dimension.other for dimension in space.values() if dimension.other}
    pairs = [[(name, value) for value in space[name].choices or ()] for name in others]
    rest = [dimension for name, dimension in space.items() if name not in others]
    return sum(
        math.prod(dimension.size for dimension in rest if dimension.applies(values))
        for values in map(dict, itertools.product(*pairs))
    )


def describe(values: Values) -> str:
    """Return values as people read them: C 10.0, vectorize.words.min_df 2."""
    return ", ".join(f"{name} {to_yaml(value)}" for name, value in values.items())


def command(model: str, values: Values) -> str:
    """Return the command that runs the pipeline with the values, for a shell."""
    words = []
    for name, value in values.items():
        key = name if name.startswith(REPRESENTATIONS) else f"train.{model}.{name}"
        words += ["-S", quote_argument(f"++{key}={to_yaml(value).replace(', ', ',')}")]
    return " ".join(["dvc", "exp", "run", *words])


def complete(
    search: Search, train: Train, vectorize: Vectorize, combine: Combine
) -> CompleteSearch:
    """Return the search with its model and its space.

    By default these are the first model but majority, and `default_space`. Raises `UserError` if
    there is no such model, or it can't read its features.
    """
    known = [name for name in train.names() if train[name].kind != CONSTANT]
    model = search.model or next(iter(known), CONSTANT)
    if model not in known:
        raise UserError(
            f"{PARAMS_FILE}: search.model must be a model of train that tells texts apart; "
            f"got {model}; {suggest(model, known)}"
        )
    if unfit := list(unreadable_features(train, vectorize, combine, model)):
        raise UserError(*(f"{PARAMS_FILE}: {sentence}" for sentence in unfit))
    space = search.space or default_space(train[model], vectorize, combine)
    return CompleteSearch.model_validate({**dict(search), "model": model, "space": space})


def default_space(settings: Any, vectorize: Vectorize, combine: Combine) -> Space:
    """Return the space of a model by its kind and by the representations that it reads.

    Of a representation, it has the settings that apply with the values of others in params.yaml or
    in the space.
    """
    space = dict(MODELS[settings.kind])
    terms = TERMS if settings.kind == "nb_svm" else {**WEIGHTS, **TERMS}
    for name in leaves(settings.features, combine):
        section = vectorize[name]
        for setting, values in terms.items() if section.method == "terms" else ():
            other, needed = section.conditions.get(setting, (None, ()))
            if other is None or other in terms or getattr(section, other) in needed:
                space[f"vectorize.{name}.{setting}"] = values
    return space
