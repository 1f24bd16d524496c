"""From a table to a model that a clone serves by its tag, with Git and DVC."""

import dataclasses
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.e2e.test_docs import FILES
from tests.verify import Copy

RELEASE = shlex.split("textclf release logistic_regression --stage prod --tag")


@pytest.mark.slow
def test_a_released_model_is_served_from_a_clone(
    empty_folder: Callable[[], Copy], tmp_path: Path
) -> None:
    copy = empty_folder()
    (copy.folder / "tickets.csv").write_text(FILES["tickets.csv"], encoding="utf-8")
    copy.run("textclf", "init", "--data", "tickets.csv", "--preset", "fast")
    params = copy.folder / "params.yaml"
    text = params.read_text(encoding="utf-8")
    limit = "minimum: {logistic_regression: {test: {log_loss: 0.0}}}"
    params.write_text(text.replace("minimum: {}", limit), encoding="utf-8")
    for command in (
        f"git init --quiet --bare --initial-branch main {tmp_path}/hub",
        f"git remote add origin {tmp_path}/hub",
        "dvc remote add --default storage ../storage",
        "dvc repro",
        "git add .",
        "git commit --quiet --message project",
    ):
        copy.run(*command.split())
    outcomes = dict(re.findall(": (.*?): (passed|FAILED)", copy.run_anyway(*RELEASE)[0]))
    assert outcomes == {"files": "passed", "commit": "passed", "data": "FAILED", "gate": "FAILED"}
    assert copy.run("git", "tag") == ""
    params.write_text(text, encoding="utf-8")
    for command in (
        "git commit --quiet --all --message gate",
        "git push --quiet origin HEAD:main",
        "dvc push",
    ):
        copy.run(*command.split())
    *_, push = copy.run(*RELEASE).splitlines()
    copy.run(*shlex.split(push))

    copy.run("git", "clone", "--quiet", f"{tmp_path}/hub", "../clone")
    clone = dataclasses.replace(copy, folder=copy.folder.parent / "clone")
    server = ["textclf", "serve", "--model", "prod", "--port", "0"]
    with subprocess.Popen(
        server, cwd=clone.folder, env=clone.environment(), stderr=subprocess.PIPE
    ) as process:
        url = process.stderr.readline().split()[-1].decode() if process.stderr else ""
        health = httpx.get(f"{url}/health", trust_env=False).json()
        answer = httpx.post(f"{url}/predict", json={"texts": ["too late"]}, trust_env=False)
        process.terminate()
    version = "logistic_regression@v0.0.1"
    assert health == {"status": "ok", "model": "logistic_regression", "version": version}
    assert answer.json()["version"] == version
    assert (
        copy.run("textclf", "predict", "--model", "logistic_regression", "too late") in answer.text
    )
    assert clone.run("textclf", "predict", "--model", "prod", "too late") in answer.text
