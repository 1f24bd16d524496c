"""Files of tests: the cases that they stand for, and what is refused."""

from pathlib import Path
from typing import Any

import pytest

from tests.verify import ROOT
from textclf.behave import suite
from textclf.behave.perturb import PERTURBATIONS
from textclf.behave.suite import Case
from textclf.core.errors import UserError
from textclf.core.settings import parse_yaml

BUILT_IN = sorted((ROOT / "behaviour").glob("*.yaml"))
HEAD = """
classes: {negative: "0", positive: "1"}
slots: {thing: [food, film], good: [great, fine]}
tests:
  first:
"""


def content(test: str) -> dict[str, Any]:
    """The content of a file with one test, whose settings are lines of YAML."""
    return parse_yaml(HEAD + "".join(f"    {line}\n" for line in test.strip().splitlines()), "mine.yaml")


def cases(test: str) -> list[Case]:
    return suite.parse(content(test), "mine.yaml", 0).cases["first"]


def test_a_minimum_function_has_a_case_per_text_with_the_class_expected() -> None:
    test = "kind: minimum_function\ntexts: {negative: ['Bad {thing}.'], positive: ['Good.', 'Good.']}"
    assert cases(test) == [
        Case("Bad food.", expected="negative"),
        Case("Bad film.", expected="negative"),
        Case("Good.", expected="positive"),
    ]


def test_an_invariance_has_a_case_per_text_and_change_that_changes_it() -> None:
    test = """
kind: invariance
texts: ['{thing}.', I am it]
perturbations: [upper_case, contract]
append: [Well.]
prepend: [So]
"""
    assert cases(test) == [
        Case("food.", "FOOD.", change="upper_case"),
        Case("food.", "food. Well.", change="append"),
        Case("food.", "So food.", change="prepend"),
        Case("film.", "FILM.", change="upper_case"),
        Case("film.", "film. Well.", change="append"),
        Case("film.", "So film.", change="prepend"),
        Case("I am it", "I AM IT", change="upper_case"),
        Case("I am it", "I'm it", change="contract"),
        Case("I am it", "I am it Well.", change="append"),
        Case("I am it", "So I am it", change="prepend"),
    ]


def test_the_two_texts_of_a_pair_have_the_same_words() -> None:
    test = "kind: direction\nmust_not_rise: positive\npairs: [['{thing}', 'no {thing}'], ['{good}', '{good}']]"
    assert cases(test) == [Case("food", "no food", change="pair"), Case("film", "no film", change="pair")]


def test_samples_count_for_each_template() -> None:
    test = "kind: minimum_function\nsamples: 1\ntexts: {positive: ['{good} {thing}', '{good}', Yes]}"
    assert len(cases(test)) == 3


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
TEXTS = "texts: [Good food.]"
PAIR = "pairs: [[Good., Bad.]]"
REFUSED = {
    "kind: typo": "tests.first.kind must be one of minimum_function, invariance, direction; got typo",
    "about: none": "tests.first.kind must be one of minimum_function, invariance, direction; got null",
    "kind: minimum_function": "tests.first.texts is missing; it must be set",
    "kind: minimum_function\ntexts: {}": "tests.first.texts must be a mapping that is not empty; got {}",
    "kind: minimum_function\ntexts: {positive: []}": "tests.first.texts.positive must be a list of 1 or more; got []",
    "kind: minimum_function\ntexts: {good: [Good.]}": (
        "tests.first.texts.good is no class of the file; known here: negative, positive"
    ),
    "kind: minimum_function\ntexts: {positiv: [Good.]}": (
        "tests.first.texts.positiv is no class of the file; did you mean positive?"
    ),
    "kind: minimum_function\ntexts: {positive: [1]}": "tests.first.texts.positive[0] must be text; got 1",
    "kind: minimum_function\ntexts: {positive: ['']}": (
        "tests.first.texts.positive[0] must be text that is not blank; got ''"
    ),
    "kind: minimum_function\ntexts: {positive: [Good., 'Good {food}.']}": (
        "tests.first.texts.positive[1] must have slots with a list in slots; got {food}; did you mean good?"
    ),
    "kind: minimum_function\ntexts: {positive: [Good.]}\npairs: []": (
        "tests.first.pairs is no setting; known here: about, samples, kind, texts"
    ),
    "kind: minimum_function\nsamples: 0\ntexts: {positive: [Good.]}": "tests.first.samples must be at least 1; got 0",
    "kind: invariance": (
        "tests.first must have pairs, or texts and one of perturbations, append, prepend; got neither"
    ),
    f"kind: invariance\n{TEXTS}": (
        "tests.first must have pairs, or texts and one of perturbations, append, prepend; got neither"
    ),
    f"kind: invariance\n{PAIR}\n{TEXTS}": (
        "tests.first must have both texts and one of perturbations, append, prepend; got only one of them"
    ),
    f"kind: invariance\n{TEXTS}\nperturbations: [names]": (
        "tests.first must have a case; got changes that leave every text as it is"
    ),
    f"kind: invariance\n{TEXTS}\nperturbations: [typos]": (
        f"tests.first.perturbations[0] must be one of {', '.join(PERTURBATIONS)}; got typos"
    ),
    f"kind: invariance\n{TEXTS}\nperturbations: [typo, typo]": (
        "tests.first.perturbations must be a list without repetitions; got [typo, typo]"
    ),
    f"kind: invariance\n{TEXTS}\nappend: ['{{x}}']": (
        "tests.first.append[0] must have slots with a list in slots; got {x}; known here: thing, good"
    ),
    "kind: invariance\npairs: [[Good.]]": "tests.first.pairs[0] must be a list of 2 or more; got [Good.]",
    "kind: invariance\npairs: [[a, b, c]]": "tests.first.pairs[0] must be a list of 2; got [a, b, c]",
    f"kind: invariance\n{PAIR}\nmust_not_rise: positive": (
        "tests.first.must_not_rise is no setting; known here: about, samples, pairs, texts, perturbations, append, "
        "prepend, kind"
    ),
    f"kind: direction\n{PAIR}": ("tests.first must have one of must_not_rise and must_not_fall; got both or neither"),
    f"kind: direction\n{PAIR}\nmust_not_fall: good": (
        "tests.first.must_not_fall must be a class of the file (negative, positive); got good"
    ),
    f"kind: direction\n{PAIR}\nmust_not_fall: positive\ntolerance: 1.5": (
        "tests.first.tolerance must be less than 1.0; got 1.5"
    ),
}


