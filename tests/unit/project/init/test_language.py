"""The language of a table's texts."""

import pytest

from tests.unspaced import WORDS
from tests.unspaced import rows as rows_of
from textclf.project.init.language import detect_language

GERMAN = ["Das Paket kam zu spät.", "Der Kundendienst war freundlich.", "Die Rechnung stimmt nicht.", "Nie wieder!"]
CHINESE = ["快递太慢了。", "客服态度很好。", "质量很差。", "物流很快。"]
ARABIC = ["تأخرت الشحنة كثيرا.", "خدمة العملاء ممتازة.", "المنتج سيئ جدا ولا أنصح به.", "وصل الطلب بسرعة."]
ENGLISH = ["The parcel is late.", "Great service, thank you!", "The invoice is wrong.", "Never again."]


@pytest.mark.parametrize(
    ("texts", "language"),
    [(GERMAN, "German"), (CHINESE, "Chinese"), (ARABIC, "Arabic"), (ENGLISH, "English"), (["", *GERMAN], "German")],
)
def test_the_language_of_the_texts_is_named(texts: list[str], language: str) -> None:
    assert detect_language(texts) == language


@pytest.mark.parametrize("language", WORDS)
def test_languages_without_spaces_are_named(language: str) -> None:
    assert detect_language([text for text, _ in rows_of(language, 50)]) == language


@pytest.mark.parametrize(
    "texts", [[], [""], [*GERMAN, *ENGLISH], [*ENGLISH, *CHINESE, *ARABIC], ["ERR-4432 0x1f", "12345", "A12 B77"]]
)
def test_several_languages_and_none_are_not_named(texts: list[str]) -> None:
    assert detect_language(texts) is None


def test_short_texts_that_are_of_one_language_together_are_of_it() -> None:
    short = ["late again", "never again", "not good", "the best", "no comment", "Guten Tag"]
    assert detect_language(short) == "English"


def test_a_few_texts_of_another_language_change_nothing() -> None:
    assert detect_language([*GERMAN * 5, ENGLISH[0]]) == "German"
