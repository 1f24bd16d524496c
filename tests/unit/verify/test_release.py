"""Tags in the format of GTO: what `gto show` (1.10) says of the same tags, and which come next."""

from pathlib import Path

import pytest
from dvc.repo import Repo

from tests.processes import git, run
from tests.refusal import refusal
from tests.unit.predict.models import export, two_classes
from textclf.predict import released
from textclf.predict.predictor import find_model, load
from textclf.verify.release import new_tags, pushes

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
def commits(here: Path) -> list[str]:
    """Return three commits of a repository in the current folder."""
    git("init", "--quiet", folder=here)
    for _ in range(3):
        git("commit", "--quiet", "--allow-empty", "--message", "change")
    return git("log", "--reverse", "--format=%H").split()


def tag(name: str, commit: str, monkeypatch: pytest.MonkeyPatch, seconds: int = 1) -> None:
    monkeypatch.setenv("GIT_COMMITTER_DATE", f"{1_700_000_000 + seconds * len(git('tag'))} +0000")
    git("tag", "--annotate", "--message", "a tag", name, commit)


@pytest.mark.parametrize("seconds", [1, -7200], ids=["right clocks", "each clock slower"])
def test_stages_and_versions_are_those_that_gto_shows_with_right_clocks(
    seconds: int, commits: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, (commit, prod) in STEPS.items():
        tag(name, commits[commit], monkeypatch, seconds)
        git("tag", f"light{name}")  # which GTO leaves out
        assert released.active().get("keras#prod", [None])[-1] == (
            None if prod is None else commits[prod]
        )
    assert new_tags("keras#prod") == ["keras@v0.0.11", "keras#prod#7"]
    assert new_tags("svm#dev") == ["svm@v0.0.1", "svm#dev#1"]
    git("checkout", "--quiet", commits[0])
    assert new_tags("keras#dev") == ["keras#dev#7"]
    Path("other").mkdir()
    monkeypatch.chdir("other")
    assert released.active() == {"keras#prod": [commits[1]]}
    assert new_tags("keras#prod") == ["other=keras@v0.0.1", "other=keras#prod#2"]


UNNUMBERED = {  # tags with their commits: those that the stage prod has, in order
    "keras#prod#1=1 keras#prod=0": [0, 1],
    "keras#prod!=1 keras#prod#1=1 keras#prod=0": [0],
    "keras@v0.0.1!=1 keras@v0.0.1=1 keras#prod#2=1 keras#prod#1=0": [0],
    "keras#prod!#2=1 keras#prod#2=1 keras#prod#1=0": [0],
    "keras#prod#10=1 keras#prod#9=0": [0, 1],
}


@pytest.mark.parametrize(("tags", "expected"), UNNUMBERED.items())
def test_tags_without_a_counter_come_first_but_last_if_they_cancel(
    tags: str, expected: list[int], commits: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, commit in (each.split("=") for each in tags.split()):
        tag(name, commits[int(commit)], monkeypatch)
    assert released.active()["keras#prod"] == [commits[each] for each in expected]


def test_a_tag_that_names_no_tagger_counts(commits: list[str]) -> None:
    text = f"object {commits[0]}\ntype commit\ntag keras#prod#1\n\nold\n"
    made = run("git", "mktag", "--no-strict", stdin=text)
    git("update-ref", "refs/tags/keras#prod#1", made.out.strip())
    assert released.active() == {"keras#prod": [commits[0]]}


def test_the_next_version_follows_the_highest_of_a_commit(
    commits: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("keras@v0.0.9", "keras@v0.0.10", "keras@v0.0.2#3", "keras@v0.0.11"):
        tag(name, commits[0], monkeypatch)
    tag("keras@v0.0.11!#4", commits[0], monkeypatch)
    assert new_tags("keras#prod") == ["keras@v0.0.12", "keras#prod#5"]
    assert (
        load(export(two_classes(), released.place_of("keras", commits[0]))).version
        == "keras@v0.0.10"
    )


@pytest.mark.usefixtures("commits")
def test_tags_are_pushed_to_a_remote_that_there_is_or_that_a_command_adds() -> None:
    tags = ["keras@v0.0.1", "keras#prod#1"]
    push = "git push {} keras@v0.0.1 'keras#prod#1'"
    assert pushes(tags) == ["git remote add origin <address>", push.format("origin")]
    git("remote", "add", "hub", "../hub")
    assert pushes(tags) == [push.format("hub")]
    git("remote", "add", "origin", "../origin")
    assert pushes(tags) == [push.format("origin")]


@pytest.mark.usefixtures("commits")
def test_a_missing_remote_is_one_whole_line() -> None:
    Repo.init().close()

    def need_remote() -> None:
        with released.project_at("HEAD", Path("models/keras")) as repo:
            repo.cloud.get_remote()

    advice = (
        "got: no remote; run dvc remote add --default storage <address>, commit .dvc/config, "
        "and dvc push where the model was made"
    )
    assert refusal(need_remote).endswith(advice)


def test_a_model_is_found_by_folder_stage_or_version(
    commits: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, commit in {
        "keras@v0.0.1": 0,
        "keras#prod#1": 1,
        "keras#dev#2": 2,
        "svm#dev#1": 2,
    }.items():
        tag(name, commits[commit], monkeypatch)
    places = [export(two_classes(), released.place_of("keras", commit)) for commit in commits]
    for name, commit in {"prod": 1, "keras#prod": 1, "keras#dev": 2, "keras@v0.0.1": 0}.items():
        assert find_model(Path("models"), name) == places[commit]
    assert (load(places[0]).version, len(load(places[1]).version)) == ("keras@v0.0.1", 12)
    for name in ("", "keras", "keras#", "v0.0.1", "prod#1", "\udcff"):
        assert "or what a Git tag names (keras#prod); got" in refusal(
            find_model, Path("models"), name
        )
    rule = "--model must name the stage of one model (keras#dev, svm#dev)"
    assert refusal(find_model, Path("models"), "dev") == f"{rule}; got dev"
    rule = "must be in DVC's cache or remote, where dvc push puts it; got: "
    assert refusal(find_model, Path("models"), "svm#dev").startswith(
        f"models/svm of commit {commits[2][:8]} {rule}"
    )
    monkeypatch.setenv("PATH", "")  # no Git
    assert " (none), the folder of one or what" in refusal(find_model, Path("models"), "keras#prod")
