"""What the contract tests share: a small project, and a stage that must refuse to work on it."""

import functools
import runpy
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
WORDS = ("good", "bad", "food", "place", "staff", "nice", "awful", "great")


@functools.cache
def content(file: str) -> Any:
    """What a YAML file of the project holds."""
    return yaml.safe_load((ROOT / file).read_text(encoding="utf-8"))


def command(stage: str) -> list[str]:
    """The arguments of a stage's script, as dvc.yaml or studies/dvc.yaml has them, for the model majority."""
    stages = content("dvc.yaml")["stages"] | content("studies/dvc.yaml")["stages"]
    line: str = stages[stage]["cmd"]
    for name, value in (("item.model", "majority"), ("data.path", content("params.yaml")["data"]["path"])):
        line = line.replace(f"${{{name}}}", value)
    return shlex.split(line)[3:]


def tree(folder: Path) -> dict[str, bytes | None]:
    """Every path below a folder, hidden ones too, with a file's bytes or None for a folder."""
    return {str(path): None if path.is_dir() else path.read_bytes() for path in sorted(folder.rglob("*"))}


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of 40 rows and the model majority; run are all stages but fetch, plot, report and the studies."""
    from stages import evaluate, export, split, train, vectorize
    from textclf import params

    folder = tmp_path_factory.mktemp("finished")
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    text = text.replace("models: [majority, logistic_regression, keras]", "models: [majority]")
    (folder / "params.yaml").write_text(text, encoding="utf-8")
    rows = [f"{WORDS[n % 8]} {WORDS[3 * n % 8]} {WORDS[n // 8]}\t{n % 2}\n" for n in range(40)]
    (folder / "data" / "raw").mkdir(parents=True)
    (folder / "data" / "raw" / "yelp_labelled.txt").write_text("".join(rows), encoding="utf-8")
    chosen = params.parse(text)
    split.run(chosen, *(folder / path for path in command("split")))
    vectorize.run(chosen, *(folder / path for path in command("vectorize")))
    model, *paths = command("train")
    train.run(chosen, model, *(folder / path for path in paths))
    evaluate.run(chosen, *(folder / path for path in command("evaluate")))
    export.run(chosen, *(folder / path for path in command("export")))
    for path in (*command("plot"), *command("report")):
        if path.endswith((".svg", ".html")):
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_text("an old figure")
    (folder / "requirements").mkdir()
    (folder / "requirements" / "run.txt").write_bytes((ROOT / "requirements" / "run.txt").read_bytes())
    return folder


@pytest.fixture
def project(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished project to break."""
    return Path(shutil.copytree(finished, tmp_path / "project"))


@pytest.fixture
def refuses(project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., None]:
    """Asserts that a stage's script says these lines on stderr, exits with 2, and leaves the project as it is.

    The script runs in this process, which saves half a second of imports a time; with `through`, a line of shell
    that runs it as "$@", it is a process of its own.
    """

    def run(stage: str, *lines: str, arguments: list[str] | None = None, through: str = "") -> None:
        before = tree(project)
        script = [str(ROOT / "stages" / f"{stage}.py"), *(command(stage) if arguments is None else arguments)]
        monkeypatch.chdir(project)
        if through:
            monkeypatch.setenv("PYTHONPATH", str(ROOT))
            line = ["sh", "-c", through, "sh", sys.executable, *script]
            done = subprocess.run(line, capture_output=True, text=True)
            status: object = done.returncode
            said = done.stderr
        else:
            monkeypatch.setattr("sys.argv", script)
            monkeypatch.setattr("os._exit", sys.exit)  # a stage that refuses nothing must not end pytest
            monkeypatch.setattr("atexit._run_exitfuncs", lambda: None)
            with pytest.raises(SystemExit) as stop:
                runpy.run_path(script[0], run_name="__main__")
            status, said = stop.value.code, capfd.readouterr().err
        assert said.splitlines() == list(lines)
        assert status == 2
        assert tree(project) == before

    return run
