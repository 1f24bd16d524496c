"""The YAML dialect and the sections' loader; errors are in contract/test_broken_params.py."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError
from ruamel.yaml import YAML

from tests.refusal import refusal
from tests.settings import TEXT
from textclf.core.errors import UserError
from textclf.core.settings import (
    Names,
    Section,
    load_params,
    load_section,
    parse_yaml,
    show,
    suggest,
    validate,
)

SCALARS = [
    *(
        "1e-3",
        "1E-3",
        "0.5",
        ".5",
        "1.",
        "+.5",
        "-1.5e+3",
        ".inf",
        "1",
        "-1",
        "010",
        "1.0",
        "~",
        "null",
        "Null",
        "",
    ),
    *(
        "true",
        "True",
        "FALSE",
        "yes",
        "no",
        "on",
        "off",
        "y",
        "1:30",
        "a b",
        '"1"',
        "'true'",
        "|\n  x\n",
        "2020-01-01",
    ),
]


class Inner(Section):
    """An inner section."""

    seed: int = Field(0, description="a seed")


class Outer(Section):
    """A section with another."""

    name: str = Field("x", description="a name")
    inner: Inner = Field(default_factory=Inner)


LONG = "x" * 10_000


@pytest.mark.parametrize(
    "text", ["<<<<<<< HEAD\na: 1\n=======\na: 2\n>>>>>>> b\n", "a: 1\n>>>>>>> b\n"]
)
def test_markers_of_a_conflict_are_named(text: str) -> None:
    with pytest.raises(
        UserError, match=r"^x\.yaml must have no markers of a conflict; .* leaves them; edit it$"
    ):
        parse_yaml(text, "x.yaml")


REFUSED = {  # and what the error says
    "1000 levels": (f"a: {'[' * 1000}{']' * 1000}", "expected YAML"),
    **{
        value: (f"a: {value}", "expected YAML")
        for value in ("!!bool maybe", "!!timestamp soon", "!!float ''", "!!map [a, b]", "!!int x")
    },
    "a long key twice": (
        f"? {LONG}\n: 1\n? {LONG}\n: 1",
        f"here:3: key '{'x' * 39}…' is repeated; expected YAML",
    ),
    "a long key that is no text": (
        f"? [{LONG}]\n: 1",
        f"here:1: key ('{'x' * 37}… must be text; put it in quotes; expected YAML",
    ),
    "a long alias": (
        f"name: *{LONG}",
        f"here:1: found undefined alias '{'x' * 176}…; expected YAML",
    ),
}


@pytest.mark.parametrize(("text", "line"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_plain_yaml_is_refused_in_a_short_line(text: str, line: str) -> None:
    result = refusal(parse_yaml, text, "here")
    assert line in result
    assert len(result) < 300


@pytest.mark.parametrize("scalar", SCALARS)
def test_a_scalar_is_read_as_dvc_reads_it(scalar: str) -> None:
    ours, theirs = parse_yaml(f"a: {scalar}", "x")["a"], YAML(typ="safe").load(f"a: {scalar}")["a"]
    assert (type(ours), ours) == (type(theirs), theirs)


@pytest.mark.parametrize(
    "text", [TEXT, "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}"], ids=["params.yaml", "a merge"]
)
def test_a_file_is_read_as_dvc_reads_it(text: str) -> None:
    assert parse_yaml(text, "x") == YAML(typ="safe").load(text)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=5,
)


@given(VALUES)
def test_any_value_is_shown_on_one_line(value: Any) -> None:
    shown = show(value)
    assert shown
    assert len(shown) <= 60
    assert shown.isprintable()


@pytest.mark.parametrize(
    "value",
    [None, True, 1, 0.5, float("inf"), "a b", "1e-3", "", " x", "it's", [1, "a"], {"a": [2]}],
)
def test_a_value_is_shown_as_params_yaml_has_it(value: Any) -> None:
    assert parse_yaml(f"a: {show(value)}", "x")["a"] == value


def test_mistakes_are_sentences_under_the_prefix_in_which_what_is_long_is_shortened() -> None:
    content = {"name": [int("f" * 5000, 16)], "inner": {"seed": "a", "sead": 2}, LONG: 1, "": 1}
    with pytest.raises(UserError) as error:
        validate(Outer, content, "here", "outer")
    assert error.value.lines == (
        f"here: outer.name must be text; got [0x{'f' * 56}…",
        "here: outer.inner.seed must be an integer; got a",
        "here: outer.inner.sead is no setting; did you mean seed?",
        f"here: outer.'{'x' * 39}…' is no setting; known here: name, inner",
        "here: outer.'' is no setting; known here: name, inner",
    )
    (line,) = UserError(f"rows.csv: {LONG}; rename it").lines
    assert line == f"rows.csv: {'x' * 990} … {'x' * 989}; rename it"


@pytest.mark.parametrize(
    ("kind", "keys"),
    [(Inner, ()), (dict[str, Inner], ("a",)), (list[dict[str, Outer]], (0, "a", "inner"))],
)
def test_an_unknown_setting_is_named_wherever_its_section_stands(
    kind: Any, keys: tuple[Any, ...]
) -> None:
    content: Any = {"sead": 2}
    for key in reversed(keys):
        content = [content] if key == 0 else {key: content}
    assert refusal(validate, kind, content).endswith("sead is no setting; did you mean seed?")


def test_sections_and_single_settings_are_loaded_by_their_keys(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("outer: {name: y, inner: {seed: 7}}\nmodels: [a, b]\n")
    assert load_section("outer.inner", Inner, path) == Inner(seed=7)
    assert load_section("other", Inner, path) == Inner()
    wanted = {"outer": Outer, "models": Names}
    assert load_params(wanted, path) == {
        "outer": Outer(name="y", inner=Inner(seed=7)),
        "models": ("a", "b"),
    }


def test_a_section_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Inner().seed = 1  # type: ignore[misc]


def test_an_unknown_name_gets_a_hint() -> None:
    assert suggest("sead", ["seed", "size"]) == "did you mean seed?"
    assert [suggest("x", known) for known in (["seed"], [])] == [
        "known here: seed",
        "known here: none",
    ]
