"""The settings that `textclf init` proposes for a table, and what it says of them."""

import math
import os
from collections.abc import Iterator, Mapping, Sequence
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
from textclf.project.arguments import Init
from textclf.project.comments import commented
from textclf.project.init.columns import (
    find_columns,
    find_id,
    find_sets,
    find_split,
    find_useful,
    look_like_texts,
    repeats_ids,
)
from textclf.project.init.expected import disk_in_words, expected_minutes, in_words
from textclf.project.init.presets import PRESETS, Choice, Models, choose_models, left_out
from textclf.project.init.protocol import choose_settings, is_validated, offer_settings
from textclf.project.init.survey import TEST_SIZE, Survey, survey
from textclf.project.init.times import find_time_format
from textclf.tables.columns import Column, column_names
from textclf.tables.given import layout_of
from textclf.tables.layout import Layout
from textclf.tables.rare_labels import describe_look_alikes, doubts, look_alikes, placeholders
from textclf.tables.settings import Data, check_options
from textclf.tables.written import find_written

# The settings of which the first that is chosen is told with its reason.
NOTABLE = ("data.rare", "data.order")
# Those that are chosen for almost every table.
USUAL = ("evaluate.calibration", "export.model")
# What to do with a test file without labels.
UNLABELLED = "; if its rows have no labels, give them to textclf predict --path"
# Share of the texts with markup from which on it is told.
MOSTLY = 0.5
# Share of the rows that only one of two models decides correctly; the lesson's.
DISAGREEMENT = 0.13


def choose(
    arguments: Init, paths: Sequence[Path], before: str, done: str
) -> tuple[str, str, list[str]]:
    """Return a params.yaml for the table of these paths, its path, and lines to print.

    The lines say what the table holds and what trains; with `arguments.verbose` also which settings
    differ from those of `before`, and why; `done` is what was done to these. Raises `UserError` as
    the reader of the table does, or if a class has too few texts.
    """
    data, columns, several, phrases = describe_table(arguments, paths)
    data, table = survey_table(data, columns, arguments.columns.id)
    alike = describe_look_alikes(table.classes)
    if alike:
        data = data.model_copy(update={"labels": look_alikes(table.classes)})
        data, table = survey_table(data, columns, arguments.columns.id)
    content = parse_yaml(before, str(PARAMS_FILE))
    table = replace(table, language=table.language or value_at(content, "about.language") or None)
    preset = arguments.preset or "good"
    models = choose_models(preset, table)
    try:
        choices = choose_settings(preset, table, models.candidates, by_time=data.time is not None)
    except UserError as error:
        raise UserError(
            f"{error.lines[0]}; {_columns(data, 'text', 'label')}: "
            "set --text and --label if these are not meant"
        ) from None
    unused = [column for column in columns if column.name not in {data.id, data.group}]
    offers = list(offer_settings(table, unused))
    given = {"title": arguments.title, "licence": arguments.licence, "language": table.language}
    about = validate(About, given, "init", "about")
    settings = dict([*_settings("data", data, content), *_settings("about", about, content)])
    changed = [
        choice
        for choice in choices
        if (value_at(content, choice.key) or None) != (choice.value or None)
    ]
    listed = [choice for choice in choices if choice in changed or choice.key in settings]
    settings |= {choice.key: choice.value for choice in listed}
    gone = _searches_of_other_models(content, [*models.sections["train"]])
    sections = models.sections | {name: {} for name in gone}
    text = with_values(with_sections(before, sections), settings)
    lines = [
        "; ".join([f"{data.path}: {count_noun(table.rows, 'row')}, {_columns(data)}", *phrases]),
        _classes(data, table),
        *_oddities(data, table, several, alike),
        _distinguishable(table, len(models.candidates)),
        _trains(preset, table, models),
    ]
    lines += [
        f"section {name}: removed, since it names models that the preset does not have"
        for name in gone
    ]
    if arguments.verbose:
        lines += _details(table, len(models.candidates))
        lines += _listed(f"{PARAMS_FILE}: {{}} {done}", [*models.reasons, *changed])
        lines += _listed("{} that you may change, but need not:", offers)
    else:
        lines += _named([*models.reasons, *changed], offers)
    return commented(text), data.path, lines


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
    """Yield the dotted key and value of each setting that is in params.yaml or not the default."""
    values = section.model_dump()
    for key, field in type(section).model_fields.items():
        if key in before.get(name, {}) or values[key] != field.default:
            yield f"{name}.{key}", values[key]


