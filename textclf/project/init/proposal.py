"""The settings that `textclf init` proposes for a table, and what it says of them."""

import argparse
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from textclf.core.about import About
from textclf.core.differences import value_at
from textclf.core.errors import UserError
from textclf.core.formatting import align, count_noun, points
from textclf.core.params_text import with_sections, with_values
from textclf.core.quoting import list_classes, list_names
from textclf.core.settings import PARAMS_FILE, Section, parse_yaml, show, validate
from textclf.core.writing_systems import EXAMPLES, SOME
from textclf.evaluate.comparisons import smallest_difference
from textclf.evaluate.intervals import CONFIDENCE
from textclf.project.comments import commented
from textclf.project.init.columns import (
    find_columns,
    find_delimiter,
    find_id,
    find_sets,
    find_split,
    find_useful,
)
from textclf.project.init.expected import disk_in_words, expected_minutes, in_words
from textclf.project.init.presets import PRESETS, Choice, choose_models, left_out
from textclf.project.init.protocol import TEST_SIZE, choose_settings, is_validated, offer_settings
from textclf.project.init.survey import Survey, survey
from textclf.tables.columns import Column, column_names
from textclf.tables.given import layout_of
from textclf.tables.layout import Layout
from textclf.tables.rare_labels import describe_look_alikes, doubts, look_alikes
from textclf.tables.settings import OPTIONS, Data, check_option

# Arguments that are settings of data
GIVEN = (*OPTIONS, "format", "id", "group", "time", "split", "unknown", "sheet", "query")
DISAGREEMENT = 0.13  # share of the rows that only one of two models decides correctly; the lesson's


def choose(arguments: argparse.Namespace, before: str, done: str) -> tuple[str, str, list[str]]:
    """Return a params.yaml with settings for the table that the arguments name, where the table is, and what to print.

    The lines say what the table holds, which settings differ from those of `before` and why; `done`
    is what was done to these. Raises `UserError` as the reader of the table does, or if a class has
    too few texts.
    """
    data, columns, several = describe_table(arguments)
    data, found = survey_table(data, columns, arguments)
    alike = describe_look_alikes(found.classes)
    if alike:
        data, found = survey_table(
            data.model_copy(update={"labels": look_alikes(found.classes)}), columns, arguments
        )
    content = parse_yaml(before, str(PARAMS_FILE))
    found = replace(found, language=found.language or value_at(content, "about.language") or None)
    preset = arguments.preset or "good"
    models = choose_models(preset, found)
    try:
        choices = choose_settings(preset, found, models.candidates, by_time=data.time is not None)
    except UserError as error:
        taken = _columns(data, "text", "label")
        raise UserError(
            f"{error.lines[0]}; {taken}: set --text and --label if these are not meant"
        ) from None
    offers = list(
        offer_settings(
            found, [column for column in columns if column.name not in {data.id, data.group}]
        )
    )
    given = {"title": arguments.title, "licence": arguments.licence, "language": found.language}
    about = validate(About, given, "init", "about")
    settings = dict([*_settings("data", data, content), *_settings("about", about, content)])
    changed = [
        choice
        for choice in choices
        if (value_at(content, choice.key) or None) != (choice.value or None)
    ]
    settings |= {
        choice.key: choice.value
        for choice in choices
        if choice in changed or choice.key in settings
    }
    gone = _searches_of_other_models(content, [*models.sections["train"]])
    text = with_values(
        with_sections(before, models.sections | {name: {} for name in gone}), settings
    )
    minutes = expected_minutes(models.sections, found, is_validated(preset, found))
    told = [
        _detectable(found, len(models.candidates)),
        *([f"a text has several labels: {several} (data.task: multilabel)"] if several else []),
        *(
            [f"labels that look alike are one class (data.labels, take out what is wrong): {alike}"]
            if alike
            else []
        ),
        f"preset {preset}: {PRESETS[preset]}",
        *left_out(preset, found),
        f"expected: {in_words(minutes)} for the first run on this machine{disk_in_words(models.sections)}",
        *(
            f"section {name}: removed, since it names models that the preset does not have"
            for name in gone
        ),
    ]
    return (
        commented(text),
        data.path,
        summary(data, found, told, [*models.reasons, *changed], offers, done),
    )


