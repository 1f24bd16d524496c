"""The distinct texts of the rows, and those that occur with several labels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from textclf.core.arrow import hash_texts, normalize_texts
from textclf.pages.parts import IDS, Labelled, LabelledText

SEVERAL = -1  # instead of the label of a text whose rows have different ones

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class DistinctTexts:
    """The normalised texts of the rows, each once, in the order in which they occur first."""

    normalized: Sequence[bytes]  # in UTF-8
    of_row: Ints  # (rows,): the position of each row's text
    labels: Ints  # (texts,): the position of the label of its rows, or `SEVERAL`

    @property
    def conflicting(self) -> Ints:
        """The positions of the texts that have several labels."""
        return np.flatnonzero(self.labels == SEVERAL)


def find_texts(rows: pd.DataFrame, y: Ints) -> DistinctTexts:
    """Return the distinct texts; texts are the same if they differ in case, spaces and compatible characters alone."""
    normalized = normalize_texts(rows["text"])
    of_row = pd.factorize(hash_texts(normalized))[0]
    first = np.unique(of_row, return_index=True)[1]
    labels = y[first]
    labels[of_row[y != labels[of_row]]] = SEVERAL
    return DistinctTexts(normalized.take(first).cast(pa.binary()).to_pylist(), of_row, labels)


def labelled_text(rows: pd.DataFrame, places: Ints) -> LabelledText:
    """Return the text of the first of the rows at some positions, which have the same, and all of them by label."""
    part = rows.iloc[places]
    return LabelledText(
        str(part["text"].iloc[0]),
        {
            str(label): Labelled(len(same), list(zip(same["split"][:IDS], same["id"][:IDS], strict=True)))
            for label, same in part.groupby("label", sort=False)
        },
    )
