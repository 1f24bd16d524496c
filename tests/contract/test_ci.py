"""The workflows of GitHub and GitLab: what must not change in them unseen."""

import re
from typing import Any

import pytest
import yaml

from tests.verify import ROOT

WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_bytes())
GITLAB = yaml.safe_load((ROOT / ".gitlab-ci.yml").read_bytes())
JOBS: dict[str, Any] = WORKFLOW["jobs"]
STEPS = [(job, step) for job, content in JOBS.items() for step in content["steps"]]


def test_an_action_is_pinned_by_the_hash_of_its_commit() -> None:
    actions = [step["uses"] for _, step in STEPS if "uses" in step]
    assert actions
    assert [action for action in actions if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action)] == []


def test_nothing_of_an_event_becomes_text_of_a_shell() -> None:
    assert [step["run"] for _, step in STEPS if "${{" in step.get("run", "")] == []


def test_no_checkout_leaves_its_token_in_the_folder() -> None:
    checkouts = [step for _, step in STEPS if step.get("uses", "").startswith("actions/checkout@")]
    assert len(checkouts) == len(JOBS)
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_only_the_job_that_comments_may_write_and_it_runs_code_of_the_base_alone() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert {job: content["permissions"] for job, content in JOBS.items() if "permissions" in content} == {
        "comment": {"contents": "read", "pull-requests": "write"}
    }
    (checkout,) = (step for job, step in STEPS if job == "comment" and "uses" in step)
    assert checkout["with"]["ref"] == "${{ github.event.pull_request.base.sha }}"
    assert "head.repo.full_name == github.repository" in JOBS["comment"]["if"]
    assert [job for job, step in STEPS if "github.token" in str(step)] == ["comment"]


@pytest.mark.parametrize("name", ["ci/base", "ci/comment.py", "make pr-report", "make repro", "git diff --exit-code"])
def test_both_hosts_do_the_same(name: str) -> None:
    on_github = [step["run"] for _, step in STEPS if "run" in step]
    on_gitlab = GITLAB["pipeline"]["script"]
    assert any(name in line for line in on_github)
    assert any(name in line for line in on_gitlab)
