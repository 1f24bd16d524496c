"""All settings of params.yaml, from the packages that own them, and the rules between sections.

Only the stage check, the docs and tests read all of them; every other stage reads its own sections.
"""

from collections.abc import Iterator
from pathlib import Path

from pydantic import Field

from textclf.artifacts.decisions import PROBABILITY
from textclf.artifacts.features import DENSE
from textclf.artifacts.unknown import DISTANCE, ENERGY
from textclf.behave.settings import Behave
from textclf.core.about import About
from textclf.core.errors import UserError
from textclf.core.formatting import join_names
from textclf.core.quoting import quote_name
from textclf.core.settings import (
    PARAMS_FILE,
    READ,
    Section,
    load_yaml,
    parse_yaml,
    show,
    suggest,
    validate,
)
from textclf.evaluate.registry import METRICS, OF_SCALE
from textclf.evaluate.settings import MICRO_F1, OF_COUNTS, OF_SUMS, Evaluate, unknown_classes
from textclf.evaluate.slices.names import FAMILIES
from textclf.export.settings import Export
from textclf.fetch.settings import Fetch
from textclf.models.settings import (
    CONSTANT,
    KINDS,
    LESSON,
    Average,
    Train,
    with_averages,
    wrong_averages,
)
from textclf.models.transformer import CONTRASTIVE
from textclf.report.settings import Report
from textclf.review.settings import Gate
from textclf.split.settings import Split
from textclf.studies.readable import unreadable_features
from textclf.studies.search import space
from textclf.studies.search.space import complete
from textclf.studies.settings import Audit, CrossValidate, Search
from textclf.tables.settings import Data
from textclf.vectorize.settings import DEFAULT, Combine, Vectorize, wrong_pairs

# Kinds of models without known last scores, or (naive_bayes) with the highest energy for a text
# without a known word.
WITHOUT_ENERGY = ("average", "transformer", "naive_bayes")
MULTILABEL = "multilabel"
EXTERNAL = "data/external"  # the folder of the user's files on which the stage check depends
# What data.task multilabel does not support: by setting, the refused values and the rule of the
# error.
ONE_LABEL: dict[str, tuple[tuple[object, ...], str]] = {
    "evaluate.threshold": (("accuracy",), "a number, f1, micro_f1 or precision"),
    "evaluate.coverage_by_class": ((True,), "false"),
    "evaluate.slice_metric": (OF_COUNTS, " or ".join(OF_SUMS)),
}


class Params(Section):
    """The settings of the pipeline; a section that is left out has its defaults."""

    fetch: Fetch = Field(default_factory=Fetch)
    data: Data = Field(default_factory=Data)
    about: About = Field(default_factory=About)
    split: Split = Field(default_factory=Split)
    vectorize: Vectorize = Field(default_factory=lambda: Vectorize.model_validate({DEFAULT: {}}))
    combine: Combine = Field(default_factory=Combine)
    train: Train = Field(default_factory=lambda: Train.model_validate(LESSON))
    average: Average = Field(default_factory=Average)
    evaluate: Evaluate = Field(default_factory=Evaluate)
    export: Export = Field(default_factory=Export)
    behave: Behave = Field(default_factory=Behave)
    report: Report = Field(default_factory=Report)
    gate: Gate = Field(default_factory=Gate)
    crossvalidate: CrossValidate = Field(default_factory=CrossValidate)
    search: Search = Field(default_factory=Search)
    audit: Audit = Field(default_factory=Audit)

    @property
    def models(self) -> Train:
        """The models of train, then the averages."""
        return with_averages(self.train, self.average)


def load(path: Path = PARAMS_FILE) -> Params:
    """Return the validated settings of a YAML file; `UserError` with a line for each mistake."""
    READ[path, ""] = content = load_yaml(path)
    return _checked(content, str(path))


def parse(text: str, name: str = str(PARAMS_FILE)) -> Params:
    """Return the validated settings of a YAML text; `name` is its source in errors."""
    return _checked(parse_yaml(text, name), name)


