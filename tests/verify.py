"""Run the pipeline in fresh copies, under other settings and on another CPU, and compare every byte.

    python -m tests.verify [--representations | KEY=VALUE ...]

The copies hold the project's files as Git sees them, uncommitted ones too. Exit code 0: every output of every
stage is the same everywhere, and as dvc.lock records it. 1: some are not; they are named. 2: it can't be said.

With settings, such as vectorize.weighting=tfidf, params.yaml is changed so in the copies, and nothing is compared
with dvc.lock; --representations does so for each of `REPRESENTATIONS` in turn.
"""

import functools
import hashlib
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
EMULATOR = ("qemu-x86_64", "-cpu", "Haswell-noTSX")  # a CPU with AVX2 and nothing above it
# A hook of Git sets the first three, which would make the copies' Git work on the project's own repository.
# The last is the user's leave to compute on a GPU, whose bits are its own.
UNWANTED = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "TEXTCLF_DEVICE")

ALL_MODELS = "train.models=[majority, naive_bayes, logistic_regression, linear_svm, nb_svm, keras]"
REPRESENTATIONS = (
    ("vectorize.weighting=binary", "vectorize.ngram_range=[1, 2]"),
    ("vectorize.weighting=tfidf", "vectorize.sublinear_tf=true", "vectorize.max_features=500"),
    ("vectorize.analyzer=char",),
    ("vectorize.analyzer=word+char_wb", "vectorize.weighting=tfidf"),
    ("vectorize.hashing=4096", "vectorize.weighting=tfidf"),
)

Table = dict[str, dict[str, str]]  # stage to path to digest

say = functools.partial(print, flush=True)


class VerifyError(Exception):
    """Why nothing can be said about the pipeline, in one line; the whole output is a note on it."""


@dataclass(frozen=True)
class Copy:
    """A copy of the project, and the circumstances in which commands run in it."""

    folder: Path
    variables: Mapping[str, str]
    umask: int = 0o022
    prefix: tuple[str, ...] = ()

    def run(self, *command: str, report: Callable[[str], object] = str) -> str:
        """What the command printed, stderr included; `report` is told each line as it comes."""
        environment = {name: value for name, value in os.environ.items() if name not in UNWANTED}
        lines = []
        with subprocess.Popen(
            [*self.prefix, *command],
            cwd=self.folder,
            env={**environment, **self.variables},
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
            reasons = re.findall(r"^error: (.*)", output, re.MULTILINE) or output.strip().splitlines()[-1:]
            reason = "; ".join(reasons) or f"exit code {process.returncode}"
            error = VerifyError(reason)
            error.add_note(f"{shlex.join(command)}\n{output}")
            raise error
        return output

    def dvc(self, *arguments: str, report: Callable[[str], object] = str) -> str:
        """What a command of DVC printed."""
        return self.run(sys.executable, "-m", "dvc", *arguments, report=report)


def first(place: Path, settings: Sequence[str] = ()) -> Copy:
    """A copy in the user's own settings, but for those that must be known to be others in the second."""
    return _copy(place / "first", settings, TZ="UTC", LC_ALL="C", PYTHONHASHSEED="0")


def second(place: Path, corpus: Path, settings: Sequence[str] = ()) -> Copy:
    """A copy in which all is different that may be; it takes the corpus from a folder."""
    here = place / "zweite Kopie ü"  # a space and a letter to stumble over
    home = here / "home"
    home.mkdir(parents=True)
    return _copy(
        here,
        settings,
        umask=0o077,
        prefix=one_core(),
        TZ="Asia/Kathmandu",
        LC_ALL=other_locale(),
        PYTHONHASHSEED="4242",
        HOME=str(home),
        TEXTCLF_CORPUS=str(corpus),
    )


def _copy(
    here: Path, settings: Sequence[str] = (), *, umask: int = 0o022, prefix: tuple[str, ...] = (), **own: str
) -> Copy:
    temporary = here / "tmp"
    temporary.mkdir(parents=True)
    variables = {
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath))),
        "TMPDIR": str(temporary),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "DVC_GLOBAL_CONFIG_DIR": str(here / "dvc"),
        "DVC_SYSTEM_CONFIG_DIR": str(here / "dvc"),
        "DVC_SITE_CACHE_DIR": str(here / "dvc"),
    }
    if user_copy := os.environ.get("TEXTCLF_CORPUS"):
        variables["TEXTCLF_CORPUS"] = str(Path(user_copy).resolve())
    copy = Copy(here / "textclf", {**variables, **own}, umask, prefix)
    copy_project(copy, settings)
    return copy


