"""The command `textclf upgrade`: what it prints, what it writes, and what it refuses."""

import subprocess
from functools import partial
from pathlib import Path

import pytest

from tests.unit.project.init.test_command import Run

OLD = "train:\n  models: [keras]\n  keras: {epochs: 7}  # a week\nevaluate: {resamples: 500}\n"
NEW = "train:\n  keras: {kind: keras, features: words, epochs: 7} # a week\nevaluate: {}\n"
CHANGES = """\
params.yaml: train has keras, each with its kind and features
params.yaml: left out of evaluate, because no interval needs it any more: resamples
"""


def commit(text: str) -> None:
    """Commit a params.yaml in the current folder."""
    Path("params.yaml").write_text(text, encoding="utf-8")
    author = ("-c", "user.name=textclf", "-c", "user.email=textclf@example.org")
    for arguments in (("init", "--quiet"), ("add", "params.yaml"), (*author, "commit", "--quiet", "-m", "params")):
        subprocess.run(("git", *arguments), check=True)


@pytest.fixture
def upgrade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command_line: Run) -> Run:
    """Runs `textclf upgrade` in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return partial(command_line, "upgrade")


def test_in_a_clone_params_yaml_is_migrated_and_the_second_time_nothing_is_to_do(upgrade: Run) -> None:
    commit(OLD)
    first, second = upgrade(), upgrade()
    assert (first.status, first.err) == (0, "")
    assert first.out.startswith(CHANGES)
    assert Path("params.yaml").read_text(encoding="utf-8") == NEW
    assert second.out == "params.yaml: up to date\nGit updates the other files of a clone of textclf\n"


def test_a_dry_run_prints_and_writes_nothing(upgrade: Run) -> None:
    Path("params.yaml").write_text(OLD, encoding="utf-8")
    assert upgrade("--dry-run").out.startswith(CHANGES)
    assert Path("params.yaml").read_text(encoding="utf-8") == OLD


def test_uncommitted_changes_of_params_yaml_are_not_overwritten(upgrade: Run) -> None:
    commit("{}")
    Path("params.yaml").write_text(OLD, encoding="utf-8")
    assert "must be committed before it is overwritten" in upgrade().err
    assert Path("params.yaml").read_text(encoding="utf-8") == OLD
    assert upgrade("--force").status == 0
    assert Path("params.yaml").read_text(encoding="utf-8") == NEW


def test_a_mistake_that_no_migration_mends_is_named_before_anything_is_written(upgrade: Run) -> None:
    text = OLD.replace("7", "0")
    commit(text)
    done = upgrade()
    assert (done.status, done.err) == (2, "error: upgrade: params.yaml: train.keras.epochs must be at least 1; got 0\n")
    assert Path("params.yaml").read_text(encoding="utf-8") == text
