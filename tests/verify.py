"""Copies of the project for tests, and `textclf verify --rederive` in two environments.

    python -m tests.verify [--representations | KEY=VALUE ...]

The copies have the files that Git tracks or would track, with uncommitted changes. Exit code 0: all
models come out again, byte for byte. 1: one does not, or a run changes a committed file.

With arguments such as vectorize.words.weighting=tfidf, params.yaml is changed in the copies;
--representations does this for each of `REPRESENTATIONS` in turn.
"""

import contextlib
import functools
import hashlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests import hostile

ROOT = Path(__file__).resolve().parents[1]
DVC = (sys.executable, "-m", "dvc")
EMULATOR = ("qemu-x86_64", "-cpu", "Haswell-noTSX")  # a CPU with AVX2 and nothing above it
# Variables that commands in the copies must not inherit: Git hooks set the first three, with which
# Git in a copy would work on the project's own repository; the last allows a GPU, whose results
# differ.
UNSET = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "TEXTCLF_DEVICE")

# What stages read without depending on it, but on its checksums: data/weights has those of
# pretrained weights, metrics/behaviour those of the cases.
BY_CHECKSUM = {
    "train": ("data/pretrained",),
    "vectorize": ("data/pretrained",),
    "report": ("data/behaviour",),
}


def only(*kinds: str) -> tuple[str, str]:
    """Return the settings that train one model of each of these kinds on words, and no other."""
    entries = (f"{kind}: {{kind: {kind}, features: words}}" for kind in kinds)
    return f"train={{{', '.join(entries)}}}", "export.model=null"


ALL_MODELS = only("majority", "naive_bayes", "logistic_regression", "linear_svm", "nb_svm", "keras")
REPRESENTATIONS = (
    ("vectorize.words.weighting=binary", "vectorize.words.ngram_range=[1, 2]"),
    (
        "vectorize.words.weighting=tfidf",
        "vectorize.words.sublinear_tf=true",
        "vectorize.words.max_features=500",
    ),
    ("vectorize.words.analyzer=char",),
    ("vectorize.words.analyzer=word+char_wb", "vectorize.words.weighting=tfidf"),
    ("vectorize.words.hashing=4096", "vectorize.words.weighting=tfidf"),
)

Table = dict[str, dict[str, str]]  # stage to path to digest

say = functools.partial(print, flush=True)


class VerifyError(Exception):
    """A failure that prevents the comparison: one line, with the whole output as a note."""


