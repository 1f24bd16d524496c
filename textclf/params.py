"""params.yaml: the rules of every setting, and a reader that reports everything wrong at once."""

import codecs
import difflib
import re
import sys
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, Self, cast, get_args

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from textclf.core.errors import UserError

PARAMS_FILE = Path("params.yaml")

Corpus = Literal["yelp", "amazon", "imdb"]
Format = Literal["auto", "csv", "jsonl", "parquet", "tsv", "txt"]
Analyzer = Literal["word", "char", "char_wb", "word+char", "word+char_wb"]
Weighting = Literal["counts", "binary", "tfidf"]
Model = Literal["majority", "naive_bayes", "logistic_regression", "linear_svm", "nb_svm", "keras"]
Activation = Literal["elu", "gelu", "leaky_relu", "linear", "relu", "selu", "sigmoid", "softplus", "tanh"]
Calibration = Literal["none", "platt", "temperature"]
ThresholdRule = Literal["accuracy", "f1", "precision"]
Metric = Literal[
    "accuracy", "balanced_accuracy", "brier", "ece", "f1", "log_loss", "mcc", "precision", "recall", "roc_auc"
]
SplitName = Literal["train", "validation", "test"]
Optimizer = Literal["adagrad", "adam", "adamw", "nadam", "rmsprop", "sgd"]
CORPORA = get_args(Corpus)
THRESHOLD_RULES = get_args(ThresholdRule)
KEY = "[key]"  # by which pydantic says that it is the key of a mapping that is wrong
LARGEST = sys.float_info.max
MAX_SEED = 2**32 - 1  # numpy's RandomState takes no larger one


def rule(text: str) -> PydanticCustomError:
    """An error whose text completes the sentence "<key> must be ...", as the pydantic validators raise it."""
    return PydanticCustomError("rule", "{rule}", {"rule": text})


def relation(text: str) -> PydanticCustomError:
    """An error about several settings of a section: the whole sentence."""
    return PydanticCustomError("relation", "{relation}", {"relation": text})


def _corpora(value: object) -> tuple[str, ...]:
    names: list[Any] = list(value) if isinstance(value, list | tuple) else [value]
    if not names or any(name not in CORPORA for name in names) or len(set(names)) < len(names):
        raise rule(f"one of {', '.join(CORPORA)}, or a list of such, each once")
    return tuple(names)


def _path(value: str) -> str:
    if not value.strip() or not value.isprintable() or value.startswith("-") or any(c in value for c in '"$`\\'):
        raise rule('a path that can be printed, does not start with - and holds no ", $, ` or \\: a shell is handed it')
    return value


def _delimiter(value: str) -> str:
    if len(value) != 1 or value in '\r\n"\0 ' or ord(value) > 127:
        raise rule("one ASCII character that is no space, quote or line end, such as ; or |")
    return value


def _glob(value: str) -> str:
    parts = value.split("/")
    if not value.isprintable() or any(part in {"", ".", ".."} or (part != "**" and "**" in part) for part in parts):
        raise rule("a glob of names below the folder, such as *.csv or **/*.jsonl")
    return value


def _encoding(value: str) -> str:
    try:
        known = codecs.lookup(value)
    except (LookupError, ValueError) as error:
        raise rule("an encoding that Python knows, such as utf-8 or cp1252") from error
    if not known._is_text_encoding:
        raise rule("an encoding of text, such as utf-8 or cp1252")
    return value