def project_files() -> list[str]:
    """Paths of the project's files as Git sees them: tracked, or neither tracked nor ignored."""
    command = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    environment = {name: value for name, value in os.environ.items() if name not in UNWANTED}
    listed = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if listed.returncode:
        raise VerifyError(listed.stderr.strip())
    return sorted(name for name in set(listed.stdout.split("\0")) if name and (ROOT / name).is_file())


def copy_project(copy: Copy, settings: Sequence[str] = ()) -> None:
    """Copy the project's files, change params.yaml, and commit all in a repository of their own."""
    for name in project_files():
        target = copy.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)
    change(copy.folder / "params.yaml", settings)
    for command in (
        "git init --quiet --initial-branch=main",
        "git config user.name textclf",
        "git config user.email textclf@example.org",
        "git add --all",
        "git commit --quiet --message=copy",
    ):
        copy.run(*command.split())


def change(params: Path, settings: Sequence[str]) -> None:
    """Set each `key=value` in a params.yaml, the value in YAML."""
    import yaml

    if not settings:
        return
    content = yaml.safe_load(params.read_text(encoding="utf-8"))
    for setting in settings:
        key, equals, value = setting.partition("=")
        *sections, last = key.split(".")
        place = functools.reduce(lambda section, name: section.get(name, {}), sections, content)
        if not equals or last not in place:
            raise VerifyError(f"a setting must be KEY=VALUE with a key of params.yaml; got {setting}")
        place[last] = yaml.safe_load(value)
    params.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")


def one_core() -> tuple[str, ...]:
    """The start of a command that runs on one core; empty, and said so, where there is no taskset."""
    if shutil.which("taskset") is None:
        say("left out: the run on one core (no taskset here)")
        return ()
    return ("taskset", "--cpu-list", str(min(os.sched_getaffinity(0))))


def other_locale() -> str:
    """A locale that is here and is neither C nor English, if there is one."""
    listed = subprocess.run(("locale", "-a"), capture_output=True, text=True).stdout if shutil.which("locale") else ""
    unicode = [name for name in listed.split() if re.search(r"\.utf-?8$", name, re.IGNORECASE)]
    return next((name for name in unicode if not name.startswith(("C.", "en_"))), "C.UTF-8")


def stages_run(output: str) -> list[str]:
    """The stages that dvc repro says it ran."""
    return re.findall(r"^Running stage '(.+)':", output, re.MULTILINE)


def lock(folder: Path) -> dict[str, Any]:
    """What dvc.lock records of each stage, in its order."""
    import yaml

    stages: dict[str, Any] = yaml.safe_load((folder / "dvc.lock").read_text(encoding="utf-8"))["stages"]
    return stages


def recorded(folder: Path) -> Table:
    """The md5 in dvc.lock of every output."""
    return {stage: {out["path"]: out["md5"] for out in record["outs"]} for stage, record in lock(folder).items()}


def found(folder: Path) -> Table:
    """The SHA-256 of every file of every output that dvc.lock names."""
    return {stage: hashes(folder, outs) for stage, outs in recorded(folder).items()}