def describe_table(
    arguments: Init, paths: Sequence[Path]
) -> tuple[Data, list[Column], str, list[str]]:
    """Return the section data for the table, the columns it does not use, and what shows labels.

    The section follows from the arguments and from what the table shows. The third is what shows
    that texts have several labels, "" if nothing does; the last is how the table is written.
    """
    check_options(vars(arguments.form) | vars(arguments.columns))
    path = paths[0]
    named = arguments.columns
    given = vars(named) | arguments.form.settings
    # Rows without text or label can't be used; the summary counts them.
    values: dict[str, Any] = {"path": path.as_posix(), "missing": "drop"}
    values |= {name: value for name, value in given.items() if value is not None}
    written = find_written(path, arguments.form.settings)
    values |= written.settings
    layout = _layout(_validated(values))
    if named.time is not None and named.time_format is None:
        values["time_format"] = find_time_format(path, layout, named.time)
    split = named.split or find_split(path, layout)
    if split is not None:
        values["split"] = split
    values["text"], values["label"], others = find_columns(
        path, layout, arguments.text, arguments.label, {split, named.time}
    )
    phrases = written.phrases
    if not arguments.text and (texts := look_like_texts(others)):
        phrases.append(f"texts may also be in {list_names(texts)} (--text)")
    columns = [column for column in others if column.name not in {named.id, named.group}]
    if named.id is None:
        column = find_id(columns, column_names(path, layout)[0])
        if column is not None:
            values["id"] = column
        elif repeated := [each.name for each in columns if repeats_ids(each)]:
            phrases.append(f"{list_names(repeated)} repeats, so ids are file and line")
    several: dict[str, Any] = {} if isinstance(values["label"], str) else {"task": "multilabel"}
    known = {name: value for name, value in values.items() if name != "unknown"}
    every = _validated(known | several)
    several, shown = find_sets(path, every, others, layout, given=bool(arguments.label))
    if shown and not several:
        phrases.append(shown)
        shown = ""
    if several and named.unknown is not None:
        rule = "--unknown must be left out if a text has several labels: one of no class has none"
        raise UserError(f"{rule}; got {show(named.unknown)}")
    values |= several
    if len(paths) > 1:
        values |= _with_test(*paths)
        labels = replace(layout, columns={"label": values["label"]})
        labels.require_columns(paths[1], column_names(paths[1], layout), UNLABELLED)
    return _validated(values), columns, shown, phrases


def survey_table(data: Data, columns: list[Column], given_id: str | None) -> tuple[Data, Survey]:
    """Return the section data and what the rows hold, without ids that the split would refuse."""
    path = Path(data.path)
    useful = find_useful([column for column in columns if column.name != data.id])
    # Rows of several labels that are to be united may differ in the useful columns.
    updates = [useful, {}] if data.multilabel else [useful]
    for update in updates:
        with suppress(UserError):
            return data, survey(path, data.model_copy(update=update))
    data = data.model_copy(update={"id": given_id})
    return data, survey(path, data.model_copy(update=useful))


def _with_test(path: Path, test: Path) -> dict[str, Any]:
    """Return the settings with which the rows of one file train and those of another one test."""
    folder = Path(os.path.commonpath([path.parent, test.parent]))
    files = {"train": path, "test": test}
    names = {split: file.relative_to(folder).as_posix() for split, file in files.items()}
    return {"path": folder.as_posix(), "files": names}


def _validated(values: Mapping[str, Any]) -> Data:
    data: Data = validate(Data, values, values["path"], "data")
    return data


def _layout(data: Data) -> Layout:
    """Return how the table is written; errors name the options of the command."""
    return replace(layout_of(data), columns={}, option="--")


def _classes(data: Data, table: Survey) -> str:
    """Return a line on the classes, or labels, and their rows."""
    without = f"; {count_noun(table.without_labels, 'text')} without a label"
    several = without if data.multilabel else ""
    nouns = ("label",) if data.multilabel else ("class", "classes")
    untested = "; test rows not counted" if "test" in table.given else ""
    count = count_noun(len(table.classes), *nouns)
    return f"{count}: {list_classes(table.classes)}{several}{untested}"


def _columns(data: Data, *named: str) -> str:
    """Return the columns of each purpose that has any, such as texts in column message."""
    purposes = named or ("text", "label", "id", "group", "time")
    columns = {purpose: layout_of(data).columns_of(purpose) for purpose in purposes}
    return ", ".join(
        f"{purpose}s in {'column' if len(names) == 1 else 'columns'} {list_names(names)}"
        for purpose, names in columns.items()
        if names
    )


def _oddities(data: Data, table: Survey, several: str, alike: str) -> list[str]:
    """Return a line on what the user may not expect of the rows, if there is anything."""
    oddities = list(_unexpected(table, moved=not table.given and data.time is None))
    if several:
        oddities.insert(0, f"a text may have several labels: {several} (data.task: multilabel)")
    if alike:
        oddities.append(
            f"labels that look alike are one class (data.labels, take out what is wrong): {alike}"
        )
    if not data.multilabel and (named := placeholders(table.classes)):
        oddities.append(
            f"labels that may stand for no label: {list_classes(named)}; rows without a label are "
            "left out, so empty these in the table, or name one by --unknown"
        )
    oddities += doubts(table.classes, data.multilabel)
    return ["; ".join(oddities)] if oddities else []