def _classes(value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    names = list(value) if isinstance(value, list | tuple) else []
    if len(names) < 2 or any(not isinstance(name, str | int) or name == "" for name in names):
        raise rule("null, or a list of two classes or more, each text, an integer or a boolean")
    return _distinct(tuple(str(name).lower() if isinstance(name, bool) else str(name) for name in names))


def _class_weight(value: object) -> object:
    """None, "balanced", or class to weight, checked and frozen as pairs."""
    if value is None or value == "balanced":
        return value
    pairs = list(value.items()) if isinstance(value, dict) else list(value) if isinstance(value, tuple) else []
    if not pairs or any(
        isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight <= LARGEST
        for _, weight in pairs
    ):
        raise rule("null, balanced, or a mapping of each class to a number greater than 0")
    return tuple((name, float(weight)) for name, weight in pairs)


def _document_frequency(value: object) -> int | float:
    is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 1
    is_share = isinstance(value, float) and 0.0 <= value <= 1.0
    if not (is_count or is_share):
        raise rule("an integer from 1 (a number of rows) or a decimal from 0.0 to 1.0 (a share of the rows)")
    return value  # type: ignore[return-value]


def _strengths(value: object) -> float | tuple[float, ...]:
    several = isinstance(value, list | tuple)
    numbers: list[Any] = list(value) if isinstance(value, list | tuple) else [value]
    # Compared exactly: an integer may be beyond all floats.
    if not numbers or any(
        isinstance(n, bool) or not isinstance(n, int | float) or not 0 < n <= LARGEST for n in numbers
    ):
        raise rule("a number greater than 0, or a list of such numbers to choose from")
    return tuple(float(number) for number in numbers) if several else float(numbers[0])


def _threshold(value: object) -> float | ThresholdRule:
    if value in THRESHOLD_RULES:
        return cast("ThresholdRule", value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
        raise rule(f"a number between 0 and 1, or what to choose it by: {', '.join(THRESHOLD_RULES)}")
    return float(value)


def _regular_expression(value: str) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # "possible nested set"
            groups = re.compile(value).groups
    except (re.error, OverflowError, RecursionError) as error:
        raise rule(f"a regular expression ({error})") from error
    if groups > 1:
        raise rule("a regular expression with at most one capturing group")
    return value


def _distinct(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(values)) < len(values):
        raise rule("a list without repetitions")
    return values


DocumentFrequency = Annotated[
    int | float,
    PlainValidator(_document_frequency),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1}, {"type": "number", "minimum": 0, "maximum": 1}]}),
]
Strengths = Annotated[
    float | tuple[float, ...],
    PlainValidator(_strengths),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0},
                {"type": "array", "items": {"type": "number", "exclusiveMinimum": 0}, "minItems": 1},
            ]
        }
    ),
]
Threshold = Annotated[
    float | ThresholdRule,
    PlainValidator(_threshold),
    WithJsonSchema(
        {"anyOf": [{"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, {"enum": list(THRESHOLD_RULES)}]}
    ),
]
Corpora = Annotated[
    tuple[Corpus, ...],
    PlainValidator(_corpora),
    WithJsonSchema(
        {"anyOf": [{"enum": list(CORPORA)}, {"type": "array", "items": {"enum": list(CORPORA)}, "minItems": 1}]}
    ),
]
ClassWeight = Annotated[
    Literal["balanced"] | tuple[tuple[str, float], ...] | None,
    PlainValidator(_class_weight),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": [None, "balanced"]},
                {"type": "object", "additionalProperties": {"type": "number", "exclusiveMinimum": 0}},
            ]
        }
    ),
]
Classes = Annotated[
    tuple[str, ...] | None,
    PlainValidator(_classes),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "null"},
                {"type": "array", "items": {"type": ["string", "integer", "boolean"]}, "minItems": 2},
            ]
        }
    ),
]
Positive = Annotated[float, Field(gt=0)]
Name = Annotated[str, Field(min_length=1)]
Share = Annotated[float, Field(gt=0, lt=1)]
Seed = Annotated[int, Field(ge=0, le=MAX_SEED)]
# Strict numbers and booleans, but a YAML list may fill a tuple.
Range = Annotated[tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]], Field(strict=False)]
Units = Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(strict=False)]
Models = Annotated[tuple[Model, ...], Field(strict=False, min_length=1), AfterValidator(_distinct)]


Bounds = dict[Model, dict[SplitName, dict[Metric, float]]]
Drops = dict[Model, dict[SplitName, dict[Metric, Annotated[float, Field(ge=0)]]]]


