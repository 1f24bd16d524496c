"""The numbers of the course that follow from the corpora alone."""

from pathlib import Path

import pandas as pd
import pytest
from sklearn.model_selection import train_test_split

from tests.drawn import draw_splits
from tests.unit.tables.tables import frame_of
from textclf.fetch.catalogue import CORPORA
from textclf.fetch.download import fetch_corpora
from textclf.split.settings import Split
from textclf.tables import corpus as reader
from textclf.tables.settings import Data
from textclf.vectorize.token_ids.representation import TokenIds
from textclf.vectorize.token_ids.settings import Settings

NOWHERE = Path("nowhere")


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the three corpora, as the stage fetch brings them."""
    folder = tmp_path_factory.mktemp("corpora")
    for name, data in fetch_corpora(CORPORA, folder, report=print).items():
        (folder / name).write_bytes(data)
    return folder


def test_the_vocabulary_of_the_lessons_training_rows_has_1747_ids(corpora: Path) -> None:
    train = draw_splits(frame_of(reader.read(corpora / CORPORA["yelp"].file, Data())), Split())[
        "train"
    ]
    made = TokenIds.fit(train["text"], Settings(), NOWHERE)
    rows = made.transform(train["text"])
    assert (rows.shape, rows.nnz) == ((750, 1747), 8192)


def test_the_vocabulary_of_the_combined_frame_has_4603_ids(corpora: Path) -> None:
    # The course reads with quoting, which merges 252 lines of imdb, and splits all 2,748 rows that
    # are left.
    names = ("yelp", "amazon", "imdb")
    parts = [
        pd.read_csv(corpora / CORPORA[name].file, names=["text", "label"], sep="\t")
        for name in names
    ]
    frame = pd.concat(parts)
    train, _ = train_test_split(
        frame["text"].to_numpy(dtype=object), test_size=0.25, random_state=1000
    )
    assert (len(frame), len(train)) == (2748, 2061)
    assert TokenIds.fit(train, Settings(), NOWHERE).columns == 4603
