"""The command `textclf label --merge`: from answers of several people to labels and conflicts."""

import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, compress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from textclf.artifacts import splits
from textclf.core.arrow import hash_normalized
from textclf.core.errors import UserError
from textclf.core.files import SUGGESTED
from textclf.core.formatting import count_noun, join_names
from textclf.core.outputs import clear, locked, require_writable
from textclf.core.quoting import list_classes, list_few, quote_argument, quote_value
from textclf.core.settings import PARAMS_FILE, load_section
from textclf.evaluate.intervals import wilson
from textclf.label.rows import (
    COLUMNS,
    CONFLICTS,
    SPLITS,
    TABLE,
    Row,
    is_multilabel,
    labels_of,
    read_rows,
    write_rows,
)
from textclf.tables import labelled
from textclf.tables.copies import NearCopies
from textclf.tables.corpus import Corpus
from textclf.tables.edited import append_rows
from textclf.tables.settings import Data

TABLE_COLUMNS = ("id", "text", "label", "split")
SHOWN = 5  # texts of a list
Answers = Mapping[str, Sequence[tuple[Path, Row]]]  # answered rows of each id, and their files
FEWEST = 10  # texts from which agreement is measured
DRAWS = 1000  # of the bootstrap
SEED = 0  # of the bootstrap
# Of labels (people, decisions), NaN where there is no answer.
Statistic = Callable[[NDArray[np.float64]], float]


def run(paths: Sequence[Path], output: Path | None = None) -> None:
    """Add the texts to which more than half of their answers give one label.

    The others become conflicts. No answer is removed and nothing is added twice, so the command may
    be killed and run again; of two at once, one waits.
    """
    in_project = output is None and PARAMS_FILE.exists()
    target = labelled.LABELLED if in_project else output or TABLE
    written = target, labelled.LABELLED, CONFLICTS
    with locked(*written):
        require_writable(*written)  # before one of them is written
        _merge(paths, target, in_project)


def _merge(paths: Sequence[Path], target: Path, in_project: bool) -> None:
    clear(labelled.LABELLED.resolve())
    columns = labelled.COLUMNS if in_project else TABLE_COLUMNS
    multilabel = is_multilabel(paths)
    files = {path: read_rows(path, multilabel) for path in paths}
    answers = _answers(files)
    waiting = read_rows(CONFLICTS, multilabel) if CONFLICTS.exists() else []
    known, merge = _read_target(target, in_project, multilabel)
    people = {path: rows for path, rows in files.items() if path.name != CONFLICTS.name}
    for line in describe_agreement({str(path): rows for path, rows in people.items()}, multilabel):
        print(line)

    majorities = {name: _majority(rows) for name, rows in answers.items()}
    decided = {name: label for name, label in majorities.items() if label is not None}
    new = {
        name: _row(name, label, answers, merge)
        for name, label in decided.items()
        if name not in known
    }
    left_out = _of_table(new) if in_project else _of_other_split(new, target, multilabel)
    labelled_rows = [row for name, row in new.items() if row["label"] and name not in left_out]
    discarded = [row for name, row in new.items() if not row["label"] and name not in left_out]
    if labelled_rows:
        append_rows(target, columns, labelled_rows)
    if discarded:
        append_rows(labelled.LABELLED, labelled.COLUMNS, discarded)
    before = sum(name in known for name in decided)
    print(
        f"{target}: {count_noun(len(labelled_rows), 'text')} added; "
        f"{before} already there; {len(discarded)} discarded"
    )
    counts = Counter(
        name for row in labelled_rows for name in labels_of(str(row["label"]), multilabel)
    )
    if counts:
        print(f"labels added: {list_classes(counts)}")
    if left_out:
        reason = f"no near copy of a test row may train, in {target} or among the new texts"
        if in_project:
            reason = "the table of the project has the text or the id, or a near copy that tests"
        print(f"{count_noun(len(left_out), 'text')} left out, since {reason}")
    undecided = [name for name in answers if name in known and name not in decided]
    for line in _contradictions(target, known, decided, len(undecided)):
        print(line)
    conflicts = {
        name: _conflict(rows) for name, rows in answers.items() if name not in {*decided, *known}
    }
    rows = _write_conflicts(conflicts, waiting, answers)
    if not conflicts:
        init = f"textclf init --data {quote_argument(str(target))}"
        print(f"next: {'dvc repro' if in_project else init}")
        return
    print(
        f"{CONFLICTS}: {count_noun(len(conflicts), 'text')} without a label "
        "that more than half of the answers give"
    )
    names = " ".join(quote_argument(str(path)) for path in [*people, CONFLICTS])
    label = f"textclf label {CONFLICTS}, then " if any(row.open for row in rows) else ""
    print(f"next: {label}textclf label --merge {names}")


