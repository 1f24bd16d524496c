"""Settings of the labelled table, by whose rules the command line checks its options."""

import codecs
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import PureWindowsPath
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from textclf.core.errors import UserError
from textclf.core.scale import scale_of
from textclf.core.settings import Columns, FilePath, Name, Section, relation, rule, show, unique
from textclf.tables.formats import TABLE_FORMATS
from textclf.tables.layout import SEPARATOR
from textclf.tables.split_names import SPLIT_OF

if TYPE_CHECKING:
    Format = str
else:
    Format = Literal["auto", *TABLE_FORMATS]

AUTO = "auto"
GLOB = "a glob of names below the folder, such as *.csv or **/*.jsonl"


def _delimiter(value: str) -> str:
    if len(value) != 1 or value in '\r\n"\0 ' or ord(value) > 127:
        raise rule("one ASCII character that is no space, quote or line end, such as ; or |")
    return value


def _glob(value: str) -> str:
    parts = value.split("/")
    foreign = "\\" in value or PureWindowsPath(value).drive
    wrong = any(part in {"", ".", ".."} or (part != "**" and "**" in part) for part in parts)
    if not value.isprintable() or foreign or wrong:
        raise rule(GLOB)
    return value


def _encoding(value: str) -> str:
    try:
        codec = codecs.lookup(value)
    except (LookupError, ValueError) as error:
        raise rule("an encoding that Python knows, such as utf-8 or cp1252") from error
    if not codec._is_text_encoding:
        raise rule("an encoding of text, such as utf-8 or cp1252")
    return value


def _time_format(value: str) -> str:
    day = datetime(2024, 12, 31, tzinfo=UTC)
    try:
        parsed = datetime.strptime(day.strftime(value), value)  # noqa: DTZ007 (it may have a zone)
    except ValueError as error:
        raise rule("a form of Python's strptime, such as %d.%m.%Y") from error
    if parsed.date() != day.date():
        raise rule("a form of Python's strptime with year, month and day, such as %d.%m.%Y")
    return value


def _header(value: object) -> object:
    is_line = isinstance(value, int) and not isinstance(value, bool) and value > 0
    if value is not False and not is_line:
        raise rule("false, or the number of a line from 1")
    return value


def _classes(value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    names = list(value) if isinstance(value, list | tuple) else []
    if len(names) < 2 or any(not isinstance(name, str | int) or name == "" for name in names):
        raise rule("null, or a list of two classes or more, each text, an integer or a boolean")
    labels = (str(name).lower() if isinstance(name, bool) else str(name) for name in names)
    return unique(tuple(labels))


def _files(value: object) -> object:
    """Return a glob, or a mapping of splits to globs with the splits under their own names."""
    if isinstance(value, str):
        return _glob(value)
    globs = list(value.items()) if isinstance(value, Mapping) else []
    splits = {SPLIT_OF.get(str(name).lower(), ""): glob for name, glob in globs}
    are_splits = "" not in splits and len(splits) == len(globs) > 0
    if not are_splits or not all(isinstance(glob, str) for _, glob in globs):
        raise rule(
            f"{GLOB}; or such a glob for each split, as in {{train: train.csv, test: test.csv}}"
        )
    return {split: _glob(glob) for split, glob in splits.items()}


Files = Annotated[
    str | Mapping[str, str],
    PlainValidator(_files),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {"type": "object", "additionalProperties": {"type": "string"}},
            ]
        }
    ),
]

Header = Annotated[
    int,
    PlainValidator(_header),
    WithJsonSchema(
        {"anyOf": [{"type": "boolean", "const": False}, {"type": "integer", "minimum": 1}]}
    ),
]

Classes = Annotated[
    tuple[str, ...] | None,
    BeforeValidator(_classes),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "null"},
                {
                    "type": "array",
                    "items": {"type": ["string", "integer", "boolean"]},
                    "minItems": 2,
                },
            ]
        }
    ),
]


