"""The command `textclf label --merge`: from the answers of several people to labelled texts and conflicts."""

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from textclf.core.errors import UserError
from textclf.core.formatting import count_noun
from textclf.core.quoting import list_few, quote_argument, quote_value
from textclf.core.settings import PARAMS_FILE
from textclf.label.agreement import describe_agreement
from textclf.label.rows import COLUMNS, Row, is_multilabel, read_rows, write_rows
from textclf.tables import labelled
from textclf.tables.edited import append_rows

CONFLICTS, TABLE = Path("conflicts.csv"), Path("table.csv")
TABLE_COLUMNS = ("id", "text", "label", "split")
SHOWN = 5  # texts of a list
Answers = Mapping[str, Sequence[tuple[Path, Row]]]  # answered rows of each id, and their files


def run(parsed: argparse.Namespace) -> None:
    """Add the texts to which more than half of their answers give one label; the others become conflicts.

    No answer is removed and nothing is added twice, so the command may be killed and run again.
    """
    in_project = parsed.output is None and PARAMS_FILE.exists()
    target, columns = (labelled.LABELLED, labelled.COLUMNS) if in_project else (parsed.output or TABLE, TABLE_COLUMNS)
    multilabel = is_multilabel(parsed.files)
    files = {path: read_rows(path, multilabel) for path in parsed.files}
    answers = _answers(files)
    waiting = read_rows(CONFLICTS, multilabel) if CONFLICTS.exists() else []
    known, merge = _read_target(target, in_project, multilabel)
    people = {path: rows for path, rows in files.items() if path.name != CONFLICTS.name}
    for line in describe_agreement({str(path): rows for path, rows in people.items()}, multilabel):
        print(line)

    decided = {name: label for name, rows in answers.items() if (label := _majority(rows)) is not None}
    new = [name for name, label in decided.items() if name not in known and (label or in_project)]
    if new:
        append_rows(target, columns, [_row(name, decided[name], answers, merge) for name in new])
    before, discarded = sum(name in known for name in decided), sum(not label for label in decided.values())
    print(f"{target}: {count_noun(len(new), 'text')} added; {before} already there; {discarded} discarded")
    if differ := [name for name, label in decided.items() if known.get(name, label) != label]:
        changes = [
            f"{quote_value(name)} {quote_value(known[name])}, now {quote_value(decided[name])}" for name in differ
        ]
        print(f"{target} has other labels, which stay: {list_few(changes, SHOWN)}")

    conflicts = {name: _conflict(rows) for name, rows in answers.items() if name not in {*decided, *known}}
    kept = {row.id: row for row in waiting if not row.open or row.id in conflicts or row.id not in answers}
    if (rows := list((conflicts | kept).values())) != waiting:
        write_rows(CONFLICTS, rows, list(dict.fromkeys([*COLUMNS, *(name for row in rows for name in row.other)])))
    if not conflicts:
        print(f"next: {'dvc repro' if in_project else f'textclf init --data {quote_argument(str(target))}'}")
        return
    names = " ".join(quote_argument(str(path)) for path in [*people, CONFLICTS])
    print(f"{CONFLICTS}: {count_noun(len(conflicts), 'text')} without a label that more than half of the answers give")
    steps = [f"textclf label {CONFLICTS}"] * any(row.open for row in rows) + [f"textclf label --merge {names}"]
    print(f"next: {', then '.join(steps)}")


def _answers(files: Mapping[Path, Sequence[Row]]) -> Answers:
    """Return the answered rows by id; `UserError` if there are none, or if an id has several texts."""
    answers: dict[str, list[tuple[Path, Row]]] = {}
    for path, rows in files.items():
        for row in rows:
            if not row.open:
                answers.setdefault(row.id, []).append((path, row))
    if not answers:
        raise UserError(f"{', '.join(map(str, files))}: some rows must have a label; got none; fill the column label")
    for name, given in answers.items():
        (first, text), *others = [(path, row.text) for path, row in given]
        if other := next((path for path, another in others if another != text), None):
            raise UserError(f"{other}: id {quote_value(name)} must have the text that it has in {first}; got another")
    return answers


def _read_target(path: Path, in_project: bool, multilabel: bool) -> tuple[dict[str, str], int]:
    """Return the label of each row of the file by id, and the number of this merge; `UserError` for another file."""
    if in_project:
        rows = labelled.read(path)
        return dict(zip(rows.ids, rows.labels, strict=True)), max(rows.rounds, default=0) + 1
    table = read_rows(path, multilabel) if path.exists() else []
    if any("split" not in row.other for row in table):
        raise UserError(f"{path} must have the columns {', '.join(TABLE_COLUMNS)}; got no split; give another --output")
    return {row.id: row.label for row in table}, 1


def _majority(rows: Sequence[tuple[Path, Row]]) -> str | None:
    """Return the label, "" if the text is discarded, that more than half of the answers give; None without one."""
    ((label, count),) = Counter(row.label for _, row in rows).most_common(1)
    return label if 2 * count > len(rows) else None


def _row(name: str, label: str, answers: Answers, merge: int) -> dict[str, object]:
    """Return a row of labelled.csv and of a table without a project, of which only random rows may test."""
    chosen = next((row.why for _, row in answers[name] if row.why in labelled.CHOSEN), "")
    split = "test" if chosen == "random" else "train"
    text = answers[name][0][1].text
    return {"id": name, "text": text, "label": label, "chosen": chosen, "round": merge, "split": split}


def _conflict(rows: Sequence[tuple[Path, Row]]) -> Row:
    """Return the row to label of a conflict, which says who gave which label."""
    why = "; ".join(f"{row.by or path.stem}: {row.label or 'discarded'}" for path, row in rows)
    return Row(rows[0][1].id, rows[0][1].text, why=why)
