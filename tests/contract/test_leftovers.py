"""Leftovers of another branch, which DVC would record as inputs."""

import shutil
from pathlib import Path

import pytest

from tests.conftest import run_stage, tree
from textclf.core.ownership import RECORDS, note_made

REPRESENTATION = {"data/features/old": "data/features/words"}
MODEL = {
    "data/trained/old": "data/trained/majority",
    "data/predictions/old.parquet": "data/predictions/majority.parquet",
}


DROPPED = "its model is no longer in train or evaluate.external"
GONE = "params.yaml no longer has its entry"


@pytest.mark.parametrize(
    ("stage", "left", "why"),
    [
        ("check", REPRESENTATION | MODEL, GONE),
        ("evaluate", MODEL, DROPPED),
        ("export", REPRESENTATION, "params.yaml has no such representation"),
    ],
)
def test_a_stage_removes_what_another_branch_has_left_and_says_so(
    project: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    stage: str,
    left: dict[str, str],
    why: str,
) -> None:
    monkeypatch.chdir(project)
    before = tree(project)
    for target, source in left.items():
        copy = shutil.copytree if (project / source).is_dir() else shutil.copy
        copy(project / source, project / target)
        note_made(Path(target), Path(target))
    assert run_stage(project, stage) in {None, 0}
    assert {path for path in tree(project) if str(RECORDS) not in path} == {
        path for path in before if str(RECORDS) not in path
    }
    printed = capfd.readouterr().out
    assert [path for path in left if f"{path} removed: {why}\n" not in printed] == []
