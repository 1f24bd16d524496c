"""A labelled corpus of any size, made from the three built-in ones.

    python -m benchmarks.corpus 1000000 corpus.csv --seed 0

Each sentence is a random walk over the words of the sentences of its label (a Markov chain of order
1), so that words, lengths and punctuation are those of reviews and the labels can be learned. Some
properties of large corpora are added: an unlimited supply of rare words (numbered, with a Pareto
distribution), so that the vocabulary keeps growing; wrong labels; and repeated rows. Short
sentences are repeated by chance too: of a million rows, one in six has the text of an earlier row.

The corpus depends on the seed alone; a smaller corpus is the beginning of a larger one. Rows are
written as they are made.
"""

import argparse
import contextlib
import csv
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.inputs import NAMES, read_rows

# Rows made at a time. Batches are never cut, so that rows do not depend on how many follow.
BATCH = 50_000
COLUMNS = ("text", "label")
WORDS = 60  # per sentence at most; the longest review has 71
RARE = 0.05  # share of words that are replaced by a rare one
WRONG = 0.05  # share of labels that are flipped
REPEATED = 0.01  # share of rows that repeat one of the first BATCH rows, label included


class Chain:
    """A Markov chain of words for each label, from the built-in sentences.

    A state is a word of a label; `words` has the word of each state. States 0 and 1 begin a
    sentence of label 0 and 1, END ends it. `successors[first[state] : first[state] + count[state]]`
    are the states that follow a state in the sentences, with repetitions.
    """

    END = -1

    def __init__(self, sentences: list[tuple[str, int]]) -> None:
        """Count the successors in the sentences, pairs of text and label."""
        states: dict[tuple[int, str], int] = {(0, ""): 0, (1, ""): 1}
        following: dict[int, list[int]] = defaultdict(list)
        for text, label in sentences:
            state = label
            for word in text.split():
                following[state].append(states.setdefault((label, word), len(states)))
                state = following[state][-1]
            following[state].append(self.END)
        self.words = [word for _, word in states]
        self.count = np.array([len(following[state]) for state in range(len(states))])
        self.first = np.cumsum(self.count) - self.count
        self.successors = np.concatenate([following[state] for state in range(len(states))])

    def walk(
        self, labels: NDArray[np.int64], generator: np.random.Generator
    ) -> tuple[NDArray[np.int64], ...]:
        """Return the states of one sentence per label, concatenated, and their bounds.

        The bounds have the shape (sentences + 1,).
        """
        steps = np.full((len(labels), WORDS), self.END)
        active, state = np.arange(len(labels)), labels
        for step in range(WORDS):
            drawn = (generator.random(len(state)) * self.count[state]).astype(np.int64)
            state = self.successors[self.first[state] + drawn]
            active, state = active[state != self.END], state[state != self.END]
            steps[active, step] = state
        is_word = steps != self.END
        return steps[is_word], np.concatenate([[0], np.cumsum(is_word.sum(axis=1))])


def published() -> list[tuple[str, int]]:
    """Return the sentences and labels of the three built-in corpora."""
    return [(text, int(label)) for name in NAMES for text, label in read_rows(name)]


def batches(chain: Chain, seed: int) -> Iterator[tuple[list[str], list[int]]]:
    """Yield texts and labels endlessly, `BATCH` at a time."""
    early: tuple[list[str], list[int]] = ([], [])
    number = 0
    while True:
        generator = np.random.default_rng([seed, number])
        true_labels = generator.integers(2, size=BATCH)
        texts = sentences(chain, true_labels, generator)
        labels = (true_labels ^ (generator.random(BATCH) < WRONG)).tolist()
        early = early if number else (texts, labels)
        repeated = np.flatnonzero(generator.random(BATCH) < REPEATED)
        for row, share in zip(
            repeated.tolist(), generator.random(len(repeated)).tolist(), strict=True
        ):
            source = int(share * (BATCH if number else row))  # row 0 repeats itself
            texts[row], labels[row] = early[0][source], early[1][source]
        yield texts, labels
        number += 1


def sentences(chain: Chain, labels: NDArray[np.int64], generator: np.random.Generator) -> list[str]:
    """Return a random sentence for each label."""
    import pyarrow as pa
    import pyarrow.compute as pc

    states, bounds = chain.walk(labels, generator)
    rare = np.flatnonzero(generator.random(len(states)) < RARE)
    # P(number > k) = k^(-1/3), up to 10^12: of n rare words, about n^0.75 are distinct.
    share = 1e-4 + (1 - 1e-4) * generator.random(len(rare))
    states[rare] = len(chain.words) + np.arange(len(rare))
    numbers = pc.cast(pa.array((1 / (share * share * share)).astype(np.int64)), pa.string())
    known = pa.concat_arrays([pa.array(chain.words), pc.binary_join_element_wise("w", numbers, "")])
    words = pa.ListArray.from_arrays(pa.array(bounds, pa.int32()), known.take(pa.array(states)))
    return list(pc.binary_join(words, " ").to_pylist())


def write(rows: int, path: Path, seed: int) -> None:
    """Write a table with the columns text and label, as CSV or Parquet by its name."""
    pieces = batches(Chain(published()), seed)
    counts = [BATCH] * (rows // BATCH) + [rows % BATCH] * (rows % BATCH > 0)
    with FORMATS[path.suffix](path) as add:
        for count, (texts, labels) in zip(counts, pieces, strict=False):
            add(texts[:count], labels[:count])


@contextlib.contextmanager
def csv_file(path: Path) -> Iterator[Callable[[list[str], list[int]], None]]:
    """Yield a function that adds texts and their labels to a CSV file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(COLUMNS)
        yield lambda texts, labels: lines.writerows(zip(texts, labels, strict=True))


@contextlib.contextmanager
def parquet_file(path: Path) -> Iterator[Callable[[list[str], list[int]], None]]:
    """Yield a function that adds texts and their labels to a Parquet file, as a group of rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(list(zip(COLUMNS, (pa.string(), pa.int64()), strict=True)))
    with pq.ParquetWriter(path, schema) as file:
        yield lambda *columns: file.write_table(pa.table(columns, schema=schema))


FORMATS = {".csv": csv_file, ".parquet": parquet_file}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make a labelled corpus of any size.")
    parser.add_argument("rows", type=int, help="number of rows")
    parser.add_argument("output", type=Path, help="the file to write, .csv or .parquet")
    parser.add_argument(
        "--seed", type=int, default=0, help="seed of the random numbers (default 0)"
    )
    given = parser.parse_args()
    write(given.rows, given.output, given.seed)
