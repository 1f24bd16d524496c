"""The report on a pull request, made in a clone in which a change was run and committed."""

import hashlib
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from tests import verify
from tests.verify import Copy

MODEL = "logistic_regression"  # it is cheap to train
MARKER = "<!-- textclf:pr-report -->"


class Said(NamedTuple):
    """What a command printed, and its exit code."""

    out: str
    errors: str
    code: int

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


def pr_report(copy: Copy, *arguments: str) -> Said:
    out, errors = copy.folder.parent / "out", copy.folder.parent / "errors"
    line = f'"$0" -m textclf.cli pr-report "$@" >"{out}" 2>"{errors}"; echo $?'
    code = copy.run("sh", "-c", line, sys.executable, *arguments)
    return Said(out.read_text(encoding="utf-8"), errors.read_text(encoding="utf-8"), int(code))


def commit(copy: Copy, *settings: str, run: bool = True) -> None:
    """Change params.yaml, run the pipeline, and commit what it gives."""
    verify.change(copy.folder / "params.yaml", settings)
    if run:
        copy.dvc("repro")
    copy.run("git", "-c", "user.name=textclf", "-c", "user.email=textclf@example.org", "commit", "-qam", "change")


@pytest.fixture(scope="module")
def branch(workshop: Callable[[], Copy]) -> Copy:
    """A branch with one commit: a change of C. Tests leave its files and branches as they are."""
    copy = workshop()
    copy.run("git", "checkout", "--quiet", "-b", "branch")
    commit(copy, f"train.{MODEL}.C=2.0")
    return copy


def another(branch: Copy, tmp_path: Path) -> Copy:
    """A clone of the branch to work in, with the same cache and no data."""
    copy = Copy(tmp_path / "textclf", branch.variables)
    branch.run("git", "clone", "--quiet", str(branch.folder), str(copy.folder))
    branch.run("git", "-C", str(copy.folder), "branch", "--quiet", "main", "origin/main")
    copy.dvc("cache", "dir", "--local", str(branch.folder / ".dvc" / "cache"))
    return copy


def row(said: Said, *cells: str) -> str:
    """The rest of the table's row that begins with these cells."""
    start = f"| {' | '.join(cells)} | "
    return next(line.removeprefix(start) for line in said.lines if line.startswith(start))


def test_a_change_inside_the_noise_is_reported_as_such(branch: Copy) -> None:
    said = pr_report(branch, "main")
    assert (said.code, said.errors) == (0, "")
    assert said.lines[0] == MARKER
    assert "; the gate passed.**" in said.out
    assert row(said, f"`{MODEL}`", "`test`", "`accuracy`").endswith("| inside the noise |")
    assert f"| `train.{MODEL}.C` | `1.0` | `2.0` |" in said.lines
    assert "The same as at the base: `keras`, `majority`." in said.lines
    rows = verify.lock(branch.folder)
    assert f"| `train@{MODEL}` | `train.{MODEL}.C` | `data/predictions/{MODEL}.parquet`" in said.out
    assert not any(f"| `{stage}` |" in said.out for stage in ("split", "vectorize", "train@keras") if stage in rows)
    assert f"| `training.json: {MODEL}.C` | `1.0` | `2.0` |" in said.lines
    assert len(said.out.encode()) < 65_536


def test_predictions_that_are_in_the_cache_are_paired(branch: Copy) -> None:
    said = pr_report(branch, "main")
    assert (
        f"- Paired intervals (95%), by a bootstrap of the predictions of both: `{MODEL}` on 250 test rows."
        in said.lines
    )
    assert "McNemar's exact test" in said.out
    assert "Unpaired" not in said.out


def test_a_revision_is_compared_as_the_working_tree_is(branch: Copy) -> None:
    assert pr_report(branch, "main", "--head", "HEAD") == pr_report(branch, "main")
    backwards = pr_report(branch, "HEAD", "--head", "main")
    assert f"| `train.{MODEL}.C` | `2.0` | `1.0` |" in backwards.lines


def test_a_change_that_is_not_committed_is_said_to_be_none(branch: Copy, tmp_path: Path) -> None:
    copy = another(branch, tmp_path)
    verify.change(copy.folder / "params.yaml", ["evaluate.seed=1"])
    said = pr_report(copy, "HEAD")
    assert said.lines[2].startswith("### textclf: `the working tree` against ")
    assert "- Not committed as they are here: `params.yaml`." in said.lines
    assert "| `evaluate.seed` | `0` | `1` |" in said.lines


def test_what_others_brought_to_the_base_is_no_part_of_the_change(branch: Copy, tmp_path: Path) -> None:
    copy = another(branch, tmp_path)
    copy.run("git", "checkout", "--quiet", "main")
    commit(copy, "crossvalidate.folds=3", run=False)
    copy.run("git", "checkout", "--quiet", "branch")
    said = pr_report(copy, "main")
    assert f"| `train.{MODEL}.C` | `1.0` | `2.0` |" in said.lines
    assert "crossvalidate" not in said.out


