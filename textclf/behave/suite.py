"""A file of behavioural tests: its form, and the cases that it stands for.

The kinds of tests are those of Ribeiro et al. (2020), Beyond Accuracy: Behavioral Testing of NLP
Models with CheckList, ACL, doi:10.18653/v1/2020.acl-main.442.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from textclf.behave.perturb import PERTURBATIONS
from textclf.behave.templates import Texts, count_combinations, expand
from textclf.core.errors import UserError
from textclf.core.quoting import list_names, quote_name, quote_value
from textclf.core.settings import (
    Name,
    Section,
    load_yaml,
    named,
    one_of,
    rule,
    show,
    suggest,
    unique,
    validate,
)

# Cases of a file.
MOST_CASES = 10_000
# Settings with sentences that are added to a text.
ADDED = ("append", "prepend")
# Stands for a perturbation where both texts are in the file.
GIVEN = "pair"


def _text(value: str) -> str:
    if not value.strip():
        raise rule("text that is not blank")
    return value


def _some(value: dict[str, Any]) -> dict[str, Any]:
    if not value:
        raise rule("a mapping that is not empty")
    return value


Text = Annotated[str, AfterValidator(_text)]
Words = Annotated[list[Text], Field(min_length=1)]
Pair = Annotated[list[Text], Field(min_length=2, max_length=2)]
PerturbationName = Annotated[str, one_of(PERTURBATIONS)]
PerturbationNames = Annotated[
    tuple[PerturbationName, ...], Field(strict=False), AfterValidator(unique)
]


class Common(Section):
    """What all kinds of tests have."""

    about: str = Field("", description="what the test shows, for the report")
    samples: Annotated[int, Field(ge=1)] | None = Field(
        None,
        description=(
            "number of cases of each template at most, chosen by behave.seed; null takes all"
        ),
    )


class MinimumFunction(Common):
    """The model must give each text the class that it stands under."""

    kind: Literal["minimum_function"]
    texts: Annotated[dict[str, Words], AfterValidator(_some)] = Field(
        description="templates by the class expected"
    )


class Comparison(Common):
    """Pairs of texts, or texts and what is done to them."""

    pairs: list[Pair] = Field([], description="pairs of templates, which are filled together")
    texts: list[Text] = Field([], description="templates of the texts that are changed")
    perturbations: PerturbationNames = Field((), description="built-in changes")
    append: list[Text] = Field([], description="sentences, each of which is added after each text")
    prepend: list[Text] = Field(
        [], description="sentences, each of which is added before each text"
    )


class Invariance(Comparison):
    """The change must leave the class that the model decides as it is."""

    kind: Literal["invariance"]


class Direction(Comparison):
    """The change must not move the probability of a class in one direction."""

    kind: Literal["direction"]
    must_not_rise: str | None = Field(
        None, description="class whose probability the change must not raise"
    )
    must_not_fall: str | None = Field(
        None, description="class whose probability the change must not lower"
    )
    tolerance: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.1, description="by how much it may move in that direction all the same"
    )

    @property
    def of(self) -> str:
        """Return the name of the class in question."""
        return self.must_not_rise or self.must_not_fall or ""


AnyTest = MinimumFunction | Invariance | Direction
KINDS: dict[str, type[AnyTest]] = {
    "minimum_function": MinimumFunction,
    "invariance": Invariance,
    "direction": Direction,
}


class Frame(Section):
    """The file without the content of its tests."""

    classes: Annotated[dict[str, Name], AfterValidator(_some)]
    slots: Annotated[dict[str, Words], named("a list of words")] = Field({})
    tests: Annotated[dict[str, dict[str, Any]], AfterValidator(_some), named("a test")]


@dataclass(frozen=True)
class Case:
    """A case of a test: a text and the class expected, or a text, what it is changed to and how."""

    text: str
    changed: str | None = None
    expected: str | None = None
    change: str | None = None


@dataclass(frozen=True)
class Suite:
    """The tests of a file: labels by the file's names of classes, tests and their cases by name."""

    classes: Mapping[str, str]
    tests: Mapping[str, AnyTest]
    cases: Mapping[str, list[Case]]


def read(path: Path, seed: int, multilabel: bool = False) -> Suite:
    """Return the tests in a YAML file; `UserError` names file, test and setting of each mistake."""
    if path.is_dir():
        raise UserError(f"behave.tests must name files; got the folder {path}")
    if not path.is_file():
        raise UserError(f"{path} not found; behave.tests must name files of tests")
    return parse(load_yaml(path), str(path), seed, multilabel)


