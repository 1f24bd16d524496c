"""Perturbations: what each does, and what all of them leave alone."""

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textclf.behave.perturb import CONTRACTIONS, NAMES, PERTURBATIONS, PLACES, draw

LETTERS = st.text(alphabet="abCD éß'\u2019., !?…-1\n", max_size=40)
WRITTEN = st.lists(
    st.sampled_from(
        ["Anna", "and", "Boston", "don't", "do not", "I am", "good.", "I'll", "DO NOT", "tall", "4", "ok!"]
    ),
    max_size=12,
).map(" ".join)
TEXTS = LETTERS | WRITTEN
SEEDS = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("typo", "It was good, so good", "It was ogod, so good"),
        ("typo", "It is so so.", "It is so so."),
        ("typo", "aaaa Aaaa", "aaaa Aaaa"),
        ("lower_case", "The Food is GOOD.", "the food is good."),
        ("upper_case", "The food isn't good.", "THE FOOD ISN'T GOOD."),
        ("no_punctuation", "Well, it's so-so: 3.5 of 5... Really?!", "Well it's so-so 3.5 of 5 Really"),
        ("more_punctuation", "Really?  ", "Really??"),
        ("more_punctuation", "Really", "Really."),
        ("more_punctuation", "", "."),
        ("contract", "I do not think that we are late.", "I don't think that we're late."),
        ("contract", "DO NOT go. Do not go.", "DON'T go. Don't go."),
        ("contract", "As late as I am, and we are.", "As late as I am, and we are."),
        ("contract", "We are, they say, not late; do nothing.", "We are, they say, not late; do nothing."),
        ("expand", "I don't think we're late, I can't see?", "I do not think we are late, I cannot see?"),
        ("expand", "It\u2019s late, isn\u2019t this? ISN'T this?", "It\u2019s late, is not this? IS NOT this?"),
        ("expand", "It isn't late, isn\u2019t it? DIDN'T we?", "It is not late, isn\u2019t it? DIDN'T we?"),
        ("expand", "I don't itch, it'd be fun", "I do not itch, it'd be fun"),
        ("expand", "i'm late, I'm late", "i am late, I am late"),
        ("names", "Anna, Annabel and Anna", "Ahmed, Annabel and Ahmed"),
        ("names", "anna", "anna"),
        ("places", "From Boston to London", "From Madrid to Lagos"),
        ("spaces", "So good", " So  good "),
        ("emoji", "So good. ", "So good. \U0001f4cd"),
    ],
)
def test_a_perturbation_changes_what_it_is_named_for(name: str, text: str, expected: str) -> None:
    assert PERTURBATIONS[name](text, 0) == expected


@pytest.mark.parametrize("name", PERTURBATIONS)
@given(text=TEXTS, seed=SEEDS)
def test_a_perturbation_gives_the_same_text_again(name: str, text: str, seed: int) -> None:
    assert PERTURBATIONS[name](text, seed) == PERTURBATIONS[name](text, seed)


@given(text=TEXTS, seed=SEEDS)
def test_a_typo_moves_two_letters_and_no_other_character(text: str, seed: int) -> None:
    changed = PERTURBATIONS["typo"](text, seed)
    assert Counter(changed) == Counter(text)
    assert sum(old != new for old, new in zip(text, changed, strict=True)) in {0, 2}


@pytest.mark.parametrize("name", ["no_punctuation", "more_punctuation", "spaces", "emoji"])
@given(text=TEXTS, seed=SEEDS)
def test_marks_and_spaces_leave_the_words_alone(name: str, text: str, seed: int) -> None:
    assert re.findall(r"\w+", PERTURBATIONS[name](text, seed)) == re.findall(r"\w+", text)


@pytest.mark.parametrize(("name", "words"), [("names", NAMES), ("places", PLACES)])
@given(text=WRITTEN, seed=SEEDS)
def test_every_listed_word_becomes_another_one_that_the_text_did_not_have(
    name: str, words: tuple[str, ...], text: str, seed: int
) -> None:
    changed = PERTURBATIONS[name](text, seed)
    for old, new in zip(text.split(), changed.split(), strict=True):
        assert (new in words and new not in text.split()) if old in words else new == old


@given(text=WRITTEN)
def test_contracting_again_changes_nothing_and_neither_does_expanding_again(text: str) -> None:
    for name in ("contract", "expand"):
        once = PERTURBATIONS[name](text, 0)
        assert PERTURBATIONS[name](once, 0) == once


@pytest.mark.parametrize("form", CONTRACTIONS)
def test_what_is_contracted_can_be_expanded_again(form: str) -> None:
    short = PERTURBATIONS["contract"](f"{form} here", 0)
    assert short == f"{CONTRACTIONS[form]} here"
    assert PERTURBATIONS["expand"](short, 0) == f"{form} here"


def test_every_number_is_drawn_by_some_seed() -> None:
    assert {draw(5, seed, "typo", "a text") for seed in range(100)} == set(range(5))


def test_the_lists_have_no_word_twice() -> None:
    assert len({*NAMES, *PLACES}) == len(NAMES) + len(PLACES)
