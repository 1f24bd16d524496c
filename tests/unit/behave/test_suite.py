"""Files of tests: the cases that they stand for, and what is refused."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import approved
from tests.verify import ROOT
from textclf.behave import suite
from textclf.behave.perturb import PERTURBATIONS
from textclf.behave.suite import Case
from textclf.behave.templates import expand
from textclf.core.errors import UserError
from textclf.core.settings import parse_yaml

BUILT_IN = sorted((ROOT / "behaviour").glob("*.yaml"))
HEAD = """
classes: {negative: "0", positive: "1"}
slots: {thing: [food, film], good: [great, fine]}
tests:
  first:
"""
SLOTS = {
    "thing": ["food", "film"],
    "good": ["great", "fine", "super"],
    "many": [str(n) for n in range(400)],
}


def content(test: str) -> dict[str, Any]:
    """The content of a file with one test, whose settings are lines of YAML."""
    return parse_yaml(
        HEAD + "".join(f"    {line}\n" for line in test.strip().splitlines()), "mine.yaml"
    )


def cases(test: str) -> list[Case]:
    return suite.parse(content(test), "mine.yaml", 0).cases["first"]


def test_each_kind_of_test_has_the_approved_cases() -> None:
    approved.check_cases(
        Path(__file__).with_name("cases.txt"), lambda case: [repr(each) for each in cases(case)]
    )


@pytest.mark.parametrize("path", BUILT_IN, ids=lambda path: path.stem)
def test_a_built_in_file_has_ten_tests_of_thirty_cases(path: Path) -> None:
    tests = suite.read(path, 0)
    assert len(tests.cases) >= 10
    assert [name for name, of_test in tests.cases.items() if len(of_test) < 30] == []
    assert all(test.about for test in tests.tests.values())
    assert {test.kind for test in tests.tests.values()} == set(suite.KINDS)


def test_the_built_in_file_uses_every_perturbation() -> None:
    tests = suite.read(ROOT / "behaviour" / "sentiment.yaml", 0)
    used = {case.change for of_test in tests.cases.values() for case in of_test}
    assert set(PERTURBATIONS) <= used


SAME = {
    "first": "positive: ['The {thing}.']",
    "second": "positive: [The food.]",
    "third": "negative: [The food.]",
}


def refusal(call: Callable[[], object]) -> Sequence[str]:
    """Return the lines with which something is refused."""
    with pytest.raises(UserError) as caught:
        call()
    return caught.value.lines


def test_a_file_that_breaks_a_rule_is_refused_with_the_approved_lines() -> None:
    def say(case: str) -> Sequence[str]:
        """Return what is said of a file in one line of YAML, or of the settings of one test."""
        where, _, text = case.partition(" ")
        if where == "test":
            return refusal(lambda: cases(text))
        return refusal(lambda: suite.parse(parse_yaml(text, "mine.yaml"), "mine.yaml", 0))

    approved.check_cases(Path(__file__).with_name("refused.txt"), say)


def test_two_classes_expected_of_one_text_are_refused_unless_a_text_may_have_both() -> None:
    again = "".join(
        f"  {name}:\n    kind: minimum_function\n    texts: {{{texts}}}\n"
        for name, texts in SAME.items()
    )
    content = parse_yaml(HEAD.removesuffix("  first:\n") + again, "mine.yaml")
    line = "tests.third must not expect both positive and negative of one text; got 'The food.'"
    assert refusal(lambda: suite.parse(content, "mine.yaml", 0)) == (f"mine.yaml: {line}",)
    assert [
        case.expected
        for case in suite.parse(content, "mine.yaml", 0, multilabel=True).cases["third"]
    ]


def test_a_file_that_is_missing_or_a_folder_is_said_in_a_line(tmp_path: Path) -> None:
    line = f"{tmp_path}/none.yaml not found; behave.tests must name files of tests"
    assert refusal(lambda: suite.read(tmp_path / "none.yaml", 0)) == (line,)
    assert refusal(lambda: suite.read(tmp_path, 0)) == (
        f"behave.tests must name files; got the folder {tmp_path}",
    )


@pytest.mark.parametrize(
    "texts", ["'{good} {thing}'", "a, a, a, b, c"]
)  # also of cases that are repeated
def test_too_many_cases_are_refused(texts: str, monkeypatch: pytest.MonkeyPatch) -> None:
    test = f"kind: minimum_function\ntexts: {{positive: [{texts}]}}"
    monkeypatch.setattr(suite, "MOST_CASES", 5)
    assert len(cases(test)) in {3, 4}
    monkeypatch.setattr(suite, "MOST_CASES", 3)
    rule = "all tests must have at most 3 cases together; got more up to tests.first"
    line = f"mine.yaml: {rule}; set samples there, or divide the file"
    assert refusal(lambda: cases(test)) == (line,)


def test_each_template_stands_for_the_approved_texts_or_is_refused_with_the_approved_line() -> None:
    slots = SLOTS | {f"s{n}": ["a", "b"] for n in range(6)}

    def say(case: str) -> list[str]:
        """Return the texts of a template, or of several that have the same words."""
        try:
            return [
                " | ".join(texts)
                for texts in expand(tuple(case.replace(r"\n", "\n").split(" | ")), slots)
            ]
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
def test_another_word_in_a_list_leaves_the_samples_or_takes_their_place(
    samples: int, seed: int
) -> None:
    before = set(expand(("{good} {thing}",), SLOTS, samples, seed))
    longer = SLOTS | {"good": ["splendid", *SLOTS["good"]]}
    added = {
        texts for texts in expand(("{good} {thing}",), longer, samples, seed) if texts not in before
    }
    assert all(text.startswith("splendid") for (text,) in added)


def test_every_text_is_a_sample_under_some_seed() -> None:
    chosen = {texts for seed in range(50) for texts in expand(("{good} {thing}",), SLOTS, 1, seed)}
    assert chosen == set(expand(("{good} {thing}",), SLOTS))
