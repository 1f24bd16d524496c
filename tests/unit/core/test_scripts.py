"""Texts without spaces between words are told apart from others."""

import pytest

from tests.unspaced import WORDS, rows
from textclf.core.scripts import is_unspaced, unspaced_share


@pytest.mark.parametrize("language", WORDS)
def test_sentences_without_spaces_are_recognised(language: str) -> None:
    assert unspaced_share([text for text, _ in rows(language, 50)]) == 1


PHRASES = "ລົດຊາດດີຫຼາຍ ຂ້ອຍຈະກັບມາອີກ"  # Lao, with a space between phrases
SET_APART = ("这 家 店 的 菜 很 好吃", "ร้าน นี้ อร่อย มาก และ ถูก")  # by a tool
SPACED = (*SET_APART, "음식이 정말 맛있어요", "The sign says 出口 in red", "Très bon café, naïve façade", "👍👍", "")


def test_texts_with_spaces_between_words_are_others() -> None:
    assert [text for text in ("iPhone很好用", "好", PHRASES, "བོད་སྐད་ཡག་པོ་འདུག") if not is_unspaced(text)] == []
    assert [text for text in SPACED if is_unspaced(text)] == []


def test_a_long_text_is_judged_by_its_beginning() -> None:
    assert not is_unspaced("word " * 1000 + "好" * 100_000)
