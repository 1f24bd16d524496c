"""Copies of the working tree as Git repositories, in which benchmarks run the pipeline."""

import copy
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.inputs import CORPORA, WEIGHTS, fetch_corpora
from benchmarks.results import ROOT
from textclf.core.settings import PARAMS_FILE, load_yaml
from textclf.project.init.create import TABLES

BIN = Path(sys.executable).parent


@contextmanager
def repro(changes: Mapping[str, Any], target: str = "evaluate") -> Iterator[Path]:
    """Yield a copy's folder after `dvc repro TARGET` with some params changed; then remove it.

    `changes` maps dotted keys of params.yaml to values. What DVC and the stages print goes to
    stderr. Raises `subprocess.CalledProcessError` if a stage fails.
    """
    fetch_corpora()
    with tempfile.TemporaryDirectory(prefix="textclf-project-") as name:
        folder = Path(name, "project")
        own = make_copy(folder) | {"TEXTCLF_CORPUS": str(CORPORA)}
        write_params(folder, changes)
        for path, header in TABLES.items():
            (folder / path).write_text(
                header, encoding="utf-8"
            )  # no rows, whatever the project has
        if WEIGHTS.is_dir():  # what is there is not fetched again
            shutil.copytree(WEIGHTS, folder / "data" / "pretrained")
        subprocess.run(["dvc", "repro", target], cwd=folder, env=own, stdout=sys.stderr, check=True)
        yield folder


def train(*kinds: str, **others: Mapping[str, Any]) -> dict[str, Any]:
    """Return the changes that train these kinds of models on words, and others as configured."""
    words = {kind: {"kind": kind, "features": "words"} for kind in kinds}
    return {"train": words | others, "export.model": None, "gate": {}}


def make_copy(project: Path) -> dict[str, str]:
    """Copy what Git tracks or would track to `project`; return the environment for commands.

    The commands import the code of the copy and use the DVC and Python of this process; DVC's site
    cache is beside the folder.
    """
    listed = run(["git", "ls-files", "-coz", "--exclude-standard"], ROOT, os.environ)
    for name in filter(None, listed.split("\0")):
        if (source := ROOT / name).is_file():  # neither deleted nor a nested repository
            (target := project / name).parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
    own = variables(project)
    run(["git", "init", "--quiet", "--template="], project, own)
    return own


def remove_run(project: Path) -> None:
    """Remove dvc.lock and the outputs that it names: a run of other settings or rows."""
    lock = project / "dvc.lock"
    for stage in load_yaml(lock)["stages"].values():
        for path in (project / out["path"] for out in stage.get("outs", [])):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    lock.unlink()


def variables(project: Path) -> dict[str, str]:
    """Return the environment for commands in a copy."""
    return os.environ | {
        "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PYTHONPATH": str(project),
        "DVC_SITE_CACHE_DIR": str(project.parent / "dvc"),
    }


def write_params(project: Path, changes: Mapping[str, Any]) -> None:
    """Write the project's params.yaml to a copy, with some dotted keys changed."""
    params = copy.deepcopy(load_yaml(ROOT / PARAMS_FILE))  # which is read once per process
    for key, value in changes.items():
        *sections, name = key.split(".")
        section = params
        for each in sections:
            section = section.setdefault(each, {})
        section[name] = value
    (project / PARAMS_FILE).write_text(
        json.dumps(params, indent=2), encoding="utf-8"
    )  # JSON is YAML


def run(command: Sequence[str], folder: Path, variables: Mapping[str, str]) -> str:
    """Run a command and return its stdout; if it fails, show its stderr and exit."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        print(done.stdout, done.stderr, sep="\n", file=sys.stderr)
        print(
            f"error: benchmark: {shlex.join(command)} must exit with 0; got {done.returncode}",
            file=sys.stderr,
        )
        sys.exit(2)
    return done.stdout