def test_without_the_predictions_the_intervals_are_unpaired_and_ci_base_brings_them_back(
    branch: Copy, tmp_path: Path
) -> None:
    copy = another(branch, tmp_path)
    copy.run("sh", "-c", 'cp -r "$0" cache', str(branch.folder / ".dvc" / "cache"))
    copy.dvc("cache", "dir", "--local", str(copy.folder / "cache"))
    copy.run("git", "checkout", "--quiet", "main")
    md5 = verify.recorded(copy.folder)[f"train@{MODEL}"][f"data/predictions/{MODEL}.parquet"]
    copy.run("git", "checkout", "--quiet", "branch")
    kept = copy.folder / "cache" / "files" / "md5" / md5[:2] / md5[2:]
    kept.unlink()
    said = pr_report(copy, "main")
    assert said.code == 0
    assert (
        f"- Unpaired intervals (95%), by Newcombe's and Zou's method: `{MODEL}` on test rows; of the same" in said.out
    )
    assert "Paired" not in said.out
    assert row(said, f"`{MODEL}`", "`test`", "`accuracy`").endswith("| inside the noise |")
    copy.run("ci/base", "main")
    assert kept.is_file()
    assert "Paired" in pr_report(copy, "main").out


def test_figures_are_addressed_by_commit_or_written_as_files(branch: Copy, tmp_path: Path) -> None:
    hashes = branch.run("git", "rev-parse", "main", "HEAD").split()
    said = pr_report(branch, "main", "--image-url", "https://example.org/{revision}/{path}?raw=true")
    for side, commit_hash in zip(("base", "here"), hashes, strict=True):
        source = f"https://example.org/{commit_hash}/plots/roc.svg?raw=true"
        assert f'<img src="{source}" alt="{side}" width="420">' in said.out
    assert "plots/history.svg" not in "".join(line for line in said.lines if "<img" in line)
    output = tmp_path / "report" / "comment.md"
    said = pr_report(branch, "main", "--output", str(output), "--images", str(tmp_path / "images"))
    assert (said.out, said.code) == ("", 0)
    assert '<img src="../images/head-plots-roc.svg" alt="here" width="420">' in output.read_text(encoding="utf-8")
    figure = (branch.folder / "plots" / "roc.svg").read_bytes()
    assert (tmp_path / "images" / "head-plots-roc.svg").read_bytes() == figure
    assert (tmp_path / "images" / "base-plots-roc.svg").read_bytes() not in (b"", figure)


def test_the_gate_fails_a_fall_beyond_the_noise(branch: Copy, tmp_path: Path) -> None:
    copy = another(branch, tmp_path)
    copy.dvc("checkout")
    commit(copy, f"train.{MODEL}.C=0.00001", f"gate.minimum={{{MODEL}: {{test: {{accuracy: 0.7}}}}}}")
    said = pr_report(copy, "main")
    assert said.code == 1
    below, fell = said.errors.splitlines()
    name = f"gate: {MODEL}.test.accuracy"
    assert below.startswith(f"{name} is 0.")
    assert below.endswith(", less than 0.7")
    assert fell.startswith(f"{name} fell by 0.")
    assert fell.endswith("), more than 0.0")
    assert "the gate failed 2 of 3 times, and was itself changed.**" in said.out
    assert f"- the gate was changed: `gate.minimum.{MODEL}.test.accuracy` from `0.75` to `0.7`" in said.lines
    assert row(said, f"`{MODEL}`", "`test`", "`accuracy`").endswith("| **worse** |")


def test_numbers_of_other_rows_are_said_to_be_of_other_rows(branch: Copy, tmp_path: Path) -> None:
    copy = another(branch, tmp_path)
    copy.dvc("checkout")
    commit(copy, "split.seed=1", "train.models=[majority]", "gate.minimum={}", "gate.maximum_drop={}")
    said = pr_report(copy, "main")
    assert said.code == 0
    assert "; these are other rows than at the base; no gate is set, and was itself changed.**" in said.out
    assert "- **The rows are others than at the base: no number is of the same rows as that beside it.**" in said.lines
    assert f"No longer among the models: `keras`, `{MODEL}`." in said.lines
    assert "- Unpaired intervals (95%), by Newcombe's and Zou's method: `majority` on test rows." in said.lines


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["nosuch"], "BASE and --head must be commits that Git has here; got nosuch; git fetch may bring it"),
        (
            ["--", "--version"],
            "BASE and --head must be commits that Git has here; got --version; git fetch may bring it",
        ),
        (["main", "--head", ""], "BASE and --head must be commits that Git has here; got ; git fetch may bring it"),
        (["EMPTY"], "dvc.yaml must name metrics called evaluation.json; got none in "),
        (["main", "--output", "params.yaml/comment.md"], "params.yaml: File exists"),
    ],
)
def test_a_users_mistake_is_told_in_one_line(branch: Copy, arguments: list[str], error: str) -> None:
    tree = branch.run("git", "hash-object", "-t", "tree", "/dev/null").strip()
    name = ("-c", "user.name=textclf", "-c", "user.email=textclf@example.org")
    empty = branch.run("git", *name, "commit-tree", tree, "-m", "empty").strip()
    said = pr_report(branch, *(empty if word == "EMPTY" else word for word in arguments))
    assert (said.code, said.out) == (2, "")
    (line,) = said.errors.splitlines()
    assert line.startswith(f"error: pr-report: {error}")


