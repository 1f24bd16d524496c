"""The workers of one training, as TF_CONFIG names them."""

import json
from typing import Any

import pytest

from tests.refusal import refusal
from textclf.models.common import workers


@pytest.mark.parametrize(
    ("config", "index"),
    [
        (None, (0, 1)),
        ({}, (0, 1)),
        ({"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 0}}, (0, 1)),
        ({"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 1}}, (1, 2)),
        ({"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": "0"}}, (0, 2)),
        ({"cluster": {"chief": ["c:1"], "worker": ["a:1"]}, "task": {"type": "worker", "index": 0}}, (1, 2)),
        ({"cluster": {"chief": ["c:1"], "worker": ["a:1"]}, "task": {"type": "chief", "index": 0}}, (0, 2)),
    ],
)
def test_the_chief_is_the_first_worker(
    monkeypatch: pytest.MonkeyPatch, config: dict[str, Any] | None, index: tuple[int, int]
) -> None:
    monkeypatch.delenv(workers.VARIABLE, raising=False)
    if config is not None:
        monkeypatch.setenv(workers.VARIABLE, json.dumps(config))
    assert workers.worker_index() == index
    assert workers.is_chief() == (index[0] == 0)


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"cluster": {"worker": ["a:1", "b:1"]}}', '{"cluster": {"worker": ["a:1"]}, "task": {}}']
)
def test_a_tf_config_without_the_index_of_this_worker_is_an_error(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(workers.VARIABLE, text)
    assert "TF_CONFIG must be like" in refusal(workers.worker_index)
