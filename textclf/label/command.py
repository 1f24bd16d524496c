"""The command `textclf label`: answers in a file, given on the page or in the terminal."""

import contextlib
import getpass
from collections.abc import Mapping, Sequence
from dataclasses import replace

from textclf.artifacts.splits import CLASSES, read_checksums, read_classes
from textclf.core.about import About
from textclf.core.display import visible
from textclf.core.errors import UserError
from textclf.core.failures import complain, lines_of
from textclf.core.formatting import count_noun
from textclf.core.outputs import require_writable
from textclf.core.quoting import list_names, quote_argument, quote_value
from textclf.core.settings import load_params
from textclf.export.sources import class_titles, list_sources
from textclf.label.arguments import Answering, LabelTexts
from textclf.label.rows import (
    CONFLICTS,
    SPLITS,
    TABLE,
    Label,
    LabelFile,
    Session,
    is_multilabel,
    write_rows,
)
from textclf.label.server import serve
from textclf.tables.settings import Data

# In the terminal.
HELP = (
    "type the number, name or beginning of a label{several}, or +name for a new one; "
    "Enter takes the {default} label; d {discards}, s skips it, u undoes, q quits"
)
SEVERAL = " (several with commas between, - for none)"


def run(arguments: LabelTexts) -> None:
    """Let a person label a file, or merge the files of several."""
    if arguments.merge:
        from textclf.label import merge

        merge.run(arguments.files, arguments.output)
        return
    path, *others = arguments.files
    if others:
        raise UserError(
            f"FILE must be one file; got {len(arguments.files)}; set --merge to merge them"
        )
    multilabel = is_multilabel(arguments.files)
    answers = LabelFile(path, multilabel)
    if arguments.output is not None:
        if not arguments.output.exists():
            empty = [replace(row, label="", by="", at="") for row in answers.rows]
            # Another process may make it meanwhile.
            with contextlib.suppress(FileExistsError):
                write_rows(arguments.output, empty, answers.form.columns, new=True)
        answers = LabelFile(arguments.output, multilabel)
    known = map(str.strip, arguments.labels.split(","))
    answer(answers, arguments.answers, [name for name in known if name])
    count = sum(not row.open for row in answers.rows)
    print(f"{count} of {count_noun(len(answers.rows), 'text')} answered in {answers.path}")
    files = quote_argument(str(answers.path))
    if answers.path == CONFLICTS:
        files = f"the files of before and {CONFLICTS}"
    print(f"next: textclf label --merge {files}")


def answer(answers: LabelFile, answering: Answering, known: Sequence[str] = ()) -> None:
    """Let a person answer rows, on the page or in the terminal, until all are answered or Ctrl-C.

    `known` are labels to choose from besides those of the rows and the classes of the project.
    Raises `UserError` if the file is read-only.
    """
    require_writable(answers.path)
    classes: Sequence[str] = ()
    titles: Mapping[str, str] = {}
    if (SPLITS / CLASSES).exists():
        settings = load_params({"data": Data, "about": About})
        classes = read_classes(SPLITS)
        sources = list_sources(read_checksums(SPLITS), settings["data"].path)
        titles = class_titles(sources, settings["about"])
    elif TABLE.exists():
        classes = LabelFile(TABLE, answers.multilabel).labels
    session = Session(
        answers, answering.by or _login(), [*classes, *known], titles, answering.blind
    )
    with contextlib.suppress(KeyboardInterrupt):
        if answering.terminal:
            ask(session)
        else:
            serve(session, answering.port)


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a user without a name, as in a container
        raise UserError("--by must be set where the user has no login name") from None


def ask(session: Session) -> None:
    """Print one text after the other and store its answer, until all have one or input ends."""
    several = session.answers.multilabel
    skipped: list[str] = []
    listed: list[Label] | None = None
    row = session.row()
    while row is not None:
        seen, opened = session.see(row), ""
        labels = session.labels()
        if labels != listed:
            listed = labels
            print(*(f"{label.key:>4} {label.shown}" for label in labels), sep="\n")
            print(
                HELP.format(
                    several=SEVERAL if several else "",
                    default="given" if row.given else "suggested",
                    discards="is unclear" if row.given else "discards the text",
                )
            )
        facts = "; ".join(f"{name}: {fact}" for name, fact in seen["facts"].items())
        print("", visible(row.text), facts, sep="\n")
        try:
            said = input("> ").strip()
            match said:
                case "q":
                    return
                case "s":
                    skipped = [*(name for name in skipped if name != row.id), row.id]
                case "u":
                    for last in [*session.answers.own][-1:]:
                        session.answers.undo(last)
                        opened = last
                case "d":
                    session.answer(row.id, None)
                case _:
                    session.answer(row.id, _labels(said, labels, seen["default"], several))
        except EOFError:
            print()
            return
        except (ValueError, UserError, OSError) as error:
            complain("; ".join(lines_of(error) or [str(error)]))
        row = session.row(skipped, opened)


def _labels(said: str, labels: Sequence[Label], default: list[str], several: bool) -> list[str]:
    """Return the labels that a line names, the default ones if it is empty.

    Raises `ValueError` if it names none.
    """
    if not said and (default or several):
        return default
    if several and said == "-":
        return []
    return [_label(part.strip(), labels) for part in (said.split(",") if several else [said])]


def _label(said: str, labels: Sequence[Label]) -> str:
    if said.startswith("+"):
        return said[1:]
    start = said.casefold()
    names = [label.name for label in labels if said in (label.key, label.name)]
    if start and not names:
        names = [
            label.name
            for label in labels
            if label.name.casefold().startswith(start) or label.shown.casefold().startswith(start)
        ]
    if len(names) != 1:
        several = f", with which {list_names(names)} begin" if names else ""
        raise ValueError(f"this must be one of the labels; got {quote_value(said)}{several}")
    return names[0]
