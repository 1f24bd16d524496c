"""Texts with several labels, and similar texts with different ones, against a comparison of all pairs."""

import re
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textclf.studies.audit.similar import SEVERAL, SIMILAR, SimilarTexts, find_similar, find_texts, labelled_text


def frame(*pairs: tuple[str, str]) -> pd.DataFrame:
    texts, labels = zip(*pairs, strict=True)
    ids = [f"r:{number}" for number in range(len(pairs))]
    return pd.DataFrame({"id": ids, "text": texts, "label": labels, "split": "train"})


def test_texts_that_differ_in_case_and_spaces_are_one_and_conflict_if_their_labels_differ() -> None:
    rows = frame(("So good", "1"), ("bad", "0"), ("so  GOOD ", "0"), ("bad", "0"), ("So good.", "1"))
    found = find_texts(rows, np.array([1, 0, 0, 0, 1]))
    assert found.of_row.tolist() == [0, 1, 0, 1, 2]
    assert found.labels.tolist() == [SEVERAL, 0, 1]
    assert found.conflicting.tolist() == [0]
    shown = labelled_text(rows, np.flatnonzero(found.of_row == 0))
    assert shown.text == "So good"
    assert {label: each.ids for label, each in shown.rows.items()} == {"1": [("train", "r:0")], "0": [("train", "r:2")]}


def similar(*pairs: tuple[str, int]) -> SimilarTexts:
    return find_similar([text.encode() for text, _ in pairs], np.array([label for _, label in pairs]))


WORDS = st.lists(st.sampled_from("abcdefg"), min_size=3, max_size=12)


@given(st.lists(st.tuples(WORDS, st.sampled_from([0, 1, SEVERAL])), min_size=1, max_size=14))
def test_all_similar_pairs_are_found_and_no_others(rows: list[tuple[list[str], int]]) -> None:
    texts = list(dict.fromkeys(" ".join(words) for words, _ in rows))
    labels = [label for _, label in rows[: len(texts)]]
    sets = [frozenset(re.findall(r"\w+", text)) for text in texts]
    expected = {}
    for a, b in combinations(range(len(texts)), 2):
        share = len(sets[a] & sets[b]) / max(1, len(sets[a] | sets[b]))
        if share >= SIMILAR - 1e-9 and (labels[a] != labels[b] or labels[a] == SEVERAL):
            expected[frozenset((sets[a], sets[b]))] = share
    found = find_similar([text.encode() for text in texts], np.array(labels))
    assert found.words_left_out == 0
    assert {frozenset((sets[a], sets[b])): share for a, b, share in found.pairs} == pytest.approx(expected)
    assert len(found.pairs) == len(expected)
    for a, b, _ in found.pairs:
        assert labels[a] != labels[b] or labels[a] == SEVERAL
    assert [pair.similarity for pair in found.pairs] == sorted((pair[2] for pair in found.pairs), reverse=True)


@pytest.mark.parametrize(
    ("most", "pairs", "left_out"), [(1226, 1, 0), (1225, 1, 1), (1, 1, 1), (0, 0, 2)]
)  # 50 * 49 / 2 of the first texts, and one of the last
def test_words_that_would_lead_to_too_many_pairs_are_left_out_and_counted(most: int, pairs: int, left_out: int) -> None:
    texts = [*(f"four of five words w{n}" for n in range(50)), "rare one two three", "rare one two three last"]
    found = find_similar([text.encode() for text in texts], np.array([0, 1] * 26), most)
    assert [(pair.first, pair.second) for pair in found.pairs] == [(50, 51)] * pairs
    assert found.words_left_out == left_out
