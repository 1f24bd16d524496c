"""Which representations a model can read, by its settings and theirs."""

from collections.abc import Iterable, Iterator
from itertools import chain

from textclf.artifacts.features import SPARSE
from textclf.core.errors import UserError
from textclf.core.settings import PARAMS_FILE, suggest
from textclf.models.common.loading import load_model
from textclf.models.settings import Train
from textclf.vectorize.settings import Combine, Vectorize, leaves


def unreadable_features(
    train: Train, vectorize: Vectorize, combine: Combine, model: str
) -> Iterator[str]:
    """Yield a sentence if the representation that a model names is missing or not readable."""
    settings = train[model]
    name, known = settings.features, [*vectorize.names(), *combine.pairs()]
    accepted = load_model(settings.kind).ACCEPTS
    key = f"train.{model}.features"
    if name not in known:
        hint = suggest(name, known)
        yield f"{key} must name a representation of vectorize or combine; got {name}; {hint}"
        return
    rule = f"{key} must name features that are {' or '.join(accepted)}"
    for part in leaves(name, combine):
        kind = vectorize[part].kind
        if kind not in accepted:
            method = f"vectorize.{part}.method is {vectorize[part].method}"
            yield f"{rule}; got {part}, which are {kind} ({method})"
    if name in combine.pairs() and SPARSE not in accepted:
        yield f"{rule}; got {name}, which combine makes sparse"
    elif name in vectorize.names() and (own_rule := settings.features_rule(vectorize[name])):
        yield f"{key} must name {own_rule}"


def require_readable(
    models: Iterable[str], train: Train, vectorize: Vectorize, combine: Combine
) -> None:
    """Raise `UserError` if a model can't read the representation that its settings name."""
    sentences = chain.from_iterable(
        unreadable_features(train, vectorize, combine, name) for name in models
    )
    lines = [f"{PARAMS_FILE}: {sentence}" for sentence in sentences]
    if lines:
        raise UserError(*lines)
