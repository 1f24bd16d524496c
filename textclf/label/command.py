"""The command `textclf label`: from its arguments to answers in the file."""

import argparse
import contextlib
import getpass
from collections.abc import Mapping, Sequence
from dataclasses import replace

from textclf.artifacts.splits import CLASSES, read_checksums, read_classes
from textclf.core.about import About
from textclf.core.errors import UserError
from textclf.core.quoting import quote_argument
from textclf.core.settings import load_params
from textclf.export.sources import class_titles, list_sources
from textclf.label.rows import CONFLICTS, SPLITS, TABLE, LabelFile, is_multilabel, write_rows
from textclf.label.server import serve
from textclf.label.session import Session
from textclf.label.terminal import ask
from textclf.tables.settings import Data


def run(parsed: argparse.Namespace) -> None:
    """Let a person label a file, or merge the files of several."""
    if parsed.merge:
        from textclf.label import merge

        merge.run(parsed)
        return
    path, *others = parsed.files
    if others:
        raise UserError(f"FILE must be one file; got {len(parsed.files)}; set --merge to merge them")
    multilabel = is_multilabel(parsed.files)
    answers = LabelFile(path, multilabel)
    if parsed.output is not None:
        if not parsed.output.exists():
            empty = [replace(row, label="", by="", at="") for row in answers.rows]
            write_rows(parsed.output, empty, answers.columns)
        answers = LabelFile(parsed.output, multilabel)
    answer(answers, parsed, [name for label in parsed.labels.split(",") if (name := label.strip())])
    rows = answers.rows
    print(f"{sum(not row.open for row in rows)} of {len(rows)} texts answered in {answers.path}")
    files = f"the files of before and {CONFLICTS}" if answers.path == CONFLICTS else quote_argument(str(answers.path))
    print(f"next: textclf label --merge {files}")


def answer(answers: LabelFile, parsed: argparse.Namespace, known: Sequence[str] = ()) -> None:
    """Let a person answer rows, on the page or in the terminal, until all are answered or Ctrl-C.

    `parsed` has the arguments of `textclf.cli.add_answers`; `known` are labels to choose from besides those of the rows
    and the classes of the project.
    """
    classes: Sequence[str] = ()
    titles: Mapping[str, str] = {}
    if (SPLITS / CLASSES).exists():
        settings = load_params({"data": Data, "about": About})
        classes = read_classes(SPLITS)
        titles = class_titles(list_sources(read_checksums(SPLITS), settings["data"].path), settings["about"])
    elif TABLE.exists():
        classes = LabelFile(TABLE, answers.multilabel).labels
    session = Session(answers, parsed.by or _login(), [*classes, *known], titles, parsed.blind)
    with contextlib.suppress(KeyboardInterrupt):
        if parsed.terminal:
            ask(session)
        else:
            serve(session, parsed.port)


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a user without a name, as in a container
        raise UserError("--by must be set where the user has no login name") from None
