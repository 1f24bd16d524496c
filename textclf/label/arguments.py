"""The arguments of `textclf suggest` and `textclf label`, and of every command that asks people."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from textclf.core.command import Argument, Command, Group
from textclf.predict.arguments import IdColumn, TextColumns
from textclf.tables.arguments import Form

TABLE = Group("how the texts are stored")


@dataclass(frozen=True, kw_only=True)
class Suggest(Command):
    """The arguments of `textclf suggest`."""

    description = """
    Choose texts of a pool, of any size, to label next: diverse ones without a model, with one those
    in doubt among them. A tenth, at least 5, is drawn at random: measure models on these alone. No
    text that is labelled or discarded is chosen again.

      textclf suggest pool.csv
      textclf suggest tickets.jsonl --text message --id ticket --rows 100
    """
    module = "label.suggest"
    path: Annotated[Path, Argument("a file, or a folder of files", "POOL", positional=True)]
    rows: Annotated[int, Argument("to choose (default: 50)", "N")] = 50
    random: Annotated[
        int | None, Argument("of them at random (default: a tenth, at least 5)", "N")
    ] = None
    predictions: Annotated[
        Path | None, Argument("made elsewhere, in place of the model's", "FILE")
    ] = None
    seed: Annotated[int, Argument("of what is drawn (default: 1)", "N")] = 1
    output: Annotated[Path, Argument("(default: to_label.csv)", "FILE")] = Path("to_label.csv")
    id: Annotated[IdColumn, TABLE] = None
    text: Annotated[TextColumns, TABLE] = None
    form: Annotated[Form, TABLE]


@dataclass(frozen=True, kw_only=True)
class Answering:
    """How a person answers."""

    blind: Annotated[bool, Argument("hide which label is suggested or given")] = False
    terminal: Annotated[bool, Argument("ask in the terminal, not on a page")] = False
    by: Annotated[str | None, Argument("who answers (default: the login name)", "NAME")] = None
    port: Annotated[int, Argument("of the page (default: any free one)", "N")] = 0


@dataclass(frozen=True, kw_only=True)
class LabelTexts(Command):
    """The arguments of `textclf label`."""

    description = """
    Label the texts of a CSV file with the columns id and text, such as that of textclf suggest: by
    keys on a page that this machine alone can open, or in the terminal. Each answer is in the file,
    with who and when, before the next text is shown. An editor may fill the column label instead. A
    second person labels a copy; --merge measures how far people agree and adds what agrees to the
    labelled texts.

      textclf label to_label.csv
      textclf label to_label.csv --blind --by ben --output ben.csv
      textclf label --merge to_label.csv ben.csv
    """
    module = "label.command"
    files: Annotated[
        list[Path], Argument("a CSV file; with --merge one per person", "FILE", positional=True)
    ]
    labels: Annotated[str, Argument("to choose from, besides those of project and file", "A,B")] = (
        ""
    )
    merge: Annotated[
        bool, Argument("measure agreement, and add what agrees to the labelled texts")
    ] = False
    output: Annotated[
        Path | None, Argument("a copy to label instead; with --merge, a table", "FILE")
    ] = None
    answers: Annotated[Answering, Group("answers")]
