"""What another branch has left behind, which `git checkout` does not remove and DVC would record as an input."""

import shutil
from pathlib import Path

import pytest

from tests.conftest import arguments, run_stage, tree

REPRESENTATION = {"data/features/old": "data/features/words"}
MODEL = {
    "data/trained/old": "data/trained/majority",
    "data/predictions/old.parquet": "data/predictions/majority.parquet",
}


@pytest.mark.parametrize(
    ("stage", "left"),
    [
        ("check", REPRESENTATION | MODEL),
        ("evaluate", MODEL),
        ("evaluate", {"data/provenance/train/old.json": "data/provenance/train/majority.json"}),
        ("export", REPRESENTATION),
        ("export", {"data/provenance/vectorize/old.json": "data/provenance/vectorize/words.json"}),
    ],
)
def test_a_stage_removes_what_another_branch_has_left(project: Path, stage: str, left: dict[str, str]) -> None:
    before = tree(project)
    for target, source in left.items():
        copy = shutil.copytree if (project / source).is_dir() else shutil.copy
        copy(project / source, project / target)
    assert run_stage(project, stage, *arguments(stage)) in {None, 0}
    after = tree(project)
    assert [path for path in after if "old" in path] == []
    assert before.keys() == after.keys()
