"""Term counts of lists and Arrow against scikit-learn's; what may be cut at spaces."""

import re
import sys
import warnings
from collections import Counter

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer

from textclf.vectorize.terms import counts as counts_module
from textclf.vectorize.terms.counts import count_terms
from textclf.vectorize.terms.settings import Terms
from textclf.vectorize.terms.tokens import is_within_runs, make_analyzer

DEFAULT = r"(?u)\b\w\w+\b"
WITHIN = [
    DEFAULT,
    r"\S+",
    r"(\w)\w*",
    r"(a)|b",
    r"(?i)A+",
    r"\w+(?:'\w+)?|[^\w\s]",
    r"[a-é]+",
    r"(?<!\w)\d+(?!\w)",
]
WITHIN += [r"\b", r"#(\w+)", r"[]a]+?", r"a{2,3}|\+", r"(?a)\S+"]
ACROSS = [
    r"\w*",
    r".",
    r"\w+ \w+",
    r"\w+\s",
    r"^\w+",
    r"\w+$",
    r"\W",
    r"[^a]+",
    r"a\ ?b",
    r"[ -~]",
    r"\x20|a",
]
ACROSS += [
    r"(?!\w)",
    r"(?<= )\w+",
    r"\w+(?=\s|!)",
    r"a(?s:.)b",
    r"(?x)a",
    "[^]&&]",
    r"\Ba",
    r"(\w)\1",
    r"",
]

texts = st.one_of(
    st.text(max_size=20),
    st.text("aAbßİiΣ\u03c3ς0é\u0301'-._+ ", max_size=20),
    st.text("ab \t\n\r\x0b\x1c\x1f\x85\xa0\u2028\u3000\u200b\0", max_size=15),
    st.text("ab#!]\ud800\udfff ", max_size=12),
)
ranges = st.tuples(st.integers(1, 3), st.integers(0, 2)).map(lambda pair: (pair[0], sum(pair)))


@example(
    corpus=["BΣ BΣ'B BΣ' Σ", "İİ", "  ", ""],
    name="word",
    lengths=(1, 2),
    pattern=r"\S+",
    lowercase=True,
)
@given(
    corpus=st.lists(texts, max_size=5),
    name=st.sampled_from(["word", "char", "char_wb"]),
    lengths=ranges,
    pattern=st.sampled_from([*WITHIN, *ACROSS]),
    lowercase=st.booleans(),
)
def test_counts_are_those_of_scikit_learn_from_lists_and_columns(
    corpus: list[str], name: str, lengths: tuple[int, int], pattern: str, lowercase: bool
) -> None:
    theirs = CountVectorizer(
        analyzer=name, token_pattern=pattern, ngram_range=lengths, lowercase=lowercase
    )
    settings = Terms(
        token_pattern=pattern, ngram_range=lengths, char_ngram_range=lengths, lowercase=lowercase
    )
    # No column has half a surrogate pair.
    readable = [text.encode(errors="replace").decode() for text in corpus]
    for source, same in ((corpus, corpus), (pa.array(readable, pa.string()), readable)):
        terms, counts = count_terms(source, name, settings)
        expected = [Counter(theirs.build_analyzer()(text)) for text in same]
        assert list(terms) == sorted(set().union(*expected))
        assert counts.has_canonical_format
        assert counts.toarray().tolist() == [[each[term] for term in terms] for each in expected]


def test_words_with_spaces_that_make_the_same_ngram_are_one_term() -> None:
    settings = Terms.model_validate({"token_pattern": r"(?<!-)a b|\w", "ngram_range": (1, 2)})
    terms, counts = count_terms(["-a b a b", "a c"], "word", settings)
    assert terms == ["a", "a b", "a c", "b", "b a b", "c"]
    assert counts.toarray().tolist() == [[1, 2, 0, 1, 1, 0], [1, 0, 1, 0, 0, 1]]


