"""The numbers of ordered classes."""

import pytest

from textclf.core.scale import distances, numbers_of, scale_of


@pytest.mark.parametrize(
    ("classes", "scale"),
    [
        (["1", "2", "5"], (1, 2, 5)),
        (["5", "4", "1.5"], (5, 4, 1.5)),
        (["low", "medium", "high"], (0, 1, 2)),
        (["1", "2", "many"], (0, 1, 2)),
        (["1", "2", "nan"], (0, 1, 2)),
        (["1", "3", "2"], None),
    ],
)
def test_a_scale_has_the_numbers_of_the_classes_or_their_positions(
    classes: list[str], scale: tuple[float, ...] | None
) -> None:
    assert scale_of(classes) == scale


def test_words_and_equal_numbers_are_no_numbers() -> None:
    assert numbers_of(["low", "high"]) is None
    assert numbers_of(["1", "1.0", "2"]) is None


def test_distances_are_those_of_the_numbers() -> None:
    assert distances((1, 2, 5)) == ((0, 1, 4), (1, 0, 3), (4, 3, 0))