def is_lesson(params: Params) -> bool:
    """Return whether the rows are the lesson's, so that its numbers are to be expected of them."""
    return (params.data, params.fetch) == (Data(), Fetch())


def _teacher_conflicts(params: Params) -> Iterator[str]:
    for name in params.train.names():
        teacher = getattr(params.train[name], "teacher", None)
        if teacher is None:
            continue
        file = params.evaluate.external.get(teacher)
        if file is None:
            hint = suggest(teacher, params.evaluate.external)
            yield f"train.{name}.teacher must be a name in evaluate.external; got {teacher}; {hint}"
        elif not Path(file).is_relative_to(EXTERNAL):
            yield (
                f"evaluate.external.{teacher} must be a file in {EXTERNAL}, "
                f"as it teaches {name}; got {file}; move it"
            )


def _checked(content: object, name: str) -> Params:
    params: Params = validate(Params, content, name)
    if lines := [f"{name}: {sentence}" for sentence in conflicts(params)]:
        raise UserError(*lines)
    return params


def conflicts(params: Params) -> Iterator[str]:
    """Yield a sentence for each setting that contradicts a setting of another section."""
    yield from wrong_averages(params.train, params.average)
    models = params.models.names()
    exported = params.export.model
    if exported is not None and exported not in models:
        yield (
            f"export.model must be a model of train ({', '.join(models)}), or null; got {exported}"
        )
    score = params.evaluate.unknown_score
    if params.data.no_class_label is not None:
        yield from _unknown_conflicts(params)
    elif score != PROBABILITY:
        yield (
            f"evaluate.unknown_score must be {PROBABILITY} unless data.unknown names texts of no "
            f"class and data.train_unknown is false; got {score}"
        )
    if params.data.classes:  # otherwise the stage evaluate looks for them
        yield from unknown_classes(params.evaluate.costs, params.data.classes)
    external = params.evaluate.external
    for name in external:
        if name in models:
            yield (
                f"evaluate.external.{name} must not have the name of a model of train; "
                "choose another"
            )
    yield from _teacher_conflicts(params)
    # A kind that a run leaves out, as by -S ~train.keras, may keep its limits.
    known = list(dict.fromkeys([*models, *KINDS, *external]))
    for limit, limited in params.gate:
        for name in limited:
            if name not in known:
                yield f"gate.{limit}.{quote_name(name)} is no model; {suggest(name, known)}"
    if params.split.method == "time" and params.data.time is None:
        yield "data.time must be a column of times with split.method time; got null"
    yield from _slice_conflicts(params)
    for name in params.vectorize.names():
        yield from _representation_conflicts(params, name)
    yield from _untested_limits(params)
    if wrong := list(wrong_pairs(params.vectorize, params.combine)):
        yield from wrong
        return
    sections = params.train, params.vectorize, params.combine
    names = params.train.names()
    unreadable = [line for name in names for line in unreadable_features(*sections, name)]
    yield from unreadable
    yield from _choices_without_validation_rows(params)
    # A search that nobody has set up is no reason to refuse a run.
    if params.search != Search() and not unreadable:
        yield from _search_conflicts(params)
    yield from _audit_conflicts(params)
    yield from _metric_conflicts(params)
    if params.data.task == MULTILABEL:
        yield from _multilabel_conflicts(params)
    elif params.evaluate.threshold == MICRO_F1:
        yield (
            "evaluate.threshold must be a number, accuracy, f1 or precision "
            f"for one label per text; got {MICRO_F1}"
        )


def _unknown_conflicts(params: Params) -> Iterator[str]:
    """Yield a sentence for each setting that does not suit texts of no class, or their score."""
    evaluate, score = params.evaluate, params.evaluate.unknown_score
    if evaluate.coverage is not None:
        yield (
            "evaluate.coverage must be null with data.unknown unless data.train_unknown is true; "
            f"got {evaluate.coverage}"
        )
    lacking = dict.fromkeys(evaluate.external, "which predictions made elsewhere lack")
    for name in params.models.names():
        settings = params.models[name]
        read = getattr(settings, "features", None)  # of an average, None
        if score == ENERGY and settings.kind in WITHOUT_ENERGY:
            lacking[name] = f"which needs other models than {join_names(WITHOUT_ENERGY)}"
        is_dense = read in params.vectorize.names() and params.vectorize[read].kind == DENSE
        if score == DISTANCE and not is_dense:
            lacking[name] = "which needs dense features"
    if score == PROBABILITY:
        return
    for name, reason in lacking.items():
        yield f"evaluate.unknown_score must be probability for {name}; got {score}, {reason}"


