"""The corpora and pretrained weights that benchmarks read; what is missing is fetched.

The pipeline keeps in data/raw and data/pretrained only what its own params.yaml names, and
checksums in data/weights, so these are in folders of their own.
"""

import functools
import sys

import pandas as pd

from benchmarks.results import ROOT
from textclf.core.outputs import outputs
from textclf.fetch.catalogue import CORPORA as CATALOGUE
from textclf.fetch.download import fetch_corpora as download
from textclf.fetch.pretrained import fetch_pretrained

NAMES = tuple(CATALOGUE)
CORPORA, WEIGHTS = ROOT / "data" / "corpora", ROOT / "data" / "benchmark-weights"
POOL, SEED = "pool", 1000  # the name of all built-in corpora as one; the seed of their splits
PRETRAINED = ("all-minilm-l6-v2", "glove-6b-50d")


@functools.cache
def corpora() -> dict[str, bytes]:
    """Return the built-in corpora's files by name, from `CORPORA` or the pipeline's sources."""
    return download(CATALOGUE, CORPORA, report)


def fetch_corpora() -> None:
    """Write the built-in corpora to `CORPORA`."""
    contents = corpora()
    with outputs(CORPORA) as (folder,):
        folder.mkdir()
        for name, data in contents.items():
            (folder / name).write_bytes(data)


def read_rows(corpus: str) -> list[tuple[str, str]]:
    """Return text and label of the rows of a built-in corpus."""
    lines = corpora()[CATALOGUE[corpus].file].decode().split("\n")
    return [
        (text.strip(), label)
        for text, _, label in (line.rpartition("\t") for line in lines if line)
    ]


def split_lesson(corpus: str) -> list[pd.DataFrame]:
    """Return training and test rows of a corpus of the lesson or their pool, as a user's table."""
    from sklearn.model_selection import train_test_split

    rows = [row for name in (NAMES if corpus == POOL else [corpus]) for row in read_rows(name)]
    table = pd.DataFrame(rows, columns=["text", "label"])
    parts: list[pd.DataFrame] = train_test_split(
        table, test_size=0.25, random_state=SEED, stratify=table["label"]
    )
    return parts


def fetch_weights(*more: str) -> None:
    """Write the pretrained weights, and more by their names, to `WEIGHTS`."""
    fetch_pretrained((*PRETRAINED, *more), WEIGHTS, report)


def report(line: str) -> None:
    """Print progress to stderr."""
    print(line, file=sys.stderr)