class Section(BaseModel):
    """A section of params.yaml: every key known and present, types exact, frozen once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Fetch(Section):
    """The built-in corpus, or several."""

    corpus: Corpora


class Data(Section):
    """Where the rows are, and how they are written."""

    path: Annotated[str, AfterValidator(_path)]
    files: Annotated[str, AfterValidator(_glob)]
    format: Format
    text: Name
    label: Name
    id: Name | None
    group: Name | None
    classes: Classes
    missing: Literal["error", "drop"]
    encoding: Annotated[str, AfterValidator(_encoding)]
    delimiter: Annotated[str, AfterValidator(_delimiter)] | None
    quoting: bool | None

    @model_validator(mode="after")
    def _learn_from_the_text(self) -> Self:
        if self.label == self.text:
            raise relation(f"label must be another column than text; got {_shown(self.label)} for both")
        return self


class Split(Section):
    """Which rows are trained on, validated on and tested on."""

    method: Literal["random", "hash"]
    test_size: Annotated[float, Field(gt=0, lt=1)]
    validation_size: Annotated[float, Field(ge=0, lt=1)]
    seed: Seed
    stratify: bool
    group_duplicates: bool

    @model_validator(mode="after")
    def _leave_rows_to_train_on(self) -> Self:
        if self.test_size + self.validation_size >= 1:
            total = self.test_size + self.validation_size
            raise relation(f"test_size + validation_size must be less than 1; got {total:g}")
        return self

    @model_validator(mode="after")
    def _hash_texts_alone(self) -> Self:
        if self.method == "hash" and self.stratify:
            raise relation("stratify must be false with method hash, which looks at no other row; got true")
        return self


class Vectorize(Section):
    """How a text becomes a vector: scikit-learn's vectorizers, under its own names."""

    analyzer: Analyzer
    weighting: Weighting
    sublinear_tf: bool
    lowercase: bool
    token_pattern: Annotated[str, AfterValidator(_regular_expression)]
    ngram_range: Range
    char_ngram_range: Range
    min_df: DocumentFrequency
    max_df: DocumentFrequency
    max_features: Annotated[int, Field(ge=1)] | None
    hashing: Annotated[int, Field(ge=1, lt=2**31)] | None

    @model_validator(mode="after")
    def _ascending_ranges(self) -> Self:
        for name in ("ngram_range", "char_ngram_range"):
            low, high = getattr(self, name)
            if low > high:
                raise relation(f"{name} must be [smallest, largest]; got {[low, high]}")
        return self

    @model_validator(mode="after")
    def _dampen_tfidf_alone(self) -> Self:
        if self.sublinear_tf and self.weighting != "tfidf":
            raise relation(f"weighting must be tfidf for sublinear_tf; got {self.weighting}")
        return self

    @model_validator(mode="after")
    def _hash_all_terms(self) -> Self:
        every = {"min_df": 1, "max_df": 1.0, "max_features": None}  # 1 is one row, 1.0 all of them
        selecting = [name for name, value in every.items() if repr(getattr(self, name)) != repr(value)]
        if self.hashing is not None and selecting:
            name = selecting[0]
            raise relation(
                f"{name} must be {_shown(every[name])} with hashing, which keeps no vocabulary to choose terms from; "
                f"got {_shown(getattr(self, name))}"
            )
        return self


class Majority(Section):
    """The share of each class: nothing to set."""


class NaiveBayes(Section):
    """scikit-learn's MultinomialNB, under its own names."""

    alpha: Positive
    class_weight: ClassWeight


class LogisticRegression(Section):
    """scikit-learn's LogisticRegression, under its own names; several values of C are candidates."""

    C: Strengths
    solver: Literal["auto", "lbfgs", "sgd"]
    max_iter: Annotated[int, Field(ge=1)]
    class_weight: ClassWeight


class LinearSVM(Section):
    """scikit-learn's LinearSVC, under its own names, its scores calibrated."""

    C: Positive
    class_weight: ClassWeight


class NBSVM(Section):
    """The SVM on naive Bayes features of Wang and Manning (2012), under their names, its scores calibrated."""

    C: Positive
    alpha: Positive
    beta: Annotated[float, Field(ge=0, le=1)]
    class_weight: ClassWeight


class Keras(Section):
    """A network of dense layers, trained by Keras."""

    units: Units
    activation: Activation
    optimizer: Optimizer
    learning_rate: Annotated[float, Field(gt=0)]
    epochs: Annotated[int, Field(ge=1)]
    batch_size: Annotated[int, Field(ge=1)]
    seed: Seed
    early_stopping: Annotated[int, Field(ge=1)] | None
    class_weight: ClassWeight


