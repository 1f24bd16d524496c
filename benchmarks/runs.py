"""Runs of the pipeline's stages with changed params, in a temporary folder, without DVC."""

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from textclf.core import files
from textclf.core.settings import PARAMS_FILE, load_yaml

ROOT = Path(__file__).resolve().parent.parent
CORPORA = ROOT / "data" / "corpora"  # all built-in corpora: benchmarks/corpora.py
WEIGHTS = ROOT / "data" / "weights"  # pretrained, see `benchmarks.weights`
LAST = "evaluate"


def run(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of metrics/*.json after a run of dvc.yaml's stages up to evaluate, by the files' names.

    `changes` as for `run_stages`.
    """
    with run_stages(changes) as folder:
        return metrics_in(folder)


def metrics_in(folder: Path) -> dict[str, Any]:
    """Return the content of metrics/*.json of a run, by the files' names."""
    return {path.stem: files.read_json(path) for path in sorted((folder / "metrics").glob("*.json"))}


@contextmanager
def run_stages(changes: Mapping[str, Any], last: str = LAST) -> Iterator[Path]:
    """Yield the folder of a run of dvc.yaml's stages up to `last`, which is removed at the end.

    `changes` maps dotted keys of params.yaml to values. The commands are those of dvc.yaml; what a stage prints goes to
    stderr. Raises `subprocess.CalledProcessError` if a stage fails.
    """
    params = load_yaml(ROOT / PARAMS_FILE)
    for key, value in changes.items():
        set_param(params, key, value)
    with tempfile.TemporaryDirectory(prefix="textclf-run-") as name:
        folder = Path(name)
        prepare(folder, params)
        variables = os.environ | {"PYTHONPATH": str(ROOT), "TEXTCLF_CORPUS": str(CORPORA)}
        for command in commands(params, last):
            subprocess.run(command, cwd=folder, env=variables, stdout=sys.stderr, check=True)
        yield folder


def prepare(folder: Path, params: Mapping[str, Any]) -> None:
    """Write what the first stages read to a folder, and make the folders that DVC would make."""
    (folder / "corrections.csv").write_text("id,label\n", encoding="utf-8")  # none, whatever the project has
    files.write_json(folder / PARAMS_FILE, params)  # JSON is YAML
    for made in ("data/predictions", "data/trained", "metrics/behaviour", "plots"):
        (folder / made).mkdir(parents=True)


def commands(params: Mapping[str, Any], last: str = LAST) -> list[list[str]]:
    """Return the commands of dvc.yaml's stages up to `last`, in order, one per item of a stage."""
    filled = []
    for name, stage in load_yaml(ROOT / "dvc.yaml")["stages"].items():
        command = stage.get("do", stage)["cmd"]
        for item in _items(stage, params):
            _, *arguments = shlex.split(command.replace("$DVC_STAGE", f"{name}@{item}"))
            filled.append([sys.executable, *arguments])
        if name == last:
            break
    return filled


def _items(stage: Mapping[str, Any], params: Mapping[str, Any]) -> list[str]:
    """Return the items for which DVC makes a stage; one without a name for a stage that it makes once."""
    if "matrix" in stage:
        return list(params["train"]["models"])
    if "foreach" not in stage:
        return [""]
    content: Any = params
    for key in re.findall(r"\w+", stage["foreach"]):
        content = content.get(key, {})
    return list(content)


def set_param(params: dict[str, Any], key: str, value: Any) -> None:
    """Set the value of a dotted key in the content of params.yaml."""
    *sections, name = key.split(".")
    for section in sections:
        params = params.setdefault(section, {})
    params[name] = value


def rounded(value: Any) -> Any:
    """Return nested mappings and lists with their numbers rounded to the digits of the project's metrics."""
    if isinstance(value, Mapping):
        return {str(key): rounded(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(part) for part in value]
    return round(value, files.DIGITS) if isinstance(value, float) else value
