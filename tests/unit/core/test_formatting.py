import pytest

from textclf.core import formatting


@pytest.mark.parametrize(
    ("value", "text"), [(0.004, "+0.4"), (-0.044, "\N{MINUS SIGN}4.4"), (-0.0001, "0.0"), (0.0, "0.0")]
)
def test_points_have_a_sign_and_no_negative_zero(value: float, text: str) -> None:
    assert formatting.points(value) == text


@pytest.mark.parametrize(("share", "text"), [(0.95, "95%"), (0.9, "90%"), (0.975, "97.5%"), (0.999, "99.9%")])
def test_a_confidence_level_has_all_its_digits(share: float, text: str) -> None:
    assert formatting.confidence_level(share) == text


def test_names_are_joined_as_in_a_sentence() -> None:
    assert [formatting.join_names(names) for names in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]


def test_a_number_has_its_noun() -> None:
    assert formatting.count_noun(1, "row") == "1 row"
    assert formatting.count_noun(2000, "class", "classes") == "2,000 classes"


def test_a_small_p_value_is_shown_as_a_bound() -> None:
    assert [formatting.p_value(p) for p in (0.0004, 0.001, 0.5)] == ["< 0.001", "0.001", "0.500"]