class Train(Section):
    """The models to train, and a section for each kind."""

    models: Models
    majority: Majority
    naive_bayes: NaiveBayes
    logistic_regression: LogisticRegression
    linear_svm: LinearSVM
    nb_svm: NBSVM
    keras: Keras


class Evaluate(Section):
    """How probabilities become decisions, and how sure the metrics are."""

    threshold: Threshold
    target_precision: Share
    calibration: Calibration
    confidence: Share
    resamples: Annotated[int, Field(ge=100)]
    seed: Seed


class Export(Section):
    """What is handed on of the models."""

    model: Model | None
    terms: Annotated[int, Field(ge=1)]


class Report(Section):
    """How much the report shows."""

    mistakes: Annotated[int, Field(ge=1)]


class Gate(Section):
    """What a change must not break: model to split to metric to number."""

    minimum: Bounds
    maximum_drop: Drops


class CrossValidate(Section):
    """How often the models are trained to see how far their numbers spread."""

    folds: Annotated[int, Field(ge=2)]
    repeats: Annotated[int, Field(ge=1)]
    seeds: Annotated[int, Field(ge=1)]
    seed: Annotated[int, Field(ge=0, le=MAX_SEED // 2)]


class Params(Section):
    """All of params.yaml, one section a stage."""

    fetch: Fetch
    data: Data
    split: Split
    vectorize: Vectorize
    train: Train
    evaluate: Evaluate
    export: Export
    report: Report
    gate: Gate
    crossvalidate: CrossValidate

    @model_validator(mode="after")
    def _export_a_model_that_is_trained(self) -> Self:
        if self.export.model is not None and self.export.model not in self.train.models:
            trained = ", ".join(self.train.models)
            raise relation(f"export.model must be in train.models ({trained}), or null; got {self.export.model}")
        return self

    @model_validator(mode="after")
    def _choose_on_validation_rows(self) -> Self:
        choices = {
            "train.keras.early_stopping": self.train.keras.early_stopping is not None,
            "evaluate.threshold": isinstance(self.evaluate.threshold, str),
            "evaluate.calibration": self.evaluate.calibration != "none",
        }
        if self.split.validation_size == 0 and any(choices.values()):
            wanting = ", ".join(key for key, chosen in choices.items() if chosen)
            raise relation(
                f"split.validation_size must be greater than 0 for {wanting}, since the test rows decide nothing; got 0"
            )
        return self


def check_option(name: str, value: str) -> None:
    """`UserError` if a value of a command-line option breaks the rule of the setting of its name in section data."""
    try:
        OPTIONS[name](value)
    except PydanticCustomError as error:
        raise UserError(f"--{name} must be {error.message()}; got {_shown(value)}") from None


OPTIONS = {"delimiter": _delimiter, "encoding": _encoding, "files": _glob}


class _Loader(yaml.SafeLoader):
    """YAML 1.2 as DVC reads it, where PyYAML follows 1.1: 1e-3 is a number, `no` a string, a key stands once."""


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+", list("-+0123456789")),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", list("-+.0123456789")),
    ("float", r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", list("-+.")),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), _first)


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str):
            raise yaml.constructor.ConstructorError(
                None, None, f"key {key!r} must be text; put it in quotes", key_node.start_mark
            )
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"{key} stands twice", key_node.start_mark)
        seen.add(key)
    return loader.construct_mapping(node, deep=True)


def _integer(loader: _Loader, node: yaml.ScalarNode) -> int:
    return int(loader.construct_scalar(node), 10)


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
_Loader.add_constructor("tag:yaml.org,2002:int", _integer)


def load(path: Path = PARAMS_FILE) -> Params:
    """Checked params of a YAML file; `UserError` with a line for each thing wrong in it."""
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise UserError(f"{path} not found; run in the folder that holds it, or git checkout {path}") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path} must be UTF-8; got byte {text_byte(error)} at offset {error.start}") from None
    return parse(text, str(path))


def text_byte(error: UnicodeDecodeError) -> str:
    """The byte that could not be decoded, as 0x and two digits."""
    return f"0x{error.object[error.start]:02x}"


