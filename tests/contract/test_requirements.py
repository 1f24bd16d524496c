"""What `make` installs: locked, with hashes, and built by nothing that is not locked."""

import os
import re
from pathlib import Path

from tests.processes import ROOT, git, run

LOCKED = "--require-hashes --only-binary :all:"
LOCKS = {
    path.name: path.read_text(encoding="utf-8") for path in (ROOT / "requirements").glob("*.txt")
}


def make(target: str) -> list[str]:
    """Return the commands that make would run for a target, each on one line."""
    done = run("make", "--dry-run", "--always-make", "--no-print-directory", target, folder=ROOT)
    return re.sub(r"\\\n\s*", "", done.out).splitlines()


def version(name: str, lock: str) -> str:
    versions = re.findall(rf"^{name}==(\S+)", LOCKS[lock], re.MULTILINE)
    assert len(versions) == 1, f"{name} in {lock}"
    return str(versions[0])


def test_make_installs_only_wheels_and_those_of_the_lock_files() -> None:
    installs = [
        line
        for line in make(".venv/dev")
        if "-m pip install" in line and "-m pip wheel" not in line
    ]
    files = [
        name
        for line in installs
        if LOCKED in line
        for name in re.findall(r"-r requirements/(\S+)", line)
    ]
    assert files == ["build.txt", "run.txt", "keras.txt", "dev.txt"]
    assert [
        line
        for line in installs
        if LOCKED not in line and "--no-deps --no-build-isolation" not in line
    ] == []


def test_the_requirement_without_a_wheel_is_built_with_what_is_locked() -> None:
    (built,) = (line for line in make(".venv/run") if "-m pip wheel" in line)
    assert "--require-hashes --no-deps --no-build-isolation" in built
    assert "sed -n '/^antlr4-python3-runtime==/,/# via/p' requirements/run.txt" in built
    assert re.search(
        r"^antlr4-python3-runtime==\S+ \\\n    --hash=sha256:\w{64}\n    # via\n",
        LOCKS["run.txt"],
        re.MULTILINE,
    )


def test_locking_refuses_another_requirement_without_a_wheel(tmp_path: Path) -> None:
    stub = tmp_path / "uv"
    stub.write_text('#!/bin/sh\necho "$@"\n')
    stub.chmod(0o755)
    done = run(ROOT / "ci" / "lock.sh", PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert (done.status, done.err) == (0, "")
    locking = done.out.splitlines()
    assert sorted(re.findall(r"-o requirements/(\S+)", done.out)) == sorted(LOCKS)
    assert all("--only-binary :all:" in line and "--generate-hashes" in line for line in locking)
    assert [
        re.findall(r"--no-binary (\S+)", line) for line in locking if "--no-binary" in line
    ] == [["antlr4-python3-runtime"]]


def test_no_file_says_to_install_the_package_that_has_our_name_on_the_package_index() -> None:
    wrong = re.compile(r"""pip3? install [^\n]*(?<=[\s"'`])textclf(?![\w./*-])""")
    names = set(git("ls-files", "-z", folder=ROOT).split("\0")) - {
        "",
        "CHANGELOG.md",
    }  # which says what once was
    texts = {
        name: (ROOT / name).read_bytes().decode("utf-8", "replace")
        for name in names
        if (ROOT / name).is_file()
    }
    assert {name: match[0] for name, text in texts.items() if (match := wrong.search(text))} == {}


def test_the_image_installs_only_wheels() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if "-r requirements/" in line and LOCKED not in line] == []
