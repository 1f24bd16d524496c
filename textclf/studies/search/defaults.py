"""The model and the space of a search for which params.yaml names none."""

from collections.abc import Mapping
from typing import Any

from textclf.core.errors import UserError
from textclf.core.settings import PARAMS_FILE, suggest
from textclf.models.settings import CONSTANT, Train
from textclf.studies.readable import unreadable_features
from textclf.studies.settings import Choices, CompleteSearch, Range, Search
from textclf.vectorize.settings import Combine, Vectorize, leaves

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
WEIGHTS: Space = {"weighting": ("counts", "tfidf"), "sublinear_tf": (False, True)}  # nb_svm reads which terms occur
TERMS: Space = {"ngram_range": ((1, 1), (1, 2)), "char_ngram_range": ((2, 4), (2, 5), (3, 5)), "min_df": (1, 2, 3)}


def complete(search: Search, train: Train, vectorize: Vectorize, combine: Combine) -> CompleteSearch:
    """Return the search with its model and its space: by default the first model but majority, and `default_space`.

    Raises `UserError` if there is no such model, or it can't read its features.
    """
    known = [name for name in train.names() if train[name].kind != CONSTANT]
    model = search.model or next(iter(known), CONSTANT)
    if model not in known:
        raise UserError(
            f"{PARAMS_FILE}: search.model must be a model of train that tells texts apart; got {model}; "
            f"{suggest(model, known)}"
        )
    if unfit := list(unreadable_features(train, vectorize, combine, model)):
        raise UserError(*(f"{PARAMS_FILE}: {sentence}" for sentence in unfit))
    space = search.space or default_space(train[model], vectorize, combine)
    return CompleteSearch.model_validate({**dict(search), "model": model, "space": space})


def default_space(settings: Any, vectorize: Vectorize, combine: Combine) -> Space:
    """Return the space of a model by its kind and by the representations that it reads.

    Of a representation, it has the settings that apply with the values of others in params.yaml or in the space.
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