@dataclass(frozen=True)
class Copy:
    """A copy of the project and the environment in which commands run in it.

    `variables` are environment variables; `prefix` is the start of every command, such as
    taskset's.
    """

    folder: Path
    variables: Mapping[str, str]
    umask: int = 0o022
    prefix: tuple[str, ...] = ()

    def environment(self) -> dict[str, str]:
        """Return the variables with which commands run."""
        return {
            **{name: value for name, value in os.environ.items() if name not in UNSET},
            **self.variables,
        }

    def run(self, *command: str, report: Callable[[str], object] = str) -> str:
        """Run a command and return its output with stderr; pass each line to `report` at once.

        Raises `VerifyError` if the command fails.
        """
        lines = []
        with subprocess.Popen(
            [*self.prefix, *command],
            cwd=self.folder,
            env=self.environment(),
            umask=self.umask,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                lines.append(line)
                report(line)
        output = "".join(lines)
        if process.returncode:
            reasons = (
                re.findall(r"^error: (.*)", output, re.MULTILINE)
                or output.strip().splitlines()[-1:]
            )
            reason = "; ".join(reasons) or f"exit code {process.returncode}"
            error = VerifyError(reason)
            error.add_note(f"{shlex.join(command)}\n{output}")
            raise error
        return output

    def run_anyway(self, *command: str) -> tuple[str, bool]:
        """Run a command; return its output, whether it fails or not, and whether it succeeded."""
        try:
            return self.run(*command), True
        except VerifyError as error:
            return error.__notes__[0].partition("\n")[2], False

    def dvc(self, *arguments: str, report: Callable[[str], object] = str) -> str:
        return self.run(*DVC, *arguments, report=report)

    @contextlib.contextmanager
    def running(self, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        """Start DVC, and kill it with its stages at the end of the block."""
        process = subprocess.Popen(
            [*DVC, *arguments],
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def make_first_copy(place: Path, settings: Sequence[str] = ()) -> Copy:
    """Return a copy in the user's environment; variables that differ elsewhere are fixed."""
    return _copy(place / "first", settings, TZ="UTC", LC_ALL="C", PYTHONHASHSEED="0")


def make_second_copy(place: Path, corpus: Path, settings: Sequence[str] = ()) -> Copy:
    """Return a copy in which all that may differ does; the folder `corpus` has the corpus."""
    parent = place / "zweite Kopie ü"  # spaces and a letter that is not ASCII
    variables = hostile.VARIABLES | hostile.fill_home(parent / "home")
    variables |= {
        "TZ": "Asia/Kathmandu",
        "LC_ALL": foreign_locale(),
        "PYTHONHASHSEED": "4242",
        "TEXTCLF_CORPUS": str(corpus),
    }
    return _copy(parent, settings, umask=0o077, prefix=one_core(), **variables)


def _copy(
    parent: Path,
    settings: Sequence[str] = (),
    *,
    umask: int = 0o022,
    prefix: tuple[str, ...] = (),
    **own: str,
) -> Copy:
    temporary = parent / "tmp"
    temporary.mkdir(parents=True)
    variables = {
        "PATH": os.pathsep.join(
            (str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath))
        ),
        "TMPDIR": str(temporary),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "DVC_GLOBAL_CONFIG_DIR": str(parent / "dvc"),
        "DVC_SYSTEM_CONFIG_DIR": str(parent / "dvc"),
        "DVC_SITE_CACHE_DIR": str(parent / "dvc"),
    }
    if user_copy := os.environ.get("TEXTCLF_CORPUS"):
        variables["TEXTCLF_CORPUS"] = str(Path(user_copy).resolve())
    copy = Copy(parent / "textclf", {**variables, **own}, umask, prefix)
    copy_project(copy, settings)
    return copy


def project_files() -> list[str]:
    """Return the paths of the files that Git tracks or would track (not ignored)."""
    command = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    environment = {name: value for name, value in os.environ.items() if name not in UNSET}
    listed = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if listed.returncode:
        raise VerifyError(listed.stderr.strip())
    return sorted(
        name for name in set(listed.stdout.split("\0")) if name and (ROOT / name).is_file()
    )


def copy_project(copy: Copy, settings: Sequence[str] = ()) -> None:
    """Copy the project's files, change params.yaml, and commit everything in a new repository."""
    for name in project_files():
        target = copy.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)
    change_params(copy.folder / "params.yaml", settings)
    for command in (
        "git init --quiet --initial-branch=main",
        "git config user.name textclf",
        "git config user.email textclf@example.org",
        "git add --all",
        "git commit --quiet --message=copy",
    ):
        copy.run(*command.split())


def change_params(params: Path, settings: Sequence[str]) -> None:
    """Set each `key=value` in a params.yaml; values are YAML."""
    import yaml

    if not settings:
        return
    content = yaml.safe_load(params.read_text(encoding="utf-8"))
    for setting in settings:
        key, equals, value = setting.partition("=")
        *sections, last = key.split(".")
        section = functools.reduce(
            lambda outer, name: outer.setdefault(name, {}), sections, content
        )
        if not equals:
            raise VerifyError(f"a setting must be KEY=VALUE; got {setting}")
        section[last] = yaml.safe_load(value)
    params.write_text(
        yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8"
    )


def one_core() -> tuple[str, ...]:
    """Return the prefix that limits a command to one core; without taskset, "" and a note."""
    if shutil.which("taskset") is None:
        say("left out: the run on one core (no taskset here)")
        return ()
    return ("taskset", "--cpu-list", str(min(os.sched_getaffinity(0))))


def foreign_locale() -> str:
    """Return an installed UTF-8 locale that is neither C nor English; C.UTF-8 if there is none."""
    listed = (
        subprocess.run(("locale", "-a"), capture_output=True, text=True).stdout
        if shutil.which("locale")
        else ""
    )
    unicode = [name for name in listed.split() if re.search(r"\.utf-?8$", name, re.IGNORECASE)]
    return next((name for name in unicode if not name.startswith(("C.", "en_"))), "C.UTF-8")


def stages_run(output: str) -> list[str]:
    """Return the stages that ran, from the output of dvc repro."""
    return re.findall(r"^Running stage '(.+)':", output, re.MULTILINE)


def read_lock(folder: Path) -> dict[str, Any]:
    import yaml

    stages: dict[str, Any] = yaml.safe_load((folder / "dvc.lock").read_text(encoding="utf-8"))[
        "stages"
    ]
    return stages


def recorded_hashes(folder: Path) -> Table:
    """Return the MD5 of every output as dvc.lock records it."""
    return {
        stage: {out["path"]: out["md5"] for out in record["outs"]}
        for stage, record in read_lock(folder).items()
    }


def file_hashes(folder: Path) -> Table:
    """Return the SHA-256 of every file of the outputs that dvc.lock names."""
    return {stage: hash_outputs(folder, outs) for stage, outs in recorded_hashes(folder).items()}


def hash_outputs(folder: Path, outs: Iterable[str]) -> dict[str, str]:
    """Return the SHA-256 of every file of these outputs, by path."""
    digests = {}
    for out in outs:
        for path in (folder / out, *(folder / out).rglob("*")):
            if path.is_file():
                with path.open("rb") as file:
                    digests[path.relative_to(folder).as_posix()] = hashlib.file_digest(
                        file, "sha256"
                    ).hexdigest()
    return digests


def differing_paths(one: Table, other: Table) -> dict[str, list[str]]:
    """Return by stage the paths whose digests differ or that only one table has."""
    differing = {}
    for stage in one | other:
        a, b = one.get(stage, {}), other.get(stage, {})
        if paths := sorted(path for path in a | b if a.get(path) != b.get(path)):
            differing[stage] = paths
    return differing


def run_alone(copy: Copy, stage: str, folder: Path, python: Sequence[str]) -> str:
    """Run a stage in a folder that has only its deps and params.yaml, and return its output.

    `python` is the command of the interpreter.
    """
    record = read_lock(copy.folder)[stage]
    undeclared = [*BY_CHECKSUM.get(stage.partition("@")[0], ())]
    deps = [*(dep["path"] for dep in record["deps"]), *undeclared]
    # Python needs the __init__.py of each parent package, which is no dep: it has a docstring, or
    # decides no result.
    code = [Path(dep) for dep in deps if dep.startswith(("stages/", "textclf/"))]
    packages = {f"{parent}/__init__.py" for path in code for parent in path.parents}
    packages |= {"textclf/__init__.py", "textclf/version.py"}
    for name in ("params.yaml", *deps, *sorted(packages - {"./__init__.py"})):
        source, target = copy.folder / name, folder / name
        if target.exists() or not source.exists():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy(source, target)
    _, *arguments = shlex.split(record["cmd"])
    variables = {**copy.variables, "TEXTCLF_CORPUS": str(corpus_folder(copy)), "DVC_STAGE": stage}
    return replace(copy, folder=folder, variables=variables).run(*python, *arguments)


def run_all_alone(
    copy: Copy, place: Path, python: Sequence[str]
) -> Iterator[tuple[str, Path, str]]:
    """Run every stage by `run_alone`, in parallel; yield name, folder and output as they end."""
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as executor:
        running = {}
        # Training first: the network takes the longest, and should not be left to run alone at the
        # end.
        for stage in sorted(read_lock(copy.folder), key=lambda name: not name.startswith("train@")):
            folder = place / stage
            running[executor.submit(run_alone, copy, stage, folder, python)] = stage, folder
        try:
            for future in as_completed(running):
                yield *running[future], future.result()
        finally:
            executor.shutdown(cancel_futures=True)  # after a failure, start no more


def corpus_folder(copy: Copy) -> Path:
    return copy.folder / "data" / "raw"


def verify(place: Path, settings: Sequence[str] = ()) -> None:
    """Run the pipeline with these settings and rederive its models; raise if one differs."""
    say(f"a run: {' '.join(settings) or 'as it stands'}")
    one = make_first_copy(place, settings)
    one.dvc("repro", "--force")
    if not settings and (changed := one.run("git", "status", "--porcelain")):
        raise VerifyError(f"a run changes {', '.join(changed.split()[1::2])}; commit what it gives")
    other = make_second_copy(place, corpus_folder(one), settings)
    again = (sys.executable, "-m", "textclf.cli", "verify", "--rederive", "--explain")
    say(
        "again in another folder, time zone, locale and umask, "
        "with another hash seed and number of cores"
    )
    other.run(*again, "--models", str(one.folder / "models"), report=say_check)
    if shutil.which(EMULATOR[0]) is None:
        say(
            f"left out: another CPU (no {EMULATOR[0]} here; Debian and Ubuntu: "
            "apt install qemu-user)"
        )
        return
    say(f"again under {' '.join(EMULATOR)}, which takes some minutes")
    one.run(*again, "--python", shlex.join([*EMULATOR, sys.executable]), report=say_check)


def say_check(line: str) -> None:
    """Print a line of `textclf verify`, of all that it and its stages print."""
    if re.match(r"\w+: \w+( \w+)*: ", line):
        say(f"  {line.rstrip()}")


def main(arguments: Sequence[str]) -> int:
    """Verify the project, or each of `REPRESENTATIONS`, and return the exit code."""
    each = [(*settings, *ALL_MODELS) for settings in REPRESENTATIONS]
    with tempfile.TemporaryDirectory(prefix="textclf-verify-") as place:
        try:
            for number, settings in enumerate(
                each if [*arguments] == ["--representations"] else [tuple(arguments)]
            ):
                verify(Path(place, str(number)), settings)
        except VerifyError as error:
            say(f"error: verify: {error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            return 130
    say("every byte is the same")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
