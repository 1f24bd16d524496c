"""How often test rows were measured, by the history in Git, and the interval of the best result."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from tests import pull_request
from tests.processes import git
from textclf.core import files
from textclf.evaluate.intervals import wilson
from textclf.evaluate.looks import KEY, count_results, identify, widen

METRICS = Path("metrics")


def run(accuracy: float, test_rows: int | None = 123) -> int:
    """Write the metrics of a run, and return the number of results on its test rows."""
    METRICS.mkdir(exist_ok=True)
    content = {
        "protocol": {"test_rows_watched": 1} | ({} if test_rows is None else {KEY: test_rows})
    }
    files.write_json(METRICS / "evaluation.json", {"keras": {"test": {"accuracy": accuracy}}})
    files.write_json(METRICS / "decisions.json", content)
    return count_results(test_rows, METRICS)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit, whose folder `project` is the current one."""
    (tmp_path / "project").mkdir()
    (tmp_path / "readme").write_text("")
    monkeypatch.chdir(tmp_path / "project")
    git("init", "--quiet", "--initial-branch=main", folder=tmp_path)
    pull_request.commit(tmp_path)
    return tmp_path


def test_different_results_on_the_same_test_rows_are_counted(project: Path) -> None:
    assert run(0.8) == 1  # not committed
    pull_request.commit(project)
    assert run(0.8) == 1
    assert run(0.7) == 2
    pull_request.commit(project)
    assert run(0.9, test_rows=1234) == run(0.9, test_rows=12) == 1  # other rows
    pull_request.commit(project)
    (project / "notes").write_text("a commit without a result")
    pull_request.commit(project)
    assert run(0.8) == 2  # again
    assert run(0.6, test_rows=None) == 1
    assert count_results(123, METRICS, "HEAD") == 3  # the result of that commit counts


def test_a_result_that_was_committed_before_its_checksum_counts(project: Path) -> None:
    run(0.8, test_rows=None)
    pull_request.commit(project)
    run(0.8)
    pull_request.commit(project)
    assert run(0.7) == 2


def test_results_of_other_branches_and_of_merged_ones_count(project: Path) -> None:
    run(0.8)
    pull_request.commit(project)
    for branch, accuracy in (("one", 0.7), ("two", 0.6)):
        git("checkout", "--quiet", "-b", branch, "main", folder=project)
        run(accuracy)
        pull_request.commit(project)
    git("checkout", "--quiet", "main", folder=project)
    git("merge", "--quiet", "--strategy=ours", "-m", "none of it", "one", folder=project)
    git("branch", "--quiet", "-D", "one", folder=project)
    assert count_results(123, METRICS) == 3


def test_without_a_repository_or_git_a_result_is_the_only_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert run(0.8) == 1
    monkeypatch.setenv("PATH", str(tmp_path))
    assert shutil.which("git") is None
    assert run(0.8) == 1


def test_the_checksum_is_of_the_ids_and_the_labels() -> None:
    y = np.array([0, 0, 1])
    checksums = [identify(b"abc", y), identify(b"abd", y), identify(b"abc", y[::-1])]
    assert len(set(checksums)) == 3
    assert identify(b"abc", y.astype(np.int8)) == checksums[0]
    assert all(int(float(each)) == each for each in checksums)  # any reader of JSON can hold it


def test_the_interval_of_the_best_of_several_is_wilsons_at_a_higher_level() -> None:
    assert widen(0.8, 17.5, 0.95, 1) == wilson(14, 17.5)
    assert widen(0.8, 250, 0.95, 20) == wilson(200, 250, 0.9975)


def test_few_groups_widen_the_interval_of_the_best_by_students_t_at_its_level() -> None:
    worth = [float(stats.norm.ppf(each) / stats.t.ppf(each, 9)) ** 2 for each in (0.025, 0.00125)]
    rows = 250 * worth[1] / worth[0]
    assert widen(0.8, 250, 0.95, 20, degrees=9) == pytest.approx(wilson(0.8 * rows, rows, 0.9975))
    assert widen(0.8, 250, 0.95, 1, degrees=9) == wilson(200, 250)
