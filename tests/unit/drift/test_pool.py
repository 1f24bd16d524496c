"""Both sides together: nearly the same texts, and clusters of groups."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tests.unit.drift.texts import draw_texts, pool_of, rejected
from tests.unit.predict.models import three_classes
from textclf.drift.measure import Settings, measure
from textclf.drift.pool import PooledTexts, first_similar, pool_texts, sample_texts, text_keys

TEXTS = st.lists(st.text("ab1. \u00e9", max_size=4), max_size=40)


OTHERS = ["n n n", "m m", "p", "q"]  # so that no word of a few texts is in most of them


def pool_groups(
    reference: dict[str, list[str]], new: dict[str, list[str]], seed: int = 0
) -> PooledTexts:
    rows = [
        [(text, name) for name, texts in side.items() for text in texts]
        for side in (reference, new)
    ]
    return pool_texts(
        *(
            sample_texts([([text for text, _ in side], [name for _, name in side])], seed)
            for side in rows
        )
    )


@given(TEXTS, TEXTS)
def test_a_pool_counts_all_copies_of_a_text_that_is_in_the_sample_of_one_side(
    old: list[str], new: list[str]
) -> None:
    samples = [sample_texts([(side, None)], 0, size) for side, size in ((old, 3), (new, 2))]
    both = pool_texts(*samples)
    sampled = {key for sample in samples for _, key in sample.texts}
    for counts, side in ((both.reference, old), (both.new, new)):
        assert counts.sum() == sum(
            key in sampled for key in (text_keys(side, 0).tolist() if side else [])
        )
    assert (both.copies >= 1).all()
    assert both.clusters.tolist() == list(range(len(both.texts)))


@pytest.mark.parametrize(
    ("texts", "first"),
    [
        (["a b c d e", "a b c d f", "A, b c 1 d e!"], [0, 0, 0]),  # one of five words differs
        (["a b c d", "a b c e"], [0, 1]),
        (["a b", "c d", "b a a"], [0, 1, 0]),
        (["a b c d e", "x b c d e", "x y c d e"], [0, 0, 0]),  # through another one
        (["!!!", "???", ""], [0, 1, 2]),
        ([f"{name} sent with all my best wishes" for name in "abcde"], [0, 1, 2, 3, 4]),  # a footer
        ([], []),
    ],
)
def test_texts_with_two_thirds_of_their_words_in_common_are_nearly_the_same(
    texts: list[str], first: list[int]
) -> None:
    assert first_similar([*texts, *OTHERS])[: len(texts)].tolist() == first


def test_nearly_the_same_texts_are_copies_of_one() -> None:
    old = ["the food was great here", "the food was great there", *OTHERS]
    both = pool_of(old, ["the food was not great here"] * 3)
    counts = list(zip(both.reference.tolist(), both.new.tolist(), strict=True))
    assert sorted(counts) == [*[(1, 0)] * len(OTHERS), (2, 3)]


def test_places_in_the_pool_do_not_depend_on_how_many_texts_a_side_was_sampled_from() -> None:
    samples = [
        sample_texts([([f"{n} {name}" for name in names], None)], 1, 200)
        for n, names in enumerate(make_names())
    ]
    both = pool_texts(*samples)
    assert stats.kstest(np.flatnonzero(both.new) / len(both.texts), "uniform").pvalue > 0.001


def make_names() -> list[list[str]]:
    """Return different words, twenty times as many for one side."""
    letters = "abcdefghijklmnopqrst"
    names = [f"{a}{b}{c}" for a in letters for b in letters for c in letters]
    return [names[200:4200], names[:200]]


def test_the_texts_of_a_group_of_a_side_are_a_cluster() -> None:
    old = {"a": ["one", "two", "three"], "b": ["four", "five", "six"]}
    both = pool_groups(
        old, {"b": ["seven", "eight", "nine"], "c": ["ten", "eleven", "Ten!", "twelve"]}
    )
    parts = [(both.texts[n], bool(both.new[n])) for n in range(len(both.texts))]
    result = Counter(
        (
            frozenset(
                text
                for (text, _), cluster in zip(parts, both.clusters, strict=True)
                if cluster == each
            ),
            side,
        )
        for each, side in {
            (cluster, side) for (_, side), cluster in zip(parts, both.clusters, strict=True)
        }
    )
    assert set(result) == {
        (frozenset(old["a"]), False),
        (frozenset(old["b"]), False),
        (frozenset({"seven", "eight", "nine"}), True),
        (frozenset({"Ten!", "eleven", "twelve"}), True),
    }
    assert (np.diff(both.clusters) >= 0).all()
    assert (both.copies == 1).all()


def test_a_text_of_several_groups_is_in_one_of_them_of_either_side() -> None:
    kept = []
    for seed in range(40):
        both = pool_groups(
            {"a": ["same", "x"], "b": ["y", "z"]}, {"c": ["same", "u"], "d": ["v", "w"]}, seed
        )
        assert sorted(both.texts) == ["same", "u", "v", "w", "x", "y", "z"]
        kept.append(both.new[both.texts.index("same")])
    assert 8 <= sum(kept) <= 32


@pytest.mark.parametrize(
    ("old", "new", "sizes"),
    [
        ((5, 5, 5), (5, 5), [5] * 5),
        ((50, 50, 50), (2, 2), [2] * 5),
        ((9, 7, 3, 1), (5, 5, 5), [5, 5, 5, 5, 5, 2, 1]),
    ],
)
def test_clusters_of_both_sides_have_equal_sizes(
    old: tuple[int, ...], new: tuple[int, ...], sizes: list[int]
) -> None:
    names = iter(make_names()[0])
    sides = [
        {str(n): [next(names) for _ in range(size)] for n, size in enumerate(side)}
        for side in (old, new)
    ]
    assert (
        sorted(np.bincount(pool_groups(sides[0], sides[1]).clusters).tolist(), reverse=True)
        == sizes
    )


@pytest.mark.parametrize("kind", ["groups", "near-copies"])
def test_dependent_texts_without_drift_are_found_as_often_as_alpha_says(kind: str) -> None:
    """All texts of a group have a word of their own; of near-copies, one word differs."""
    p_values, settings = [], Settings(0.1, 39, 0)
    for seed in range(120):
        generator = np.random.default_rng(seed)
        sides: list[dict[str, list[str]]] = []
        for side, count in enumerate((40, 25)):
            whole = draw_texts(generator, count, 6)
            if kind == "groups":
                words = generator.choice(["great", "bad", "food", "nice", "okay"], (count, 1))
                parts = [
                    [f"{word} {text}" for text in draw_texts(generator, 4)] for word in words[:, 0]
                ]
            else:
                parts = [
                    [f"{text} {word}" for word in draw_texts(generator, 4, 1)] for text in whole
                ]
            sides.append({f"{side}-{n}": part for n, part in enumerate(parts)})
        if kind == "groups":
            both = pool_groups(sides[0], sides[1], seed)
        else:
            old, new = ([text for part in side.values() for text in part] for side in sides)
            both = pool_of(old, new, seed)
        p_values.append(min(measure(both, both, three_classes(), settings).adjusted.values()))
    assert rejected(p_values)[0] <= stats.binom.interval(0.999, len(p_values), 0.1)[1]
