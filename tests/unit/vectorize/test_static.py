import math
from pathlib import Path

import numpy as np
import pytest

from tests import tiny_bert
from tests.refusal import refusal
from textclf.pretrained.catalogue import PIECES, TOKENIZER
from textclf.vectorize.static.representation import Representation, weights
from textclf.vectorize.static.settings import Settings

NAMES = tiny_bert.PIECES
# The pieces of some texts, by hand; [CLS] and [SEP], which open and close a text, are none.
TEXTS = {
    "Good service!": ["good", "serv", "##ice", "[UNK]"],
    "food food bad": ["food", "food", "bad"],
    "": [],
    "[SEP]": ["[", "sep", "]"],
    ". " * 3000: ["."] * 3000,
}


@pytest.fixture
def pretrained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write static vectors of the tiny BERT, as if they were those of the catalogue."""
    return tiny_bert.write_static(tmp_path / "pretrained", Settings().pretrained, monkeypatch)


def fit(pretrained: Path) -> Representation:
    return Representation.fit((), Settings(), pretrained)


def test_a_text_has_the_weighted_mean_of_its_pieces_scaled_to_length_1(pretrained: Path) -> None:
    table = np.load(pretrained / Settings().pretrained / PIECES).tolist()
    ranks = [1 / rank for rank in range(2, len(NAMES) + 2)]
    weight = [round(255 * 3e-5 / (3e-5 + share / sum(ranks))) for share in ranks]
    actual = fit(pretrained).transform(iter(TEXTS))
    assert actual.dtype == np.float32
    for vector, of_text in zip(actual, TEXTS.values(), strict=True):
        numbers = [NAMES.index(name) for name in of_text]
        sums = [
            sum(weight[number] * table[number][column] for number in numbers)
            for column in range(tiny_bert.CONFIG.hidden)
        ]
        length = math.sqrt(sum(value**2 for value in sums)) or 1
        np.testing.assert_allclose(vector, [value / length for value in sums], atol=1e-7)


def test_neither_neighbours_nor_the_order_of_words_change_a_byte(pretrained: Path) -> None:
    fitted = fit(pretrained)
    words = [*["good"] * 101, *["food"] * 53, *["service"] * 7, *["."] * 301]
    expected = fitted.transform([" ".join(words)]).tobytes()
    mixed = [*words[1::2], *words[::2]]
    together = fitted.transform(["bad food", " ".join(mixed), ""])
    assert together[1].tobytes() == expected


def test_rare_pieces_weigh_more_than_frequent_ones() -> None:
    of_bert = weights(30522)
    assert (np.diff(of_bert) >= 0).all()
    assert (of_bert == np.rint(of_bert)).all()
    # The most frequent word of BERT's pieces, `the`, and the last whole word.
    assert of_bert[1996] < 100 < 220 < of_bert[29612] <= 255


def test_a_file_that_is_missing_or_another_one_is_refused(pretrained: Path) -> None:
    stored = fit(pretrained).to_json()
    folder = pretrained / Settings().pretrained
    for name in (TOKENIZER, PIECES):
        path = folder / name
        content = path.read_bytes()
        path.write_bytes(content + b" ")
        assert f"{name} must have {len(content):,} bytes; got" in refusal(fit, pretrained)
        assert f"{name} must have the SHA-256" in refusal(
            Representation.from_json, stored, pretrained
        )
        path.unlink()
        assert f"{name} not found; run dvc repro again" in refusal(fit, pretrained)
        path.write_bytes(content)


def test_a_text_is_never_cut(pretrained: Path) -> None:
    assert fit(pretrained).count_cut(TEXTS) == 0
    assert fit(pretrained).columns == tiny_bert.CONFIG.hidden
