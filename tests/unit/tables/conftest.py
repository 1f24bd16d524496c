from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.unit.tables.tables import data
from textclf.tables import corpus
from textclf.tables.corpus import Corpus


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("corpus")


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Corpus]:
    """Read a file of this name and content, or a folder, with some settings changed."""

    def run(contents: Mapping[str, bytes | str], /, **changed: Any) -> Corpus:
        path = tmp_path / "data"
        for name, content in contents.items():
            file = path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.encode() if isinstance(content, str) else content)
        return corpus.read(file if len(contents) == 1 else path, data(**changed))

    return run
