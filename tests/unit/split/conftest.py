"""What the tests of the stage split share."""

import pytest

from textclf.artifacts import shards
from textclf.split import shuffle
from textclf.tables import limits


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shards of ten rows, pieces of two, blocks of seven."""
    monkeypatch.setattr(shards, "ROWS", 10)
    monkeypatch.setattr(shuffle, "PIECES", 5)
    monkeypatch.setattr(limits, "BLOCK_ROWS", 7)
