"""Workflows on GitHub and GitLab: what keeps them safe, and what they run."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.processes import run
from tests.verify import ROOT
from textclf.project.workflows import PATHS, Host, workflow
from textclf.review.comment import MARKER

REQUIREMENT = "textclf-pipeline @ git+https://example.org/textclf.git@0123abc"
OF = ("clone", "project")
GITHUB, GITLAB = (
    {of: yaml.safe_load(workflow(host, of == "clone", REQUIREMENT)) for of in OF}
    for host in ("github", "gitlab")
)
FILES = {
    path.stem: yaml.safe_load(path.read_bytes()) for path in (ROOT / ".github/workflows").iterdir()
}
NIGHTLY, PLATFORMS = FILES["nightly"], FILES["platforms"]
WORKFLOWS: list[dict[str, Any]] = [GITHUB["project"], *FILES.values()]
STEPS = [
    (job, step)
    for each in WORKFLOWS
    for job, content in each["jobs"].items()
    for step in content["steps"]
]


def test_every_action_is_pinned_by_the_hash_of_its_commit() -> None:
    actions = [step["uses"] for _, step in STEPS if "uses" in step]
    assert actions
    assert [action for action in actions if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action)] == []


def test_every_job_has_a_limit_of_time() -> None:
    assert all("timeout-minutes" in job for each in WORKFLOWS for job in each["jobs"].values())


def test_the_files_that_the_platforms_install_and_test_exist() -> None:
    paths = re.findall(r"(?:requirements|tests)/[\w/]+(?:\.txt)?", str(PLATFORMS["jobs"]))
    assert {"requirements/run.txt", "requirements/lowest.txt", "tests/unit"} <= set(paths)
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_no_expression_is_inserted_into_a_shell_script() -> None:
    assert [step["run"] for _, step in STEPS if "${{" in step.get("run", "")] == []


def test_no_checkout_leaves_its_token_in_the_working_tree() -> None:
    checkouts = [step for _, step in STEPS if step.get("uses", "").startswith("actions/checkout@")]
    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


@pytest.mark.parametrize("of", OF)
def test_only_the_comment_job_may_write_and_it_runs_no_code_of_the_repository(of: str) -> None:
    jobs = GITHUB[of]["jobs"]
    assert (
        GITHUB[of]["permissions"]
        == NIGHTLY["permissions"]
        == PLATFORMS["permissions"]
        == {"contents": "read"}
    )
    permissions = {
        job: content["permissions"] for job, content in jobs.items() if "permissions" in content
    }
    assert permissions == {"comment": {"pull-requests": "write"}}
    assert "head.repo.full_name == github.repository" in jobs["comment"]["if"]
    assert "!cancelled()" in jobs["comment"]["if"]  # also after a pipeline that failed
    assert [job for job, content in jobs.items() if "github.token" in str(content)] == ["comment"]
    assert ["run" in step for step in jobs["comment"]["steps"]] == [
        True
    ]  # no checkout and no other action


def test_the_workflow_of_a_project_has_no_tests_of_textclf() -> None:
    assert list(GITHUB["project"]["jobs"]) == ["pipeline", "comment"]
    assert GITHUB["project"]["env"] == {"TEXTCLF": REQUIREMENT}
    assert GITLAB["project"]["variables"]["TEXTCLF"] == REQUIREMENT
    for content in (GITHUB["project"], GITLAB["project"]):
        assert not any(word in str(content) for word in ("make ", ".venv", ".ci/run", "stages."))


@pytest.mark.parametrize("host", PATHS)
@pytest.mark.parametrize(
    "address", ["file:///a/b.whl", "git+file://localhost/a@b", "git+https://file.org/file:/a@b"]
)
def test_a_workflow_says_if_it_installs_from_a_path_of_one_machine(
    host: Host, address: str
) -> None:
    text = workflow(host, False, f"textclf-pipeline @ {address}")
    assert ("unknown to CI" in text) is ("https" not in address)
    content = yaml.safe_load(text)
    assert (content["env"] if host == "github" else content["variables"])[
        "TEXTCLF"
    ] == f"textclf-pipeline @ {address}"


PRINT_SEEDS = (
    "import tests.conftest, hypothesis\nfrom tests.faults.campaign import seed\n"
    "print(seed(), hypothesis.settings.default.derandomize)"
)


def seeds(given: str | None) -> list[str]:
    """Return the seed of tests/faults, and whether property tests are derandomized."""
    others = {name: value for name, value in os.environ.items() if name != "FAULTS_SEED"}
    variables = {"FAULTS_SEED": given} if given else {}
    return run(
        sys.executable, "-c", PRINT_SEEDS, folder=ROOT, environment=others, **variables
    ).out.split()


def test_the_tests_of_a_commit_try_the_same_each_time_and_other_things_by_night() -> None:
    assert seeds(None) == ["0", "True"]
    assert seeds("7") == ["7", "False"]
    assert seeds("random") != seeds("random")
    assert "FAULTS_SEED" not in str(GITHUB) + str(GITLAB)
    assert NIGHTLY["jobs"]["random"]["env"] == {"FAULTS_SEED": "random"}


ON_GITHUB = {
    of: [step.get("run", "") for step in GITHUB[of]["jobs"]["pipeline"]["steps"]] for of in OF
}
ON_GITLAB: dict[str, list[str]] = {of: GITLAB[of]["pipeline"]["script"] for of in OF}
IN_ORDER = [
    "dvc pull",
    "textclf check",
    "dvc repro",
    "textclf pr-report",
    "--run-base",
    "textclf.project.committed",
]
SCRIPTS = [lines for host in (ON_GITHUB, ON_GITLAB) for lines in host.values()]


@pytest.mark.parametrize("lines", SCRIPTS)
def test_both_hosts_run_the_same_steps_in_the_same_order(lines: list[str]) -> None:
    text = "\n".join(lines)
    assert [text.count(name) for name in IN_ORDER] == [1] * len(IN_ORDER)
    assert sorted(IN_ORDER, key=text.index) == IN_ORDER


@pytest.mark.parametrize("lines", SCRIPTS)
def test_outputs_of_stages_are_never_pulled(lines: list[str]) -> None:
    (pull,) = (line for line in "\n".join(lines).splitlines() if "dvc pull" in line)
    assert pull.strip() == "git ls-files -z '*.dvc' | xargs -0 -r dvc pull"


STUB, GH = (
    Path(__file__).with_name(name).read_text(encoding="utf-8") for name in ("stub.sh", "gh.sh")
)


def run_scripts(
    scripts: list[str], folder: Path, failing: str = "", remote: str = "", **variables: str
) -> tuple[list[str], int]:
    """Return the scripts' calls of programs, of which `failing` fail, and the exit code."""
    (folder / "bin").mkdir()
    (folder / "models/words").mkdir(parents=True)
    (folder / "models/words/provenance.json").touch()
    for name in ("make", "git", "python", "dvc", "textclf", "curl"):
        (folder / "bin" / name).write_text(STUB)
        (folder / "bin" / name).chmod(0o755)
    variables |= {
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        "CALLS": str(folder / "calls"),
        "FAILING": failing,
        "REMOTE": remote,
        "TEXTCLF": "of the pull request",
    }
    code = 0
    for script in scripts:
        command = [
            "bash",
            "--noprofile",
            "--norc",
            "-eo",
            "pipefail",
            "-c",
            script,
        ]  # as GitHub and GitLab start it
        code = code or run(*command, folder=folder, environment=variables).status
    calls = re.sub(
        r"/dev/fd/\d+|host\.py|\S*requirements/sign\.txt", "FILE", (folder / "calls").read_text()
    )
    return calls.splitlines(), code


