"""The workflows on GitHub and GitLab: what keeps them safe, and what they run in which order."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.verify import ROOT

WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_bytes())
GITLAB = yaml.safe_load((ROOT / ".gitlab-ci.yml").read_bytes())
NIGHTLY = yaml.safe_load((ROOT / ".github/workflows/nightly.yml").read_bytes())
JOBS: dict[str, Any] = WORKFLOW["jobs"] | NIGHTLY["jobs"]
STEPS = [(job, step) for job, content in JOBS.items() for step in content["steps"]]


def test_every_action_is_pinned_by_the_hash_of_its_commit() -> None:
    actions = [step["uses"] for _, step in STEPS if "uses" in step]
    assert actions
    assert [action for action in actions if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action)] == []


def test_no_expression_is_inserted_into_a_shell_script() -> None:
    assert [step["run"] for _, step in STEPS if "${{" in step.get("run", "")] == []


def test_no_checkout_leaves_its_token_in_the_working_tree() -> None:
    checkouts = [step for _, step in STEPS if step.get("uses", "").startswith("actions/checkout@")]
    assert len(checkouts) == len(JOBS)
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_only_the_comment_job_may_write_and_it_runs_only_code_of_the_base() -> None:
    assert WORKFLOW["permissions"] == NIGHTLY["permissions"] == {"contents": "read"}
    assert {job: content["permissions"] for job, content in JOBS.items() if "permissions" in content} == {
        "comment": {"contents": "read", "pull-requests": "write"}
    }
    (checkout,) = (step for job, step in STEPS if job == "comment" and "uses" in step)
    assert checkout["with"]["ref"] == "${{ github.event.pull_request.base.sha }}"
    assert "head.repo.full_name == github.repository" in JOBS["comment"]["if"]
    assert [job for job, step in STEPS if "github.token" in str(step)] == ["comment"]


PRINT_SEEDS = (
    "import tests.conftest, hypothesis\nfrom tests.faults.campaign import seed\n"
    "print(seed(), hypothesis.settings.default.derandomize)"
)


def seeds(given: str | None) -> list[str]:
    """Return the seed of tests/faults, and whether the property tests always try the same, with this FAULTS_SEED."""
    variables = {name: value for name, value in os.environ.items() if name != "FAULTS_SEED"}
    variables |= {"FAULTS_SEED": given} if given else {}
    done = subprocess.run([sys.executable, "-c", PRINT_SEEDS], cwd=ROOT, env=variables, check=True, capture_output=True)
    return done.stdout.decode().split()


def test_the_tests_of_a_commit_try_the_same_each_time_and_other_things_by_night() -> None:
    assert seeds(None) == ["0", "True"]
    assert seeds("7") == ["7", "False"]
    assert seeds("random") != seeds("random")
    assert "FAULTS_SEED" not in str(WORKFLOW) + str(GITLAB)
    assert NIGHTLY["jobs"]["random"]["env"] == {"FAULTS_SEED": "random"}


ON_GITHUB = [step.get("run", "") for step in JOBS["pipeline"]["steps"]]
ON_GITLAB: list[str] = GITLAB["pipeline"]["script"]
IN_ORDER = ["dvc pull", "make repro", "textclf pr-report", "--run-base", "git diff --exit-code"]


@pytest.mark.parametrize("lines", [ON_GITHUB, ON_GITLAB], ids=["github", "gitlab"])
def test_both_hosts_run_the_same_steps_in_the_same_order(lines: list[str]) -> None:
    text = "\n".join(lines)
    assert [text.count(name) for name in IN_ORDER] == [1] * len(IN_ORDER)
    assert sorted(IN_ORDER, key=text.index) == IN_ORDER


def test_the_comment_is_posted_after_the_report() -> None:
    text = "\n".join(ON_GITLAB)
    assert text.index("textclf pr-report") < text.index("textclf.review.post") < text.index("git diff --exit-code")
    assert JOBS["comment"]["needs"] == "pipeline"
    assert "!cancelled()" in JOBS["comment"]["if"]  # also after a pipeline that failed
    assert any("textclf.review.post" in step.get("run", "") for step in JOBS["comment"]["steps"])


@pytest.mark.parametrize("lines", [ON_GITHUB, ON_GITLAB], ids=["github", "gitlab"])
def test_outputs_of_stages_are_never_pulled(lines: list[str]) -> None:
    (pull,) = (line for line in "\n".join(lines).splitlines() if "dvc pull" in line)
    assert pull.strip() == "git ls-files -z '*.dvc' | xargs -0 -r .venv/bin/dvc pull"


STUB = """#!/bin/sh
name=$(basename "$0")
case "$name $*" in
  textclf*pr-report*) call="textclf pr-report"; echo report > "${COMMENT:-comment.md}" ;;
  git*ls-files*) call="git ls-files"; printf 'rows.csv.dvc\\0' ;;
  make*|git*) call="$name $1" ;;
  dvc*config*) echo "$REMOTE"; exit ;;
  *) call="$name $*" ;;
esac
echo "$call" >> "$CALLS"
for failing in $FAILING; do [ "$failing" = "$name-$1" ] && exit 2; done
exit 0
"""


def gitlab(folder: Path, failing: str = "", remote: str = "", request: str = "7") -> tuple[list[str], int]:
    """Return the calls of the GitLab job and its exit code; the calls in `failing` fail."""
    for name in ("bin/make", "bin/git", "bin/python", ".venv/bin/dvc", ".venv/bin/textclf"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(STUB)
        (folder / name).chmod(0o755)
    variables = {
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        "CALLS": str(folder / "calls"),
        "FAILING": failing,
        "REMOTE": remote,
        "CI_MERGE_REQUEST_IID": request,
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": "BASE",
        "CI_JOB_URL": "https://example.org/job",
        "CI_PROJECT_URL": "https://example.org",
    }
    done = subprocess.run(["bash", "-eo", "pipefail", "-c", "\n".join(ON_GITLAB)], cwd=folder, env=variables)
    return (folder / "calls").read_text().splitlines(), done.returncode


RUN = ["make .venv/run", "make repro"]
REPORT = ["textclf pr-report", "python -m textclf.review.post"]


@pytest.mark.parametrize(
    ("failing", "code"),
    [
        ("", 0),
        ("git-diff", 1),  # metrics that are not committed
        ("textclf-pr-report", 2),  # the gate
        ("python--m", 2),
    ],
)
def test_on_gitlab_the_comment_is_posted_and_the_job_fails_if_a_step_failed(
    failing: str, code: int, tmp_path: Path
) -> None:
    assert gitlab(tmp_path, failing) == ([*RUN, *REPORT, "git diff"], code)


def test_on_gitlab_a_pipeline_that_fails_has_no_report(tmp_path: Path) -> None:
    assert gitlab(tmp_path, "make-repro") == (RUN, 2)


def test_on_gitlab_a_branch_has_no_report_but_must_have_committed_its_metrics(tmp_path: Path) -> None:
    assert gitlab(tmp_path, "git-diff", request="") == ([*RUN, "git diff"], 1)


def test_on_gitlab_data_is_pulled_if_there_is_a_remote(tmp_path: Path) -> None:
    calls, code = gitlab(tmp_path, remote="storage", request="")
    assert (calls, code) == (["make .venv/run", "git ls-files", "dvc pull rows.csv.dvc", "make repro", "git diff"], 0)
