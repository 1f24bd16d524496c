"""Perturbations: what each does, and what all of them leave alone."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import approved
from textclf.behave.perturb import CONTRACTIONS, NAMES, PERTURBATIONS, PLACES, draw

LETTERS = st.text(alphabet="abCD éß'\u2019., !?…-1\n", max_size=40)
WRITTEN = st.lists(
    st.sampled_from(
        [
            "Anna",
            "and",
            "Boston",
            "don't",
            "do not",
            "I am",
            "good.",
            "I'll",
            "DO NOT",
            "tall",
            "4",
            "ok!",
        ]
    ),
    max_size=12,
).map(" ".join)
TEXTS = LETTERS | WRITTEN
SEEDS = st.integers(0, 2**32 - 1)


def test_each_perturbation_changes_what_it_is_named_for_as_approved() -> None:
    def say(case: str) -> list[str]:
        """Return the perturbation of a text, in quotes; case: its name and a text as in JSON."""
        name, _, text = case.partition(" ")
        return [json.dumps(PERTURBATIONS[name](json.loads(text), 0), ensure_ascii=False)]

    approved.check_cases(Path(__file__).with_name("perturbations.txt"), say)


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
def test_listed_words_become_others_not_in_the_text(
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