def test_an_n_far_above_the_number_of_words_costs_nothing() -> None:
    settings = Terms(ngram_range=(1, sys.maxsize - 1))
    assert count_terms(["ab cd", ""], "word", settings).terms == ["ab", "ab cd", "cd"]
    assert count_terms(["ab", ""], "word", Terms(ngram_range=(2, 9))).counts.shape == (2, 0)


def test_equal_runs_of_a_column_are_split_once(monkeypatch: pytest.MonkeyPatch) -> None:
    split: list[str] = []

    def analyze(text: str) -> list[str]:
        split.append(text)
        return text.strip(" ").split("-")

    monkeypatch.setattr(counts_module, "make_analyzer", lambda *_: analyze)
    counted = count_terms(pa.array(["a-b c", "c", "a-b a-b"]), "word", Terms())
    assert (counted.terms, counted.counts.toarray().tolist()) == (
        ["a", "b", "c"],
        [[1, 1, 1], [0, 0, 1], [2, 2, 0]],
    )
    assert split == ["a-b ", "c", "a-b"]


# What may be cut at spaces


@pytest.mark.parametrize(("patterns", "expected"), [(WITHIN, True), (ACROSS, False)])
def test_patterns_that_neither_match_spaces_nor_look_beyond_them_are_within_runs(
    patterns: list[str], expected: bool
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        of = {pattern: is_within_runs("word", Terms(token_pattern=pattern)) for pattern in patterns}
    assert of == dict.fromkeys(patterns, expected)
    assert is_within_runs("char_wb", Terms())
    assert not is_within_runs("char", Terms())


PARTS = [
    *" a'.^$|*+?{()[]",
    r"\ ",
    r"\'",
    r"\w",
    r"\S",
    r"\b",
    r"\d",
    r"\W",
    r"\s",
    r"\B",
    "{2}",
    "{0,1}",
]
PARTS += ["(?:", "(?=", "(?!", "(?<!", "(?<=", "[a-c]", r"[^\w\s]", "[^a]", r"[\]a]"]


@given(
    parts=st.lists(st.sampled_from(PARTS), max_size=7),
    text=st.text("ab1'- ]{\t\n\xa0", max_size=12),
)
def test_words_of_a_pattern_within_runs_are_those_of_its_runs(parts: list[str], text: str) -> None:
    pattern = "".join(parts)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            settings = Terms(token_pattern=pattern)
        except ValueError:
            return
        if is_within_runs("word", settings):
            runs = [word for run in text.split(" ") for word in re.findall(pattern, run)]
            assert runs == re.findall(pattern, text)


def terms(name: str, text: str, **changes: object) -> list[str]:
    return make_analyzer(name, Terms.model_validate(changes))(text)


def test_char_wb_ngrams_pad_words_with_spaces_and_return_a_short_word_once() -> None:
    assert terms("char_wb", "no, I", char_ngram_range=(3, 4)) == [
        " no",
        "no,",
        "o, ",
        " no,",
        "no, ",
        " i ",
    ]
    assert terms("char_wb", "I", char_ngram_range=(5, 9)) == [" i "]
    assert terms("char_wb", " \t", char_ngram_range=(1, 2)) == []


@pytest.mark.parametrize(
    ("name", "expected"), [("char", 5 + 4 + 3 + 2 + 1), ("char_wb", 2 * (4 + 3 + 2 + 1))]
)
def test_an_n_far_above_the_length_of_the_text_costs_nothing(name: str, expected: int) -> None:
    assert len(terms(name, "ab cd", char_ngram_range=(1, sys.maxsize - 1))) == expected


def test_every_character_is_a_word_character_or_separator_as_in_scikit_learn() -> None:
    characters = map(chr, range(sys.maxunicode + 1))
    text = "".join(f"{character}a{character}{character} " for character in characters)
    assert terms("word", text) == CountVectorizer().build_analyzer()(text)
