"""A corpus as published, read exactly: one row a line, nothing skipped, nothing guessed."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from textclf.catalogue import Corpus
from textclf.errors import UserError
from textclf.files import require

SHOWN = 5  # wrong lines spelled out in an error


def read(folder: Path, source: Corpus) -> pd.DataFrame:
    """Rows of a corpus that lies in a folder under its published name; see `parse`."""
    path = require(folder / source.file)
    return parse(path.read_bytes(), source.file, str(path), source.labels)


def parse(data: bytes, name: str, where: str, labels: Sequence[str]) -> pd.DataFrame:
    """Rows of a file of lines `sentence TAB label LF`, in its order.

    Columns, all of them text: `id` is `name:line`, the line counted from 1; `text` is the sentence as it
    stands, its own tabs and spaces included; `label` is one of `labels`. No quote is special, and only LF
    ends a line: U+0085 and its like belong to the text. `where` names the file in errors. `UserError` for
    any line that breaks a rule (all are counted, the first few shown), for a file without rows, and for rows
    of fewer than two classes.
    """
    lines = data.split(b"\n")
    if lines[-1] == b"":
        lines.pop()  # what follows the last LF is no line
    if not lines:
        raise UserError(f"{where} must have at least one line; got an empty file")
    rows, wrong = [], []
    for number, line in enumerate(lines, start=1):
        try:
            text, label = _row(line, labels)
        except ValueError as error:
            wrong.append(f"{where}:{number}: {error}")
        else:
            rows.append((f"{name}:{number}", text, label))
    if len(wrong) > SHOWN:
        raise UserError(*wrong[:SHOWN], f"{where}: {len(wrong)} of {len(lines)} lines are wrong, {SHOWN} shown")
    if wrong:
        raise UserError(*wrong)
    frame = pd.DataFrame(rows, columns=["id", "text", "label"])
    if frame["label"].nunique() < 2:
        raise UserError(f"{where} must have rows of at least two classes; got only {rows[0][2]!r}")
    return frame


def _row(line: bytes, labels: Sequence[str]) -> tuple[str, str]:
    """Text and label of a line; `ValueError` with the rule it breaks."""
    try:
        decoded = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"must be UTF-8; got byte 0x{line[error.start]:02x} at offset {error.start}") from None
    if "\0" in decoded:
        raise ValueError("must not hold NUL; got one at offset " + str(decoded.index("\0")))
    if decoded.startswith("\ufeff"):
        raise ValueError("must not begin with a byte order mark; save the file without it")
    text, tab, label = decoded.rpartition("\t")
    if not tab:
        raise ValueError(f"must be a sentence, a tab and a label; got {_shown(decoded)} without a tab")
    if label not in labels:
        raise ValueError(f"label must be one of {', '.join(labels)}; got {_shown(label)}")
    if not text.strip():
        raise ValueError(f"text must not be empty; got {_shown(text)}")
    return text, label


def _shown(text: str, limit: int = 40) -> str:
    return repr(text if len(text) <= limit else text[: limit - 1] + "…")
