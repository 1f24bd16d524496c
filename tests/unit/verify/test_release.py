"""Tags in the format of GTO: what `gto show` (1.10) says of the same tags, and which come next."""

from pathlib import Path

import pytest

from tests.processes import git
from tests.refusal import refusal
from tests.unit.predict.models import export, two_classes
from textclf.predict import released
from textclf.predict.predictor import find_model, load
from textclf.verify.release import new_tags

STEPS = {  # tag: its commit, and that of the stage prod from then on
    "keras@v0.0.9": (0, None),
    "keras#prod#1": (0, 0),
    "keras@v0.0.10": (1, 0),
    "keras#prod#2": (1, 1),
    "keras#prod#3": (0, 0),
    "keras#prod!#4": (0, 1),
    "keras@v0.0.10!#5": (1, None),
    "keras#prod#6": (2, 2),
    "other=keras#prod#1": (1, 2),  # of another project of the repository
}


@pytest.fixture
def commits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return three commits of a repository in the current folder."""
    monkeypatch.chdir(tmp_path)
    git("init", "--quiet")
    for _ in range(3):
        git("commit", "--quiet", "--allow-empty", "--message", "change")
    return git("log", "--reverse", "--format=%H").split()


def tag(name: str, commit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_COMMITTER_DATE", f"{1_700_000_000 + len(git('tag'))} +0000")
    git("tag", "--annotate", "--message", "a tag", name, commit)


def test_stages_and_versions_are_those_that_gto_shows(commits: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, (commit, prod) in STEPS.items():
        tag(name, commits[commit], monkeypatch)
        git("tag", f"light{name}")  # which GTO leaves out
        assert released.active().get("keras#prod", [None])[-1] == (None if prod is None else commits[prod])
    assert new_tags("keras#prod") == ["keras@v0.0.11", "keras#prod#7"]
    assert new_tags("svm#dev") == ["svm@v0.0.1", "svm#dev#1"]
    git("checkout", "--quiet", commits[0])
    assert new_tags("keras#dev") == ["keras#dev#7"]
    Path("other").mkdir()
    monkeypatch.chdir("other")
    assert released.active() == {"keras#prod": [commits[1]]}
    assert new_tags("keras#prod") == ["other=keras@v0.0.1", "other=keras#prod#2"]


def test_a_model_is_found_by_folder_stage_or_version(commits: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, commit in {"keras@v0.0.1": 0, "keras#prod#1": 1, "keras#dev#2": 2, "svm#dev#1": 2}.items():
        tag(name, commits[commit], monkeypatch)
    places = [export(two_classes(), released.place_of("keras", commit)) for commit in commits]
    for name, commit in {"prod": 1, "keras#prod": 1, "keras#dev": 2, "keras@v0.0.1": 0}.items():
        assert find_model(Path("models"), name) == places[commit]
    assert (load(places[0]).version, len(load(places[1]).version)) == ("keras@v0.0.1", 12)
    for name in ("", "keras", "keras#", "v0.0.1", "prod#1", "\udcff"):
        assert "or what a Git tag names (keras#prod); got" in refusal(find_model, Path("models"), name)
    rule = "--model must name the stage of one model (keras#dev, svm#dev)"
    assert refusal(find_model, Path("models"), "dev") == f"{rule}; got dev"
    rule = "must be in DVC's cache or remote, where dvc push puts it; got: "
    assert refusal(find_model, Path("models"), "svm#dev").startswith(f"models/svm of commit {commits[2][:8]} {rule}")
    monkeypatch.setenv("PATH", "")  # no Git
    assert " (none), the folder of one or what" in refusal(find_model, Path("models"), "keras#prod")
