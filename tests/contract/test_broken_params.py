"""The sentences that refuse a params.yaml; a handful of them by a stage."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import approved
from tests.conftest import run_stage
from tests.refusal import refusal as only_line
from tests.settings import TEXT, put
from textclf.core.errors import UserError
from textclf.params import Params, load, parse

CASES = Path(__file__).with_name("broken_params.txt")


def refusal(text: str) -> list[str]:
    """Return the lines with which a text of params.yaml is refused."""
    with pytest.raises(UserError) as error:
        parse(text)
    return list(error.value.lines)


def test_wrong_settings_are_refused_with_the_approved_lines() -> None:
    def say(case: str) -> list[str]:
        settings = [part for setting in case.split(" & ") for part in setting.split(": ", 1)]
        lines = refusal(case if case[0] == "{" else put(*settings))
        assert {line.startswith("params.yaml: ") for line in lines} == {True}
        return [line.removeprefix("params.yaml: ") for line in lines]

    approved.check_cases(CASES, say)


def test_a_text_that_is_no_mapping_of_sections_is_refused_with_the_approved_line() -> None:
    every = ", ".join(Params.model_fields)
    approved.check_cases(
        CASES.with_name("broken_texts.txt"),
        lambda case: [refusal(json.loads(case))[0].replace(every, "every section")],
    )


# What the schema says of each setting


SCHEMA = Params.model_json_schema()


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    return SCHEMA["$defs"][node["$ref"].rpartition("/")[2]] if "$ref" in node else node


def places(
    node: dict[str, Any], keys: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Yield the keys and schema of every mapping in a JSON schema; the user's keys are `mine`."""
    node = resolved(node)
    for choice in node.get("anyOf", ()):
        yield from places(choice, keys)
    if node.get("type") == "object":
        yield keys, node
        for key, inner in node.get("properties", {}).items():
            yield from places(inner, (*keys, key))
        if isinstance(inner := node.get("additionalProperties"), dict):
            yield from places(inner, (*keys, "mine"))


SECTIONS = [
    (keys, node["properties"])
    for keys, node in places(SCHEMA)
    if node.get("additionalProperties") is False
]
each_section = pytest.mark.parametrize(
    ("keys", "settings"), SECTIONS, ids=[".".join(keys) for keys, _ in SECTIONS]
)
TYPES = {
    "boolean": ("yes", "true or false"),
    "integer": ("a", "an integer"),
    "number": ("a", "a number"),
}
BOUNDS = {
    "minimum": (-1, "at least"),
    "exclusiveMinimum": (0, "greater than"),
    "maximum": (1, "at most"),
    "exclusiveMaximum": (0, "less than"),
}


def violations(schema: dict[str, Any]) -> Iterator[tuple[object, str]]:
    """Yield values that break the rules of a setting's schema, each with the start of its rule."""
    choices = [
        each
        for each in map(resolved, resolved(schema).get("anyOf", [schema]))
        if each.get("type") != "null"
    ]
    if len(choices) != 1:  # which a rule of its own describes
        return
    (choice,) = choices
    if choice.get("type") in TYPES:
        yield TYPES[choice["type"]]
    if "enum" in choice and len(resolved(schema).get("anyOf", [])) < 2:
        yield "nothing", "one of "
    for name, (step, words) in BOUNDS.items():
        if name in choice:
            bound = float(choice[name]) if choice["type"] == "number" else choice[name]
            yield bound + step, f"{words} {bound}"


def refusal_at(keys: tuple[str, ...], content: Any) -> list[str]:
    """Return the lines that refuse a mapping at this place of params.yaml; none if accepted."""
    for key in reversed(keys):
        content = {key: content}
    try:
        parse(json.dumps(content))
    except UserError as error:
        return list(error.lines)
    return []


@each_section
def test_every_setting_is_held_to_its_type_bounds_and_choices(
    keys: tuple[str, ...], settings: dict[str, Any]
) -> None:
    needed = {name: setting["const"] for name, setting in settings.items() if "const" in setting}
    for name in settings.keys() - needed:
        for value, rule in violations(settings[name]):
            start = f"params.yaml: {'.'.join((*keys, name))} must be {rule}"
            (line,) = (
                each for each in refusal_at(keys, needed | {name: value}) if each.startswith(start)
            )
            assert line.endswith(f"; got {value}")


@each_section
def test_an_unknown_setting_is_named_in_every_section(
    keys: tuple[str, ...], settings: dict[str, Any]
) -> None:
    needed = {name: setting["const"] for name, setting in settings.items() if "const" in setting}
    (line,) = [each for each in refusal_at(keys, needed | {"mistyped": 1}) if "mistyped" in each]
    assert line.startswith(f"params.yaml: {'.'.join((*keys, 'mistyped'))} is no setting; ")


# What is accepted


LETTERS = "vectorize: {letters: {}}\ntrain: {nb_svm: {kind: nb_svm, features: letters}}"


def test_a_search_and_limits_that_are_not_set_up_refuse_no_run() -> None:
    assert parse(LETTERS).train.names() == ["nb_svm"]
    assert parse(f"{LETTERS}\nsearch: {{trials: 3}}").search.model is None
    assert parse("train: {majority: {kind: majority, features: words}}").search.model is None
    start = TEXT.index("  keras:")
    dropped = TEXT[:start] + TEXT[TEXT.index("evaluate:") :]  # as -S ~train.keras leaves the gate
    assert parse(dropped).train.names() == ["majority", "logistic_regression"]


@pytest.mark.parametrize("features", ["words", "sentences", "both"])
def test_vectors_of_both_kinds_are_read_side_by_side(features: str) -> None:
    text = (
        "vectorize: {words: {}, sentences: {method: encoder}}\ncombine: {both: {first: words, "
        "second: sentences}}\n"
    )
    assert parse(
        f"{text}train: {{mine: {{kind: logistic_regression, features: {features}}}}}"
    ).train.names() == ["mine"]


# Through a file and a stage


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    (path := tmp_path / "params.yaml").write_bytes(b"# \xe4")
    assert only_line(load, path) == f"{path} must be UTF-8; got byte 0xe4 at offset 2"


def test_check_refuses_all_mistakes_at_once(refuses: Callable[..., None], project: Path) -> None:
    (project / "params.yaml").write_text(put("split.seed", "a", "train.keras.epochs", "0"))
    refuses(
        "check",
        "error: check: params.yaml: split.seed must be an integer; got a",
        "error: check: params.yaml: train.keras.epochs must be at least 1; got 0",
        through='exec "$@"',
    )


def test_a_stage_reads_no_other_sections(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (project / "params.yaml").write_text(put("train.keras.epochs", "0", "split.test_size", "5e-1"))
    assert run_stage(project, "split") == 0
    assert capfd.readouterr() == ("2 classes: 0 (20), 1 (20)\ntrain: 20 rows\ntest: 20 rows\n", "")


def test_a_folder_is_no_params(refuses: Callable[..., None], project: Path) -> None:
    (project / "params.yaml").unlink()
    (project / "params.yaml").mkdir()
    refuses("split", "error: split: params.yaml: Is a directory")
