"""Vectors against scikit-learn's own vectorizers, on any Unicode text, and the files that carry them."""

import contextlib
import itertools
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, reject
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.utils import murmurhash3_32

from tests.settings import TEXT
from textclf.artifacts import shards
from textclf.core import workers
from textclf.core.errors import UserError
from textclf.params import Vectorize, parse
from textclf.split import splitting
from textclf.vectorize import features
from textclf.vectorize.features import Vectorizer

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
DEFAULTS = parse(TEXT).vectorize.model_dump()


def params(**changes: object) -> Vectorize:
    return Vectorize.model_validate(DEFAULTS | changes)


# Against scikit-learn


def reference(settings: Vectorize) -> Any:
    """scikit-learn's own vectorizer, or union of vectorizers, as its documentation would have one write it."""
    parts = [(analyzer, _reference(analyzer, settings)) for analyzer in settings.analyzer.split("+")]
    return FeatureUnion(parts) if len(parts) > 1 else parts[0][1]


def _reference(analyzer: str, settings: Vectorize) -> Any:
    tokens: dict[str, Any] = {"analyzer": analyzer, "lowercase": settings.lowercase}
    if analyzer == "word":
        tokens |= {"token_pattern": settings.token_pattern, "ngram_range": settings.ngram_range}
    else:
        tokens |= {"ngram_range": settings.char_ngram_range}
    selection = {"min_df": settings.min_df, "max_df": settings.max_df, "max_features": settings.max_features}
    binary = settings.weighting == "binary"
    if settings.hashing is not None:
        hashed = HashingVectorizer(
            **tokens, binary=binary, n_features=settings.hashing, norm=None, alternate_sign=False
        )
        tfidf = TfidfTransformer(sublinear_tf=settings.sublinear_tf)
        return make_pipeline(hashed, tfidf) if settings.weighting == "tfidf" else hashed
    if settings.weighting == "tfidf":
        return TfidfVectorizer(**tokens, **selection, sublinear_tf=settings.sublinear_tf)
    return CountVectorizer(**tokens, **selection, binary=binary)


def same(ours: csr_array, theirs: Any) -> bool:
    """Whether both are the same matrix, number for number, and ours is as `Features.X` has it."""
    theirs = csr_array(theirs)
    theirs.sort_indices()
    return (
        ours.format == "csr"
        and ours.has_sorted_indices
        and ours.dtype in (np.int64, np.float64)
        and ours.shape == theirs.shape
        and ours.indptr.dtype == ours.indices.dtype == theirs.indices.dtype
        and np.array_equal(ours.indptr, theirs.indptr)
        and np.array_equal(ours.indices, theirs.indices)
        and np.array_equal(ours.data, theirs.data)
    )


LETTERS = {
    "latin": "abcABCßİéñ'-_019",
    "right-to-left": "אבגשלוםعربيسلامک\u200f\u200e\u061c",
    "emoji": "😀👍🏽👩\u200d🚀🇩🇪❤\ufe0f",
    "marks": "e\u0301a\u0308\u0323क\u094dषि\u0e01\u0e33\u0327",
    "cjk": "中文漢字ひらカタ한글ー、。",
    "spaces": " \t\n\r\x0b\x85\xa0\u2028\u3000\u200b\0",
}
texts_of_any_kind = st.one_of(
    *(st.text(alphabet + " ", max_size=12) for alphabet in LETTERS.values()),
    st.text("".join(LETTERS.values()), max_size=20),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=10),  # half a surrogate pair is no text
    st.lists(st.sampled_from(["good", "Good", "FOOD", "bad", "food", "a", "سلام", "中文", "👍🏽"]), max_size=8).map(
        " ".join
    ),
)
corpora = st.lists(texts_of_any_kind, min_size=1, max_size=6)


