"""The arguments of `textclf drift`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from textclf.core.command import Argument, Command, Group
from textclf.predict.arguments import ModelChoice, TextColumns
from textclf.tables.arguments import Form

TEST = Group("test")
TABLE = Group("how the texts are stored")
OUTPUT = Group("output")


@dataclass(frozen=True, kw_only=True)
class Drift(Command):
    """The arguments of `textclf drift`."""

    description = """
    Compare texts without labels, in any format that textclf predict --path reads, with those that
    the model was trained on: can a classifier tell them apart, and do their words, lengths, unknown
    words and predicted classes differ? Exit code 0 if no drift was found, 1 if drift was found, 2
    after a mistake.

      textclf drift new.csv
      textclf drift tickets.jsonl --text message --reference last-month.jsonl --output drift.json \
--page drift.html
    """
    module = "drift.command"
    new: Annotated[
        str,
        Argument(
            "a file or a folder of files with new texts, or - for stdin", "NEW", positional=True
        ),
    ]
    reference: Annotated[
        str, Argument("train, validation, test, or a file that is read like NEW (default: train)")
    ] = "train"
    choice: Annotated[ModelChoice, Group("model")]
    alpha: Annotated[float, Argument("probability of a false alarm (default: 0.05)"), TEST] = 0.05
    permutations: Annotated[int, Argument("of each test (default: 999)", "N"), TEST] = 999
    seed: Annotated[int, Argument("of samples and permutations (default: 1)", "N"), TEST] = 1
    group: Annotated[
        str | None,
        Argument("texts with the same value, such as an author, are dependent", "COLUMN"),
        TABLE,
    ] = None
    text: Annotated[TextColumns, TABLE] = None
    form: Annotated[Form, TABLE]
    output: Annotated[Path | None, Argument("the result as JSON", "FILE"), OUTPUT] = None
    page: Annotated[Path | None, Argument("the result as an HTML page", "FILE"), OUTPUT] = None