@pytest.mark.parametrize(("test", "line"), REFUSED.items())
def test_a_test_that_breaks_a_rule_is_refused(test: str, line: str) -> None:
    with pytest.raises(UserError) as caught:
        cases(test)
    assert caught.value.lines == (f"mine.yaml: {line}",)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("tests: {a: {}}", "mine.yaml: classes is missing; it must be set"),
        ("classes: {a: b}", "mine.yaml: tests is missing; it must be set"),
        ("classes: {a: 1}\ntests: {a: {}}", "mine.yaml: classes.a must be text; got 1"),
        ("classes: {a: b}\ntests: {}", "mine.yaml: tests must be a mapping that is not empty; got {}"),
        ("classes: {a: b}\ntests: {a: []}", "mine.yaml: tests.a must be a mapping; got []"),
        (
            "classes: {a: b}\ntests: {A: {kind: invariance}}",
            "mine.yaml: tests: the name of a test must be small letters, digits and _, at most 40; got A",
        ),
        ("classes: {a: b}\nslots: {x: []}\ntests: {a: {}}", "mine.yaml: slots.x must be a list of 1 or more; got []"),
        ("classes: {a: b}\nslot: {}\ntests: {a: {}}", "mine.yaml: slot is no setting; did you mean slots?"),
        ("classes: [", "mine.yaml:1: expected the node content, but found '<stream end>'; expected YAML"),
    ],
)
def test_a_file_that_breaks_a_rule_is_refused(text: str, line: str) -> None:
    with pytest.raises(UserError) as caught:
        suite.parse(parse_yaml(text, "mine.yaml"), "mine.yaml", 0)
    assert caught.value.lines == (line,)


def test_every_mistake_of_a_file_has_a_line() -> None:
    text = "classes: {a: b}\ntests: {x: {kind: y}, z: {kind: invariance, pairs: 1}}"
    with pytest.raises(UserError) as caught:
        suite.parse(parse_yaml(text, "mine.yaml"), "mine.yaml", 0)
    assert [line.split(" must")[0] for line in caught.value.lines] == [
        "mine.yaml: tests.x.kind",
        "mine.yaml: tests.z.pairs",
    ]


def test_two_classes_expected_of_one_text_are_refused_unless_a_text_may_have_both() -> None:
    again = "".join(f"  {name}:\n    kind: minimum_function\n    texts: {{{texts}}}\n" for name, texts in SAME.items())
    content = parse_yaml(HEAD.removesuffix("  first:\n") + again, "mine.yaml")
    with pytest.raises(UserError) as caught:
        suite.parse(content, "mine.yaml", 0)
    assert [case.expected for case in suite.parse(content, "mine.yaml", 0, multilabel=True).cases["third"]]
    line = "tests.third must not expect both positive and negative of one text; got 'The food.'"
    assert caught.value.lines == (f"mine.yaml: {line}",)


def test_a_file_that_is_missing_or_a_folder_is_said_in_a_line(tmp_path: Path) -> None:
    lines = {
        "none.yaml": f"{tmp_path}/none.yaml not found; behave.tests must name files of tests",
        "": f"behave.tests must name files; got the folder {tmp_path}",
    }
    for name, line in lines.items():
        with pytest.raises(UserError) as caught:
            suite.read(tmp_path / name, 0)
        assert caught.value.lines == (line,)


@pytest.mark.parametrize("texts", ["'{good} {thing}'", "a, a, a, b, c"])  # also of cases that are repeated
def test_too_many_cases_are_refused(texts: str, monkeypatch: pytest.MonkeyPatch) -> None:
    test = f"kind: minimum_function\ntexts: {{positive: [{texts}]}}"
    monkeypatch.setattr(suite, "MOST_CASES", 5)
    assert len(cases(test)) in {3, 4}
    monkeypatch.setattr(suite, "MOST_CASES", 3)
    with pytest.raises(UserError) as caught:
        cases(test)
    rule = "all tests must have at most 3 cases together; got more up to tests.first"
    assert caught.value.lines == (f"mine.yaml: {rule}; set samples there, or divide the file",)
