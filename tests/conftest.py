"""What the tests share: a small project, refused stages, and what was left out."""

import functools
import importlib
import inspect
import os
import pickle
import re
import runpy
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
import yaml
from hypothesis import HealthCheck, settings

from tests import processes
from tests.faults import campaign
from tests.processes import ROOT
from tests.settings import LESSON, models, put
from textclf.artifacts.checked import write_weights
from textclf.core.outputs import lock_file

settings.register_profile(
    "textclf",
    deadline=None,
    derandomize=campaign.is_fixed(),
    max_examples=20 if campaign.is_fixed() else 200,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],  # a busy machine is slow
)
settings.load_profile("textclf")

T = TypeVar("T")

WORDS = ("good", "bad", "food", "place", "staff", "nice", "awful", "great")
# What Windows lacks, in the lines of a test
POSIX = re.compile(
    r"\bos\.(fork|kill|mkfifo|get\w?uid|sete?uid|sched_)|SIG(KILL|HUP|PIPE)|\"sh\"|/proc/"
    r"|prlimit|unshare|start_new_session"
    r"|getloadavg|(?m:^import (fcntl|pwd|resource)$)"
)
# Why a test was skipped, and how to make it run.
LEFT_OUT = {
    "browser": (
        "the report was not opened in a browser: install Chromium (Debian: apt install chromium)"
    ),
    "pretrained weights": (
        "presets with pretrained weights were not run: they could not be downloaded"
    ),
    "index": (
        "nothing was installed in a fresh environment: the index of packages could not be reached"
    ),
    "tracer": (
        "no system call failed: install strace, and allow it to trace (Debian: apt install strace)"
    ),
    "emulator": (
        "no stage ran on an emulated CPU: install qemu-x86_64 (Debian: apt install qemu-user)"
    ),
    "arm64 emulator": (
        "nothing ran on an emulated arm64 CPU: install qemu-aarch64 (Debian: apt install qemu-user)"
    ),
}


@pytest.hookimpl(
    tryfirst=True
)  # before hypothesis reads the option, and before pytest-xdist starts workers
def pytest_configure(config: pytest.Config) -> None:
    """Give the property tests the seed of tests/faults."""
    if not campaign.is_fixed():
        config.option.hypothesis_seed = str(campaign.seed())


