"""Which representations a model can read, by its settings and theirs."""

from collections.abc import Iterator, Sequence

from textclf.artifacts.features import TOKENS
from textclf.core.settings import show, suggest
from textclf.models.common.loading import load_model
from textclf.models.settings import Train
from textclf.vectorize.settings import Vectorize


def unreadable_features(train: Train, vectorize: Vectorize, model: str) -> Iterator[str]:
    """Yield a sentence for each representation that a model names and that is missing, or that it can't read."""
    settings = getattr(train, model)
    features, known = settings.features, vectorize.names()
    accepted = load_model(train.kind(model)).ACCEPTS
    key = f"train.{model}.features"
    several = []
    for name in features:
        if name not in known:
            yield f"{key} must name a representation of vectorize; got {name}; {suggest(name, known)}"
        elif (kind := vectorize[name].kind) not in accepted:
            yield (
                f"{key} must name features that are {_join_kinds(accepted)}; got {name}, which are {kind} "
                f"(vectorize.{name}.method is {vectorize[name].method})"
            )
        elif rule := settings.features_rule(vectorize[name]):
            yield f"{key} must name {rule}"
        elif kind == TOKENS and len(features) > 1:
            several.append(name)
    if several:
        yield f"{key} must be one representation if its features are tokens; got {show(features)}"


def _join_kinds(kinds: Sequence[str]) -> str:
    return " or ".join([", ".join(kinds[:-1]), kinds[-1]] if len(kinds) > 1 else kinds)