@st.composite
def any_settings(draw: st.DrawFn) -> Vectorize:
    weighting = draw(st.sampled_from(["counts", "binary", "tfidf"]))
    low, char_low = draw(st.integers(1, 2)), draw(st.integers(1, 3))
    changes: dict[str, object] = {
        "analyzer": draw(st.sampled_from(["word", "char", "char_wb", "word+char", "word+char_wb"])),
        "weighting": weighting,
        "sublinear_tf": weighting == "tfidf" and draw(st.booleans()),
        "lowercase": draw(st.booleans()),
        "token_pattern": draw(st.sampled_from([r"(?u)\b\w\w+\b", r"\S+", r".", r"(\w)\w*"])),
        "ngram_range": (low, low + draw(st.integers(0, 2))),
        "char_ngram_range": (char_low, char_low + draw(st.integers(0, 2))),
    }
    if draw(st.booleans()):
        changes |= {"hashing": draw(st.sampled_from([1, 2, 7, 1024]))}
    else:
        changes |= {
            "min_df": draw(st.sampled_from([1, 1, 2, 0.0, 0.3])),
            "max_df": draw(st.sampled_from([1.0, 1.0, 0.7, 2])),
            "max_features": draw(st.sampled_from([None, None, 1, 3])),
        }
    return params(**changes)


def fitted(texts: list[str], settings: Vectorize) -> Vectorizer:
    """A vectorizer of texts that leave it some term; hypothesis draws others where they do not."""
    try:
        return Vectorizer.fit(texts, settings)
    except UserError:
        reject()


@hypothesis_settings(deadline=None, max_examples=250)
@given(train=corpora, test=corpora, settings=any_settings())
def test_vectors_are_those_of_scikit_learn_to_the_bit(train: list[str], test: list[str], settings: Vectorize) -> None:
    theirs = reference(settings)
    try:
        theirs.fit(train)
    except ValueError:
        with pytest.raises(UserError, match="no vocabulary under the settings of vectorize: "):
            Vectorizer.fit(train, settings)
        return
    ours = Vectorizer.fit(train, settings)
    # fit_transform adds up a row's squares in another order than transform, which is what meets new texts.
    assert same(ours.transform(train), theirs.transform(train))
    assert same(ours.transform(test), theirs.transform(test))
    if settings.hashing is None:
        assert ours.terms() == theirs.get_feature_names_out().tolist()


@pytest.mark.parametrize("hashing", [None, 64], ids=["vocabulary", "hashing"])
@pytest.mark.parametrize(
    "weighting",
    [
        {"weighting": "counts"},
        {"weighting": "binary"},
        {"weighting": "tfidf"},
        {"weighting": "tfidf", "sublinear_tf": True},
    ],
    ids=["counts", "binary", "tfidf", "sublinear"],
)
@pytest.mark.parametrize("analyzer", ["word", "char", "char_wb", "word+char", "word+char_wb"])
def test_each_representation_is_that_of_scikit_learn(
    analyzer: str, weighting: dict[str, object], hashing: int | None
) -> None:
    settings = params(analyzer=analyzer, hashing=hashing, ngram_range=(1, 2), **weighting)
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
def test_vectors_are_those_of_count_vectorizer(changes: dict[str, Any]) -> None:
    parts, vectorizer = features.vectorize(SPLITS, params(**changes), CLASSES)
    counter = CountVectorizer(**changes)
    assert same(parts["train"].X, counter.fit_transform(SPLITS["train"]["text"]))
    assert same(parts["test"].X, counter.transform(SPLITS["test"]["text"]))
    assert vectorizer.terms() == counter.get_feature_names_out().tolist()


def test_counts_stand_in_the_column_of_their_word() -> None:
    parts, vectorizer = features.vectorize(SPLITS, params(), CLASSES)
    assert vectorizer.terms() == ["bad", "food", "good", "not", "place"]
    assert parts["train"].X.toarray().tolist() == [[0, 1, 2, 0, 1], [1, 1, 0, 0, 0], [0, 0, 1, 1, 1]]
    assert all(part.X.dtype == np.int64 for part in parts.values())