def pytest_report_header() -> str | None:
    """Print the seed of the random tests, if it is not the fixed one."""
    return (
        None
        if campaign.is_fixed()
        else f"random tests: seed {campaign.seed()}; FAULTS_SEED={campaign.seed()} repeats them"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest tests first and mark tests of the night as slow.

    The tests of the lesson are skipped if params.yaml names other rows.
    """
    items.sort(key=lambda item: item.path.is_relative_to(ROOT / "tests" / "unit"))
    for item in items:
        if item.get_closest_marker("nightly"):
            item.add_marker("slow")
        if not hasattr(os, "fork") and needs_posix(item):
            item.add_marker(pytest.mark.skip(reason="uses what Windows lacks"))
    if LESSON:
        return
    reason = "a test of the lesson's run; data.path in params.yaml names other rows"
    for item in items:
        if item.get_closest_marker("lesson") or item.path.is_relative_to(ROOT / "tests" / "e2e"):
            item.add_marker(pytest.mark.skip(reason=reason))


def needs_posix(item: pytest.Item) -> bool:
    """Return whether a test is marked so, or its own lines use what Windows lacks."""
    test: Any = getattr(item, "obj", None)
    return bool(item.get_closest_marker("posix") or POSIX.search(inspect.getsource(test)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in the closing lines which programs tests did without."""
    reasons = " ".join(str(report.longrepr) for report in terminalreporter.stats.get("skipped", []))
    for kind, line in LEFT_OUT.items():
        if f"needs the {kind}" in reasons:
            terminalreporter.write_line(f"left out: {line}", yellow=True)


@functools.cache
def content(file: str) -> Any:
    """Return what a YAML file of the project holds."""
    return yaml.safe_load((ROOT / file).read_text(encoding="utf-8"))


ITEMS = {"vectorize": "words"}  # of stages that DVC makes per item, but not per model


def address(stage: str) -> str:
    """Return the name by which DVC runs a stage; its item is the tests' one unless named."""
    return stage if "@" in stage else f"{stage}@{ITEMS.get(stage, 'majority')}"


def arguments(stage: str, /, **changes: str) -> list[str]:
    """Return the arguments of a stage that changes some of its paths.

    Params are always those of params.yaml, which tests change, and not
    those that the stage check has planned with.
    """
    planned = hasattr(importlib.import_module(f"stages.{stage}"), "PLANNED")
    values = {"settings": "params.yaml"} if planned else {}
    return [
        word
        for name, value in (values | changes).items()
        for word in (f"--{name.replace('_', '-')}", value)
    ]


def run_stage(folder: Path, stage: str, *words: str) -> object:
    """Run a stage's script in a folder, in this process, and return its exit code.

    A stage of an entry is named as by DVC, train@keras; the model is majority by default, the
    representation words.

    Without `words` it reads params.yaml, and the paths are its own.

    That saves half a second of imports per call. The script's own end, which leaves Python at once,
    is a SystemExit here.
    """
    name, _, _ = stage.partition("@")
    script = str(ROOT / "stages" / f"{name}.py")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DVC_STAGE", address(stage))
        patch.chdir(folder)
        patch.setattr("sys.argv", [script, *(words or arguments(name))])
        patch.setattr("os._exit", sys.exit)
        patch.setattr("atexit._run_exitfuncs", lambda: None)
        with pytest.raises(SystemExit) as stop:
            runpy.run_path(script, run_name="__main__")
    return stop.value.code


def tree(folder: Path) -> dict[str, bytes | None]:
    """Return every path below a folder, hidden ones too, with bytes, or None for a folder."""
    return {
        str(path): None if path.is_dir() else path.read_bytes()
        for path in sorted(folder.rglob("*"))
    }


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], T]) -> T:
    """Return what `make` returned for a new folder; processes of pytest-xdist share it.

    The others wait until it is done, and get a copy of what it returned.
    """
    place = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        place = place.parent
    folder, result = place / name, place / f"{name}.pickle"
    with (place / f"{name}.lock").open("ab") as lock:
        lock_file(lock, wait=True)
        if not result.exists():
            shutil.rmtree(folder, ignore_errors=True)  # of a process in which it failed
            folder.mkdir()
            result.write_bytes(pickle.dumps(make(folder)))
        made: T = pickle.loads(result.read_bytes())  # noqa: S301 (the line above wrote it)
        return made


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of 40 rows and the model majority, in which the stages from split to export ran."""
    return once(tmp_path_factory, "finished", _finish)


def _finish(folder: Path) -> Path:
    settings = put(*models("majority"), "export.model", "null")
    (folder / "params.yaml").write_text(settings, encoding="utf-8")
    rows = [f"{WORDS[n % 8]} {WORDS[3 * n % 8]} {WORDS[n // 8]}\t{n % 2}\n" for n in range(40)]
    (folder / "data" / "raw").mkdir(parents=True)
    (folder / "data" / "raw" / "yelp_labelled.txt").write_text("".join(rows), encoding="utf-8")
    for name in ("corrections.csv", "labelled.csv"):
        shutil.copy(ROOT / "tests/unit/split" / f"no_{name}", folder / name)
    shutil.copytree(ROOT / "requirements", folder / "requirements")
    for stage in ("check", "split", "vectorize", "train", "evaluate", "export"):
        assert run_stage(folder, stage) in {None, 0}, stage
    (folder / "reports").mkdir()
    (folder / "reports/report.html").write_text("an old page")
    return folder


def add_model(project: Path, kind: str) -> None:
    """Let the small project train another model too."""
    settings = put(*models("majority", kind), "export.model", "null")
    (project / "params.yaml").write_text(settings, encoding="utf-8")
    write_weights(project / "data/weights", {f"train@{kind}": {}}, {})


@pytest.fixture
def project(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished project to break."""
    return Path(shutil.copytree(finished, tmp_path / "project"))


@pytest.fixture
def refuses(project: Path, capfd: pytest.CaptureFixture[str]) -> Callable[..., None]:
    """Assert that a stage says these lines on stderr, exits with 2 and changes nothing.

    With `through`, a line of shell that runs the script as "$@", it is a process of its own.
    """

    def run(stage: str, *lines: str, words: list[str] | None = None, through: str = "") -> None:
        before = tree(project)
        given = words or arguments(stage.partition("@")[0])
        if through:
            line = [
                "sh",
                "-c",
                through,
                "sh",
                sys.executable,
                str(ROOT / "stages" / f"{stage}.py"),
                *given,
            ]
            environment = {**os.environ, "PYTHONPATH": str(ROOT), "DVC_STAGE": address(stage)}
            status, _, printed = processes.run(*line, folder=project, environment=environment)
        else:
            status, printed = run_stage(project, stage, *given), capfd.readouterr().err
        assert printed.splitlines() == list(lines)
        assert status == 2
        assert tree(project) == before

    return run