INSTALL = {
    "clone": ["make .venv/run"],
    "project": [
        "python -m pip install --require-hashes -r requirements.txt",
        "python -m pip install --no-deps of the pull request",
    ],
}
REPRO = ["textclf check", "dvc repro", "dvc plots show"]
REPORT = "textclf pr-report BASE"
COMMITTED = "committed"
SIGN = ["python -m pip install --require-hashes --only-binary :all: -r FILE"]
SIGN += ["textclf sign models/words --key FILE"]


OURS = f"{MARKER}\n\nold"
COMMENT = f"{MARKER}\n\n$(touch hacked) `touch hacked` \"; touch hacked; '@file 1\n"
# Comments that stay as they are: the marker quoted, by somebody else, and another comment of the
# same account.
OTHERS = [("bot", f"> {MARKER}"), ("somebody", OURS), ("bot", "coverage")]

# curl and GitLab's API in one: the notes are in a file; a change is a call.
HOST = """
import json, os, pathlib, sys
*_, address = sys.argv
options = sys.argv[1:-1]
assert "PRIVATE-TOKEN: secret" in options and "--fail" in options
if "--data-urlencode" in options:
    name, file = options[options.index("--data-urlencode") + 1].split("@")
    method = "PUT" if "PUT" in options else "POST"
    call = f"{method} {address} {name}={pathlib.Path(file).read_text().strip()}"
    with open(os.environ["CALLS"], "a") as calls:
        calls.write(call + "\\n")
    sys.exit(22 if os.environ["FAILING"] == "POST" else 0)
print(pathlib.Path("notes.json").read_text() if "notes?" in address else json.dumps({"id": 1}))
"""
NOTES = "https://gitlab/api/projects/5/merge_requests/7/notes"


