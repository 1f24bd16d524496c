"""The YAML dialect and the loader of sections; errors of params.yaml: tests/contract/test_broken_params.py."""

from pathlib import Path
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError
from ruamel.yaml import YAML

from tests.settings import TEXT
from textclf.core.errors import UserError
from textclf.core.settings import Names, Section, load_params, load_section, parse_yaml, show, suggest, validate

SCALARS = [
    *("1e-3", "1E-3", "0.5", ".5", "1.", "+.5", "-1.5e+3", ".inf", "1", "-1", "010", "1.0", "~", "null", "Null", ""),
    *("true", "True", "FALSE", "yes", "no", "on", "off", "y", "1:30", "a b", '"1"', "'true'", "|\n  x\n", "2020-01-01"),
]


class Inner(Section):
    """An inner section."""

    seed: int = Field(0, description="a seed")


class Outer(Section):
    """A section with another."""

    name: str = Field("x", description="a name")
    inner: Inner = Field(default_factory=Inner)


@pytest.mark.parametrize("scalar", SCALARS)
def test_a_scalar_is_read_as_dvc_reads_it(scalar: str) -> None:
    ours, theirs = parse_yaml(f"a: {scalar}", "x")["a"], YAML(typ="safe").load(f"a: {scalar}")["a"]
    assert (type(ours), ours) == (type(theirs), theirs)


def test_params_yaml_is_read_as_dvc_reads_it() -> None:
    assert parse_yaml(TEXT, "x") == YAML(typ="safe").load(TEXT)


@pytest.mark.parametrize("depth", [60, 300, 1000])
@pytest.mark.parametrize(("start", "end"), ["[]", ("{a: ", "}")])
def test_deep_nesting_is_refused(depth: int, start: str, end: str) -> None:
    with pytest.raises(UserError):
        parse_yaml(f"a: {start * depth}{end * depth}", "x")


@pytest.mark.parametrize("value", ["!!bool maybe", "!!timestamp soon", "!!float ''", "!!map [a, b]", "!!int x"])
def test_a_value_that_is_not_of_its_tag_is_refused(value: str) -> None:
    with pytest.raises(UserError, match="expected YAML"):
        parse_yaml(f"a: {value}", "x")


def powers(first: str, line: str, count: int = 12) -> str:
    """Return lines of YAML in which each stands for ten times as much as the one before."""
    return "\n".join([first, *(line.format(n, ", ".join([f"*a{n - 1}"] * 10)) for n in range(1, count))])


@pytest.mark.parametrize(
    "text",
    [
        powers("a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]", "a{0}: &a{0} [{1}]"),
        powers("- &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]", "- &a{0} [{1}]"),
        powers("a0: &a0 {a: 1, b: 2, c: 3, d: 4}", "a{0}: &a{0} {{<<: [{1}]}}"),
        f"a: &a {{{', '.join(f'k{n}: 1' for n in range(1000))}}}\nb: {{<<: [{', '.join(['*a'] * 1000)}]}}",
    ],
    ids=["aliases", "aliases outside a mapping", "merges of merges", "one merge of many"],
)
def test_aliases_that_stand_for_too_many_values_are_refused(text: str) -> None:
    with pytest.raises(UserError, match="at most 100,000 values"):
        parse_yaml(text, "x")


LONG = "x" * 10_000


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"? {LONG}\n: 1", f"here: '{'x' * 39}…' is no setting; known here: name, inner"),
        (f"? {LONG}\n: 1\n? {LONG}\n: 1", f"here:3: key '{'x' * 39}…' is repeated; expected YAML"),
        (f"? [{LONG}]\n: 1", f"here:1: key ('{'x' * 37}… must be text; put it in quotes; expected YAML"),
        (f"name: *{LONG}", f"here:1: found undefined alias '{'x' * 176}…; expected YAML"),
        (f"name: [{', '.join(['0x' + 'f' * 5000] * 2)}]", f"here: name must be text; got [0x{'f' * 56}…"),
        ("'': 1", "here: '' is no setting; known here: name, inner"),
    ],
    ids=["unknown", "repeated", "no text", "alias", "integer", "empty"],
)
def test_what_an_error_quotes_is_shortened(text: str, line: str) -> None:
    with pytest.raises(UserError) as error:
        validate(Outer, parse_yaml(text, "here"), "here")
    assert error.value.lines == (line,)


@pytest.mark.parametrize("kind", [tuple[str, ...], list[Annotated[list[int], Field(min_length=1)]]])
def test_of_many_mistakes_the_first_hundred_have_a_line(kind: Any) -> None:
    with pytest.raises(UserError) as error:
        validate(kind, [[]] * 50_000, "here", "models")
    assert len(error.value.lines) == 101
    assert error.value.lines[-1] == "here: 49,900 more mistakes"


def test_a_line_beyond_any_size_keeps_its_ends() -> None:
    (line,) = UserError(f"rows.csv: {LONG}; rename it").lines
    assert line == f"rows.csv: {'x' * 990} … {'x' * 989}; rename it"


def test_a_merge_key_is_read() -> None:
    assert parse_yaml("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}", "x")["b"] == {"x": 1, "y": 3}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=5,
)


@given(VALUES)
def test_any_value_is_shown_on_one_line(value: Any) -> None:
    shown = show(value)
    assert shown
    assert len(shown) <= 60
    assert shown.isprintable()


@pytest.mark.parametrize(
    "value", [None, True, 1, 0.5, float("inf"), "a b", "1e-3", "", " x", "it's", [1, "a"], {"a": [2]}]
)
def test_a_value_is_shown_as_params_yaml_has_it(value: Any) -> None:
    assert parse_yaml(f"a: {show(value)}", "x")["a"] == value


def test_mistakes_are_sentences_under_the_prefix() -> None:
    with pytest.raises(UserError) as error:
        validate(Outer, {"name": 1, "inner": {"seed": "a", "sead": 2}}, "here", "outer")
    assert error.value.lines == (
        "here: outer.name must be text; got 1",
        "here: outer.inner.seed must be an integer; got a",
        "here: outer.inner.sead is no setting; did you mean seed?",
    )


@pytest.mark.parametrize(
    ("kind", "keys"), [(Inner, ()), (dict[str, Inner], ("a",)), (list[dict[str, Outer]], (0, "a", "inner"))]
)
def test_an_unknown_setting_is_named_wherever_its_section_stands(kind: Any, keys: tuple[Any, ...]) -> None:
    content: Any = {"sead": 2}
    for key in reversed(keys):
        content = [content] if key == 0 else {key: content}
    with pytest.raises(UserError, match=r"sead is no setting; did you mean seed\?$"):
        validate(kind, content)


def test_sections_and_single_settings_are_loaded_by_their_keys(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("outer: {name: y, inner: {seed: 7}}\nmodels: [a, b]\n")
    assert load_section("outer.inner", Inner, path) == Inner(seed=7)
    assert load_section("other", Inner, path) == Inner()
    wanted = {"outer": Outer, "models": Names}
    assert load_params(wanted, path) == {"outer": Outer(name="y", inner=Inner(seed=7)), "models": ("a", "b")}


def test_a_section_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Inner().seed = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "known", "hint"),
    [
        ("sead", ["seed", "size"], "did you mean seed?"),
        ("x", ["seed"], "known here: seed"),
        ("x", [], "known here: none"),
    ],
)
def test_an_unknown_name_gets_a_hint(name: str, known: list[str], hint: str) -> None:
    assert suggest(name, known) == hint
