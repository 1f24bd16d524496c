"""The numbers of the course that follow from the corpora alone."""

import os
from pathlib import Path

import pandas as pd
import pytest
from sklearn.model_selection import train_test_split

from tests.conftest import ROOT
from textclf.fetch.catalogue import CORPORA
from textclf.split.draw import draw_splits
from textclf.split.settings import Split
from textclf.tables import corpus as reader
from textclf.tables.settings import Data
from textclf.vectorize.token_ids.representation import TokenIds
from textclf.vectorize.token_ids.settings import Settings

NOWHERE = Path("nowhere")
FOLDERS = (Path(os.environ.get("TEXTCLF_CORPUS", "data/raw")), ROOT / "data" / "raw", ROOT / "data" / "corpora")


def corpus_file(corpus: str) -> Path:
    for folder in FOLDERS:
        if (path := folder / CORPORA[corpus].file).is_file():
            return path
    pytest.skip(f"needs the corpus {corpus}: run dvc repro, or make results for all of them")


def test_the_vocabulary_of_the_lessons_training_rows_has_1747_ids() -> None:
    train = draw_splits(reader.read(corpus_file("yelp"), Data()).rows, Split())["train"]
    made = TokenIds.fit(train["text"], Settings(), NOWHERE)
    rows = made.transform(train["text"])
    assert (rows.shape, rows.nnz) == ((750, 1747), 8192)


def test_the_vocabulary_of_the_combined_frame_has_4603_ids() -> None:
    # The course reads with quoting, which merges 252 lines of imdb, and splits all 2,748 rows that are left.
    names = ("yelp", "amazon", "imdb")
    parts = [pd.read_csv(corpus_file(name), names=["text", "label"], sep="\t") for name in names]
    frame = pd.concat(parts)
    train, _ = train_test_split(frame["text"].to_numpy(dtype=object), test_size=0.25, random_state=1000)
    assert (len(frame), len(train)) == (2748, 2061)
    assert TokenIds.fit(train, Settings(), NOWHERE).columns == 4603
