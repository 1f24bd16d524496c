"""All settings together. How wrong ones are refused is tested in tests/contract/test_broken_params.py."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from tests.settings import TEXT, models, put
from textclf.core.errors import UserError
from textclf.core.settings import MAX_SEED, Section, parse_yaml, validate
from textclf.models.settings import Train
from textclf.params import Params, load, parse
from textclf.review.settings import Gate
from textclf.vectorize.settings import Vectorize

FILE = Path(__file__).parents[2] / "params.yaml"


@pytest.mark.lesson
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
        "split": "auto",
        "slices": (),
        "correct_test_rows": False,
        "classes": None,
        "missing": "error",
        "encoding": "utf-8",
        "delimiter": None,
        "quoting": None,
        "sheet": None,
        "query": None,
    }
    assert (params.split.test_size, params.split.validation_size, params.split.seed) == (0.25, 0.0, 1000)
    assert params.vectorize.names() == ["words"]
    assert params.vectorize["words"].model_dump() == {
        "method": "terms",
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
    assert params.train.names() == ["majority", "logistic_regression", "keras"]
    assert params.train["logistic_regression"].C == 1.0
    assert params.train["keras"].units == (10,)
    assert (params.train["keras"].epochs, params.train["keras"].batch_size) == (100, 10)
    # What the lesson does not do is off.
    assert (params.split.stratify, params.split.group_duplicates) == (False, False)
    assert params.train["keras"].early_stopping is None
    weighted = ("logistic_regression", "keras")
    assert [params.train[name].class_weight for name in weighted] == [None] * 2
    assert (params.evaluate.threshold, params.evaluate.calibration) == (0.5, "none")


def keys_below(content: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of keys of every section and setting of params.yaml."""
    for key, value in content.items():
        yield (*path, key)
        if isinstance(value, dict) and path[:1] != ("gate",):
            yield from keys_below(value, (*path, key))


CONTENT = parse_yaml(TEXT, "params.yaml")
NAMES = {"majority", "logistic_regression", "keras", "words", "kind", "features"}  # entries, and what they must have
OPTIONAL = [keys for keys in keys_below(CONTENT) if keys[-1] not in NAMES]
each_key = pytest.mark.parametrize("keys", list(keys_below(CONTENT)), ids=".".join)


def value_at(content: Any, keys: tuple[str, ...]) -> Any:
    """Return the value at a path of keys, of nested mappings or sections."""
    for key in keys:
        content = content[key] if isinstance(content, dict | Train | Vectorize) else getattr(content, key)
    return content


@pytest.mark.lesson
def test_the_defaults_are_those_of_params_yaml() -> None:
    # The gate and the export name models, which another project need not train.
    params = load(FILE)
    assert Params(gate=params.gate, export=params.export) == params
    assert (params.export.model, Params().export.model) == ("logistic_regression", None)
    assert Params().gate == Gate(minimum={}, maximum_drop={})
    assert parse("{}") == Params()


def test_the_defaults_obey_the_rules() -> None:
    assert Params.model_validate(Params().model_dump()) == Params()


@pytest.mark.parametrize("keys", OPTIONAL, ids=".".join)
def test_a_setting_or_section_that_is_left_out_has_its_default(keys: tuple[str, ...]) -> None:
    content = copy.deepcopy(CONTENT)
    del value_at(content, keys[:-1])[keys[-1]]
    assert value_at(validate(Params, content), keys) == value_at(Params(), keys)


@each_key
def test_every_section_and_setting_in_params_yaml_is_described_in_a_line(keys: tuple[str, ...]) -> None:
    section = type(value_at(Params(), keys[:-1]))
    value = value_at(Params(), keys)
    described = value.__doc__ if isinstance(value, Section) else section.model_fields[keys[-1]].description
    assert described
    assert len(described.partition("\n")[0]) <= 110


def test_models_are_trained_in_the_order_of_the_section() -> None:
    assert parse(put(*models("keras", "majority"), "export.model", "null")).train.names() == ["keras", "majority"]


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
        ("vectorize.words.analyzer", "word+char_wb", "word+char_wb"),
        ("vectorize.words.weighting", "binary", "binary"),
        ("vectorize.words.ngram_range", "[2, 2]", (2, 2)),
        ("vectorize.words.char_ngram_range", "[1, 1]", (1, 1)),
        ("vectorize.words.min_df", "0.5", 0.5),
        ("vectorize.words.max_df", "3", 3),
        ("vectorize.words.max_features", "7", 7),
        ("vectorize.words.token_pattern", "(a)b", "(a)b"),
        ("vectorize.words.hashing", "1", 1),
        ("train.logistic_regression.C", "10", 10.0),
        ("train.logistic_regression.C", "[0.1, 1, 1e1]", (0.1, 1.0, 10.0)),
        ("train.logistic_regression.C", "[2]", (2.0,)),
        ("train.logistic_regression.class_weight", "balanced", "balanced"),
        ("train.keras.class_weight", "{'0': 1, 'true': 2.5, a b: 1e-3}", (("0", 1.0), ("true", 2.5), ("a b", 0.001))),
        ("train.keras.learning_rate", "1e-3", 0.001),
        ("train.keras.units", "[]", ()),
        ("evaluate.threshold", "1e-3", 0.001),
        ("evaluate.resamples", "100", 100),
        ("crossvalidate.seed", f"{MAX_SEED // 2}", MAX_SEED // 2),
    ],
)
def test_a_good_setting_is_read(key: str, written: str, value: object) -> None:
    read = value_at(parse(put(key, written)), tuple(key.split(".")))
    assert (type(read), read) == (type(value), value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("train.keras.early_stopping", 1),
        *(("evaluate.threshold", name) for name in ("accuracy", "f1", "precision")),
        *(("evaluate.calibration", name) for name in ("temperature", "platt")),
        ("evaluate.coverage", 0.95),
    ],
)
def test_a_setting_that_chooses_is_read_if_there_are_validation_rows(key: str, value: object) -> None:
    read = value_at(parse(put("split.validation_size", "0.15", key, str(value))), tuple(key.split(".")))
    assert (type(read), read) == (type(value), value)


def test_sublinear_counts_are_those_of_tfidf() -> None:
    assert (
        parse(put("vectorize.words.weighting", "tfidf", "vectorize.words.sublinear_tf", "true"))
        .vectorize["words"]
        .sublinear_tf
    )


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


@pytest.mark.parametrize("pattern", ["a{99999999999}", "(" * 2000 + ")" * 2000], ids=["too often", "too deep"])
def test_a_pattern_that_python_can_not_compile_is_refused(pattern: str) -> None:
    with pytest.raises(UserError, match=r"vectorize\.words\.token_pattern must be a regular expression"):
        parse(put("vectorize.words.token_pattern", f'"{pattern}"'))


def test_a_pattern_that_python_warns_of_is_accepted_in_silence() -> None:
    pattern = "[[a]"
    assert parse(put("vectorize.words.token_pattern", f'"{pattern}"')).vectorize["words"].token_pattern == pattern


def test_a_gate_may_name_a_model_that_is_not_trained() -> None:
    assert parse(put(*models("majority"), "export.model", "null")).gate == load(FILE).gate


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
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
