"""What is tried next: each combination once, and the same ones for the same scores."""

from collections.abc import Callable
from typing import Any

import pytest

from textclf.studies.search.space import Dimension, Values, combinations
from textclf.studies.search.trials import Proposals
from textclf.studies.settings import Search

MIXED = {
    "C": Dimension(None, 0.01, 100.0, log=True),
    "size": Dimension(None, 1, 9, whole=True),
    "units": Dimension(((10,), (64, 32))),
}
FINITE = {"a": Dimension((1, 2, 3)), "b": Dimension(("x", "y")), "c": Dimension(None, 0, 1, whole=True)}


def propose(sampler: str, space: Any, number: int, score: Callable[[Values], float], seed: int = 0) -> list[Values]:
    settings = Search.model_validate({"sampler": sampler, "seed": seed, "trials": 20, "space": {"C": [1]}})
    proposals, tried = Proposals(settings, space, higher_is_better=False), []
    for _ in range(number):
        tried.append(proposals.ask())
        proposals.tell(score(tried[-1]))
    return tried


def distance(values: Values) -> float:
    return abs(float(values["C"]) - 2) + int(values["size"])


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_the_same_scores_give_the_same_trials_in_the_same_order(sampler: str) -> None:
    tried = propose(sampler, MIXED, 20, distance)
    assert propose(sampler, MIXED, 20, distance) == tried
    assert propose(sampler, MIXED, 20, distance, seed=1) != tried


def test_tpe_learns_from_the_scores_and_random_does_not() -> None:
    def opposite(values: Values) -> float:
        return -distance(values)

    assert propose("random", MIXED, 20, opposite) == propose("random", MIXED, 20, distance)
    near, far = (propose("tpe", MIXED, 20, score) for score in (distance, opposite))
    assert near[:10] == far[:10]  # TPE starts with random trials
    assert sum(map(distance, near[10:])) < sum(map(distance, far[10:]))


def test_values_are_within_their_limits_and_decimals_are_short() -> None:
    for values in propose("random", MIXED, 50, distance):
        assert 0.01 <= values["C"] <= 100.0
        assert values["C"] == float(f"{values['C']:.4g}")
        assert isinstance(values["size"], int)
        assert 1 <= values["size"] <= 9
        assert values["units"] in {(10,), (64, 32)}


@pytest.mark.parametrize("sampler", ["random", "tpe", "grid"])
def test_a_combination_has_only_settings_that_apply_and_is_tried_once(sampler: str) -> None:
    conditional = {
        "depth": Dimension((1, 2), other="kind", needed=("tree", "forest"), otherwise=1),
        "kind": Dimension(("linear", "tree", "forest")),
        "a": Dimension((1, 2)),
    }
    number = 2 * (1 + 2 + 2)
    assert combinations(conditional) == number
    tried = propose(sampler, conditional, number, lambda values: float(values["a"]))
    assert all(list(values) == [name for name in conditional if name in values] for values in tried)
    assert all(("depth" in values) == (values["kind"] != "linear") for values in tried)
    assert len({tuple(values.items()) for values in tried}) == number


@pytest.mark.parametrize("sampler", ["random", "tpe", "grid"])
def test_every_combination_is_tried_once_and_those_of_a_grid_in_the_order_of_the_space(sampler: str) -> None:
    tried = [tuple(values.values()) for values in propose(sampler, FINITE, 12, lambda values: float(values["a"]))]
    whole = [(a, b, c) for a in (1, 2, 3) for b in "xy" for c in (0, 1)]
    assert sorted(tried) == sorted(whole)
    assert (tried == whole) == (sampler == "grid")