def _unexpected(table: Survey, moved: bool) -> Iterator[str]:
    """Yield what the user may not expect of the rows.

    `moved` says whether rows of the same text are moved into the same split.
    """
    if table.given:
        rows = [f"{split} {count_noun(count, 'row')}" for split, count in table.given.items()]
        yield f"splits that the table gives: {', '.join(rows)}"
    if table.suggested:
        rows_chosen = count_noun(table.suggested, "training row")
        yield f"{rows_chosen} that textclf suggest chose: never held out to choose by"
    if table.unknown:
        of_none = count_noun(table.unknown, "row")
        yield f"{of_none} of no class (data.unknown): not counted here, and train no model"
    if table.dropped:
        yield f"{count_noun(table.dropped, 'row')} without text or label: left out"
    if table.repeated:
        where = ": kept in the same split" if moved else ""
        yield f"{count_noun(table.repeated, 'row')} with the text of an earlier row{where}"
    if table.unspaced >= SOME:
        yield f"{table.unspaced:.0%} of the texts are {EXAMPLES}: read as runs of letters"
    if table.marked > MOSTLY:
        yield (
            f"markup such as <p> is in {table.marked:.0%} of the texts: read as words, since no "
            "setting strips it; do that in the table"
        )
    if table.conflicts:
        texts = count_noun(table.conflicts, "text")
        of_sets = "sets of" if table.sets is not None else "several"
        yield f"{texts} with {of_sets} labels: no model can be right on all of their rows"


def _distinguishable(table: Survey, models: int) -> str:
    """Return a line on the differences that can't be told from chance, in plain words."""
    rows, smallest = _smallest_difference(table, models)
    if smallest is None:
        return f"{rows}: too few to tell two models apart"
    return f"{rows}: differences under about {100 * smallest:.0f} points can't be told from chance"


def _trains(preset: str, table: Survey, models: Models) -> str:
    """Return a line on the preset, and how long its first run takes."""
    minutes = expected_minutes(models.sections, table, is_validated(preset, table))
    disk = disk_in_words(models.sections)
    parts = [f"preset {preset}: {PRESETS[preset]}", f"{in_words(minutes)} for the first run{disk}"]
    return "; ".join([*parts, *left_out(preset, table)])


def _details(table: Survey, models: int) -> list[str]:
    """Return what few need to know of the texts, and what exactly the test rows show."""
    language = table.language or "not recognized, or several; about.language can name it"
    rows, smallest = _smallest_difference(table, models)
    found = "too few to find any difference"
    if smallest is not None:
        found = f"enough to find a difference of {points(smallest, signed=False)} points"
    exactly = (
        f"{rows}: {found} between models that disagree on {DISAGREEMENT:.0%} of them, with a "
        "probability of 80% (docs/evaluation.md)"
    )
    return [
        f"{table.unit} of a text: {table.median_length:,} in the median, {table.longest:,} at most",
        f"language of the texts: {language}",
        exactly,
    ]


def _smallest_difference(table: Survey, models: int) -> tuple[str, float | None]:
    """Return the number of test rows in words, and the smallest difference that they find.

    It is a share of the rows; None if they find no difference between two of so many models.
    """
    given = table.given.get("test")
    test_rows = round(TEST_SIZE * table.rows) if given is None else given
    rows = count_noun(test_rows, "test row")
    if given is None:
        rows = f"about {rows}"
    independent = round(test_rows * table.worth)
    if table.worth < 1:
        rows += f", which count as at least {independent:,} since some share a text or a group"
    pairs = max(math.comb(models, 2), 1)
    return rows, smallest_difference(independent, DISAGREEMENT, (1 - CONFIDENCE) / pairs)


def _listed(heading: str, choices: Sequence[Choice]) -> list[str]:
    """Return lines with each choice and its reason below a heading that counts them."""
    if not choices:
        return []
    rows = align([(f"{choice.key}: {show(choice.value)}", choice.reason) for choice in choices])
    return [heading.format(count_noun(len(choices), "setting")), *(f"  {row}" for row in rows)]


def _named(changed: Sequence[Choice], offers: Sequence[Choice]) -> list[str]:
    """Return a line on the choice that matters most, and one with the names of the others."""
    notable = [choice for key in NOTABLE for choice in changed if choice.key == key][:1]
    lines = [f"{choice.key}: {show(choice.value)} {choice.reason}" for choice in notable]
    settings = [choice.key for choice in changed if choice.key not in (*NOTABLE, *USUAL)]
    offered = list(dict.fromkeys(choice.key for choice in offers))
    parts = {"chosen for these rows": settings, "you may change, but need not": offered}
    named = [f"{verb}: {list_names(names)}" for verb, names in parts.items() if names]
    if named:
        lines.append(f"settings {'; '.join(named)} (--verbose tells why)")
    return lines
