"""The workflow that releases a tag: what keeps it safe, and which tags it refuses."""

import pytest
import yaml

from tests.processes import run
from tests.verify import ROOT
from textclf.version import __version__

WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_bytes())
JOBS = WORKFLOW["jobs"]
STEPS = [(job, step) for job, content in JOBS.items() for step in content["steps"]]


def test_code_of_the_repository_runs_only_in_the_job_that_may_write_nothing() -> None:
    assert WORKFLOW["permissions"] == JOBS["publish"]["permissions"] == {}
    assert JOBS["build"]["permissions"] == {"contents": "read"}
    checkouts = [(job, step) for job, step in STEPS if "actions/checkout@" in step.get("uses", "")]
    assert [job for job, _ in checkouts] == ["build"]
    assert [
        job for job, step in STEPS if "secrets." in str(step) or "github.token" in str(step)
    ] == [
        "release",
        "publish",
    ]


def test_a_tag_is_built_then_attested_and_released_then_published_if_the_owner_wants_it() -> None:
    assert WORKFLOW[True] == {"push": {"tags": ["v*"]}}  # YAML 1.1 reads the key `on` as true
    assert (JOBS["release"]["needs"], JOBS["publish"]["needs"]) == ("build", "release")
    attest, release = JOBS["release"]["steps"][1:]
    assert attest["with"]["subject-path"] == "dist/*"
    assert "dist/*" in release["run"]
    assert (JOBS["publish"]["if"], JOBS["publish"]["environment"]) == (
        "vars.PUBLISH == 'true'",
        "pypi",
    )


@pytest.mark.parametrize(
    ("tag", "code"), [(f"v{__version__}", 0), (__version__, 1), (f"v{__version__}.1", 1)]
)
def test_a_tag_that_is_not_the_version_is_refused(tag: str, code: int) -> None:
    (check,) = (step["run"] for _, step in STEPS if "version" in step.get("name", ""))
    assert run("bash", "-e", "-c", check, folder=ROOT, GITHUB_REF_NAME=tag).status == code
