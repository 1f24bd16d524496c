"""Vectors against scikit-learn's on any Unicode text, and a vectorizer's JSON."""

import itertools
import json
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from sklearn.utils import murmurhash3_32

from tests.processes import python
from tests.refusal import refusal
from tests.unit.vectorize.terms.corpora import CORPORA, any_settings, fitted, reference, same
from tests.vectorized import vectorize_terms
from textclf.core.errors import UserError
from textclf.vectorize import representation
from textclf.vectorize.terms.settings import Terms
from textclf.vectorize.terms.vectorizer import Vectorizer

CLASSES = ["neg", "pos"]
SPLITS = {
    "train": pd.DataFrame(
        {
            "id": ["c:3", "c:1", "c:10"],
            "text": ["Good food, good place", "bad\x85food", "not a GOOD place"],
            "label": ["pos", "neg", "neg"],
        }
    ),
    "test": pd.DataFrame(
        {"id": ["c:2", "c:4"], "text": ["good new words", "?"], "label": ["neg", "pos"]}
    ),
}


def params(**changes: object) -> Terms:
    return Terms.model_validate(changes)


# Against scikit-learn


@example(
    train=["Good food, good", "ß Straße 中文", "ab\0cd", ""],
    test=["good ß", "food 中文"],
    settings=Terms(),
)
@given(train=CORPORA, test=CORPORA, settings=any_settings())
def test_vectors_are_those_of_scikit_learn_to_the_bit(
    train: list[str], test: list[str], settings: Terms
) -> None:
    theirs = reference(settings)
    try:
        theirs.fit(train)
    except ValueError:
        assert "no vocabulary under the settings of vectorize: " in refusal(
            Vectorizer.fit, train, settings
        )
        return
    ours = Vectorizer.fit(train, settings)
    # Compare with transform: fit_transform adds up a row's squares in another order.
    assert same(ours.transform(train), theirs.transform(train))
    assert same(ours.transform(test), theirs.transform(test))
    if settings.hashing is None:
        assert ours.terms() == theirs.get_feature_names_out().tolist()


def test_texts_with_half_a_surrogate_pair_have_vectors() -> None:
    vectorizer = Vectorizer.fit(["good food"], params())
    assert vectorizer.transform(["bad\ud800food", "Good \udfff"]).toarray().tolist() == [
        [1, 0],
        [0, 1],
    ]


ANALYZERS = ["word", "char", "char_wb", "word+char", "word+char_wb"]
WEIGHTINGS: list[dict[str, Any]] = [
    {"weighting": "counts"},
    {"weighting": "binary"},
    {"weighting": "tfidf"},
    {"weighting": "tfidf", "sublinear_tf": True},
]
SELECTIONS: list[dict[str, Any]] = [
    {"hashing": 64},
    {"lowercase": False},
    {"min_df": 2},
    {"min_df": 0.5},
    {"max_df": 0.5},
    {"max_features": 2},
    {"token_pattern": "g(oo)d"},
]
# Each analyzer with each weighting, and the selections in turn; each weighting hashed too.
REPRESENTATIONS = [
    {"analyzer": analyzer} | weighting | SELECTIONS[n % len(SELECTIONS)]
    for n, (analyzer, weighting) in enumerate(itertools.product(ANALYZERS, WEIGHTINGS))
] + [weighting | SELECTIONS[0] for weighting in WEIGHTINGS]


@pytest.mark.parametrize("changes", REPRESENTATIONS, ids=str)
def test_each_representation_is_that_of_scikit_learn(changes: dict[str, Any]) -> None:
    settings = params(ngram_range=(1, 2), **changes)
    texts = [
        "Good food, good place: 👍🏽",
        "شكرا جزيلا, very good",
        "食物很好吃 place",
        "cafe\u0301 not good not bad",
        "",
    ]
    ours, theirs = Vectorizer.fit(texts, settings), reference(settings).fit(texts)
    assert same(ours.transform(texts), theirs.transform(texts))
    assert len(ours.terms()) == ours.transform(texts).shape[1]
    unseen = ["new words, good food", "!", ""]
    assert same(ours.transform(unseen), theirs.transform(unseen))


def test_the_same_of_equally_frequent_terms_are_kept_as_in_scikit_learn() -> None:
    generator = np.random.default_rng(0)
    words = np.array([f"w{number:03}" for number in range(300)])
    texts = [" ".join(generator.choice(words, 10)) for _ in range(200)]
    for limit in (1, 10, 100, 299):
        settings = params(max_features=limit)
        ours, theirs = Vectorizer.fit(texts, settings), reference(settings).fit(texts)
        assert ours.terms() == theirs.get_feature_names_out().tolist()
        assert same(ours.transform(texts), theirs.transform(texts))


# Hashing