def parse(text: str, name: str = str(PARAMS_FILE)) -> Params:
    """Checked params of a YAML text; `name` says in errors where it stood."""
    try:
        content = yaml.load(text, Loader=_Loader)  # noqa: S506 (a SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{name}:{mark.line + 1}" if mark else name
        raise UserError(f"{where}: {error.problem or error.context}; expected YAML") from None
    except (LookupError, TypeError, AttributeError):  # as PyYAML fails on `!!bool maybe`
        raise UserError(f"{name}: a value must be of the kind that its tag (!!) names; expected YAML") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"{name}: {reason}; expected YAML") from None
    if not isinstance(content, dict):
        raise UserError(f"{name} must be a mapping of sections; got {_shown(content)}")
    try:
        return Params.model_validate(content)
    except ValidationError as error:
        raise UserError(*(f"{name}: {_sentence(detail)}" for detail in _first_of_each(error.errors()))) from None


def _first_of_each(details: list[ErrorDetails]) -> Iterable[ErrorDetails]:
    """One error a key, in the order of the file's rules."""
    return {detail["loc"]: detail for detail in reversed(details)}.values().__reversed__()


def _sentence(detail: ErrorDetails) -> str:
    """One error of pydantic in the words of the house: key, rule, value."""
    parts = [part for part in detail["loc"] if part != KEY]
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{_name(part)}" for part in parts).lstrip(".")
    if detail["type"] == "missing":
        return f"{key} is missing; it must be set"
    if detail["type"] == "extra_forbidden":
        known = list(_section(detail["loc"][:-1]).model_fields)
        close = difflib.get_close_matches(str(detail["loc"][-1]), known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"known here: {', '.join(known) or 'none'}"
        return f"{key} is no setting; {hint}"
    if detail["type"] == "relation":
        return f"{key}: {detail['msg']}" if key else detail["msg"]
    return f"{key} must be {_rule(detail)}; got {_shown(detail['input'])}"


def _name(key: str) -> str:
    """A key as it stands, or quoted where it would break the line."""
    return key if key.isprintable() else repr(key)


def _section(loc: tuple[int | str, ...]) -> type[BaseModel]:
    model: type[BaseModel] = Params
    for part in loc:
        model = cast("type[BaseModel]", model.model_fields[str(part)].annotation)
    return model


def _rule(detail: ErrorDetails) -> str:
    context = detail.get("ctx", {})
    match detail["type"]:
        case "rule":
            return str(context["rule"])
        case "literal_error":
            return f"one of {context['expected']}"
        case "greater_than":
            return f"greater than {context['gt']}"
        case "greater_than_equal":
            return f"at least {context['ge']}"
        case "less_than":
            return f"less than {context['lt']}"
        case "less_than_equal":
            return f"at most {context['le']}"
        case "finite_number":
            return "a finite number"
        case "too_short":
            return f"a list of {context['min_length']} or more"
        case "too_long":
            return f"a list of {context['max_length']}"
        case "float_type" | "float_parsing":
            return "a number"
        case "int_type" | "int_from_float" | "int_parsing" | "int_parsing_size":
            return "an integer"
        case "bool_type" | "bool_parsing":
            return "true or false"
        case "string_type" | "string_unicode":
            return "text"
        case "string_too_short":
            return "text that is not empty"
        case "tuple_type":
            return "a list"
        case "model_type" | "model_attributes_type" | "dict_type":
            return "a section of settings"
        case _:
            return detail["msg"]


def _shown(value: object, limit: int = 60) -> str:
    """A value as YAML would show it, on one line and not too long."""
    if isinstance(value, BaseModel):
        value = value.model_dump()
    text = yaml.safe_dump(value, default_flow_style=True, width=10**9, allow_unicode=True).strip()
    text = text.removesuffix("...").strip().replace("\n", " ")
    if isinstance(value, str):
        # PyYAML writes 1e-3 as text without quotes.
        misread = text == value and not isinstance(yaml.load(text, Loader=_Loader), str)  # noqa: S506
        text = repr(value) if misread or not value.isprintable() else text
    return text if len(text) <= limit else text[: limit - 1] + "…"
