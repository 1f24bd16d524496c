"""Texts without spaces between words are told apart from others."""

import pytest

from tests.unspaced import WORDS, rows
from textclf.core.scripts import is_unspaced, unspaced_share


@pytest.mark.parametrize("language", WORDS)
def test_sentences_without_spaces_are_recognised(language: str) -> None:
    assert unspaced_share([text for text, _ in rows(language, 50)]) == 1


@pytest.mark.parametrize(
    ("text", "unspaced"),
    [
        ("iPhone很好用", True),
        ("好", True),
        ("ລົດຊາດດີຫຼາຍ ຂ້ອຍຈະກັບມາອີກ", True),  # Lao, with a space between phrases
        ("བོད་སྐད་ཡག་པོ་འདུག", True),
        ("这 家 店 的 菜 很 好吃", False),  # words set apart by a tool
        ("ร้าน นี้ อร่อย มาก และ ถูก", False),
        ("음식이 정말 맛있어요", False),
        ("The sign says 出口 in red", False),
        ("Très bon café, naïve façade", False),
        ("👍👍", False),
        ("", False),
    ],
)
def test_texts_with_spaces_between_words_are_others(text: str, unspaced: bool) -> None:
    assert is_unspaced(text) == unspaced


def test_a_long_text_is_judged_by_its_beginning() -> None:
    assert not is_unspaced("word " * 1000 + "好" * 100_000)