@pytest.mark.parametrize("width", [1, 2, 3, 7, 1000, 2**20, 2**31 - 1])
def test_a_hash_without_an_absolute_value_in_32_bits_has_the_column_of_scikit_learn(
    width: int,
) -> None:
    term = "aivlts3m"
    assert murmurhash3_32(term, seed=0) == -(2**31)
    settings = params(hashing=width)
    assert same(
        Vectorizer.fit([term], settings).transform([term]), reference(settings).transform([term])
    )


# Terms, rows and labels


def test_counts_are_in_the_column_of_their_word() -> None:
    parts, vectorizer = vectorize_terms(SPLITS, params(), CLASSES)
    assert vectorizer.terms() == ["bad", "food", "good", "not", "place"]
    assert parts["train"].X.toarray().tolist() == [
        [0, 1, 2, 0, 1],
        [1, 1, 0, 0, 0],
        [0, 0, 1, 1, 1],
    ]
    assert all(part.X.dtype == np.int64 for part in parts.values())


def test_terms_of_two_analyzers_are_prefixed_and_hashed_columns_numbered() -> None:
    both = params(analyzer="word+char", char_ngram_range=(1, 1), max_features=2)
    assert Vectorizer.fit(["good good food"], both).terms() == [
        "word__food",
        "word__good",
        "char__d",
        "char__o",
    ]
    hashed = params(analyzer="word+char_wb", hashing=2)
    assert Vectorizer.fit(["good"], hashed).terms() == [
        "word__hash_0", "word__hash_1", "char_wb__hash_0", "char_wb__hash_1",
    ]  # fmt: skip
    assert Vectorizer.fit(["good"], params(hashing=2)).terms() == ["hash_0", "hash_1"]


def test_terms_of_a_text_are_named_by_column_and_those_that_share_one_are_joined() -> None:
    both = params(analyzer="word+char", char_ngram_range=(1, 1), max_features=2)
    assert Vectorizer.fit(["good good food"], both).terms_of("no food") == {
        0: "word__food",
        2: "char__d",
        3: "char__o",
    }
    assert Vectorizer.fit(["good"], params(hashing=1)).terms_of("good new food") == {
        0: "good | new | food"
    }


@pytest.mark.parametrize(
    ("classes", "train", "test"),
    [(["neg", "pos"], [1, 0, 0], [0, 1]), (["pos", "other", "neg"], [0, 2, 2], [2, 0])],
)
def test_labels_are_positions_among_the_classes_in_order(
    classes: list[str], train: list[int], test: list[int]
) -> None:
    parts, _ = vectorize_terms(SPLITS, params(), classes)
    assert parts["train"].classes.tolist() == parts["test"].classes.tolist() == classes
    assert (parts["train"].y.tolist(), parts["test"].y.tolist()) == (train, test)
    assert parts["test"].y.dtype == np.int64
    assert parts["train"].ids.tolist() == ["c:3", "c:1", "c:10"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"token_pattern": "xyz"},
            "empty vocabulary; perhaps the documents only contain stop words",
        ),
        ({"min_df": 4}, "max_df corresponds to < documents than min_df"),
        ({"min_df": 3}, "After pruning, no terms remain. Try a lower min_df or a higher max_df."),
        (
            {"analyzer": "word+char", "char_ngram_range": (30, 30)},
            "empty vocabulary; perhaps the documents only contain stop words",
        ),
    ],
    ids=str,
)
def test_settings_that_leave_no_term_are_an_error(changes: dict[str, object], reason: str) -> None:
    with pytest.raises(UserError) as error:
        vectorize_terms(SPLITS, params(**changes), CLASSES)
    assert error.value.lines == (f"no vocabulary under the settings of vectorize: {reason}",)


# What is imported


@pytest.mark.parametrize("hashing", [None, 8])
def test_texts_become_vectors_without_scikit_learn_pandas_and_pyarrow(hashing: int | None) -> None:
    content = Vectorizer.fit(
        ["good food", "bad food"], params(weighting="tfidf", hashing=hashing)
    ).to_json()
    code = (
        "import json, sys; from textclf.vectorize.terms.vectorizer import Vectorizer;"
        "v = Vectorizer.from_json(json.load(sys.stdin));"
        "print(v.transform(['good']).nnz > 0, {'sklearn', 'pandas', 'pyarrow', "
        "'scipy.stats'} & {*sys.modules},"
        "'mmh3' in sys.modules)"
    )
    assert python("-c", code, stdin=json.dumps(content)) == (
        0,
        f"True set() {hashing is not None}\n",
        "",
    )


def test_logarithms_of_counts_are_those_of_numpy_as_it_is_pinned() -> None:
    code = (
        "import math, textclf, numpy as np; counts = np.arange(1, 200_001);"
        "print(np.array_equal([math.log(count) for count in counts.tolist()], "
        "np.log(counts.astype(float))))"
    )
    assert python("-c", code).out == "True\n"