def gitlab(
    of: str,
    folder: Path,
    failing: str = "",
    remote: str = "",
    request: str = "7",
    notes: Sequence[Any] = (),
    may_post: bool = False,
    key: str = "host.py",
) -> tuple[list[str], int]:
    """Return the calls and the exit code of the GitLab job; `notes` are author and text."""
    (folder / "host.py").write_text(HOST)
    content = [
        {"id": place, "author": {"id": author}, "body": text}
        for place, (author, text) in enumerate(notes)
    ]
    (folder / "notes.json").write_text(json.dumps(content))
    variables = {
        "REAL_PYTHON": sys.executable,
        "HOST": str(folder / "host.py"),
        "TEXTCLF_SIGNING_KEY": key,
        "TEXTCLF_TOKEN": "secret" if may_post else "",
        "CI_API_V4_URL": "https://gitlab/api",
        "CI_MERGE_REQUEST_PROJECT_ID": "5",
        "CI_MERGE_REQUEST_IID": request,
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": "BASE",
        "CI_JOB_URL": "https://example.org/job",
        "CI_PROJECT_URL": "https://example.org",
    }
    calls, code = run_scripts(["\n".join(ON_GITLAB[of])], folder, failing, remote, **variables)
    installed = len(INSTALL[of])
    assert calls[:installed] == INSTALL[of]
    return calls[installed:], code


@pytest.mark.parametrize("of", OF)
@pytest.mark.parametrize(
    ("failing", "code"),
    [
        ("", 0),
        ("committed", 1),  # metrics that are not committed
        ("textclf pr-report", 2),  # the gate
        ("textclf pr-report|committed", 2),
        ("POST", 2),
    ],
)
def test_on_gitlab_the_comment_is_posted_though_a_step_fails(
    of: str, failing: str, code: int, tmp_path: Path
) -> None:
    expected = [*REPRO, REPORT, f"POST {NOTES} body=report", COMMITTED]
    assert gitlab(of, tmp_path, failing, may_post=True) == (expected, code)


def test_on_gitlab_the_first_note_that_the_tokens_account_wrote_is_updated(tmp_path: Path) -> None:
    accounts = {"bot": 1, "somebody": 2}
    notes = [(accounts[who], text) for who, text in [*OTHERS, *[("bot", OURS)] * 2]]
    calls, code = gitlab("project", tmp_path, may_post=True, notes=notes)
    assert (calls[-2], code) == (f"PUT {NOTES}/3 body=report", 0)


PULLED = ["git ls-files", "dvc pull rows.csv.dvc"]


