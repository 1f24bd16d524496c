"""Which representations a model can read, by its settings and theirs."""

from collections.abc import Iterator

from textclf.core.settings import suggest
from textclf.models.common.loading import load_model
from textclf.models.settings import Train
from textclf.vectorize.settings import Combine, Vectorize, kind_of


def unreadable_features(train: Train, vectorize: Vectorize, combine: Combine, model: str) -> Iterator[str]:
    """Yield a sentence if the representation that a model names is missing, or is one that it can't read."""
    settings = train[model]
    name, known = settings.features, [*vectorize.names(), *combine.pairs()]
    accepted = load_model(settings.kind).ACCEPTS
    key = f"train.{model}.features"
    if name not in known:
        yield f"{key} must name a representation of vectorize or combine; got {name}; {suggest(name, known)}"
    elif (kind := kind_of(name, vectorize, combine)) not in accepted:
        made = "combine makes it" if name in combine.pairs() else f"vectorize.{name}.method is {vectorize[name].method}"
        yield f"{key} must name features that are {' or '.join(accepted)}; got {name}, which are {kind} ({made})"
    elif name in vectorize.names() and (rule := settings.features_rule(vectorize[name])):
        yield f"{key} must name {rule}"