def parse(content: Mapping[str, Any], name: str, seed: int, multilabel: bool = False) -> Suite:
    """Return the tests of a file's content; `name` is the file in errors.

    With `multilabel`, a text may have several labels.
    """
    frame: Frame = validate(Frame, content, name)
    tests: dict[str, AnyTest] = {}
    lines: list[str] = []
    for key, test in frame.tests.items():
        where = f"tests.{key}"
        try:
            kind = test.get("kind")
            if not isinstance(kind, str) or kind not in KINDS:
                known = ", ".join(KINDS)
                line = f"{name}: {where}.kind must be one of {known}; got {show(kind)}"
                raise UserError(line)  # noqa: TRY301
            tests[key] = validate(KINDS[kind], test, name, where)
            lines += [f"{name}: {where}{line}" for line in _conflicts(tests[key], frame.classes)]
        except UserError as error:
            lines += error.lines
    if lines:
        raise UserError(*lines)
    _require_templates(tests, frame.slots, name)
    cases: dict[str, list[Case]] = {}
    expected: dict[str, str | None] = {}
    for key, parsed in tests.items():
        made = list(islice(_cases(parsed, frame.slots, seed), MOST_CASES + 1))
        cases[key] = list(dict.fromkeys(made))
        if not made:
            raise UserError(
                f"{name}: tests.{key} must have a case; got changes that leave every text as it is"
            )
        if max(len(made), sum(map(len, cases.values()))) > MOST_CASES:
            raise UserError(
                f"{name}: all tests must have at most {MOST_CASES:,} cases together; "
                f"got more up to tests.{key}; set samples there, or divide the file"
            )
        for case in () if multilabel else cases[key]:
            if case.changed is not None:
                continue
            other = expected.setdefault(case.text, case.expected)
            if other != case.expected:
                raise UserError(
                    f"{name}: tests.{key} must not expect both {other} and {case.expected} "
                    f"of one text; got {quote_value(case.text)}"
                )
    return Suite(frame.classes, tests, cases)


def _conflicts(test: AnyTest, classes: Mapping[str, str]) -> Iterator[str]:
    """Yield the end of a sentence for each unknown class, missing setting and contradiction."""
    if isinstance(test, MinimumFunction):
        for name in test.texts:
            if name not in classes:
                yield f".texts.{quote_name(name)} is no class of the file; {suggest(name, classes)}"
        return
    changes = [*test.perturbations, *test.append, *test.prepend]
    settings = f"perturbations, {', '.join(ADDED)}"
    if not test.pairs and not (test.texts and changes):
        yield f" must have pairs, or texts and one of {settings}; got neither"
    elif bool(test.texts) != bool(changes):
        yield f" must have both texts and one of {settings}; got only one of them"
    if isinstance(test, Direction):
        if (test.must_not_rise is None) == (test.must_not_fall is None):
            yield " must have one of must_not_rise and must_not_fall; got both or neither"
        elif test.of not in classes:
            key = "must_not_fall" if test.must_not_rise is None else "must_not_rise"
            names = list_names(list(classes))
            yield f".{key} must be a class of the file ({names}); got {show(test.of)}"


def _require_templates(
    tests: Mapping[str, AnyTest], slots: Mapping[str, list[str]], name: str
) -> None:
    """Raise `UserError` for a wrong template, before any is filled."""
    for key, test in tests.items():
        for setting, templates in _templates(test):
            try:
                count_combinations(templates, slots)
            except UserError as error:
                raise UserError(f"{name}: tests.{key}.{setting} {error.lines[0]}") from None


def _templates(test: AnyTest) -> Iterator[tuple[str, Texts]]:
    """Yield the place and the text of each template of a test, or two that are filled together."""
    if isinstance(test, MinimumFunction):
        lists = {f"texts.{name}": texts for name, texts in test.texts.items()}
    else:
        for number, pair in enumerate(test.pairs):
            yield f"pairs[{number}]", (pair[0], pair[1])
        lists = {setting: getattr(test, setting) for setting in (*ADDED, "texts")}
    for key, texts in lists.items():
        for number, text in enumerate(texts):
            yield f"{key}[{number}]", (text,)


def _cases(test: AnyTest, slots: Mapping[str, list[str]], seed: int) -> Iterator[Case]:

    def filled(texts: Iterable[str], samples: int | None) -> Iterator[str]:
        return (text for template in texts for (text,) in expand((template,), slots, samples, seed))

    if isinstance(test, MinimumFunction):
        for name, texts in test.texts.items():
            yield from (Case(text, expected=name) for text in filled(texts, test.samples))
        return
    for pair in test.pairs:
        for text, changed in expand((pair[0], pair[1]), slots, test.samples, seed):
            yield from _changed(text, changed, GIVEN)
    append, prepend = (
        list(islice(filled(getattr(test, key), None), MOST_CASES + 1)) for key in ADDED
    )
    for text in filled(test.texts, test.samples):
        for name in test.perturbations:
            yield from _changed(text, PERTURBATIONS[name](text, seed), name)
        yield from (Case(text, f"{text} {sentence}", change="append") for sentence in append)
        yield from (Case(text, f"{sentence} {text}", change="prepend") for sentence in prepend)


def _changed(text: str, changed: str, how: str) -> Iterator[Case]:
    """Yield the case of a text and what it became, unless it is the same."""
    if changed != text:
        yield Case(text, changed, change=how)
