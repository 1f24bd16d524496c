"""The results of a run as objects: the bytes of their files, and what is said of damaged ones."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.processes import ROOT
from textclf.core import result_files
from textclf.evaluate.results import KINDS

COMMITTED = [path for name in KINDS if (path := ROOT / f"metrics/{name}.json").exists()]


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_a_committed_file_keeps_its_bytes(path: Path, tmp_path: Path) -> None:
    content: Any = result_files.read(path, KINDS[path.stem])
    result_files.write(tmp_path / path.name, content)
    assert (tmp_path / path.name).read_bytes() == path.read_bytes()
    assert json.loads(path.read_bytes()) == result_files.to_json(content)
