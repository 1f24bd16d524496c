"""All settings together; refusals of wrong ones are in contract/test_broken_params.py."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from tests import approved
from tests.refusal import refusal
from tests.settings import TEXT, models, put
from textclf.core.errors import UserError
from textclf.core.settings import Section, parse_yaml, validate
from textclf.models.settings import Train
from textclf.params import Params, load, parse
from textclf.review.settings import Gate
from textclf.vectorize.settings import Vectorize

FILE = Path(__file__).parents[2] / "params.yaml"


def keys_below(content: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of keys of every section and setting of params.yaml."""
    for key, value in content.items():
        yield (*path, key)
        if isinstance(value, dict) and path[:1] != ("gate",):
            yield from keys_below(value, (*path, key))


CONTENT = parse_yaml(TEXT, "params.yaml")
each_key = pytest.mark.parametrize("keys", list(keys_below(CONTENT)), ids=".".join)


def value_at(content: Any, keys: tuple[str, ...]) -> Any:
    """Return the value at a path of keys, of nested mappings or sections."""
    for key in keys:
        content = (
            content[key] if isinstance(content, dict | Train | Vectorize) else getattr(content, key)
        )
    return content


@pytest.mark.lesson
def test_the_defaults_are_those_of_params_yaml() -> None:
    # The gate and the export name models, which another project need not train.
    params = load(FILE)
    assert Params(gate=params.gate, export=params.export) == params
    assert (params.export.model, Params().export.model) == ("logistic_regression", None)
    assert Params().gate == Gate(minimum={}, maximum_drop={})
    assert parse("{}") == Params() == Params.model_validate(Params().model_dump())


@each_key
def test_every_section_and_setting_in_params_yaml_is_described_in_a_line(
    keys: tuple[str, ...],
) -> None:
    section = type(value_at(Params(), keys[:-1]))
    value = value_at(Params(), keys)
    described = (
        value.__doc__ if isinstance(value, Section) else section.model_fields[keys[-1]].description
    )
    assert described
    assert len(described.partition("\n")[0]) <= 110


def test_each_good_setting_is_read_as_the_approved_value() -> None:
    def say(case: str) -> list[str]:
        """Return the value of a setting, with validation rows and tf-idf, which some need."""
        key, written = case.split(": ", 1)
        params = parse(
            put("split.validation_size", "0.15", "vectorize.words.weighting", "tfidf", key, written)
        )
        assert Params.model_validate(params.model_dump()) == params
        # As the statement of a model has them; a warning of pydantic's fails the test.
        assert Params.model_validate(params.model_dump(mode="json")) == params
        return [repr(value_at(params, tuple(key.split("."))))]

    approved.check_cases(Path(__file__).with_name("good_settings.txt"), say)


@pytest.mark.parametrize(
    ("key", "written", "rule"),
    [
        (
            "vectorize.words.token_pattern",
            f'"{"(" * 2000}{")" * 2000}"',
            "must be a regular expression",
        ),
        ("train.logistic_regression.C", f"1{'0' * 400}", "must be a number greater than 0"),
    ],
    ids=["too deep", "beyond all floats"],
)
def test_a_setting_that_python_can_not_take_is_refused(key: str, written: str, rule: str) -> None:
    assert f"{key} {rule}" in refusal(parse, put(key, written))


def test_a_gate_may_name_a_model_that_is_not_trained() -> None:
    assert parse(put(*models("majority"), "export.model", "null")).gate == load(FILE).gate


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.dates(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=5,
)


@given(keys=st.sampled_from([keys for keys in keys_below(CONTENT) if len(keys) > 1]), value=VALUES)
def test_any_value_is_accepted_or_refused_in_whole_lines(keys: tuple[str, ...], value: Any) -> None:
    content = YAML(typ="safe").load(TEXT)
    value_at(content, keys[:-1])[keys[-1]] = value
    try:
        validate(Params, content)
    except UserError as error:
        lines = error.lines
    else:
        lines = ()
    assert all(line.startswith("params.yaml: ") and line.isprintable() for line in lines)
