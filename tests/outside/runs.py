"""Projects of the table, made and run by the real commands; what these print is kept."""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from ruamel.yaml import YAML

from tests.outside.projects import PROJECTS, TABLE, Project
from tests.verify import Copy, VerifyError

TEXTCLF = (sys.executable, "-m", "textclf.cli")
EVALUATION = Path("metrics", "evaluation.json")
MOST_PRINTED = 10  # classes whose probabilities JSON has; of more, only Parquet has all


@dataclass(frozen=True)
class Run:
    """A project that has run.

    `printed` has what commands printed, by command. `answers` has for each model the columns of
    `textclf predict`, a row for each row of the table, by id; `sets` those with --coverage.
    """

    name: str
    folder: Path
    table: pd.DataFrame
    printed: dict[str, str]
    answers: dict[str, pd.DataFrame]
    sets: dict[str, pd.DataFrame]

    @property
    def project(self) -> Project:
        """The row of the table of projects."""
        return PROJECTS[self.name]


def make(name: str, place: Path, installed: Path) -> Run:
    """Make a project in a new folder, run it, and ask it for everything that the checks read."""
    project = PROJECTS[name]
    copy = empty_folder(place, installed)
    table = project.table()
    table.to_csv(copy.folder / TABLE, index=False)
    copy.run(*TEXTCLF, "init", "--data", TABLE, "--id", "ticket", *project.init.split())
    change(copy.folder / "params.yaml", project)
    if project.weights:
        fetch_weights(copy)
    printed = {"dvc repro": copy.dvc("repro"), "textclf metrics": copy.run(*TEXTCLF, "metrics")}
    commit_with_another_base(copy)
    printed["textclf pr-report"] = copy.run(*TEXTCLF, "pr-report", "HEAD~1")
    models = [path.parent.name for path in copy.folder.glob("models/*/model.json")]
    answers = {name: ask(copy, name) for name in sorted(models)}
    sets = {}
    if coverage := project.settings.get("evaluate.coverage"):
        sets = {name: ask(copy, name, "--coverage", str(coverage)) for name in answers}
    return Run(name, copy.folder, table, printed, answers, sets)


def empty_folder(place: Path, installed: Path) -> Copy:
    """Return an empty folder in which the commands of the installed wheel run."""
    folder, home = place / "project", str(place / "home")
    folder.mkdir(parents=True)
    roles = ("AUTHOR", "COMMITTER")
    variables = {
        **{
            f"GIT_{role}_{what}": "textclf@example.org"
            for role in roles
            for what in ("NAME", "EMAIL")
        },
        **{f"DVC_{which}_DIR": home for which in ("GLOBAL_CONFIG", "SYSTEM_CONFIG", "SITE_CACHE")},
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
        "PYTHONPATH": str(installed),
    }
    return Copy(folder, variables)


def change(params: Path, project: Project) -> None:
    """Write the settings of a project into params.yaml, as YAML 1.2, where `no` is a text."""
    yaml = YAML()
    content = yaml.load(params)
    for key, value in project.settings.items():
        *sections, last = key.split(".")
        section = content
        for name in sections:
            section = section.setdefault(name, {})
        if value is None and last != "model":
            section.pop(last)
        else:
            section[last] = value
    yaml.dump(content, params)


def fetch_weights(copy: Copy) -> None:
    """Download the pretrained weights, or skip the test where they cannot be had."""
    try:
        copy.dvc("repro", "fetch")
    except VerifyError as error:
        if "check the network" not in str(error):
            raise
        pytest.skip(f"needs the pretrained weights: {error}")


def commit_with_another_base(copy: Copy) -> None:
    """Commit the run after one with other metrics, for pr-report to compare with."""
    path = copy.folder / EVALUATION
    text = path.read_text(encoding="utf-8")
    others = {
        model: {
            split: {key: 0.9 * value + 0.01 for key, value in found.items()}
            for split, found in splits.items()
        }
        for model, splits in json.loads(text).items()
    }
    for content, message in ((json.dumps(others), "another run"), (text, "the run")):
        path.write_text(content, encoding="utf-8")
        copy.run("git", "add", "--all")
        copy.run("git", "commit", "--quiet", "--message", message)


def ask(copy: Copy, model: str, *options: str) -> pd.DataFrame:
    """Return what `textclf predict` writes for the rows of the user's table."""
    classes = json.loads((copy.folder / "data/splits/classes.json").read_text(encoding="utf-8"))
    many = len(classes["classes"]) > MOST_PRINTED
    output = copy.folder.parent / ("answers.parquet" if many else "answers.jsonl")
    words = ("--path", TABLE, "--id", "ticket", "--no-text", "--model", model, *options)
    copy.run(*TEXTCLF, "predict", *words, "--output", str(output))
    if many:
        return pd.read_parquet(output).set_index("id")
    lines = output.read_text(encoding="utf-8").splitlines()
    return pd.DataFrame([json.loads(line) for line in lines]).set_index("id")
