"""`textclf pr-report`, in a clone in which a change was run and committed."""

import hashlib
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests import verify
from tests.processes import AUTHOR, Ended, run
from tests.verify import Copy

MODEL = "logistic_regression"  # it is cheap to train
MARKER = "<!-- textclf:pr-report -->"


def pr_report(copy: Copy, *arguments: str) -> Ended:
    command = (sys.executable, "-m", "textclf.cli", "pr-report", *arguments)
    return run(*command, folder=copy.folder, environment=copy.environment())


def commit(copy: Copy, *settings: str, run: bool = True) -> None:
    """Change params.yaml, run the pipeline up to metrics and figures, and commit the results."""
    verify.change_params(copy.folder / "params.yaml", settings)
    if run:
        copy.dvc("repro", "plot")
    copy.run("git", *AUTHOR, "commit", "-qam", "change")


@pytest.fixture(scope="module")
def branch(workshop: Callable[[], Copy]) -> Copy:
    """A branch with one commit, a change of C. Tests must not change its files and branches."""
    copy = workshop()
    copy.run("git", "checkout", "--quiet", "-b", "branch")
    commit(copy, f"train.{MODEL}.C=2.0")
    return copy


@pytest.fixture(scope="module")
def reported(branch: Copy) -> Ended:
    return pr_report(branch, "main")


def another(branch: Copy, tmp_path: Path) -> Copy:
    """Return a clone of the branch to change, with the same cache and no data."""
    copy = Copy(tmp_path / "textclf", branch.variables)
    branch.run("git", "clone", "--quiet", str(branch.folder), str(copy.folder))
    branch.run("git", "-C", str(copy.folder), "branch", "--quiet", "main", "origin/main")
    copy.dvc("cache", "dir", "--local", str(branch.folder / ".dvc" / "cache"))
    return copy


def row(result: Ended, *cells: str) -> str:
    """Return the rest of the table row that begins with these cells."""
    start = f"| {' | '.join(cells)} | "
    return next(line.removeprefix(start) for line in result.lines if line.startswith(start))


def test_a_change_that_may_be_chance_is_reported_as_such_by_pairs_of_predictions(
    reported: Ended,
) -> None:
    result = reported
    assert (result.status, result.err) == (0, "")
    assert result.lines[0] == MARKER
    assert "; the gate passed.**" in result.out
    assert row(result, f"`{MODEL}`", "`accuracy`").endswith("| may be chance |")
    assert f"- `train.{MODEL}.C`: `1.0` → `2.0`" in result.lines
    assert "- unchanged: `keras`, `majority`" in result.lines
    assert f"`train@{MODEL}`" not in result.out
    assert f"`training.json: {MODEL}.C` `1.0` → `2.0`" in result.out
    (paired,) = (
        line for line in result.lines if line.startswith(f"- `{MODEL}` on the `test` rows")
    )
    assert " of 250 right only at the head" in paired
    assert "McNemar's test" in paired
    assert "row by row" not in result.out


def test_a_revision_is_compared_as_the_working_tree_is(branch: Copy, reported: Ended) -> None:
    assert pr_report(branch, "main", "--head", "HEAD") == reported
    backwards = pr_report(branch, "HEAD", "--head", "main")
    assert f"- `train.{MODEL}.C`: `2.0` → `1.0`" in backwards.lines


def test_an_uncommitted_change_is_named(branch: Copy, tmp_path: Path) -> None:
    copy = another(branch, tmp_path)
    verify.change_params(copy.folder / "params.yaml", ["evaluate.confidence=0.9"])
    result = pr_report(copy, "HEAD")
    assert result.lines[1].startswith("### textclf: `the working tree` against ")
    assert "- not committed: `params.yaml`" in result.lines
    assert any(
        line.startswith("- **The numbers are not those of these settings: `evaluate.confidence`.**")
        for line in result.lines
    )
    assert "- `evaluate.confidence`: `0.95` → `0.9`" in result.lines