def test_terms_of_two_analyzers_stand_side_by_side_and_hashed_ones_are_numbered() -> None:
    both = params(analyzer="word+char", char_ngram_range=(1, 1), max_features=2)
    assert Vectorizer.fit(["good good food"], both).terms() == ["word__food", "word__good", "char__d", "char__o"]
    hashed = params(analyzer="word+char_wb", hashing=2)
    assert Vectorizer.fit(["good"], hashed).terms() == [
        "word__hash_0", "word__hash_1", "char_wb__hash_0", "char_wb__hash_1",
    ]  # fmt: skip
    assert Vectorizer.fit(["good"], params(hashing=2)).terms() == ["hash_0", "hash_1"]


@pytest.mark.parametrize("weighting", ["counts", "binary", "tfidf"])
def test_no_weight_is_negative_where_terms_are_hashed(weighting: str) -> None:
    texts = [" ".join(f"word{number}" for number in range(start, start + 50)) for start in range(0, 500, 50)]
    assert Vectorizer.fit(texts, params(hashing=16, weighting=weighting)).transform(texts).data.min() > 0


@hypothesis_settings(deadline=None)
@given(
    term=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
    width=st.sampled_from([1, 2, 7, 1024, 2**31 - 1]),
)
def test_the_column_of_a_hashed_term_is_that_of_scikit_learns_murmurhash(term: str, width: int) -> None:
    whole = r"(?s).+"
    settings = params(hashing=width, lowercase=False, token_pattern=whole)
    found = Vectorizer.fit([term], settings).transform([term])
    assert found.indices.tolist() == [abs(int(murmurhash3_32(term, seed=0))) % width]
    assert found.data.tolist() == [1]


@pytest.mark.parametrize("width", [1, 2, 3, 7, 1000, 2**20, 2**31 - 1])
def test_the_one_hash_whose_amount_is_no_integer_of_32_bits_has_scikit_learns_column(width: int) -> None:
    term = "aivlts3m"
    assert murmurhash3_32(term, seed=0) == -(2**31)
    settings = params(hashing=width)
    assert same(Vectorizer.fit([term], settings).transform([term]), reference(settings).transform([term]))


@pytest.mark.parametrize("weighting", ["counts", "binary", "tfidf"])
@pytest.mark.parametrize("hashing", [None, 8])
@pytest.mark.parametrize("analyzer", ["word", "word+char"])
def test_no_texts_are_no_rows(analyzer: str, hashing: int | None, weighting: str) -> None:
    vectorizer = Vectorizer.fit(["good food"], params(analyzer=analyzer, hashing=hashing, weighting=weighting))
    found = vectorizer.transform([])
    assert found.shape == (0, len(vectorizer.terms()))
    assert found.dtype == vectorizer.transform(["good"]).dtype


def test_of_equally_frequent_terms_those_are_kept_that_scikit_learn_keeps() -> None:
    generator = np.random.default_rng(0)
    words = np.array([f"w{number:03}" for number in range(300)])
    texts = [" ".join(generator.choice(words, 10)) for _ in range(200)]
    for limit in (1, 10, 100, 299):
        settings = params(max_features=limit)
        ours, theirs = Vectorizer.fit(texts, settings), reference(settings).fit(texts)
        assert ours.terms() == theirs.get_feature_names_out().tolist()
        assert same(ours.transform(texts), theirs.transform(texts))


# What is loaded