def _slice_conflicts(params: Params) -> Iterator[str]:
    """Yield a sentence for each unknown slice, and each column that can't name slices."""
    for column in params.data.slices:
        if column in FAMILIES or "=" in column:
            others = f"the slices that are made of the texts ({', '.join(FAMILIES)})"
            yield (
                f"data.slices must have names without =, and other than {others}; "
                f"got {show(column)}; rename the column"
            )
    columns = [*FAMILIES, *params.data.slices]
    for model, slices in params.gate.slices.items():
        key = f"gate.slices.{quote_name(model)}"
        if model in params.train.names() and params.train[model].kind == CONSTANT:
            yield f"{key} must be a model that tells texts apart; got {model}, which has no slices"
        for name, metrics in slices.items():
            column, equals, _ = name.partition("=")
            if not equals or column not in columns:
                yield (
                    f"{key} must have keys <column>=<value> with one of the columns "
                    f"{', '.join(columns)}; got {show(name)}; {suggest(column, columns)}"
                )
            for metric in metrics:
                if metric not in ("accuracy", params.evaluate.slice_metric):
                    chosen = show(params.evaluate.slice_metric)
                    yield (
                        f"{key}.{quote_name(name)}.{metric} needs evaluate.slice_metric: {metric}; "
                        f"got {chosen}"
                    )


def _representation_conflicts(params: Params, name: str) -> Iterator[str]:
    """Yield a sentence for each setting that does not suit a representation."""
    for column in getattr(params.vectorize[name], "names", ()):
        if column not in params.data.columns:
            yield (
                f"vectorize.{name} must name columns of data.columns; got {show(column)}; "
                "add it there"
            )
    key = f"vectorize.{name}.class_texts"
    texts = dict(getattr(params.vectorize[name], "class_texts", ()))
    if not texts:
        return
    if params.data.task == MULTILABEL:
        yield f"{key} must be empty for data.task {MULTILABEL}; got {show(texts)}"
    for model in params.train.names():
        C = getattr(params.train[model], "C", None)
        if params.train[model].features == name and isinstance(C, tuple):
            yield (
                f"train.{model}.C must be one number with {key}, "
                f"which a choice of C would measure; got {show(C)}"
            )


def _multilabel_conflicts(params: Params) -> Iterator[str]:
    """Yield a sentence for each setting that data.task multilabel does not support."""
    for key, (refused, rule) in ONE_LABEL.items():
        section, name = key.split(".")
        value = getattr(getattr(params, section), name)
        if value in refused:
            yield f"{key} must be {rule} for data.task {MULTILABEL}; got {show(value)}"
    costs, unknown = params.evaluate.costs, params.data.unknown
    if costs:
        yield f"evaluate.costs must be empty for data.task {MULTILABEL}; got {show(costs)}"
    for name in params.train.names():
        if getattr(params.train[name], "objective", None) == CONTRASTIVE:
            yield (
                f"train.{name}.objective must be classify for data.task {MULTILABEL}; "
                f"got {CONTRASTIVE}"
            )
    if unknown is not None:
        yield f"data.unknown must be null for data.task {MULTILABEL}; got {show(unknown)}"


