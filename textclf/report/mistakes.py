"""The section on mistakes: what is looked for in the test rows, read once, piece by piece."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from textclf.core.errors import UserError
from textclf.evaluate.measure import read_together
from textclf.report.rows import SplitRows
from textclf.report.run import Run

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Example:
    """A test row to show, with the class decided by each model in question and the probability of that class.

    `sureness` orders the examples: the probability of a mistake, or that of the less sure side of a disagreement.
    `place` is the row's position among the test rows; `actual` and `decided` are positions of classes.
    """

    sureness: float
    place: int
    id: str
    actual: int
    decided: tuple[int, ...]
    probabilities: tuple[float, ...]


@dataclass
class Findings:
    """What was found in the test rows.

    `mistakes` are the most confident of each model, `disagreements` those between the models compared. `disagreeing`,
    `all_right` and `all_wrong` count rows. `right_by_group` has the number of right rows of each model by group.
    """

    mistakes: dict[str, list[Example]]
    disagreements: list[Example]
    right_by_group: dict[str, Ints]
    disagreeing: int = 0
    all_right: int = 0
    all_wrong: int = 0


@dataclass(frozen=True)
class _Piece:
    """Some test rows: the actual class, and by model the class decided and its probability. `start`: first position."""

    start: int
    ids: NDArray[np.object_]
    y: Ints
    decided: Mapping[str, Ints]
    confidence: Mapping[str, NDArray[np.float64]]

    def example(self, models: Sequence[str], row: int, sureness: float) -> Example:
        return Example(
            sureness,
            self.start + row,
            str(self.ids[row]),
            int(self.y[row]),
            tuple(int(self.decided[name][row]) for name in models),
            tuple(float(self.confidence[name][row]) for name in models),
        )


def find(run: Run, compared: Sequence[str], groups: Ints) -> Findings:
    """Return what is found in the test rows.

    `compared` are the models whose disagreements are looked for; `groups` (rows,) has the group of each test row.
    """
    number = int(groups.max()) + 1
    findings = Findings(
        mistakes={name: [] for name in run.models},
        disagreements=[],
        right_by_group={name: np.zeros(number, dtype=np.int64) for name in run.models},
    )
    most = run.settings.report.mistakes
    rows = 0
    for piece in _pieces(run):
        rows = piece.start + len(piece.y)
        if rows > len(groups):
            raise _other_rows()
        part = groups[piece.start : rows]
        for name in run.models:
            wrong = piece.decided[name] != piece.y
            confident = _largest(piece.confidence[name], np.flatnonzero(wrong), most)
            examples = [piece.example([name], row, float(piece.confidence[name][row])) for row in confident]
            findings.mistakes[name] = _confident(findings.mistakes[name] + examples, most)
            findings.right_by_group[name] += np.bincount(part[~wrong], minlength=number)
        if len(compared) > 1:
            _compare(piece, compared, findings, most)
    if rows != len(groups):
        raise _other_rows()
    return findings


def _pieces(run: Run) -> Iterator[_Piece]:
    """Yield the test rows with the decisions of all models."""
    decisions = {name: run.decision(name) for name in run.models}
    start = 0
    for split, batch in read_together(run.predictions):
        if split != "test":
            continue
        first = next(iter(batch.values()))
        calibrated = {name: decisions[name].calibrate(rows.probabilities) for name, rows in batch.items()}
        decided = {name: decisions[name].decide(probabilities) for name, probabilities in calibrated.items()}
        every = np.arange(len(first))
        confidence = {name: probabilities[every, decided[name]] for name, probabilities in calibrated.items()}
        yield _Piece(start, first.ids, first.y, decided, confidence)
        start += len(first)


def _compare(piece: _Piece, models: Sequence[str], findings: Findings, most: int) -> None:
    """Add the rows of a piece that the models decide differently."""
    decided = np.column_stack([piece.decided[name] for name in models])
    confidence = np.column_stack([piece.confidence[name] for name in models])
    right = decided == piece.y[:, np.newaxis]
    rows = np.flatnonzero((decided != decided[:, :1]).any(axis=1))
    findings.disagreeing += len(rows)
    findings.all_right += int(right.all(axis=1).sum())
    findings.all_wrong += int((~right).all(axis=1).sum())
    decided, confidence = decided[rows], confidence[rows]
    confident = decided[np.arange(len(rows)), confidence.argmax(axis=1)][:, np.newaxis]
    other_side = np.where(decided == confident, -np.inf, confidence).max(axis=1, initial=-np.inf)
    examples = [
        piece.example(models, int(rows[n]), float(other_side[n]))
        for n in _largest(other_side, np.arange(len(rows)), most)
    ]
    findings.disagreements = _confident(findings.disagreements + examples, most)


def _largest(values: NDArray[np.float64], places: Ints, most: int) -> list[int]:
    """Return the places with the largest values, `most` at most; the first of equal ones first."""
    largest: list[int] = places[np.argsort(-values[places], kind="stable")[:most]].tolist()
    return largest


def _confident(examples: Iterable[Example], most: int) -> list[Example]:
    return sorted(examples, key=lambda example: (-example.sureness, example.place))[:most]


def find_texts(rows: SplitRows, ids: Mapping[int, str]) -> dict[int, str]:
    """Return the texts of the test rows at these positions, which must have these ids."""
    shown = rows.at(ids)
    if any(row.id != ids[place] for place, row in shown.items()):
        raise _other_rows()
    return {place: row.text for place, row in shown.items()}


def _other_rows() -> UserError:
    return UserError("predictions: test rows must be those of the test split, in its order; got others; run dvc repro")
