"""What a table of labelled texts holds: rows, classes, lengths, repeated texts and contradicting labels."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from textclf.core.arrow import encode, hash_normalized
from textclf.core.files import SPLITS
from textclf.core.scripts import MOST, is_unspaced
from textclf.tables.corpus import Stream
from textclf.tables.layout import SLICE
from textclf.tables.settings import Data


@dataclass(frozen=True)
class Survey:
    """A table of labelled texts in numbers.

    `classes` has the rows of each class, in order; `distinct` its distinct texts, a text with several labels counting
    for the first. Texts that differ in case and spaces alone are the same. `repeated` rows have the text of an earlier
    row; `conflicts` are texts with more than one label; `dropped` rows lack text or label and are not counted in
    `classes`. `median_length` and `longest` are the median and the largest number of words of a text, of characters if
    most texts are `unspaced`, whose share that is (see `textclf.core.scripts`). `given` has the rows of each split that
    the table gives; `slices` are those columns of data.slices of which some value has several labels.
    """

    classes: dict[str, int]
    distinct: dict[str, int]
    repeated: int
    conflicts: int
    dropped: int
    median_length: int
    longest: int
    given: dict[str, int] = field(default_factory=dict)
    slices: tuple[str, ...] = ()
    unspaced: float = 0.0

    @property
    def rows(self) -> int:
        """The number of rows with text and label."""
        return sum(self.classes.values())

    @property
    def unit(self) -> str:
        """What the lengths of the texts count."""
        return "characters" if self.unspaced >= MOST else "words"


def survey(path: Path, settings: Data) -> Survey:
    """Return what the rows of a table hold, read as `settings` say; `UserError` as in `textclf.tables.corpus.read`."""
    stream = Stream(path, settings)
    stream.layout = replace(stream.layout, option="--")  # errors name the options of the command
    codes: dict[str, int] = {}
    texts: list[NDArray[np.uint64]] = [np.empty(0, np.uint64)]
    labels: list[NDArray[np.int32]] = [np.empty(0, np.int32)]
    lengths: list[NDArray[np.int32]] = [np.empty((0, 2), np.int32)]
    unspaced = 0
    pairs: dict[str, set[tuple[str, str]]] = {name: set() for name in settings.slices}
    for batch in stream:
        texts.append(hash_normalized(batch["text"]))
        of_batch, distinct = encode(batch["label"])
        labels.append(np.array([codes.setdefault(label, len(codes)) for label in distinct], np.int32)[of_batch])
        rows = batch["text"].to_pylist()
        lengths.append(np.array([(len(text.split()), len(text)) for text in rows], np.int32))
        unspaced += sum(map(is_unspaced, rows))
        for name, known in pairs.items():
            of_slice, values = encode(batch[SLICE + name])
            both = set(zip(of_slice.tolist(), of_batch.tolist(), strict=True))
            known.update((values[value], distinct[label]) for value, label in both)
    share = unspaced / sum(map(len, labels))
    slices = tuple(name for name, known in pairs.items() if len({value for value, _ in known}) < len(known))
    found = _summarize(stream, codes, np.concatenate(texts), np.concatenate(labels), np.concatenate(lengths), share)
    return replace(found, slices=slices)


def _summarize(
    stream: Stream,
    codes: dict[str, int],
    texts: NDArray[np.uint64],
    labels: NDArray[np.int32],
    lengths: NDArray[np.int32],
    unspaced: float,
) -> Survey:
    """Return the survey of the rows with these fingerprints of texts and codes of labels, (rows,).

    `lengths` are the words and the characters of each text, (rows, 2).
    """
    length = lengths[:, int(unspaced >= MOST)]
    order = np.argsort(texts, kind="stable")
    same = texts[order][1:] == texts[order][:-1]
    first = np.concatenate([[True], ~same]) if len(order) else np.empty(0, bool)
    contradicting = same & (labels[order][1:] != labels[order][:-1])
    rows, distinct = (np.bincount(each, minlength=len(codes)) for each in (labels, labels[order][first]))
    return Survey(
        classes={name: int(rows[codes[name]]) for name in stream.classes},
        distinct={name: int(distinct[codes[name]]) for name in stream.classes},
        repeated=int(same.sum()),
        conflicts=len(np.unique(texts[order][1:][contradicting])),
        dropped=stream.dropped["rows"],
        median_length=int(np.median(length)),
        longest=int(length.max()),
        unspaced=unspaced,
        given={split: stream.given[split] for split in SPLITS if split in stream.given},
    )