def _metric_conflicts(params: Params) -> Iterator[str]:
    """Yield a sentence for each metric in use that the task does not have."""
    named = [("search.metric", params.search.metric)]
    for rule in ("minimum", "maximum_drop"):
        for model, by_split in getattr(params.gate, rule).items():
            for split, limits in by_split.items():
                key = f"gate.{rule}.{quote_name(model)}.{split}"
                named += [(key, metric) for metric in limits]
    for key, metric in named:
        if not METRICS[metric].suits(params.data.task == MULTILABEL):
            yield f"{key} must name a metric of data.task {params.data.task}; got {metric}"
        elif metric == "cost" and not params.evaluate.costs:
            yield f"{key} must name another metric unless evaluate.costs is set; got cost"
        elif metric in OF_SCALE and not params.data.order:
            yield f"{key} must name another metric unless data.order is true; got {metric}"


def _untested_limits(params: Params) -> Iterator[str]:
    """Yield a sentence for each limit on behaviour that no test could reach."""
    for model, tests in params.gate.behaviour.items():
        if model in params.evaluate.external:
            yield (
                f"gate.behaviour.{model} must be a model that is exported; "
                "predictions made elsewhere are not tested"
            )
        for name in tests:
            if name not in params.behave.tests:
                known = ", ".join(params.behave.tests) or "none"
                yield (
                    f"gate.behaviour.{quote_name(model)}.{quote_name(name)} must be in "
                    f"behave.tests ({known}); add the file there"
                )


def _search_conflicts(params: Params) -> Iterator[str]:
    """Yield a sentence if there is no model to search, and for each setting with a wrong value."""
    sections = params.train, params.vectorize, params.combine
    where = ""
    try:
        search = complete(searched(params), *sections)
        where = "search.space: "
        dimensions = space.dimensions(search, *sections)
    except UserError as error:
        yield f"{where}{error.lines[0].removeprefix(f'{PARAMS_FILE}: ')}"
        return
    before, wrong = list(_choices_without_validation_rows(params)), set()
    for name, values in space.single_values(dimensions):
        sentences: list[str] = []
        try:
            train, vectorize = space.apply(*sections, search.model, values)
        except UserError as error:
            sentences += [line.removeprefix(f"{PARAMS_FILE}: ") for line in error.lines]
        else:
            changed = params.model_copy(update={"train": train, "vectorize": vectorize})
            sentences += unreadable_features(train, vectorize, params.combine, search.model)
            choices = _choices_without_validation_rows(changed)
            sentences += [sentence for sentence in choices if sentence not in before]
        if name not in wrong:
            yield from (f"search.space: {sentence}" for sentence in sentences[:1])
        if sentences:
            wrong.add(name)
    if search.sampler == "grid":
        size = space.combinations(dimensions)
        if size > search.trials:
            yield (
                f"search.trials must be at least {size}, all combinations, if sampler is grid; "
                f"got {search.trials}"
            )


def searched(params: Params) -> Search:
    """Return the section search with a model.

    If it names none, that is the default model of the run, if this model can be searched.
    """
    named = params.export.model
    searchable = named in params.train.names() and params.train[named].kind != CONSTANT
    default = named if searchable else None
    return params.search.model_copy(update={"model": params.search.model or default})


def _audit_conflicts(params: Params) -> Iterator[str]:
    known = params.train.names()
    for number, name in enumerate(params.audit.models or ()):
        key = f"audit.models[{number}]"
        if name not in known:
            yield f"{key} must be a model of train; got {name}; {suggest(name, known)}"
        elif params.train[name].kind == CONSTANT:
            yield (
                f"{key} must be a model that tells texts apart; "
                f"got {name}, which predicts the same for all"
            )


def _choices_without_validation_rows(params: Params) -> Iterator[str]:
    """Yield a sentence if settings make choices that need validation rows and there are none."""
    choices = list(validation_choices(params))
    if params.split.validation_size == 0 and choices:
        yield (
            f"split.validation_size must be greater than 0 for {', '.join(choices)}, "
            "since the test rows decide nothing; "
            "got 0 (any size will do if the table gives validation rows)"
        )


def validation_choices(params: Params) -> Iterator[str]:
    """Yield the dotted key of each setting that makes a choice that needs validation rows."""
    for model in params.train.names():
        for setting in params.train[model].validation_choices():
            yield f"train.{model}.{setting}"
    if params.evaluate.coverage is not None:
        yield "evaluate.coverage"