def _searches_of_other_models(content: Any, models: list[str]) -> list[str]:
    """Return those of the sections search and audit that name a model which is not one of these."""
    named = {
        "search": [value_at(content, "search.model")],
        "audit": value_at(content, "audit.models"),
    }
    return [
        section
        for section, names in named.items()
        if isinstance(names, list)
        and any(isinstance(name, str) and name not in models for name in names)
    ]


def _settings(name: str, section: Section, before: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the dotted key and the value of each setting that stands in params.yaml, or is not the default."""
    values = section.model_dump()
    for key, field in type(section).model_fields.items():
        if key in before.get(name, {}) or values[key] != field.default:
            yield f"{name}.{key}", values[key]


def describe_table(arguments: argparse.Namespace) -> tuple[Data, list[Column], str]:
    """Return the section data for the table, by the arguments and by what the table shows, and the columns not used.

    Also what shows that texts have several labels, "" if nothing does.
    """
    for name in OPTIONS:
        if (value := getattr(arguments, name)) is not None:
            check_option(name, value)
    path = arguments.data
    given = {name: getattr(arguments, name) for name in GIVEN}
    given["quoting"] = None if arguments.quoting is None else arguments.quoting == "true"
    # Rows without text or label can't be used; the summary counts them.
    values = {"path": path.as_posix(), "missing": "drop"} | {
        name: each for name, each in given.items() if each is not None
    }
    layout = _layout(_validated(values))
    values["delimiter"] = find_delimiter(path, layout)
    layout = replace(layout, delimiter=values["delimiter"])
    if (split := arguments.split or find_split(path, layout)) is not None:
        values["split"] = split
    values["text"], values["label"], others = find_columns(
        path, layout, arguments.text, arguments.label, {split, arguments.time}
    )
    columns = [column for column in others if column.name not in {arguments.id, arguments.group}]
    if (
        arguments.id is None
        and (column := find_id(columns, column_names(path, layout)[0])) is not None
    ):
        values["id"] = column
    several = {} if isinstance(values["label"], str) else {"task": "multilabel"}
    every = _validated({name: each for name, each in values.items() if name != "unknown"} | several)
    several, shown = find_sets(path, every, others, layout, given=bool(arguments.label))
    if several and arguments.unknown is not None:
        rule = "--unknown must be left out if a text has several labels: one of no class has none"
        raise UserError(f"{rule}; got {show(arguments.unknown)}")
    values |= several
    return (
        _validated(values | (_with_test(path, arguments) if arguments.test is not None else {})),
        columns,
        shown,
    )


def survey_table(
    data: Data, columns: list[Column], arguments: argparse.Namespace
) -> tuple[Data, Survey]:
    """Return the section data and what the rows hold; without the ids that were found if split would refuse them."""
    path, update = (
        Path(data.path),
        find_useful([column for column in columns if column.name != data.id]),
    )
    for each in (
        update,
        *([{}] if data.multilabel else []),
    ):  # rows to be united may differ in these columns
        with suppress(UserError):
            return data, survey(path, data.model_copy(update=each))
    data = data.model_copy(update={"id": arguments.id})
    return data, survey(path, data.model_copy(update=update))


def _with_test(path: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the settings with which rows are trained on those of one file and tested on those of another."""
    folder = Path(os.path.commonpath([path.parent, arguments.test.parent]))
    files = {"train": path, "test": arguments.test}
    names = {split: file.relative_to(folder).as_posix() for split, file in files.items()}
    return {"path": folder.as_posix(), "files": names}


def _validated(values: Mapping[str, Any]) -> Data:
    data: Data = validate(Data, values, values["path"], "data")
    return data


def _layout(data: Data) -> Layout:
    """Return how the table is written; errors name the options of the command."""
    return replace(layout_of(data), columns={}, option="--")


def summary(
    data: Data,
    found: Survey,
    told: list[str],
    changed: list[Choice],
    offers: list[Choice],
    done: str,
) -> list[str]:
    """Return lines on what the table holds, what is `told` of the preset, and which settings changed and why."""
    several = f"; {count_noun(found.without_labels, 'text')} without" if data.multilabel else ""
    classes = ("label",) if data.multilabel else ("class", "classes")
    untested = "; test rows not counted" if "test" in found.given else ""
    return [
        f"{data.path}: {count_noun(found.rows, 'row')}, {_columns(data, 'text', 'label', 'id', 'group', 'time')}",
        f"{count_noun(len(found.classes), *classes)}: {list_classes(found.classes)}{several}{untested}",
        *doubts(found.classes, data.multilabel),
        f"{found.unit} of a text: {found.median_length:,} in the median, {found.longest:,} at most",
        f"language of the texts: {found.language or 'not recognized, or several; about.language can name it'}",
        *_oddities(found, kept=not found.given and data.time is None),
        *told,
        *(
            [f"{PARAMS_FILE}: {count_noun(len(changed), 'setting')} {done}", *_listed(changed)]
            if changed
            else []
        ),
        *(["left to you, who know the rows:", *_listed(offers)] if offers else []),
    ]


def _columns(data: Data, *purposes: str) -> str:
    """Return which columns hold what, such as texts in column message, without purposes that have no column."""
    found = {purpose: layout_of(data).columns_of(purpose) for purpose in purposes}
    return ", ".join(
        f"{purpose}s in column{'s' * (len(names) > 1)} {list_names(names)}"
        for purpose, names in found.items()
        if names
    )


def _oddities(found: Survey, kept: bool) -> Iterator[str]:
    """Yield a line for each property of the rows that the user may not expect."""
    if found.given:
        rows = ", ".join(
            f"{split} {count_noun(count, 'row')}" for split, count in found.given.items()
        )
        yield f"splits that the table gives: {rows}"
    if found.suggested:
        yield f"{count_noun(found.suggested, 'training row')} that textclf suggest chose: never held out to choose by"
    if found.unknown:
        yield f"{count_noun(found.unknown, 'row')} of no class (data.unknown): not counted here, and train no model"
    if found.dropped:
        yield f"{count_noun(found.dropped, 'row')} without text or label: left out"
    if found.repeated:
        yield f"{count_noun(found.repeated, 'row')} with the text of an earlier row" + (
            ": kept in the same split" if kept else ""
        )
    if found.unspaced >= SOME:
        yield f"{found.unspaced:.0%} of the texts are {EXAMPLES}: read as runs of letters"
    if found.conflicts:
        of_sets = "sets of" if found.sets is not None else "several"
        yield f"{count_noun(found.conflicts, 'text')} with {of_sets} labels: no model can be right on all of their rows"


def _detectable(found: Survey, models: int) -> str:
    """Return a line on the smallest difference that the test rows find between two of so many models."""
    given = found.given.get("test")
    rows = round(TEST_SIZE * found.rows) if given is None else given
    independent = round(rows * found.worth)
    smallest = smallest_difference(
        independent, DISAGREEMENT, (1 - CONFIDENCE) / max(math.comb(models, 2), 1)
    )
    worth = f" in clusters of dependent rows, worth at least {independent:,} independent ones" * (
        found.worth < 1
    )
    difference = (
        "no difference"
        if smallest is None
        else f"a difference of {points(smallest, signed=False)} points"
    )
    return (
        f"{'about ' if given is None else ''}{count_noun(rows, 'test row')}{worth}: {difference} between models that "
        f"disagree on {DISAGREEMENT:.0%} of them is found in four of five such test sets (docs/evaluation.md)"
    )


def _listed(choices: list[Choice]) -> list[str]:
    rows = align([(f"{choice.key}: {show(choice.value)}", choice.reason) for choice in choices])
    return [f"  {row}" for row in rows]
