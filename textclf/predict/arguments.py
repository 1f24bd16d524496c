"""The arguments of `textclf predict`, and those of every command that predicts or reads texts."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from textclf.core.command import Argument, Command, Group
from textclf.tables.arguments import Form

TextColumns = Annotated[
    list[str] | None,
    Argument("of the texts (default: as in params.yaml, or found); again joins another", "COLUMN"),
]
IdColumn = Annotated[
    str | None, Argument("of ids (default: as in params.yaml, or file and line)", "COLUMN")
]
TABLE = Group("texts in a table, or standard input in its format")
OUTPUT = Group("output")


@dataclass(frozen=True, kw_only=True)
class ModelChoice:
    """The model to use."""

    model: Annotated[
        str | None,
        Argument("its name, folder or tag (default: the one that models/index.json names)"),
    ] = None
    models: Annotated[Path, Argument("the folder of all models (default: models)")] = Path("models")


@dataclass(frozen=True, kw_only=True)
class Predict(Command):
    """The arguments of `textclf predict`."""

    description = """
    Classify texts: the arguments, or each line of standard input, or the rows of a table. Prints
    one row per text, in order: id, text, label, its confidence, and a probability for each class if
    there are at most ten.

      textclf predict "The food was great." "Never again."
      textclf predict --model logistic_regression --explain <reviews.txt
      textclf predict --path tickets.csv --text message --id ticket --output labels.parquet
    """
    module = "predict.command"
    texts: Annotated[list[str], Argument("a text", "TEXT", positional=True)] = field(
        default_factory=list
    )
    choice: Annotated[ModelChoice, Group("model")]
    path: Annotated[Path | None, Argument("a file, or a folder of files"), TABLE] = None
    id: Annotated[IdColumn, TABLE] = None
    text: Annotated[TextColumns, TABLE] = None
    form: Annotated[Form, TABLE]
    coverage: Annotated[
        float | None,
        Argument(
            "add the set of labels that has the right one in this share of texts; "
            "no label unless it has one",
            "SHARE",
        ),
        Group("doubt"),
    ] = None
    output: Annotated[
        Path | None, Argument("a file, written whole or not at all", "FILE"), OUTPUT
    ] = None
    to: Annotated[
        Literal["jsonl", "csv", "parquet"] | None,
        Argument("(default: by the file's ending, else jsonl)"),
        OUTPUT,
    ] = None
    top: Annotated[
        int | None,
        Argument("add the N most probable classes, with their probabilities", "N"),
        OUTPUT,
    ] = None
    no_text: Annotated[bool, Argument("leave out the texts"), OUTPUT] = False
    no_formulas: Annotated[
        bool, Argument("csv: put ' before what spreadsheets would compute"), OUTPUT
    ] = False
    explain: Annotated[bool, Argument("add the terms that decided, with their weights"), OUTPUT] = (
        False
    )
    terms: Annotated[int, Argument("of an explanation, at most (default: 10)", "N"), OUTPUT] = 10