# JSON


@given(train=CORPORA, test=CORPORA, settings=any_settings())
def test_a_vectorizer_is_the_same_after_json_to_the_bit(
    tmp_path_factory: pytest.TempPathFactory, train: list[str], test: list[str], settings: Terms
) -> None:
    path = tmp_path_factory.getbasetemp() / "vectorizer.json"
    vectorizer = fitted(train, settings)
    representation.write(vectorizer, path)
    written = path.read_bytes()
    again = representation.read(path, path.parent)
    assert (again.settings, again.parts, again.terms()) == (
        settings,
        vectorizer.parts,
        vectorizer.terms(),
    )
    assert same(again.transform(train), vectorizer.transform(train))
    assert same(again.transform(test), vectorizer.transform(test))
    for same_vectorizer in (again, fitted(train, settings)):
        representation.write(same_vectorizer, path)
        assert path.read_bytes() == written


CONTENT: dict[str, Any] = {
    "format": 1,
    "settings": {
        "analyzer": "word",
        "weighting": "tfidf",
        "sublinear_tf": False,
        "lowercase": True,
        "token_pattern": r"(?u)\b\w\w+\b",
        "ngram_range": [1, 1],
        "char_ngram_range": [2, 5],
        "min_df": 2,
        "max_df": 1.0,
        "max_features": None,
        "hashing": None,
    },
    "parts": [
        {"analyzer": "word", "columns": 1, "vocabulary": ["good"], "idf": [np.log(4 / 3) + 1]}
    ],
}


def test_the_json_of_a_vectorizer_is_readable(tmp_path: Path) -> None:
    path = tmp_path / "vectorizer.json"
    representation.write(
        Vectorizer.fit(["good food", "good", "bad"], params(weighting="tfidf", min_df=2)), path
    )
    assert json.loads(path.read_bytes()) == CONTENT


@pytest.mark.parametrize(
    "changes",
    [
        {"format": 2},
        {"settings": {**CONTENT["settings"], "stemming": True}},
        {"parts": [{**CONTENT["parts"][0], "weights": []}]},
    ],
    ids=["format", "setting", "part"],
)
def test_a_vectorizer_of_a_newer_textclf_is_refused_as_such(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    path = tmp_path / "vectorizer.json"
    path.write_text(json.dumps(CONTENT | changes))
    with pytest.raises(
        UserError, match=r"vectorizer\.json was made by a newer textclf \(.*\); upgrade textclf$"
    ):
        representation.read(path, path.parent)


def weigh(content: Any, idf: object) -> None:
    content["settings"].update(weighting="tfidf")
    content["parts"][0].update(idf=idf)


DAMAGE: dict[str, Callable[[Any], object]] = {
    "no parts": lambda content: content.update(parts=[]),
    "a wrong setting": lambda content: content["settings"].update(analyzer="letters"),
    "another analyzer": lambda content: content["parts"][0].update(analyzer="char"),
    "a term too few": lambda content: content["parts"][0]["vocabulary"].pop(),
    "another width": lambda content: content["parts"][0].update(columns=3, vocabulary=["a"] * 3),
    "columns that are text": lambda content: content["parts"][0].update(columns="4"),
    "columns with decimals": lambda content: content["parts"][0].update(columns=4.0),
    "a term twice": lambda content: content["parts"][0].update(
        vocabulary=["bad", "bad", "great", "place"]
    ),
    "terms in another order": lambda content: content["parts"][0]["vocabulary"].reverse(),
    "a term that is no text": lambda content: content["parts"][0].update(vocabulary=[1, 2, 3, 4]),
    "a term that can't be printed": lambda content: content["parts"][0]["vocabulary"].__setitem__(
        -1, "\udcff"
    ),
    "terms with hashing": lambda content: content["settings"].update(hashing=4),
    "idf without tfidf": lambda content: content["parts"][0].update(idf=[1.0] * 4),
    **{
        f"tfidf with idf {idf}": partial(weigh, idf=idf)
        for idf in (
            None,
            [1.0],
            ["1"] * 4,
            [True] * 4,
            [[1.0]] * 4,
            [1, 1, 1, math.nan],
            [1, 1, 1, 1e300],
            [0.0] * 4,
        )
    },
}


@pytest.mark.parametrize("change", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_vectorizer_is_named(change: Callable[[Any], object], tmp_path: Path) -> None:
    path = tmp_path / "vectorizer.json"
    content = Vectorizer.fit(["bad food", "great place", "great food"], params()).to_json()
    change(content)
    path.write_text(json.dumps({"format": 1} | content))
    assert refusal(representation.read, path, tmp_path) == (
        f"{path} is damaged; remove it and run dvc repro (or dvc pull) to make it"
    )