@pytest.mark.parametrize(
    "changes", [{}, {"analyzer": "word+char_wb", "weighting": "tfidf"}, {"weighting": "tfidf", "hashing": 8}], ids=str
)
def test_texts_become_vectors_without_scikit_learn_and_pandas(changes: dict[str, object]) -> None:
    content = Vectorizer.fit(["good food", "bad food"], params(**changes)).content()
    code = (
        "import json, sys; from textclf.vectorize.features import Vectorizer;"
        "v = Vectorizer.of(json.load(sys.stdin));"
        "print(v.transform(['good']).nnz > 0, {'sklearn', 'pandas', 'scipy.stats'} & {*sys.modules},"
        "'mmh3' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], input=json.dumps(content), capture_output=True, text=True)
    assert (found.stdout, found.stderr) == (f"True set() {'hashing' in changes}\n", "")


# What the training rows alone decide


@hypothesis_settings(deadline=None, max_examples=60)
@given(train=corpora, one=corpora, other=corpora, settings=any_settings())
def test_what_is_learned_depends_on_the_training_rows_alone(
    train: list[str], one: list[str], other: list[str], settings: Vectorize
) -> None:
    def rows(texts: list[str]) -> pd.DataFrame:
        return pd.DataFrame({"id": [str(n) for n in range(len(texts))], "text": texts, "label": "pos"})

    alone = fitted(train, settings)
    parts, vectorizer = features.vectorize(
        {"train": rows(train), "validation": rows(one), "test": rows(other)}, settings, CLASSES
    )
    assert vectorizer.content() == alone.content()
    for name, texts in (("train", train), ("validation", one), ("test", other)):
        assert same(parts[name].X, alone.transform(texts))


def test_the_vocabulary_is_that_of_the_training_rows_alone() -> None:
    elsewhere = SPLITS | {"test": SPLITS["test"].assign(text="others"), "validation": SPLITS["test"]}
    parts, vectorizer = features.vectorize(elsewhere, params(), CLASSES)
    assert vectorizer.terms() == features.vectorize(SPLITS, params(), CLASSES)[1].terms()
    assert parts["test"].X.nnz == 0
    assert parts["validation"].X.toarray().tolist() == [[0, 0, 1, 0, 0], [0, 0, 0, 0, 0]]


def test_a_row_is_the_same_vector_whatever_stands_beside_it() -> None:
    texts = ["good food", "", "food " * 9, "bad place"]
    vectorizer = Vectorizer.fit(texts, params(analyzer="word+char_wb", weighting="tfidf", sublinear_tf=True))
    together = vectorizer.transform(texts)
    for number, text in enumerate(texts):
        assert same(vectorizer.transform([text]), together[[number]])


def test_labels_are_positions_among_the_classes_in_their_order() -> None:
    for classes, train, test in ((["neg", "pos"], [1, 0, 0], [0, 1]), (["pos", "other", "neg"], [0, 2, 2], [2, 0])):
        parts, _ = features.vectorize(SPLITS, params(), classes)
        assert parts["train"].classes.tolist() == parts["test"].classes.tolist() == classes
        assert parts["train"].y.tolist() == train
        assert parts["test"].y.tolist() == test
        assert parts["test"].y.dtype == np.int64
        assert parts["train"].ids.tolist() == ["c:3", "c:1", "c:10"]


def test_shape_counts_rows_columns_and_nonzeros() -> None:
    parts, _ = features.vectorize(SPLITS, params(), CLASSES)
    assert features.shape(parts["train"]) == {"rows": 3, "features": 5, "nonzeros": 8}


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
        features.vectorize(SPLITS, params(**changes), CLASSES)
    assert error.value.lines == (f"no vocabulary under the settings of vectorize: {reason}",)


def test_a_text_of_a_megabyte_is_a_row_like_any_other() -> None:
    texts = ["good food, " * 100_000, "bad food"]
    settings = params(analyzer="word+char_wb", char_ngram_range=(2, 2), weighting="tfidf")
    assert same(Vectorizer.fit(texts, settings).transform(texts), reference(settings).fit(texts).transform(texts))


# Shards


def sharded(
    train: list[str], test: list[str], cuts: set[int], settings: Vectorize, folder: Path
) -> tuple[dict[str, features.Features], Vectorizer, dict[str, dict[str, int]]]:
    """Features, vectorizer and shapes of texts that stand in shards, the training texts cut before these rows."""
    for name in ("splits", "scratch", "features"):
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir()
    borders = [0, *sorted(cut for cut in cuts if cut < len(train)), len(train)]
    pieces = {"train": [train[low:high] for low, high in itertools.pairwise(borders)], "test": [test]}
    for name, texts in pieces.items():
        frames = [
            pd.DataFrame({"id": [f"{name}{part}:{n}" for n in range(len(piece))], "text": piece, "label": "pos"})
            for part, piece in enumerate(texts)
        ]
        shards.write(frames, folder / "splits", name, ".parquet", splitting.write)
    shapes = features.vectorize_shards(
        splitting.shard_paths(folder / "splits"), settings, CLASSES, folder / "features", folder / "scratch"
    )
    read = features.open_shards(folder / "features")
    assert {name: len(parts) for name, parts in read.items()} == {"train": len(borders) - 1, "test": 1}
    together = {name: parts.together() for name, parts in read.items()}
    return together, features.read_vectorizer(folder / "features" / features.VECTORIZER), shapes


@hypothesis_settings(deadline=None, max_examples=150)
@given(
    train=st.lists(texts_of_any_kind, min_size=1, max_size=12),
    test=corpora,
    cuts=st.sets(st.integers(1, 11)),
    settings=any_settings(),
)
def test_shards_give_what_all_rows_at_once_give(
    tmp_path_factory: pytest.TempPathFactory, train: list[str], test: list[str], cuts: set[int], settings: Vectorize
) -> None:
    folder = tmp_path_factory.getbasetemp()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workers, "FEWEST", 1000)
        patch.setattr(features, "ENOUGH", 3)  # so that terms are added up several times
        try:
            once = Vectorizer.fit(train, settings)
        except UserError as error:
            with pytest.raises(UserError, match=re.escape(str(error))):
                sharded(train, test, cuts, settings, folder)
            return
        parts, vectorizer, shapes = sharded(train, test, cuts, settings, folder)
    assert vectorizer.content() == Vectorizer.of(json.loads(json.dumps(once.content()))).content()
    for name, texts in (("train", train), ("test", test)):
        expected_X = once.transform(texts)
        assert same(parts[name].X, expected_X)
        assert parts[name].X.dtype == expected_X.dtype
        assert shapes[name] == features.shape(parts[name])