def _contradictions(
    target: Path, known: Mapping[str, str], decided: Mapping[str, str], undecided: int
) -> Iterator[str]:
    """Yield a line for labels that the target has otherwise, and one for `undecided` texts."""
    changes = [
        f"{quote_value(name)} {quote_value(known[name])}, now {quote_value(label)}"
        for name, label in decided.items()
        if known.get(name, label) != label
    ]
    if changes:
        yield (
            f"{target} has other labels, which stay unless you edit it: {list_few(changes, SHOWN)}"
        )
    if undecided:
        yield (
            f"people differ on {count_noun(undecided, 'text')} that {target} has already; "
            "its labels stay unless you edit it"
        )


def _write_conflicts(
    conflicts: dict[str, Row], waiting: Sequence[Row], answers: Answers
) -> list[Row]:
    """Write and return the conflicts and those that were `waiting`, unless answers settle them."""
    unsettled = {
        row.id: row
        for row in waiting
        if not row.open or row.id in conflicts or row.id not in answers
    }
    rows = list((conflicts | unsettled).values())
    if rows != waiting:
        others = (name for row in rows for name in row.other)
        write_rows(CONFLICTS, rows, list(dict.fromkeys([*COLUMNS, *others])))
    return rows


def _answers(files: Mapping[Path, Sequence[Row]]) -> Answers:
    """Return the answered rows by id; `UserError` if there are none, or an id has several texts."""
    answers: dict[str, list[tuple[Path, Row]]] = {}
    for path, rows in files.items():
        for row in rows:
            if not row.open:
                answers.setdefault(row.id, []).append((path, row))
    if not answers:
        raise UserError(
            f"{', '.join(map(str, files))}: some rows must have a label; got none; "
            "fill the column label"
        )
    for name, given in answers.items():
        first, first_row = given[0]
        for path, row in given:
            if row.text != first_row.text:
                raise UserError(
                    f"{path}: id {quote_value(name)} must have the text that it has in {first}; "
                    "got another"
                )
    return answers


def _read_target(path: Path, in_project: bool, multilabel: bool) -> tuple[dict[str, str], int]:
    """Return the label of each row of the file by id, and the number of this merge.

    Raises `UserError` if the file is no table of labels.
    """
    rows = labelled.read(labelled.LABELLED) if labelled.LABELLED.exists() else None
    known = dict(zip(rows.ids, rows.labels, strict=True)) if rows else {}
    if in_project:
        return known, max(rows.rounds, default=0) + 1 if rows else 1
    table = read_rows(path, multilabel) if path.exists() else []
    if any("split" not in row.other for row in table):
        raise UserError(
            f"{path} must have the columns {', '.join(TABLE_COLUMNS)}; got no split; "
            "give another --output"
        )
    return known | {row.id: row.label for row in table}, 1


def _of_table(rows: Mapping[str, Mapping[str, object]]) -> set[str]:
    """Return the ids of rows whose id or text the project's table has, or a near copy that tests.

    Before the first run, any of its rows may become a test row.
    """
    data = load_section("data", Data)
    texts = [str(row["text"]) for row in rows.values()]
    ids, hashes, near = np.array([*rows], object), hash_normalized(texts), NearCopies(texts)
    names = pa.array(ids, pa.string())
    is_known, drawn = np.zeros(len(rows), bool), SPLITS.exists()
    for batch in Corpus(Path(data.path), data) if rows else ():
        is_known |= pc.is_in(names, batch["id"].cast(pa.string())).to_numpy(zero_copy_only=False)
        is_known |= np.isin(hashes, hash_normalized(batch["text"]))
        if not drawn:
            near.compare(batch["text"])
    for path in splits.open_shards(SPLITS)["test"].paths if drawn else ():
        near.compare(splits.read_table(path, ["text"])["text"])
    return set(ids[is_known | near.is_copy])


def _of_other_split(
    rows: Mapping[str, Mapping[str, object]],
    path: Path,
    multilabel: bool,
) -> set[str]:
    """Return the ids of the new rows that train and have a near copy that tests, or vice versa.

    Rows of the table stay; of two new rows, the one that tests.
    """
    texts: dict[bool, list[str]] = {True: [], False: []}  # by whether they test
    for row in read_rows(path, multilabel) if path.exists() else ():
        texts[row.other["split"] == "test"].append(row.text)
    left_out: set[str] = set()
    for tests in (True, False):
        of_kind = {name: row for name, row in rows.items() if (row["split"] == "test") == tests}
        new = {name: str(row["text"]) for name, row in of_kind.items() if row["label"]}
        near = NearCopies([*new.values()])
        near.compare(texts[not tests])
        left_out.update(compress(new, near.is_copy))
        texts[tests] += compress(new.values(), ~near.is_copy)
    return left_out


