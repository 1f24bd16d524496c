"""What a table of labelled texts holds: rows, classes, lengths, repeated texts and contradicting labels."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from textclf.core.files import SPLITS
from textclf.core.strings import encode, hash_normalized
from textclf.tables.corpus import Stream
from textclf.tables.settings import Data


@dataclass(frozen=True)
class Survey:
    """A table of labelled texts in numbers.

    `classes` has the rows of each class, in order; `distinct` its distinct texts, a text with several labels counting
    for the first. Texts that differ in case and spaces alone are the same. `repeated` rows have the text of an earlier
    row; `conflicts` are texts with more than one label; `dropped` rows lack text or label and are not counted in
    `classes`. `median_words` and `most_words` are the median and the largest number of words of a text. `given` has the
    rows of each split that the table gives.
    """

    classes: dict[str, int]
    distinct: dict[str, int]
    repeated: int
    conflicts: int
    dropped: int
    median_words: int
    most_words: int
    given: dict[str, int] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """The number of rows with text and label."""
        return sum(self.classes.values())


def survey(path: Path, settings: Data) -> Survey:
    """Return what the rows of a table hold, read as `settings` say; `UserError` as in `textclf.tables.corpus.read`."""
    stream = Stream(path, settings)
    stream.layout = replace(stream.layout, option="--")  # errors name the options of the command
    codes: dict[str, int] = {}
    texts: list[NDArray[np.uint64]] = [np.empty(0, np.uint64)]
    labels: list[NDArray[np.int32]] = [np.empty(0, np.int32)]
    words: list[NDArray[np.int32]] = [np.empty(0, np.int32)]
    for batch in stream:
        texts.append(hash_normalized(batch["text"]))
        of_batch, distinct = encode(batch["label"])
        labels.append(np.array([codes.setdefault(label, len(codes)) for label in distinct], np.int32)[of_batch])
        words.append(np.array([len(text.split()) for text in batch["text"].to_pylist()], np.int32))
    return _summarize(stream, codes, np.concatenate(texts), np.concatenate(labels), np.concatenate(words))


def _summarize(
    stream: Stream,
    codes: dict[str, int],
    texts: NDArray[np.uint64],
    labels: NDArray[np.int32],
    words: NDArray[np.int32],
) -> Survey:
    """Return the survey of the rows with these fingerprints of texts, codes of labels and numbers of words, (rows,)."""
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
        median_words=int(np.median(words)),
        most_words=int(words.max()),
        given={split: stream.given[split] for split in SPLITS if split in stream.given},
    )