@pytest.mark.parametrize("hashing", [None, 64], ids=["vocabulary", "hashing"])
@pytest.mark.parametrize("weighting", ["counts", "tfidf"])
def test_workers_give_what_one_process_gives(
    two_workers: workers.Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hashing: int | None, weighting: str
) -> None:
    generator = np.random.default_rng(0)
    words = [f"w{number:03}" for number in range(300)]
    texts = [" ".join(generator.choice(words, 10)) for _ in range(200)]
    limit = None if hashing else 100
    settings = params(analyzer="word+char_wb", weighting=weighting, hashing=hashing, max_features=limit)
    monkeypatch.setattr(workers, "pool", lambda _: contextlib.nullcontext(two_workers))
    parts, vectorizer, _ = sharded(texts, texts[:9], set(range(0, 200, 17)) - {0}, settings, tmp_path)
    once = Vectorizer.fit(texts, settings)
    assert vectorizer.terms() == once.terms()
    assert [part.idf for part in vectorizer.parts] == [part.idf for part in once.parts]
    assert same(parts["train"].X, once.transform(texts))
    assert same(parts["test"].X, once.transform(texts[:9]))


@pytest.fixture(scope="module")
def two_workers() -> Iterator[workers.Pool]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.sched_getaffinity", lambda _: {0, 1})
        with workers.pool(workers.FEWEST) as pool:
            yield pool


@pytest.mark.parametrize("column", ["id", "text", "label"])
def test_a_shard_without_one_of_its_columns_is_damaged(tmp_path: Path, column: str) -> None:
    paths = {}
    for name, rows in SPLITS.items():
        paths[name] = [tmp_path / f"{name}.parquet"]
        (rows.drop(columns=column) if name == "test" else rows).to_parquet(paths[name][0])
    with pytest.raises(UserError, match=r"test\.parquet is damaged; remove it"):
        features.vectorize_shards(paths, params(), CLASSES, tmp_path, tmp_path)


