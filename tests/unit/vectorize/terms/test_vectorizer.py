"""Vectors against those of scikit-learn's vectorizers, on any Unicode text, and the JSON of a vectorizer."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.utils import murmurhash3_32

from tests.processes import python
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
    "test": pd.DataFrame({"id": ["c:2", "c:4"], "text": ["good new words", "?"], "label": ["neg", "pos"]}),
}


def params(**changes: object) -> Terms:
    return Terms.model_validate(changes)


# Against scikit-learn


@example(train=["Good food, good", "ß Straße 中文", "ab\0cd", ""], test=["good ß", "food 中文"], settings=Terms())
@given(train=CORPORA, test=CORPORA, settings=any_settings())
def test_vectors_are_those_of_scikit_learn_to_the_bit(train: list[str], test: list[str], settings: Terms) -> None:
    theirs = reference(settings)
    try:
        theirs.fit(train)
    except ValueError:
        with pytest.raises(UserError, match="no vocabulary under the settings of vectorize: "):
            Vectorizer.fit(train, settings)
        return
    ours = Vectorizer.fit(train, settings)
    # Compare with transform: fit_transform adds up a row's squares in another order.
    assert same(ours.transform(train), theirs.transform(train))
    assert same(ours.transform(test), theirs.transform(test))
    if settings.hashing is None:
        assert ours.terms() == theirs.get_feature_names_out().tolist()


def test_texts_with_half_a_surrogate_pair_have_vectors() -> None:
    vectorizer = Vectorizer.fit(["good food"], params())
    assert vectorizer.transform(["bad\ud800food", "Good \udfff"]).toarray().tolist() == [[1, 0], [0, 1]]


# Every pair of analyzer, weighting and hashing at least once.
REPRESENTATIONS = [
    ("word", "counts", False, None),
    ("word", "binary", False, 64),
    ("word", "tfidf", False, None),
    ("word", "tfidf", True, 64),
    ("char", "counts", False, 64),
    ("char", "binary", False, None),
    ("char", "tfidf", False, 64),
    ("char", "tfidf", True, None),
    ("char_wb", "counts", False, None),
    ("char_wb", "binary", False, 64),
    ("char_wb", "tfidf", True, None),
    ("word+char", "counts", False, 64),
    ("word+char", "binary", False, None),
    ("word+char", "tfidf", False, None),
    ("word+char_wb", "binary", False, 64),
    ("word+char_wb", "tfidf", False, 64),
    ("word+char_wb", "tfidf", True, None),
]


@pytest.mark.parametrize(("analyzer", "weighting", "sublinear_tf", "hashing"), REPRESENTATIONS)
def test_each_representation_is_that_of_scikit_learn(
    analyzer: str, weighting: str, sublinear_tf: bool, hashing: int | None
) -> None:
    settings = params(
        analyzer=analyzer, weighting=weighting, sublinear_tf=sublinear_tf, hashing=hashing, ngram_range=(1, 2)
    )
    texts = [
        "Good food, good place: 👍🏽",
        "شكرا جزيلا, very good",
        "食物很好吃 place",
        "cafe\u0301 not good not bad",
        "",
    ]
    ours, theirs = Vectorizer.fit(texts, settings), reference(settings).fit(texts)
    assert same(ours.transform(texts), theirs.transform(texts))
    assert len(ours.terms()) == ours.transform(texts).shape[1] > 1
    unseen = ["new words, good food", "!", ""]
    assert same(ours.transform(unseen), theirs.transform(unseen))
    none = ours.transform([])
    assert (none.shape, none.dtype) == ((0, len(ours.terms())), ours.transform(unseen).dtype)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"lowercase": False},
        {"ngram_range": (1, 2)},
        {"min_df": 2},
        {"min_df": 0.5},
        {"max_df": 0.5},
        {"max_features": 2},
        {"token_pattern": "o+"},
        {"token_pattern": "g(oo)d"},
    ],
    ids=str,
)
def test_each_setting_does_what_it_does_in_count_vectorizer(changes: dict[str, Any]) -> None:
    parts, vectorizer = vectorize_terms(SPLITS, params(**changes), CLASSES)
    counter = CountVectorizer(**changes)
    assert same(parts["train"].X, counter.fit_transform(SPLITS["train"]["text"]))
    assert same(parts["test"].X, counter.transform(SPLITS["test"]["text"]))
    assert vectorizer.terms() == counter.get_feature_names_out().tolist()


def test_the_same_of_equally_frequent_terms_are_kept_as_in_scikit_learn() -> None:
    generator = np.random.default_rng(0)
    words = np.array([f"w{number:03}" for number in range(300)])
    texts = [" ".join(generator.choice(words, 10)) for _ in range(200)]
    for limit in (1, 10, 100, 299):
        settings = params(max_features=limit)
        ours, theirs = Vectorizer.fit(texts, settings), reference(settings).fit(texts)
        assert ours.terms() == theirs.get_feature_names_out().tolist()
        assert same(ours.transform(texts), theirs.transform(texts))


def test_a_text_of_a_megabyte_is_a_row_like_any_other() -> None:
    texts = ["good food, " * 100_000, "bad food"]
    settings = params(analyzer="word+char_wb", char_ngram_range=(2, 2), weighting="tfidf")
    assert same(Vectorizer.fit(texts, settings).transform(texts), reference(settings).fit(texts).transform(texts))


# Hashing


@given(
    term=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
    width=st.sampled_from([1, 2, 7, 1024, 2**31 - 1]),
)
def test_a_hashed_term_has_the_column_of_scikit_learns_murmurhash(term: str, width: int) -> None:
    whole_text = r"(?s).+"
    settings = params(hashing=width, lowercase=False, token_pattern=whole_text)
    X = Vectorizer.fit([term], settings).transform([term])
    assert X.indices.tolist() == [abs(int(murmurhash3_32(term, seed=0))) % width]
    assert X.data.tolist() == [1]


@pytest.mark.parametrize("width", [1, 2, 3, 7, 1000, 2**20, 2**31 - 1])
def test_a_hash_without_an_absolute_value_in_32_bits_has_the_column_of_scikit_learn(width: int) -> None:
    term = "aivlts3m"
    assert murmurhash3_32(term, seed=0) == -(2**31)
    settings = params(hashing=width)
    assert same(Vectorizer.fit([term], settings).transform([term]), reference(settings).transform([term]))


@pytest.mark.parametrize("weighting", ["counts", "binary", "tfidf"])
def test_weights_of_hashed_terms_are_positive(weighting: str) -> None:
    texts = [" ".join(f"word{number}" for number in range(start, start + 50)) for start in range(0, 500, 50)]
    assert Vectorizer.fit(texts, params(hashing=16, weighting=weighting)).transform(texts).data.min() > 0


# Terms, rows and labels


def test_counts_are_in_the_column_of_their_word() -> None:
    parts, vectorizer = vectorize_terms(SPLITS, params(), CLASSES)
    assert vectorizer.terms() == ["bad", "food", "good", "not", "place"]
    assert parts["train"].X.toarray().tolist() == [[0, 1, 2, 0, 1], [1, 1, 0, 0, 0], [0, 0, 1, 1, 1]]
    assert all(part.X.dtype == np.int64 for part in parts.values())


def test_terms_of_two_analyzers_are_prefixed_and_hashed_columns_numbered() -> None:
    both = params(analyzer="word+char", char_ngram_range=(1, 1), max_features=2)
    assert Vectorizer.fit(["good good food"], both).terms() == ["word__food", "word__good", "char__d", "char__o"]
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
    assert Vectorizer.fit(["good"], params(hashing=1)).terms_of("good new food") == {0: "good | new | food"}


@given(train=CORPORA, one=CORPORA, other=CORPORA, settings=any_settings())
def test_what_is_learned_depends_on_the_training_rows_alone(
    train: list[str], one: list[str], other: list[str], settings: Terms
) -> None:
    def rows(texts: list[str]) -> pd.DataFrame:
        return pd.DataFrame({"id": [str(n) for n in range(len(texts))], "text": texts, "label": "pos"})

    alone = fitted(train, settings)
    parts, vectorizer = vectorize_terms(
        {"train": rows(train), "validation": rows(one), "test": rows(other)}, settings, CLASSES
    )
    assert vectorizer.to_json() == alone.to_json()
    for name, texts in (("train", train), ("validation", one), ("test", other)):
        assert same(parts[name].X, alone.transform(texts))


def test_terms_that_are_not_in_the_training_rows_are_ignored() -> None:
    parts, _ = vectorize_terms(SPLITS | {"test": SPLITS["test"].assign(text="others")}, params(), CLASSES)
    assert parts["test"].X.nnz == 0


def test_a_row_does_not_depend_on_the_other_rows() -> None:
    texts = ["good food", "", "food " * 9, "bad place"]
    vectorizer = Vectorizer.fit(texts, params(analyzer="word+char_wb", weighting="tfidf", sublinear_tf=True))
    together = vectorizer.transform(texts)
    for number, text in enumerate(texts):
        assert same(vectorizer.transform([text]), together[[number]])


@pytest.mark.parametrize(
    ("classes", "train", "test"), [(["neg", "pos"], [1, 0, 0], [0, 1]), (["pos", "other", "neg"], [0, 2, 2], [2, 0])]
)
def test_labels_are_positions_among_the_classes_in_order(classes: list[str], train: list[int], test: list[int]) -> None:
    parts, _ = vectorize_terms(SPLITS, params(), classes)
    assert parts["train"].classes.tolist() == parts["test"].classes.tolist() == classes
    assert (parts["train"].y.tolist(), parts["test"].y.tolist()) == (train, test)
    assert parts["test"].y.dtype == np.int64
    assert parts["train"].ids.tolist() == ["c:3", "c:1", "c:10"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"token_pattern": "xyz"}, "empty vocabulary; perhaps the documents only contain stop words"),
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
    content = Vectorizer.fit(["good food", "bad food"], params(weighting="tfidf", hashing=hashing)).to_json()
    code = (
        "import json, sys; from textclf.vectorize.terms.vectorizer import Vectorizer;"
        "v = Vectorizer.from_json(json.load(sys.stdin));"
        "print(v.transform(['good']).nnz > 0, {'sklearn', 'pandas', 'pyarrow', 'scipy.stats'} & {*sys.modules},"
        "'mmh3' in sys.modules)"
    )
    assert python("-c", code, stdin=json.dumps(content)) == (0, f"True set() {hashing is not None}\n", "")


def test_logarithms_of_counts_are_those_of_numpy_as_it_is_pinned() -> None:
    code = (
        "import math, textclf, numpy as np; counts = np.arange(1, 200_001);"
        "print(np.array_equal([math.log(count) for count in counts.tolist()], np.log(counts.astype(float))))"
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
    assert (again.settings, again.parts, again.terms()) == (settings, vectorizer.parts, vectorizer.terms())
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
    "parts": [{"analyzer": "word", "columns": 1, "vocabulary": ["good"], "idf": [np.log(4 / 3) + 1]}],
}


def test_the_json_of_a_vectorizer_is_readable(tmp_path: Path) -> None:
    path = tmp_path / "vectorizer.json"
    representation.write(Vectorizer.fit(["good food", "good", "bad"], params(weighting="tfidf", min_df=2)), path)
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
def test_a_vectorizer_of_a_newer_textclf_is_refused_as_such(tmp_path: Path, changes: dict[str, Any]) -> None:
    path = tmp_path / "vectorizer.json"
    path.write_text(json.dumps(CONTENT | changes))
    with pytest.raises(UserError, match=r"vectorizer\.json was made by a newer textclf \(.*\); upgrade textclf$"):
        representation.read(path, path.parent)


def part(**changes: object) -> dict[str, Any]:
    return {"settings": {}, "parts": [{"analyzer": "word", "columns": 1, "vocabulary": ["a"], "idf": None} | changes]}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"settings": {}, "parts": []}',
        '{"settings": 1}',
        '{"settings": {"analyzer": "letters"}, "parts": []}',
        json.dumps(part(analyzer="char")),
        json.dumps(part(columns=2)),
        json.dumps(part(columns="1")),
        json.dumps(part(idf=[])),
        *(json.dumps(part(idf=[idf]) | {"settings": {"weighting": "tfidf"}}) for idf in (0.99, 44.7, math.nan)),
    ],
)
def test_a_damaged_vectorizer_is_an_error(tmp_path: Path, content: str) -> None:
    path = tmp_path / "vectorizer.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UserError) as error:
        representation.read(path, path.parent)
    assert error.value.lines == (f"{path} is damaged; remove it and run dvc repro (or dvc pull) to make it",)


def test_a_missing_vectorizer_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not found; run dvc repro"):
        representation.read(tmp_path / "vectorizer.json", tmp_path)
