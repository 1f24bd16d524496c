"""The reader of params.yaml. What it says of each mistake stands in tests/contract/test_broken_params.py."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from ruamel.yaml import YAML

from tests.settings import TEXT, put
from textclf.core.errors import UserError
from textclf.params import MAX_SEED, Params, load, parse

FILE = Path(__file__).parents[2] / "params.yaml"


def test_params_yaml_holds_the_lesson() -> None:
    params = load(FILE)
    assert params.fetch.corpus == ("yelp",)
    assert params.data.model_dump() == {
        "path": "data/raw",
        "files": "**/*",
        "format": "auto",
        "text": "text",
        "label": "label",
        "id": None,
        "group": None,
        "classes": None,
        "missing": "error",
        "encoding": "utf-8",
        "delimiter": None,
        "quoting": None,
    }
    assert (params.split.test_size, params.split.validation_size, params.split.seed) == (0.25, 0.0, 1000)
    assert params.vectorize.model_dump() == {
        "analyzer": "word",
        "weighting": "counts",
        "sublinear_tf": False,
        "lowercase": True,
        "token_pattern": r"(?u)\b\w\w+\b",
        "ngram_range": (1, 1),
        "char_ngram_range": (2, 5),
        "min_df": 1,
        "max_df": 1.0,
        "max_features": None,
        "hashing": None,
    }
    assert params.train.models == ("majority", "logistic_regression", "keras")
    assert params.train.logistic_regression.C == 1.0
    assert params.train.keras.units == (10,)
    assert (params.train.keras.epochs, params.train.keras.batch_size) == (100, 10)
    # What the lesson does not do is off.
    assert (params.split.stratify, params.split.group_duplicates) == (False, False)
    assert params.train.keras.early_stopping is None
    weighted = ("naive_bayes", "logistic_regression", "linear_svm", "nb_svm", "keras")
    assert [getattr(params.train, name).class_weight for name in weighted] == [None] * 5
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


def found(params: Params, key: str) -> object:
    """The value of a dotted key."""
    value: object = params
    for name in key.split("."):
        value = getattr(value, name)
    return value


@pytest.mark.parametrize(
    ("key", "written", "value"),
    [
        ("fetch.corpus", "imdb", ("imdb",)),
        ("fetch.corpus", "[yelp]", ("yelp",)),
        ("fetch.corpus", "[imdb, yelp, amazon]", ("imdb", "yelp", "amazon")),
        ("data.path", "my rows/été & co.csv", "my rows/été & co.csv"),
        ("data.path", "it's.csv", "it's.csv"),
        ("data.path", "../rows", "../rows"),
        ("data.files", "'*.csv'", "*.csv"),
        ("data.files", "'**/[ab]?/*.jsonl.gz'", "**/[ab]?/*.jsonl.gz"),
        ("data.files", "'..*'", "..*"),
        ("data.format", "parquet", "parquet"),
        ("data.text", "'the text'", "the text"),
        ("data.label", "source", "source"),
        ("data.id", "'0'", "0"),
        ("data.group", "author", "author"),
        ("data.classes", "[ham, spam]", ("ham", "spam")),
        ("data.classes", "[2, 1, 10]", ("2", "1", "10")),
        ("data.classes", "[false, true]", ("false", "true")),
        ("data.classes", "['007', 'NA', 'null', ' ', '1e3']", ("007", "NA", "null", " ", "1e3")),
        ("data.classes", "[no, yes]", ("no", "yes")),
        ("data.missing", "drop", "drop"),
        ("data.encoding", "UTF_16", "UTF_16"),
        ("data.delimiter", "';'", ";"),
        ("data.delimiter", r'"\t"', "\t"),
        ("data.quoting", "false", False),
        ("split.group_duplicates", "true", True),
        ("split.seed", f"{MAX_SEED}", MAX_SEED),
        ("vectorize.analyzer", "word+char_wb", "word+char_wb"),
        ("vectorize.weighting", "binary", "binary"),
        ("vectorize.ngram_range", "[2, 2]", (2, 2)),
        ("vectorize.char_ngram_range", "[1, 1]", (1, 1)),
        ("vectorize.min_df", "0.5", 0.5),
        ("vectorize.max_df", "3", 3),
        ("vectorize.max_features", "7", 7),
        ("vectorize.token_pattern", "(a)b", "(a)b"),
        ("vectorize.hashing", "1", 1),
        ("train.models", "[nb_svm, naive_bayes, linear_svm]", ("nb_svm", "naive_bayes", "linear_svm")),
        ("train.logistic_regression.C", "10", 10.0),
        ("train.logistic_regression.C", "[0.1, 1, 1e1]", (0.1, 1.0, 10.0)),
        ("train.logistic_regression.C", "[2]", (2.0,)),
        ("train.logistic_regression.class_weight", "balanced", "balanced"),
        ("train.keras.class_weight", "{'0': 1, 'true': 2.5, a b: 1e-3}", (("0", 1.0), ("true", 2.5), ("a b", 0.001))),
        ("train.nb_svm.beta", "1", 1.0),
        ("train.nb_svm.beta", "0", 0.0),
        ("train.keras.learning_rate", "1e-3", 0.001),
        ("train.keras.units", "[]", ()),
        ("evaluate.threshold", "1e-3", 0.001),
        ("evaluate.resamples", "100", 100),
        ("crossvalidate.seed", f"{MAX_SEED // 2}", MAX_SEED // 2),
    ],
)
def test_a_good_setting_is_read(key: str, written: str, value: object) -> None:
    read = found(parse(put(key, written)), key)
    assert (type(read), read) == (type(value), value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("train.keras.early_stopping", 1),
        *(("evaluate.threshold", name) for name in ("accuracy", "f1", "precision")),
        *(("evaluate.calibration", name) for name in ("temperature", "platt")),
    ],
)
def test_what_chooses_is_read_where_there_are_validation_rows(key: str, value: object) -> None:
    read = found(parse(put("split.validation_size", "0.15", key, str(value))), key)
    assert (type(read), read) == (type(value), value)


def test_sublinear_counts_are_those_of_tfidf() -> None:
    assert parse(put("vectorize.weighting", "tfidf", "vectorize.sublinear_tf", "true")).vectorize.sublinear_tf


def test_a_c_beyond_all_floats_is_an_error() -> None:
    with pytest.raises(UserError, match=r"train\.logistic_regression\.C must be a number greater than 0"):
        parse(put("train.logistic_regression.C", f"1{'0' * 400}"))


@pytest.mark.parametrize(
    ("key", "written"),
    [
        ("train.logistic_regression.C", "[0.1, 1]"),
        ("train.keras.class_weight", "{b: 1, a: 2}"),
        ("data.classes", "[b, a]"),
        ("fetch.corpus", "[imdb, yelp]"),
    ],
)
def test_params_are_read_again_from_what_they_hold(key: str, written: str) -> None:
    params = parse(put(key, written))
    assert Params.model_validate(params.model_dump()) == params


def test_params_are_frozen() -> None:
    params = load(FILE)
    with pytest.raises(ValidationError, match="frozen"):
        params.split.seed = 1


def test_everything_wrong_is_reported_in_the_order_of_the_file() -> None:
    text = put("split.test_size", "2", "train.logistic_regression.C", "a").replace("epochs: 100", "epoch: 100")
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
        parse(put("train.majority", f"{start * depth}{end * depth}"))


@pytest.mark.parametrize("value", ["!!bool maybe", "!!timestamp soon", "!!float ''", "!!map [a, b]", "!!int x"])
def test_a_value_that_is_none_of_its_tag_is_an_error(value: str) -> None:
    with pytest.raises(UserError, match="expected YAML"):
        parse(put("train.majority", value))


@pytest.mark.parametrize("pattern", ["a{99999999999}", "(" * 2000 + ")" * 2000], ids=["too often", "too deep"])
def test_a_pattern_that_python_can_not_compile_is_an_error(pattern: str) -> None:
    with pytest.raises(UserError, match=r"vectorize\.token_pattern must be a regular expression"):
        parse(put("vectorize.token_pattern", f'"{pattern}"'))


def test_a_pattern_that_python_warns_of_is_taken_without_a_word() -> None:
    pattern = "[[a]"
    assert parse(put("vectorize.token_pattern", f'"{pattern}"')).vectorize.token_pattern == pattern


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=5,
)
LINES = [line for line in TEXT.splitlines() if ": " in line and "token_pattern" not in line and line[0] != "#"]


@given(line=st.sampled_from(LINES), value=VALUES)
@settings(deadline=None)
def test_any_value_is_taken_or_refused_in_whole_lines(line: str, value: object) -> None:
    key, _, _ = line.partition(":")
    written = yaml.safe_dump(value, default_flow_style=True, width=10**9).removesuffix("...\n").strip()
    try:
        parse(TEXT.replace(f"\n{line}\n", f"\n{key}: {written}\n", 1))
    except UserError as error:
        lines = error.lines
    else:
        lines = ()
    assert all(told.startswith("params.yaml") and "\n" not in told for told in lines)