def test_a_folder_outside_git_is_a_users_mistake(branch: Copy, tmp_path: Path) -> None:
    variables = {**branch.variables, "PYTHONPATH": str(branch.folder), "GIT_CEILING_DIRECTORIES": str(tmp_path.parent)}
    (tmp_path / "folder").mkdir()
    said = pr_report(Copy(tmp_path / "folder", variables), "main")
    assert (said.code, said.out) == (2, "")
    assert said.errors == "error: pr-report: the current folder must be in a Git repository; got none\n"


def test_a_gate_that_names_a_metric_which_is_not_there_is_a_users_mistake_and_told_in_the_comment(
    branch: Copy, tmp_path: Path
) -> None:
    copy = another(branch, tmp_path)
    verify.change(copy.folder / "params.yaml", ["gate.minimum={nb_svm: {test: {accuracy: 0.7}}}"])
    said = pr_report(copy, "main")
    reason = "params.yaml: gate.minimum must name a metric of the run; got nb_svm.test.accuracy"
    assert (said.code, said.errors) == (2, f"error: pr-report: {reason}\n")
    assert said.lines[0] == MARKER
    assert "; the gate can't be judged, and was itself changed.**" in said.out
    assert f"- the gate can't be judged: `{reason}`" in said.lines


def test_another_task_has_no_verdict(branch: Copy, tmp_path: Path) -> None:
    copy = another(branch, tmp_path)
    verify.change(copy.folder / "params.yaml", ["data.missing=drop"])
    said = pr_report(copy, "main")
    assert (said.code, said.errors) == (0, "")
    assert said.lines[4] == ("**This is another task than at the base, so that nothing is compared; the gate passed.**")
    assert row(said, f"`{MODEL}`", "`test`", "`accuracy`").endswith("|  | another task |")
    assert f"| maximum_drop | `{MODEL}.test.accuracy` | " in said.out
    assert "aired intervals" not in said.out


# Own data that Git has the hash of


@pytest.fixture
def own(tmp_path: Path) -> Copy:
    """A small project with ci/base, of one stage, that has kept its rows with `dvc add`, and since changed them."""
    copy = Copy(tmp_path / "own", {"XDG_CONFIG_HOME": str(tmp_path), "HOME": str(tmp_path)})
    (copy.folder / "ci").mkdir(parents=True)
    shutil.copy(verify.ROOT / "ci" / "base", copy.folder / "ci")
    stage = {"cmd": "cp rows.csv copy.csv", "deps": ["rows.csv"], "outs": ["copy.csv"]}
    (copy.folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"copy": stage}}))
    copy.run("git", "init", "--quiet", "--initial-branch", "main")
    copy.dvc("init", "--quiet")
    copy.dvc("remote", "add", "--default", "storage", str(tmp_path / "storage"))
    for rows in ("at the base", "here"):
        (copy.folder / "rows.csv").write_text(rows)
        copy.dvc("add", "--quiet", "rows.csv")
        copy.run("git", "add", "--all")
        copy.run("git", "-c", "user.name=textclf", "-c", "user.email=textclf@example.org", "commit", "-qm", rows)
    return copy


def cached(copy: Copy, text: str) -> Path:
    md5 = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    return copy.folder / ".dvc" / "cache" / "files" / "md5" / md5[:2] / md5[2:]


def test_ci_base_runs_on_own_data_out_of_the_cache_or_else_the_remote(own: Copy) -> None:
    assert "Running stage 'copy'" in own.run("ci/base", "main^")
    own.dvc("push", "--quiet", "--all-commits")
    shutil.rmtree(own.folder / ".dvc" / "cache")
    own.run("ci/base", "main^")
    assert cached(own, "at the base").read_text() == "at the base"
    assert not cached(own, "here").exists()  # which nothing asked for


def test_ci_base_says_which_data_is_missing(own: Copy) -> None:
    cached(own, "at the base").unlink()
    with pytest.raises(verify.VerifyError, match=r"rows\.csv"):
        own.run("ci/base", "main^")
