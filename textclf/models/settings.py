"""The kinds of models, and the section train."""

from collections.abc import Iterator
from typing import Any

from pydantic import ConfigDict

from textclf.artifacts.decisions import RESERVED
from textclf.core.settings import Entries, suggest
from textclf.models.common.loading import Entry, entry_class
from textclf.models.common.settings import Averaged
from textclf.pretrained.catalogue import SHARED

# To add a kind of model, add its package textclf/models/<kind>/ and its name here, in the order of
# the docs.
KINDS = (
    "majority",
    "naive_bayes",
    "logistic_regression",
    "linear_svm",
    "nb_svm",
    "keras",
    "embedding",
    "cnn",
    "transformer",
)
CONSTANT = "majority"  # the kind of model that gives every text the same probabilities
LESSON = {
    kind: {"kind": kind, "features": "words"}
    for kind in ("majority", "logistic_regression", "keras")
}


def _add_kinds(schema: dict[str, Any]) -> None:
    """Describe the settings of each kind of model in the JSON schema."""
    schema["additionalProperties"] = {
        "anyOf": [entry_class(kind).model_json_schema() for kind in KINDS]
    }


class Train(Entries):
    """The models to train: settings by name, \
each with its kind and the representation that it reads."""

    model_config = ConfigDict(json_schema_extra=_add_kinds)
    __pydantic_extra__: dict[str, Entry]
    NAMED, FEWEST = "a model", "one model"
    TAKEN = (*RESERVED, SHARED)  # files have these keys and this folder beside models


class Average(Entries):
    """Weighted means of two models' probabilities, by names of their own: \
{mean: {first: words, second: network}}."""

    __pydantic_extra__: dict[str, Averaged]


def with_averages(train: Train, average: Average) -> Train:
    """Return the models of both sections, those of train first."""
    return Train.model_construct(**{name: train[name] for name in train.names()} | average.pairs())


def baselines(train: Train, average: Average) -> list[str]:
    """Return the models of both sections that ignore the texts.

    An average of two such models ignores them too.
    """
    constant = [name for name in train.names() if train[name].kind == CONSTANT]
    pairs = average.pairs().items()
    averages = {name for name, pair in pairs if {pair.first, pair.second} <= {*constant}}
    return [*constant, *averages]


def wrong_averages(train: Train, average: Average) -> Iterator[str]:
    """Yield a sentence for each average that can't be made of the models that there are."""
    known = train.names()
    for name, pair in average.pairs().items():
        if name in {*known, *RESERVED, SHARED}:
            yield (
                f"average.{name} must not have a name that a model of train or textclf itself has; "
                "choose another"
            )
        for key, member in pair:
            if member not in known:
                yield (
                    f"average.{name}.{key} must be a model of train; got {member}; "
                    f"{suggest(member, known)}"
                )
        if pair.first == pair.second:
            yield f"average.{name} must be of two models; got {pair.first} twice"