def _majority(rows: Sequence[tuple[Path, Row]]) -> str | None:
    """Return the label that more than half of the answers give, None without one.

    It is "" if the text is discarded.
    """
    ((label, count),) = Counter(row.label for _, row in rows).most_common(1)
    return label if 2 * count > len(rows) else None


def _row(name: str, label: str, answers: Answers, merge: int) -> dict[str, object]:
    """Return a row of labelled.csv and of a table without a project.

    Of the table, random rows test. Those of other texts that `textclf suggest` chose are marked.
    """
    chosen = next((row.why for _, row in answers[name] if row.why in labelled.CHOSEN), "")
    return {
        "id": name,
        "text": answers[name][0][1].text,
        "label": label,
        "chosen": chosen,
        "round": merge,
        "split": {"random": "test", "": "train"}.get(chosen, SUGGESTED),
    }


def _conflict(rows: Sequence[tuple[Path, Row]]) -> Row:
    """Return the row to label of a conflict, which says who gave which label."""
    why = "; ".join(f"{row.by or path.stem}: {row.label or 'discarded'}" for path, row in rows)
    return Row(rows[0][1].id, rows[0][1].text, why=why)


def describe_agreement(files: Mapping[str, Sequence[Row]], multilabel: bool) -> Iterator[str]:
    """Yield lines on the texts that two people or more have labelled; each file is one person's.

    With several labels per text, whether it has a label is one decision; intervals draw whole
    texts.
    """
    if len(files) < 2:
        return
    given = [
        {row.id: frozenset(labels_of(row.label, multilabel)) for row in rows if row.label}
        for rows in files.values()
    ]
    ids = [name for name, count in Counter(chain(*given)).items() if count > 1]
    names = sorted(set(chain(*chain(*(labels.values() for labels in given)))))
    by = join_names(list(files)) if len(files) == 2 else "two people or more"
    who = f"that {by} have labelled"
    texts = count_noun(len(ids), "text")
    if len(ids) < FEWEST:
        yield f"agreement cannot be computed from {texts} {who}; it takes {FEWEST}"
        return
    equal = sum(len({labels[name] for labels in given if name in labels}) == 1 for name in ids)
    low, high = wilson(equal, len(ids))
    interval = f"95%: {low:.1%} to {high:.1%}"
    yield f"{texts} {who}: equal labels for {equal}, {equal / len(ids):.1%} ({interval})"
    answers = np.full((len(files), len(ids), len(names) if multilabel else 1), np.nan)
    for person, labels in enumerate(given):
        for position, name in enumerate(ids):
            if name in labels:
                has_label = [float(label in labels[name]) for label in names]
                answers[person, position] = has_label if multilabel else [has_label.index(1.0)]
    if len(files) == 2:
        yield f"Cohen's kappa: {_describe(answers, _kappa)}"
    yield f"Krippendorff's alpha: {_describe(answers, _alpha)}"


def _describe(answers: NDArray[np.float64], statistic: Statistic) -> str:
    """Return a statistic of answers (people, texts, decisions), with its interval.

    That has the percentiles of a bootstrap over texts.
    """
    people, texts, _ = answers.shape
    draws = np.random.default_rng(SEED).integers(texts, size=(DRAWS, texts))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # of answers that are all the same
        value = statistic(answers.reshape(people, -1))
        if np.isnan(value):
            return "cannot be computed, as all labels are the same"
        drawn = [statistic(answers[:, draw].reshape(people, -1)) for draw in draws]
    if value == 1:
        return "1.00, without an interval, as all labels are equal"
    low, high = np.nanquantile(drawn, (0.025, 0.975))
    return f"{value:.2f} (95%: {low:.2f} to {high:.2f})"


def _kappa(labels: NDArray[np.float64]) -> float:
    from sklearn.metrics import cohen_kappa_score

    return float(cohen_kappa_score(*labels))


def _alpha(labels: NDArray[np.float64]) -> float:
    """Return alpha of nominal labels.

    Krippendorff (2011), Computing Krippendorff's Alpha-Reliability.
    """
    values = np.unique(labels[~np.isnan(labels)])  # each decision has two or more
    counts = (labels[:, :, None] == values).sum(axis=0)  # (decisions, values)
    given, total, of_value = counts.sum(axis=1), counts.sum(), counts.sum(axis=0)
    observed = ((given**2 - (counts**2).sum(axis=1)) / (given - 1)).sum() / total
    expected = (total**2 - (of_value**2).sum()) / (total * (total - 1))
    return float(1 - observed / expected)