def test_later_commits_of_the_base_are_not_part_of_the_change(branch: Copy, tmp_path: Path) -> None:
    copy = another(branch, tmp_path)
    copy.run("git", "checkout", "--quiet", "main")
    commit(copy, "crossvalidate.folds=3", run=False)
    copy.run("git", "checkout", "--quiet", "branch")
    result = pr_report(copy, "main")
    assert f"- `train.{MODEL}.C`: `1.0` → `2.0`" in result.lines
    assert "crossvalidate" not in result.out


def test_figures_have_the_address_of_their_commit_or_are_written_to_files(
    branch: Copy, tmp_path: Path
) -> None:
    hashes = branch.run("git", "rev-parse", "main", "HEAD").split()
    result = pr_report(
        branch, "main", "--image-url", "https://example.org/{revision}/{path}?raw=true"
    )
    for side, commit_hash in zip(("base", "head"), hashes, strict=True):
        source = f"https://example.org/{commit_hash}/plots/roc.svg?raw=true"
        assert f'<img src="{source}" alt="{side}" width="380">' in result.out
    assert "plots/history.svg" not in "".join(line for line in result.lines if "<img" in line)
    output = tmp_path / "report" / "comment.md"
    result = pr_report(
        branch, "main", "--output", str(output), "--images", str(tmp_path / "images")
    )
    assert (result.out, result.status) == ("", 0)
    assert '<img src="../images/head-plots-roc.svg" alt="head" width="380">' in output.read_text(
        encoding="utf-8"
    )
    figure = (branch.folder / "plots" / "roc.svg").read_bytes()
    assert (tmp_path / "images" / "head-plots-roc.svg").read_bytes() == figure
    assert (tmp_path / "images" / "base-plots-roc.svg").read_bytes() not in (b"", figure)


@pytest.fixture
def own(tmp_path: Path) -> Copy:
    """A project of one stage in a folder of a repository; its `dvc add`ed rows have changed."""
    copy = Copy(
        tmp_path / "own" / "project", {"XDG_CONFIG_HOME": str(tmp_path), "HOME": str(tmp_path)}
    )
    copy.folder.mkdir(parents=True)
    stage = {"cmd": "cp rows.csv copy.csv", "deps": ["rows.csv"], "outs": ["copy.csv"]}
    (copy.folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"copy": stage}}))
    copy.run("git", "init", "--quiet", "--initial-branch", "main", "..")
    copy.dvc("init", "--quiet", "--subdir")
    copy.dvc("remote", "add", "--default", "storage", str(tmp_path / "storage"))
    for rows in ("at the base", "here"):
        (copy.folder / "rows.csv").write_text(rows)
        copy.dvc("add", "--quiet", "rows.csv")
        copy.run("git", "add", "--all")
        copy.run("git", *AUTHOR, "commit", "-qm", rows)
    return copy


def cached(copy: Copy, text: str) -> Path:
    md5 = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    return copy.folder / ".dvc" / "cache" / "files" / "md5" / md5[:2] / md5[2:]


@pytest.mark.slow
def test_the_base_takes_own_data_from_the_cache_or_else_the_remote_or_names_it(own: Copy) -> None:
    commit = own.run("git", "rev-parse", "main^").strip()
    run = (sys.executable, "-c", f"from textclf.review.base import run_base; run_base({commit!r})")
    assert "Running stage 'copy'" in own.run(*run)
    assert own.run("git", "status", "--porcelain", "--untracked-files=no") == ""
    (base := cached(own, "at the base")).unlink()
    with pytest.raises(verify.VerifyError, match=r"rows\.csv"):
        own.run(*run)
    base.write_text("at the base")
    own.dvc("push", "--quiet", "--all-commits")
    shutil.rmtree(own.folder / ".dvc" / "cache")
    own.run(*run)
    assert base.read_text() == "at the base"
    assert not cached(own, "here").exists()  # nothing needed it