def test_logarithms_of_counts_are_those_of_numpy_as_it_is_pinned() -> None:
    code = (
        "import math, textclf, numpy as np; counts = np.arange(1, 200_001);"
        "print(np.array_equal([math.log(count) for count in counts.tolist()], np.log(counts.astype(float))))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "True\n"


# Files


@hypothesis_settings(deadline=None, max_examples=60)
@given(train=corpora, test=corpora, settings=any_settings())
def test_a_vectorizer_survives_its_json_to_the_bit(
    tmp_path_factory: pytest.TempPathFactory, train: list[str], test: list[str], settings: Vectorize
) -> None:
    path = tmp_path_factory.getbasetemp() / "vectorizer.json"
    vectorizer = fitted(train, settings)
    features.write_vectorizer(vectorizer, path)
    written = path.read_bytes()
    read = features.read_vectorizer(path)
    assert read.settings == settings
    assert read.parts == vectorizer.parts
    assert read.terms() == vectorizer.terms()
    assert same(read.transform(train), vectorizer.transform(train))
    assert same(read.transform(test), vectorizer.transform(test))
    features.write_vectorizer(read, path)
    assert path.read_bytes() == written
    features.write_vectorizer(fitted(train, settings), path)
    assert path.read_bytes() == written


def test_the_json_of_a_vectorizer_is_for_people_too(tmp_path: Path) -> None:
    settings = params(weighting="tfidf", min_df=2)
    features.write_vectorizer(Vectorizer.fit(["good food", "good", "bad"], settings), tmp_path / "vectorizer.json")
    content = json.loads((tmp_path / "vectorizer.json").read_bytes())
    assert content == {
        "settings": {**DEFAULTS, "weighting": "tfidf", "min_df": 2, "ngram_range": [1, 1], "char_ngram_range": [2, 5]},
        "parts": [{"analyzer": "word", "columns": 1, "vocabulary": ["good"], "idf": [np.log(4 / 3) + 1]}],
    }


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"settings": {}, "parts": []}', '{"settings": 1}'])
def test_a_damaged_vectorizer_is_an_error(tmp_path: Path, content: str) -> None:
    path = tmp_path / "vectorizer.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UserError) as error:
        features.read_vectorizer(path)
    assert error.value.lines == (f"{path} is damaged; remove it and run dvc repro (or dvc pull) to make it",)


def test_a_missing_vectorizer_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not found; run dvc repro"):
        features.read_vectorizer(tmp_path / "vectorizer.json")


@pytest.mark.parametrize("changes", [{}, {"weighting": "tfidf"}, {"analyzer": "word+char"}, {"hashing": 8}], ids=str)
def test_written_features_read_back_and_repeat_byte_for_byte(tmp_path: Path, changes: dict[str, object]) -> None:
    parts, _ = features.vectorize(SPLITS, params(**changes), CLASSES)
    for name in ("test", "train"):
        features.write(parts[name], tmp_path / f"{name}.npz")
    first = (tmp_path / "train.npz").read_bytes()
    features.write(features.vectorize(SPLITS, params(**changes), CLASSES)[0]["train"], tmp_path / "train.npz")
    assert (tmp_path / "train.npz").read_bytes() == first
    read = features.read(tmp_path)
    assert list(read) == ["train", "test"]
    for name, part in read.items():
        for field in ("ids", "y", "classes"):
            mine, theirs = getattr(part, field), getattr(parts[name], field)
            assert mine.dtype == theirs.dtype
            assert np.array_equal(mine, theirs)
        assert part.X.dtype == parts[name].X.dtype
        assert part.X.indices.dtype == parts[name].X.indices.dtype
        assert same(part.X, parts[name].X)


def test_written_features_need_no_pickle(tmp_path: Path) -> None:
    parts, _ = features.vectorize(SPLITS, params(), CLASSES)
    features.write(parts["train"], tmp_path / "train.npz")
    with np.load(tmp_path / "train.npz", allow_pickle=False) as stored:
        assert sorted(stored) == ["classes", "data", "ids", "indices", "indptr", "shape", "y"]
        assert all(stored[name].dtype.kind in "iU" for name in stored)
