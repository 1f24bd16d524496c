"""Stages as processes whose system calls strace makes fail, or at which it kills them."""

import contextlib
import functools
import os
import random
import re
import shutil
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from tests import processes
from tests.conftest import add_model, address, arguments, content
from tests.processes import ROOT
from textclf.core.ownership import note_made

CALLS = (
    *(
        "openat",
        "read",
        "pread64",
        "write",
        "close",
        "fsync",
        "mmap",
        "ftruncate",
        "lseek",
        "flock",
    ),
    *("mkdir", "rmdir", "unlink", "unlinkat", "rename", "renameat", "renameat2", "link", "linkat"),
    *("newfstatat", "fstat", "getdents64"),
)
COMMIT = (
    "fsync",
    "mkdir",
    "rmdir",
    "unlink",
    "unlinkat",
    "rename",
    "renameat",
    "renameat2",
    "link",
    "linkat",
)
ERRORS = ("ENOSPC", "EIO", "EACCES", "EMFILE", "EROFS", "ENOENT", "ENOMEM")
MODEL = "logistic_regression"
STAGES = ("split", "vectorize", "train", "evaluate", "export")
_LINE = re.compile(r"(?P<process>\d+) +(?P<call>\w+)\((?P<rest>.*)")


State = dict[
    str, dict[str, bytes] | None
]  # the files of each output by their names; None: there is no output


class Call(NamedTuple):
    """A system call of a stage: its name, and its number among its thread's calls of that name."""

    name: str
    number: int


class Done(NamedTuple):
    """How a stage ended: its exit code (of a signal negative), its stderr, and failed calls.

    `hit` is whether any failed, `ours` whether it was one that concerns files of the project.
    """

    status: int
    errors: str
    hit: bool = False
    ours: bool = False


class Stage(NamedTuple):
    """A stage of a small project, with the paths of its outputs."""

    folder: Path
    name: str
    words: tuple[str, ...]
    outputs: tuple[str, ...]

    def run(self, *options: str, log: str = os.devnull) -> Done:
        """Run the stage, under strace with these options if there are any."""
        command = [sys.executable, "-m", f"stages.{self.name}", *self.words]
        if options:
            command = ["strace", "-f", "-qq", "-y", "-o", log, *options, *command]
        stage = f"train@{MODEL}" if self.name == "train" else address(self.name)
        variables = {"PYTHONDONTWRITEBYTECODE": "1", "DVC_STAGE": stage}
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
        done = processes.run(*command, folder=self.folder, environment=environment)
        if not options:
            return Done(done.status, done.err)
        failed = [rest for _, _, rest in _lines(Path(log)) if "(INJECTED)" in rest]
        return Done(done.status, done.err, bool(failed), any(map(self._concerns_project, failed)))

    def _concerns_project(self, arguments: str) -> bool:
        """Return whether a call's arguments, as strace prints them, name a project file."""
        project = re.escape(str(self.folder))
        pattern = rf'(?:AT_FDCWD<[^>]*>, )?(?:"(?!/)|"{project}/)|\d+<{project}/|.*, \d+<{project}/'
        return re.match(pattern, arguments) is not None

    def calls(self, names: Sequence[str], log: Path) -> list[Call]:
        """Return the system calls of a run that concern files of the project."""
        done = self.run("-e", f"trace={','.join(names)}", log=str(log))
        assert done.status == 0, done.errors
        counts: Counter[tuple[str, str]] = Counter()
        calls = []
        for process, name, rest in _lines(log):
            counts[process, name] += 1
            if self._concerns_project(rest):
                calls.append(Call(name, counts[process, name]))
        return calls

    def inject(self, call: Call, fault: str, log: Path) -> Done:
        """Run the stage with a fault at a system call, such as error=EIO or signal=KILL."""
        # Only calls that are traced can fail, and only those cost time.
        return self.run(
            "-e",
            f"trace={call.name}",
            "-e",
            f"inject={call.name}:{fault}:when={call.number}",
            log=str(log),
        )


def _lines(log: Path) -> list[tuple[str, ...]]:
    """Return the process, the name and the rest of each system call that strace wrote down."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return [match.groups() for match in map(_LINE.match, lines) if match]


def make_stage(project: Path, name: str) -> Stage:
    """Return a stage of the small project with its outputs; train is logistic regression."""
    item = {"train": MODEL, "vectorize": "words"}.get(name, "")
    if name == "train":
        add_model(project, MODEL)
    declared = content("dvc.yaml")["stages"][name]
    declared = declared.get("do", declared)
    entries = [*declared["outs"], *declared.get("metrics", [])]
    outputs = [next(iter(each)) if isinstance(each, dict) else each for each in entries]
    return Stage(
        project,
        name,
        tuple(arguments(name)),
        tuple(output.replace("${key}", item) for output in outputs),
    )


def state(stage: Stage) -> State:
    """Return the files of each output of a stage, None for one that does not exist."""
    contents: State = {}
    for output in stage.outputs:
        path = stage.folder / output
        files = (
            [path]
            if path.is_file()
            else [each for each in sorted(path.rglob("*")) if each.is_file()]
        )
        contents[output] = (
            {str(each.relative_to(path)): each.read_bytes() for each in files}
            if path.exists()
            else None
        )
    return contents


def put(stage: Stage, wanted: State) -> None:
    """Make the outputs of a stage what `state` returned."""
    for output, files in wanted.items():
        path = stage.folder / output
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        for name, data in (files or {}).items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(data)
        with contextlib.chdir(stage.folder):
            note_made(Path(output), Path(output))


def run_again(project: Path, name: str) -> tuple[Stage, State, State]:
    """Return a stage, the outputs of an earlier run, now in place, and those that it makes."""
    stage = make_stage(project, name)
    assert stage.run().status == 0
    new = state(stage)
    old = _make_old(new)
    put(stage, old)
    return stage, old, new


def _make_old(new: State) -> State:
    """Return outputs as of an earlier run: other bytes, and one more file in each folder."""
    return {
        output: {name: b"old " + data[:64] for name, data in files.items()}
        | ({} if list(files) == ["."] else {"old": b"old"})
        for output, files in new.items()
        if files is not None
    }


def leftovers(folder: Path) -> list[str]:
    """Return the unfinished outputs in a folder and below it."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.scratch"))


@functools.cache
def can_trace() -> bool:
    """Return whether strace is installed and may make system calls fail."""
    if shutil.which("strace") is None:
        return False
    command = ["strace", "-f", "-qq", "-o", os.devnull, "-e", "inject=getppid:error=EPERM", "true"]
    return processes.run(*command) == (0, "", "")


needs_tracer = pytest.mark.skipif(
    not can_trace(), reason="needs the tracer strace (Debian: apt install strace)"
)


def choose(generator: random.Random, calls: Sequence[Call], count: int) -> list[Call]:
    """Return as many calls as wanted, each of a name that is as likely as any other."""
    names = sorted({call.name for call in calls})
    by_name = {name: [call for call in calls if call.name == name] for name in names}
    return [generator.choice(by_name[generator.choice(names)]) for _ in range(count)]
