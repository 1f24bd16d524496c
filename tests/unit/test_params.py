"""The reader of params.yaml. What it says of each mistake stands in tests/contract/test_broken_params.py."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from ruamel.yaml import YAML

from textclf.errors import UserError
from textclf.params import MAX_SEED, Params, load, parse

FILE = Path(__file__).parents[2] / "params.yaml"
TEXT = FILE.read_text(encoding="utf-8")


def changed(old: str, new: str) -> str:
    """The text of params.yaml with one setting changed."""
    assert TEXT.count(old) == 1
    return TEXT.replace(old, new)


def test_params_yaml_holds_the_lesson() -> None:
    params = load(FILE)
    assert params.fetch.corpus == "yelp"
    assert (params.split.test_size, params.split.validation_size, params.split.seed) == (0.25, 0.0, 1000)
    assert params.vectorize.model_dump() == {
        "lowercase": True,
        "ngram_range": (1, 1),
        "min_df": 1,
        "max_df": 1.0,
        "max_features": None,
        "binary": False,
        "token_pattern": r"(?u)\b\w\w+\b",
    }
    assert params.train.models == ("majority", "logistic_regression", "keras")
    assert params.train.logistic_regression.C == 1.0
    assert params.train.keras.units == (10,)
    assert (params.train.keras.epochs, params.train.keras.batch_size) == (100, 10)
    # What the lesson does not do is off.
    assert (params.split.stratify, params.split.group_duplicates) == (False, False)
    assert params.train.keras.early_stopping is None
    assert (params.evaluate.threshold, params.evaluate.calibration) == (0.5, "none")


def test_dvc_reads_params_yaml_alike() -> None:
    assert Params.model_validate(YAML(typ="safe").load(TEXT)) == load(FILE)


@pytest.mark.parametrize(
    "scalar",
    [
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
        *("true", "True", "FALSE", "yes", "no", "on", "off", "y", "1:30", "a b", '"1"', "'true'", "|\n  x\n"),
    ],
)
def test_dvc_reads_a_scalar_alike(scalar: str) -> None:
    # What a section may hold is beside the point here: the refusal shows what was read.
    ours = _as_read(f"a: {scalar}")
    theirs = YAML(typ="safe").load(f"a: {scalar}")["a"]
    assert (type(ours), ours) == (type(theirs), theirs)


def _as_read(text: str) -> object:
    from textclf.params import _Loader

    return yaml.load(text, Loader=_Loader)["a"]  # noqa: S506 (a SafeLoader)


@pytest.mark.parametrize(
    ("old", "new", "path", "value"),
    [
        ("group_duplicates: false", "group_duplicates: true", "split.group_duplicates", True),
        ("learning_rate: 0.001", "learning_rate: 1e-3", "train.keras.learning_rate", 0.001),
        ("C: 1.0", "C: 10", "train.logistic_regression.C", 10.0),
        ("C: 1.0", "C: [0.1, 1, 1e1]", "train.logistic_regression.C", (0.1, 1.0, 10.0)),
        ("C: 1.0", "C: [2]", "train.logistic_regression.C", (2.0,)),
        ("threshold: 0.5", "threshold: 1e-3", "evaluate.threshold", 0.001),
        ("resamples: 2000", "resamples: 100", "evaluate.resamples", 100),
        ("seed: 0                  # of the folds", f"seed: {MAX_SEED // 2}", "crossvalidate.seed", MAX_SEED // 2),
        ("min_df: 1", "min_df: 0.5", "vectorize.min_df", 0.5),
        ("max_df: 1.0", "max_df: 3", "vectorize.max_df", 3),
        ("max_features: null", "max_features: 7", "vectorize.max_features", 7),
        ("units: [10]", "units: []", "train.keras.units", ()),
        ("seed: 1000", f"seed: {MAX_SEED}", "split.seed", MAX_SEED),
        ("ngram_range: [1, 1]", "ngram_range: [2, 2]", "vectorize.ngram_range", (2, 2)),
        (r"(?u)\b\w\w+\b ", "(a)b ", "vectorize.token_pattern", "(a)b"),
    ],
)
def test_a_good_setting_is_read(old: str, new: str, path: str, value: object) -> None:
    found: object = parse(changed(old, new))
    for name in path.split("."):
        found = getattr(found, name)
    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize(
    ("old", "new", "path", "value"),
    [
        ("early_stopping: null", "early_stopping: 1", "train.keras.early_stopping", 1),
        *(
            ("threshold: 0.5", f"threshold: {name}", "evaluate.threshold", name)
            for name in ("accuracy", "f1", "precision")
        ),
        *(
            ("calibration: none", f"calibration: {name}", "evaluate.calibration", name)
            for name in ("temperature", "platt")
        ),
    ],
)
def test_what_chooses_is_read_where_there_are_validation_rows(old: str, new: str, path: str, value: object) -> None:
    found: object = parse(changed(old, new).replace("validation_size: 0.0", "validation_size: 0.15"))
    for name in path.split("."):
        found = getattr(found, name)
    assert (type(found), found) == (type(value), value)


def test_a_c_beyond_all_floats_is_an_error() -> None:
    with pytest.raises(UserError, match=r"train\.logistic_regression\.C must be a number greater than 0"):
        parse(changed("C: 1.0", f"C: 1{'0' * 400}"))


def test_params_are_read_again_from_what_they_hold() -> None:
    params = parse(changed("C: 1.0", "C: [0.1, 1]"))
    assert Params.model_validate(params.model_dump()) == params


def test_params_are_frozen() -> None:
    params = load(FILE)
    with pytest.raises(ValidationError, match="frozen"):
        params.split.seed = 1


def test_everything_wrong_is_reported_in_the_order_of_the_file() -> None:
    text = changed("test_size: 0.25", "test_size: 2").replace("epochs: 100", "epoch: 100").replace("C: 1.0", "C: a")
    with pytest.raises(UserError) as error:
        parse(text, "here")
    assert error.value.lines == (
        "here: split.test_size must be less than 1.0; got 2",
        (
            "here: train.logistic_regression.C must be a number greater than 0, "
            "or a list of such numbers to choose from; got a"
        ),
        "here: train.keras.epochs is missing; it must be set",
        "here: train.keras.epoch is no setting; did you mean epochs?",
    )


@pytest.mark.parametrize("depth", [200, 300, 1000])
@pytest.mark.parametrize(("start", "end"), ["[]", ("{a: ", "}")])
def test_deep_nesting_is_an_error(depth: int, start: str, end: str) -> None:
    with pytest.raises(UserError):
        parse(changed("majority: {}", f"majority: {start * depth}{end * depth}"))


@pytest.mark.parametrize("value", ["!!bool maybe", "!!timestamp soon", "!!float ''", "!!map [a, b]", "!!int x"])
def test_a_value_that_is_none_of_its_tag_is_an_error(value: str) -> None:
    with pytest.raises(UserError, match="expected YAML"):
        parse(changed("majority: {}", f"majority: {value}"))


@pytest.mark.parametrize("pattern", ["a{99999999999}", "(" * 2000 + ")" * 2000], ids=["too often", "too deep"])
def test_a_pattern_that_python_can_not_compile_is_an_error(pattern: str) -> None:
    with pytest.raises(UserError, match=r"vectorize\.token_pattern must be a regular expression"):
        parse(changed(r"(?u)\b\w\w+\b ", f'"{pattern}" '))


def test_a_pattern_that_python_warns_of_is_taken_without_a_word() -> None:
    pattern = "[[a]"
    assert parse(changed(r"(?u)\b\w\w+\b ", f'"{pattern}" ')).vectorize.token_pattern == pattern


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=5,
)
LINES = [line for line in TEXT.splitlines() if ": " in line and "token_pattern" not in line]


@given(line=st.sampled_from([line for line in LINES if not line.startswith("#")]), value=VALUES)
@settings(deadline=None)
def test_any_value_is_taken_or_refused_in_whole_lines(line: str, value: object) -> None:
    key, _, _ = line.partition(":")
    written = yaml.safe_dump(value, default_flow_style=True, width=10**9).removesuffix("...\n").strip()
    try:
        parse(changed(line, f"{key}: {written}"))
    except UserError as error:
        lines = error.lines
    else:
        lines = ()
    assert all(told.startswith("params.yaml") and "\n" not in told for told in lines)
