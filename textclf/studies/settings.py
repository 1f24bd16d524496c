"""Settings of the studies, which train models many times."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema, model_validator

from textclf.core.settings import MAX_SEED, Name, Section, relation, rule, to_yaml, unique
from textclf.evaluate.settings import MetricName


class CrossValidate(Section):
    """Cross-validation by `textclf crossvalidate`; not part of the default run."""

    folds: Annotated[int, Field(ge=2)] = Field(
        4,
        description="number of folds; "
        "each row is tested once by a model trained on the other folds",
    )
    repeats: Annotated[int, Field(ge=1)] = Field(
        3, description="number of times all folds are drawn anew; more give a steadier mean"
    )
    seeds: Annotated[int, Field(ge=1)] = Field(
        5,
        description="number of seeds of the network on one fold, "
        "to tell its randomness from that of the split",
    )
    seed: Annotated[int, Field(ge=0, le=MAX_SEED // 2)] = Field(
        0, description="seed of the folds; models with a seed count theirs up from it, fold by fold"
    )


class Audit(Section):
    """Search for wrong labels by `textclf audit`; not part of the default run."""

    models: (
        Annotated[tuple[Name, ...], Field(strict=False, min_length=1), AfterValidator(unique)]
        | None
    ) = Field(
        None,
        description="models that judge the labels, names in train; "
        "null takes all of train without majority",
    )
    folds: Annotated[int, Field(ge=2)] = Field(
        5, description="number of folds; each row is judged by a model trained on the other folds"
    )
    seed: Annotated[int, Field(ge=0, le=MAX_SEED // 2)] = Field(
        0, description="seed of the folds and of the sample"
    )
    rows: Annotated[int, Field(ge=1)] = Field(
        100_000,
        description="number of rows that are audited at most; of more rows, a random sample",
    )
    shown: Annotated[int, Field(ge=1)] = Field(
        50, description="number of rows that the page shows, the most suspicious first"
    )


class Range(Section):
    """The values of a setting between two limits."""

    low: int | float = Field(description="lowest value; an integer if the setting is one")
    high: int | float = Field(description="highest value")
    log: bool = Field(False, description="true draws 0.01 to 0.1 as often as 0.1 to 1")

    @model_validator(mode="after")
    def _is_ordered(self) -> Self:
        if not self.low < self.high:
            raise relation(f"low must be below high; got {self.low} and {self.high}")
        if self.log and self.low <= 0:
            raise relation(f"low must be greater than 0 if log is true; got {self.low}")
        return self


Choices = tuple[Any, ...]


def _values(value: object) -> Choices | Range:
    """Return the values that a setting may have, from a list or a mapping."""
    if isinstance(value, Range):
        return value
    if isinstance(value, dict):
        return Range.model_validate(value)
    if not isinstance(value, list | tuple) or not value:
        raise rule("a list of values, or {low: ..., high: ...}")
    if len({to_yaml(choice) for choice in value}) < len(value):
        raise rule("a list without repetitions")
    return tuple(value)


Values = Annotated[
    Any,
    PlainValidator(_values),
    WithJsonSchema({"anyOf": [{"type": "array"}, Range.model_json_schema()]}),
]


class Search(Section):
    """Search for the best settings of a model by `textclf search`; not part of the default run."""

    model: Name | None = Field(
        None,
        description="the model whose settings are searched; "
        "null: export.model, or the first of train but majority",
    )
    sampler: Literal["random", "tpe", "grid"] = Field(
        "random",
        description="random, tpe (learns from the trials before) "
        "or grid (every combination, in order)",
    )
    trials: Annotated[int, Field(ge=1)] = Field(
        20, description="number of settings to try, each once"
    )
    folds: Annotated[int, Field(ge=2)] = Field(
        4, description="number of folds of the training rows that score a trial"
    )
    seed: Annotated[int, Field(ge=0, lt=MAX_SEED // 2)] = Field(
        0, description="seed of the trials and of the folds; outer folds have the next one"
    )
    metric: MetricName = Field(
        "log_loss",
        description="metric of the held-out rows to optimise, such as log_loss or accuracy",
    )
    nested: Annotated[int, Field(ge=2)] | None = Field(
        None,
        description="number of outer folds, to measure how optimistic the best score is; "
        "null saves the time",
    )
    space: Annotated[dict[Name, Values], Field(min_length=1)] | None = Field(
        None,
        description="values of each setting: a list, or {low, high, log}; "
        "null: by kind of model, docs/search.md",
    )

    @model_validator(mode="after")
    def _is_a_grid(self) -> Self:
        if self.sampler != "grid":
            return self
        if self.space is None:
            raise relation("space must have a list for each setting if sampler is grid; got null")
        if ranges := [name for name, values in self.space.items() if isinstance(values, Range)]:
            raise relation(f"space.{ranges[0]} must be a list if sampler is grid; got low and high")
        return self


class CompleteSearch(Search):
    """A search with the model and the space that it has by default."""

    model: Name = Field(description="the model whose settings are searched, a name in train")
    space: dict[Name, Values] = Field(
        description="values of each setting: a list, or {low, high, log}"
    )
