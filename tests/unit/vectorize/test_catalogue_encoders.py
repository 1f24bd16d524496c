"""The pretrained encoders of the catalogue, where they have been fetched."""

import numpy as np
import pytest

from tests.processes import ROOT
from textclf.pretrained.catalogue import ENGLISH, MULTILINGUAL
from textclf.vectorize.encoder.representation import Representation
from textclf.vectorize.encoder.settings import Settings

PRETRAINED = ROOT / "data" / "pretrained"
# The first numbers of "This is an example sentence", as the model's authors print them.
PRINTED = [6.7657e-02, 6.3496e-02, 4.8713e-02, 7.9305e-02, 3.7448e-02, 2.6528e-03]
TRANSLATIONS = [
    [
        "The parcel came too late.",
        "The food was delicious.",
        "My invoice is wrong.",
        "The film was boring.",
        "It rains.",
    ],
    [
        "Das Paket kam zu spät.",
        "Das Essen war köstlich.",
        "Meine Rechnung ist falsch.",
        "Der Film war öde.",
        "Es regnet.",
    ],
    ["快递到得太晚了。", "饭菜很好吃。", "我的发票有错误。", "电影很无聊。", "在下雨。"],
    [
        "وصل الطرد متأخرا جدا.",
        "كان الطعام لذيذا.",
        "فاتورتي غير صحيحة.",
        "كان الفيلم مملا.",
        "إنها تمطر.",
    ],
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "tolerance"), [("all-minilm-l6-v2", 1e-6), ("all-minilm-l6-v2-int8", 5e-3)]
)
def test_the_vectors_are_those_of_the_models_authors(name: str, tolerance: float) -> None:
    encoder = fetched(name)
    (vector,) = encoder.transform(["This is an example sentence"])
    np.testing.assert_allclose(vector[: len(PRINTED)], PRINTED, atol=tolerance)
    assert encoder.columns == 384


@pytest.mark.slow
@pytest.mark.parametrize("name", [ENGLISH, MULTILINGUAL])
def test_the_vector_of_a_sentence_is_the_same_to_the_bit_whatever_its_neighbours(name: str) -> None:
    encoder = fetched(name)
    texts = [
        f"The {food} was {taste}."
        for food in ("pizza", "fish", "soup")
        for taste in ("good", "bad", "fine", "cold")
    ]
    together = encoder.transform(texts * 5)
    alone = np.concatenate([encoder.transform([text]) for text in texts])
    np.testing.assert_array_equal(together, np.tile(alone, (5, 1)))


@pytest.mark.slow
def test_translations_are_the_most_similar_texts() -> None:
    english, *others = (fetched(MULTILINGUAL).transform(texts) for texts in TRANSLATIONS)
    for vectors in others:
        assert (english @ vectors.T).argmax(axis=1).tolist() == [0, 1, 2, 3, 4]


def fetched(name: str) -> Representation:
    """Return an encoder of the catalogue; without its files the test is skipped."""
    if not (PRETRAINED / name).is_dir():
        pytest.skip(f"{name} has not been fetched")
    return Representation.fit((), Settings(pretrained=name), PRETRAINED)
