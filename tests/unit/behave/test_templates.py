"""Templates: which texts they stand for."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests import approved
from textclf.behave.templates import expand
from textclf.core.errors import UserError

SLOTS = {"thing": ["food", "film"], "good": ["great", "fine", "super"], "many": [str(n) for n in range(400)]}


def test_each_template_stands_for_the_approved_texts_or_is_refused_with_the_approved_line() -> None:
    slots = SLOTS | {f"s{n}": ["a", "b"] for n in range(6)}

    def say(case: str) -> list[str]:
        """Return the texts of a template, or of several that have the same words."""
        try:
            return [" | ".join(texts) for texts in expand(tuple(case.replace(r"\n", "\n").split(" | ")), slots)]
        except UserError as error:
            return list(error.lines)

    approved.check_cases(Path(__file__).with_name("templates.txt"), say)


@given(st.integers(1, 8), st.integers(0, 2**32 - 1))
def test_samples_are_some_of_the_texts_in_their_order(samples: int, seed: int) -> None:
    texts = list(expand(("{good} {thing}",), SLOTS))
    chosen = list(expand(("{good} {thing}",), SLOTS, samples, seed))
    assert len(chosen) == min(samples, len(texts))
    assert chosen == [text for text in texts if text in chosen]


@given(st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_another_word_in_a_list_leaves_the_samples_or_takes_their_place(samples: int, seed: int) -> None:
    before = set(expand(("{good} {thing}",), SLOTS, samples, seed))
    longer = SLOTS | {"good": ["splendid", *SLOTS["good"]]}
    added = {texts for texts in expand(("{good} {thing}",), longer, samples, seed) if texts not in before}
    assert all(text.startswith("splendid") for (text,) in added)


def test_every_text_is_a_sample_under_some_seed() -> None:
    chosen = {texts for seed in range(50) for texts in expand(("{good} {thing}",), SLOTS, 1, seed)}
    assert chosen == set(expand(("{good} {thing}",), SLOTS))