def _one_or_several(value: object) -> str | tuple[str, ...]:
    """Return the name of a column, or the names of several."""
    names = value if isinstance(value, list | tuple) else ()
    if isinstance(value, str) and value:
        return value
    if len(names) < 2 or not all(isinstance(name, str) and name for name in names):
        raise rule("the name of a column, or a list of two or more")
    return unique(tuple(names))


OneOrSeveral = Annotated[
    str | tuple[str, ...],
    BeforeValidator(_one_or_several),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "minLength": 1},
                {"type": "array", "items": {"type": "string"}, "minItems": 2},
            ]
        }
    ),
]


class Data(Section):
    """The labelled rows. Your own file needs path, text and label: docs/own-data.md."""

    path: FilePath = Field(
        "data/raw",
        description="where the rows are: data/raw (the fetched corpus), or your own file or folder",
    )
    files: Files = Field(
        "**/*",
        description='files of a folder to read, such as "*.csv"; '
        "or of each split: {train: ..., test: ...}",
    )
    format: Format = Field(
        "auto",
        description="csv, tsv, json, jsonl, excel, parquet, arrow, sqlite, txt or folders "
        "(docs/own-data.md); auto: by ending",
    )
    text: OneOrSeveral = Field(
        "text",
        description="column of the texts; of several, as in [title, body], the texts are joined",
    )
    text_separator: Name = Field(
        SEPARATOR, description="text that joins the texts of several columns"
    )
    task: Literal["multiclass", "multilabel"] = Field(
        "multiclass",
        description="multilabel if a text has several labels, or none; otherwise multiclass",
    )
    label: OneOrSeveral = Field(
        "label",
        description="column of the labels (source: "
        "the file's name), or if multilabel columns of 0 and 1",
    )
    label_separator: Name | None = Field(
        None,
        description="multilabel: text between the labels in a cell, such as |; "
        "null: lists, or one per row",
    )
    id: Name | None = Field(
        None, description="column of unique ids; null identifies a row by file and line"
    )
    group: Name | None = Field(
        None, description="column whose equal values stay in one split, such as an author"
    )
    time: Name | None = Field(
        None, description="column of dates, times in ISO 8601 or numbers, for split.method time"
    )
    time_format: Annotated[str, AfterValidator(_time_format)] | None = Field(
        None,
        description="how these times are written if not so, as in Python's strptime, such as "
        "%d.%m.%Y",
    )
    slices: Columns = Field(
        (),
        description="columns by whose values the test rows are measured in parts, "
        "such as [platform]",
    )
    columns: Columns = Field(
        (),
        description="columns that representations of method columns read beside the text, "
        "such as [price]",
    )
    split: Name | None = Field(
        AUTO,
        description="column with train, validation, test; auto: by the names of files; "
        "null: split all rows anew",
    )
    classes: Classes = Field(
        None, description="labels in order, binary: positive class last; null sorts them"
    )
    order: bool = Field(
        False,
        description="whether classes are steps of a scale in the order of classes, such as stars: "
        "a near class is less wrong",
    )
    labels: Mapping[Name, Name] = Field(
        {},
        description="labels to read as others, as written and as meant, such as {Billing: billing}",
    )
    rare: Literal["refuse", "drop", "merge"] = Field(
        "refuse",
        description="classes too rare for training and test rows: refuse; drop leaves them out; "
        "merge makes them one",
    )
    unknown: Name | None = Field(
        None,
        description="label of texts that belong to no class, such as oos; "
        "null if every text has a class",
    )
    train_unknown: bool = Field(
        False,
        description="true trains a class of these texts; "
        "false trains without them, and rejects texts by a score",
    )
    correct_test_rows: bool = Field(
        False,
        description="true applies corrections.csv to test rows as well as to training and "
        "validation rows",
    )
    missing: Literal["error", "drop"] = Field(
        "error",
        description="rows without text or label: "
        "error refuses them, drop leaves them out and counts them",
    )
    encoding: Annotated[str, AfterValidator(_encoding)] = Field(
        "utf-8",
        description="encoding of csv, tsv, json, jsonl, txt and folders; "
        "many older exports are cp1252",
    )
    delimiter: Annotated[str, AfterValidator(_delimiter)] | None = Field(
        None, description="delimiter of csv and tsv; null is a comma for csv and a tab for tsv"
    )
    quoting: bool | None = Field(
        None,
        description='whether "..." may contain delimiters and line ends; '
        "null is true for csv, false for tsv",
    )

    header: Header = Field(
        1,
        description="line or row of the names of the columns in csv, tsv and excel; "
        "false: there is none, and columns are 1, 2, ...",
    )
    sheet: Name | None = Field(None, description="sheet of an Excel workbook; null is the first")
    query: Name | None = Field(
        None,
        description="SELECT statement that gives the rows of an SQLite file; "
        "null reads its only table",
    )

    @model_validator(mode="after")
    def _columns_differ(self) -> Self:
        texts, labels = (
            {name} if isinstance(name, str) else set(name) for name in (self.text, self.label)
        )
        if both := sorted(texts & labels):
            raise relation(f"label must be another column than text; got {show(both[0])} for both")
        # Records have the text under the name `text`, whatever its column is called.
        taken = {"slices": texts | labels, "columns": texts | labels | {"text"}}
        for setting, names in taken.items():
            if shared := [name for name in getattr(self, setting) if name in names]:
                raise relation(
                    f"{setting} must be other columns than text and label; got {show(shared[0])}"
                )
        for name in ("time", "split"):
            column = getattr(self, name)
            if column in texts | labels:
                raise relation(
                    f"{name} must be another column than text and label; got {show(column)}"
                )
        if self.split != AUTO and not isinstance(self.files, str):
            raise relation(
                f"split must be auto if files names the files of each split; got {show(self.split)}"
            )
        if self.time_format is not None and self.time is None:
            raise relation(f"time_format must be null without time; got {show(self.time_format)}")
        if self.train_unknown and self.unknown is None:
            raise relation(
                "train_unknown must be false without unknown, the label of texts of no class; "
                "got true"
            )
        if self.no_class_label is not None and self.no_class_label in (self.classes or ()):
            raise relation(
                "unknown must not be in classes unless train_unknown is true; "
                f"got {show(self.unknown)}"
            )
        if self.order and (broken := self._rule_of_order()):
            raise relation(f"order must be false {broken}; got true")
        if not self.multilabel and len(labels) > 1:
            raise relation(
                f"label must be one column unless task is multilabel; got {show(self.label)}"
            )
        if self.label_separator is not None and (not self.multilabel or len(labels) > 1):
            rule = "null unless task is multilabel and label one column"
            raise relation(f"label_separator must be {rule}; got {show(self.label_separator)}")
        return self

    def _rule_of_order(self) -> str:
        """Return the rule that ordered classes break, "" for none."""
        if self.multilabel:
            return "for task multilabel"
        if self.classes is None or len(self.classes) < 3:
            return "unless classes lists three or more, in their order"
        if scale_of(self.classes) is None:
            return "unless the numbers in classes all ascend, or all descend"
        if self.rare == "merge":
            return "for rare merge, which makes a class without a place in the order"
        if self.unknown is not None:
            return "with unknown, whose texts have no place in the order"
        return ""

    @property
    def multilabel(self) -> bool:
        """Whether a text has a set of labels."""
        return self.task == "multilabel"

    @property
    def no_class_label(self) -> str | None:
        """The label of texts that belong to no class and train nothing, or None."""
        return None if self.train_unknown else self.unknown

    @property
    def split_column(self) -> str | None:
        """The column that gives each row's split, or None."""
        return None if self.split == AUTO else self.split


OPTIONS = {
    "delimiter": _delimiter,
    "encoding": _encoding,
    "files": _glob,
    "time_format": _time_format,
}


def check_options(given: Mapping[str, Any]) -> None:
    """Raise `UserError` if a command-line option breaks the rule of the setting of its name."""
    for name, require in OPTIONS.items():
        value = given.get(name)
        try:
            if value is not None:
                require(value)
        except PydanticCustomError as error:
            option = f"--{name.replace('_', '-')}"
            raise UserError(f"{option} must be {error.message()}; got {show(value)}") from None