def hashes(folder: Path, outs: Iterable[str]) -> dict[str, str]:
    """The SHA-256 of every file of the outputs."""
    digests = {}
    for out in outs:
        for path in (folder / out, *(folder / out).rglob("*")):
            if path.is_file():
                with path.open("rb") as file:
                    digests[path.relative_to(folder).as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
    return digests


def unlike(one: Table, other: Table) -> dict[str, list[str]]:
    """The stages of which two tables differ, and the paths that differ or stand in one of them only."""
    differing = {}
    for stage in one | other:
        a, b = one.get(stage, {}), other.get(stage, {})
        if paths := sorted(path for path in a | b if a.get(path) != b.get(path)):
            differing[stage] = paths
    return differing


def judge(committed: Path | None, one: Path, other: Path) -> bool:
    """Whether two copies that ran agree with each other and with a committed dvc.lock; a line a stage says so."""
    comparisons = {
        "bytes differ between the copies": unlike(found(one), found(other)),
        "md5 differs between the copies": unlike(recorded(one), recorded(other)),
    }
    expected = {} if committed is None else recorded(committed)
    if committed is not None:
        comparisons["md5 differs from the committed dvc.lock"] = unlike(expected, recorded(one))
    good = True
    for stage in expected | recorded(one) | recorded(other):
        complaints = [f"{what}: {', '.join(by[stage])}" for what, by in comparisons.items() if stage in by]
        good = good and not complaints
        say(f"{stage} FAILED: {'; '.join(complaints)}" if complaints else f"{stage} ok")
    return good


def unchanged(copy: Copy) -> bool:
    """Whether a run left every committed file as it was, dvc.lock and the small outputs in Git among them."""
    changed = copy.run("git", "status", "--porcelain").splitlines()
    if changed:
        say(f"committed files FAILED: a run changes {', '.join(line[3:] for line in changed)}; commit what it gives")
    else:
        say("committed files ok")
    return not changed


def alone(copy: Copy, stage: str, folder: Path, python: Sequence[str]) -> str:
    """What a stage printed, run by an interpreter in a folder with nothing but its deps and params.yaml."""
    record = lock(copy.folder)[stage]
    for name in ("params.yaml", *(dep["path"] for dep in record["deps"])):
        source, target = copy.folder / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy(source, target)
    _, *arguments = shlex.split(record["cmd"])
    variables = {**copy.variables, "TEXTCLF_CORPUS": str(corpus_of(copy))}
    return replace(copy, folder=folder, variables=variables).run(*python, *arguments)


def all_alone(copy: Copy, place: Path, python: Sequence[str]) -> Iterator[tuple[str, Path, str]]:
    """Stage, folder and what it printed, of every stage run `alone`; several at a time, each as it is done."""
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as executor:
        running = {}
        # Training first: the network takes the longest, and should not be left to run alone at the end.
        for stage in sorted(lock(copy.folder), key=lambda name: not name.startswith("train@")):
            folder = place / stage
            running[executor.submit(alone, copy, stage, folder, python)] = stage, folder
        try:
            for future in as_completed(running):
                yield *running[future], future.result()
        finally:
            executor.shutdown(cancel_futures=True)  # after a failure, start no more


def corpus_of(copy: Copy) -> Path:
    """The folder that the copy's fetch wrote."""
    return copy.folder / next(iter(recorded(copy.folder)["fetch"]))


def emulated(copy: Copy, place: Path) -> bool:
    """Whether an emulated CPU gives the bytes of a copy that ran; a line a stage says so."""
    if shutil.which(EMULATOR[0]) is None:
        say(f"left out: the run on an emulated CPU (no {EMULATOR[0]} here; Debian and Ubuntu: apt install qemu-user)")
        return True
    say(f"each stage once more under {' '.join(EMULATOR)}, which takes a minute or two")
    outs = recorded(copy.folder)
    good = True
    for stage, folder, _ in all_alone(copy, place, (*EMULATOR, sys.executable)):
        differing = unlike({stage: hashes(copy.folder, outs[stage])}, {stage: hashes(folder, outs[stage])})
        good = good and not differing
        say(f"{stage} FAILED: bytes differ: {', '.join(differing[stage])}" if differing else f"{stage} ok")
    return good


def verify(place: Path, settings: Sequence[str] = ()) -> bool:
    """Whether every output is the same everywhere under these settings, told line by line."""

    def progress(line: str) -> None:
        for stage in stages_run(line):
            say(f"  {stage}")

    if shutil.which("git") is None:
        raise VerifyError("git not found; install it")
    if missing := [name for name in ("dvc", "yaml") if importlib.util.find_spec(name) is None]:
        raise VerifyError(f"the Python module {missing[0]} not found; run make verify, which installs it")
    say(f"first copy: {' '.join(settings) or 'as it stands'}")
    one = first(place, settings)
    one.dvc("repro", "--force", report=progress)
    other = second(place, corpus_of(one), settings)
    say(
        "second copy: other folder, TZ={TZ}, LC_ALL={LC_ALL}, PYTHONHASHSEED={PYTHONHASHSEED}, "
        "umask {umask:03o}, other HOME, {cores}".format(
            **other.variables, umask=other.umask, cores="one core" if other.prefix else "all cores"
        )
    )
    other.dvc("repro", "--force", report=progress)
    results = [judge(None if settings else ROOT, one.folder, other.folder), emulated(one, place / "emulated")]
    if not settings:
        results.append(unchanged(one))
    return all(results)


def main(arguments: Sequence[str]) -> int:
    """The exit code; the folder with the copies is kept if they differ."""
    place = Path(tempfile.mkdtemp(prefix="textclf-verify-"))
    kept = False
    try:
        if list(arguments) == ["--representations"]:
            results = [
                verify(place / str(number), (*settings, ALL_MODELS)) for number, settings in enumerate(REPRESENTATIONS)
            ]
            kept = not all(results)
        else:
            kept = not verify(place, arguments)
    except VerifyError as error:
        say(f"error: verify: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    finally:
        if not kept:
            shutil.rmtree(place, ignore_errors=True)
    say(f"FAILED; the copies are in {place}" if kept else "every byte is the same")
    return int(kept)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
