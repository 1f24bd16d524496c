import pytest

from textclf.core import formatting as words


@pytest.mark.parametrize(
    ("value", "said"), [(0.004, "+0.4"), (-0.044, "\N{MINUS SIGN}4.4"), (-0.0001, "0.0"), (0.0, "0.0")]
)
def test_points_have_a_sign_and_no_negative_zero(value: float, said: str) -> None:
    assert words.points(value) == said


@pytest.mark.parametrize(("share", "said"), [(0.95, "95%"), (0.9, "90%"), (0.975, "97.5%"), (0.999, "99.9%")])
def test_the_level_of_an_interval_has_all_its_digits(share: float, said: str) -> None:
    assert words.level(share) == said


def test_names_are_listed_as_in_a_sentence() -> None:
    assert [words.listed(names) for names in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]


def test_a_number_has_its_noun() -> None:
    assert words.counted(1, "row") == "1 row"
    assert words.counted(2000, "class", "classes") == "2,000 classes"


def test_a_small_p_value_is_only_said_to_be_one() -> None:
    assert [words.p_value(p) for p in (0.0004, 0.001, 0.5)] == ["< 0.001", "0.001", "0.500"]