@pytest.mark.parametrize(
    ("of", "options", "calls", "code"),
    [
        ("project", {}, [*REPRO, REPORT, COMMITTED], 0),  # nothing is posted without a token
        ("project", {"failing": "textclf check"}, REPRO[:1], 2),  # no report
        ("project", {"failing": "dvc repro"}, REPRO[:2], 2),
        ("clone", {"failing": COMMITTED, "request": ""}, [*REPRO, COMMITTED], 1),  # a branch
        ("project", {"remote": "storage", "request": ""}, [*PULLED, *REPRO, COMMITTED, *SIGN], 0),
        ("project", {"request": "", "key": ""}, [*REPRO, COMMITTED], 0),
    ],
)
def test_on_gitlab_a_job_runs_what_it_can(
    of: str, options: Any, calls: list[str], code: int, tmp_path: Path
) -> None:
    assert gitlab(of, tmp_path, **options) == (calls, code)


@pytest.mark.parametrize("of", OF)
@pytest.mark.parametrize("key", ["", "secret"])
def test_on_github_the_models_are_signed_after_a_push_if_there_is_a_key(
    of: str, key: str, tmp_path: Path
) -> None:
    step = next(
        step for step in GITHUB[of]["jobs"]["pipeline"]["steps"] if step.get("id") == "sign"
    )
    assert (step["if"], str(GITHUB[of]).count("secrets.")) == ("github.event_name == 'push'", 1)
    variables = {
        "REAL_PYTHON": sys.executable,
        "TEXTCLF_SIGNING_KEY": key,
        "GITHUB_OUTPUT": "output",
    }
    assert run_scripts(["dvc repro", step["run"]], tmp_path, **variables) == (
        ["dvc repro", *(SIGN if key else [])],
        0,
    )


@pytest.mark.parametrize("of", OF)
@pytest.mark.parametrize(("failing", "code"), [("", 0), ("textclf pr-report", 2)])
def test_on_github_a_pull_request_has_a_report_as_an_output(
    of: str, failing: str, code: int, tmp_path: Path
) -> None:
    steps = [step for step in GITHUB[of]["jobs"]["pipeline"]["steps"] if "run" in step]
    scripts = [step["run"] for step in steps if "== 'push'" not in step.get("if", "")]
    files = {"GITHUB_OUTPUT": "output", "GITHUB_STEP_SUMMARY": "summary", "GITHUB_PATH": "path"}
    variables = {name: str(tmp_path / file) for name, file in files.items()}
    committed = [] if failing else [COMMITTED]  # the stub of GitHub runs no `failure()`
    expected = [*INSTALL[of], *REPRO, REPORT, *committed]
    variables |= {"BASE": "BASE", "RUNNER_TEMP": str(tmp_path)}
    assert run_scripts(scripts, tmp_path, failing, **variables) == (expected, code)
    assert re.fullmatch(r"comment<<(\w{32})\nreport\n\1\n", (tmp_path / "output").read_text())
    assert (tmp_path / "summary").read_text() == "report\n"


@pytest.mark.skipif(shutil.which("jq") is None, reason="needs jq in place of gh's own")
@pytest.mark.parametrize("of", OF)
@pytest.mark.parametrize("ours", [[], [("bot", OURS)] * 2])
def test_on_github_gh_posts_the_comment_or_updates_the_first_that_the_workflow_wrote(
    of: str, ours: list[tuple[str, str]], tmp_path: Path
) -> None:
    logins = {"bot": "github-actions[bot]", "somebody": "somebody"}
    comments = [
        {"id": place, "user": {"login": logins[who]}, "body": text}
        for place, (who, text) in enumerate(OTHERS + ours)
    ]
    (tmp_path / "comments.json").write_text(json.dumps(comments))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "gh").write_text(GH)
    (tmp_path / "bin" / "gh").chmod(0o755)
    (step,) = GITHUB[of]["jobs"]["comment"]["steps"]
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    variables = {
        "COMMENT": COMMENT,
        "GH_TOKEN": "secret",
        "PULL_REQUEST": "7",
        "GITHUB_REPOSITORY": "us/it",
        "PATH": path,
    }
    subprocess.run(["bash", "-e", "-c", step["run"]], cwd=tmp_path, env=variables, check=True)
    address = f"repos/us/it/issues/{'comments/3' if ours else '7/comments'}"
    assert (tmp_path / "posted").read_text() == f"{address} body={COMMENT}"
    assert not (tmp_path / "hacked").exists()
