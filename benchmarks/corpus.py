"""A labelled corpus of any size, made from the three built-in ones.

    python -m benchmarks.corpus 1000000 corpus.csv --seed 0

A sentence is a walk from word to next word as they follow each other in the sentences of its label, so that words,
lengths and punctuation are those of reviews and the labels can be learned. What a corpus of many rows has beyond
that is added: rare words without end (numbered, by a Pareto law), so that the vocabulary keeps growing; labels that
are wrong; and rows that stood there before. Short sentences come again by themselves too: of a million rows, one in
six has a text that an earlier one has.

One seed gives one corpus, of which fewer rows are the beginning of more. Rows are written as they are made.
"""

import argparse
import csv
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from textclf.fetch import download as sources
from textclf.fetch.catalogue import CORPORA

ROOT = Path(__file__).resolve().parent.parent
BATCH = 50_000  # rows made at a time, always whole, so that the first rows do not depend on how many are wanted
WORDS = 60  # of a sentence at most; the longest review has 71
RARE = 0.05  # share of words that are replaced by a rare one
WRONG = 0.05  # share of labels that are flipped
REPEATED = 0.01  # share of rows that repeat one of the first BATCH rows, label included
SUFFIXES = (".csv", ".jsonl", ".parquet")


class Chain:
    """The built-in sentences as a chain of words, one a label.

    `successors[first[state] : first[state] + count[state]]` are the states that may follow a state, as often as they
    do; state 0 and 1 begin a sentence of label 0 and 1, END ends it. `words` has the word of each state.
    """

    END = -1

    def __init__(self, sentences: list[tuple[str, int]]) -> None:
        """Follow every sentence once."""
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

    def walk(self, labels: NDArray[np.int64], generator: np.random.Generator) -> tuple[NDArray[np.int64], ...]:
        """The states of a sentence a label, one sentence after the other, and where each begins (and the last ends)."""
        steps = np.full((len(labels), WORDS), self.END)
        walking, state = np.arange(len(labels)), labels
        for step in range(WORDS):
            drawn = (generator.random(len(state)) * self.count[state]).astype(np.int64)
            state = self.successors[self.first[state] + drawn]
            walking, state = walking[state != self.END], state[state != self.END]
            steps[walking, step] = state
        there = steps != self.END
        return steps[there], np.concatenate([[0], np.cumsum(there.sum(axis=1))])


def published() -> list[tuple[str, int]]:
    """The sentences and labels of the three built-in corpora, fetched unless they are there."""
    found = sources.obtain(CORPORA, ROOT / "data" / "raw", lambda line: print(line, file=sys.stderr))
    lines = [line for data in found.values() for line in data.decode().split("\n") if line]
    return [(text, int(label)) for text, _, label in (line.rpartition("\t") for line in lines)]


def batches(chain: Chain, seed: int) -> Iterator[tuple[list[str], list[int]]]:
    """Texts and labels without end, `BATCH` at a time."""
    early: tuple[list[str], list[int]] = ([], [])
    number = 0
    while True:
        generator = np.random.default_rng([seed, number])
        spoken = generator.integers(2, size=BATCH)
        texts = sentences(chain, spoken, generator)
        labels = (spoken ^ (generator.random(BATCH) < WRONG)).tolist()
        early = early if number else (texts, labels)
        repeated = np.flatnonzero(generator.random(BATCH) < REPEATED)
        for row, share in zip(repeated.tolist(), generator.random(len(repeated)).tolist(), strict=True):
            source = int(share * (BATCH if number else row))  # itself only in row 0
            texts[row], labels[row] = early[0][source], early[1][source]
        yield texts, labels
        number += 1


def sentences(chain: Chain, labels: NDArray[np.int64], generator: np.random.Generator) -> list[str]:
    """A sentence a label."""
    import pyarrow as pa
    import pyarrow.compute as pc

    states, bounds = chain.walk(labels, generator)
    rare = np.flatnonzero(generator.random(len(states)) < RARE)
    # A number is above k with probability k^(-1/3), up to 10^12: of n rare words about n^0.75 differ.
    share = 1e-4 + (1 - 1e-4) * generator.random(len(rare))
    states[rare] = len(chain.words) + np.arange(len(rare))
    numbers = pc.cast(pa.array((1 / (share * share * share)).astype(np.int64)), pa.string())
    known = pa.concat_arrays([pa.array(chain.words), pc.binary_join_element_wise("w", numbers, "")])
    words = pa.ListArray.from_arrays(pa.array(bounds, pa.int32()), known.take(pa.array(states)))
    return list(pc.binary_join(words, " ").to_pylist())


def write(rows: int, path: Path, seed: int) -> None:
    """A table with columns text and label in the format that the path's ending names."""
    pieces = batches(Chain(published()), seed)
    wanted = [BATCH] * (rows // BATCH) + [rows % BATCH] * (rows % BATCH > 0)
    cut = ((texts[:count], labels[:count]) for count, (texts, labels) in zip(wanted, pieces, strict=False))
    if path.suffix == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        with pq.ParquetWriter(path, pa.schema({"text": pa.string(), "label": pa.int8()})) as table:
            for texts, labels in cut:
                table.write_table(pa.table({"text": texts, "label": pa.array(labels, pa.int8())}))
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        if path.suffix == ".jsonl":
            for texts, labels in cut:
                records = ({"text": text, "label": label} for text, label in zip(texts, labels, strict=True))
                file.writelines(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
        else:
            lines = csv.writer(file, lineterminator="\n")
            lines.writerow(["text", "label"])
            for texts, labels in cut:
                lines.writerows(zip(texts, labels, strict=True))


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Make a labelled corpus of any size.")
    parser.add_argument("rows", type=int, help="how many")
    parser.add_argument("output", type=Path, help=f"the file to write: {', '.join(SUFFIXES)}")
    parser.add_argument("--seed", type=int, default=0, help="another seed, another corpus (default 0)")
    given = parser.parse_args()
    if given.rows < 1:
        parser.error(f"rows must be at least 1; got {given.rows}")
    if given.output.suffix not in SUFFIXES:
        parser.error(f"output must end in one of {', '.join(SUFFIXES)}; got {given.output}")
    if given.seed < 0:
        parser.error(f"--seed must be at least 0; got {given.seed}")
    write(given.rows, given.output, given.seed)


if __name__ == "__main__":
    main()
