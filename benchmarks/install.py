"""Measure the installation in README.md and the locked packages of each extra.

The installation is the wheel with its newest packages.

    python -m benchmarks.install

Needs the index of packages and, for the extras, `make .venv/dev`. The size is that of
site-packages, with compiled bytecode; the minutes are those of the CPU, since the time of the
download depends on the network.
"""

import re
import subprocess
import sys
import tempfile
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from benchmarks import results
from benchmarks.presets import cpu_seconds
from textclf.core.installed import LOCKED

# By the name of a lock file: the extra and what it is for, and the lock files to whose packages it
# adds its own.
ADDED: dict[str, tuple[str, tuple[str, ...]]] = {
    "predict": ("none | predict", ()),
    "serve": ("`serve` | `textclf serve`", ("predict",)),
    "run": ("`pipeline` | a project", ("predict",)),
    "keras": ("`keras` | networks", ("run",)),
    "pretrained": ("`pretrained` | fine-tuned transformers, beside `keras`", ("run", "keras")),
    "search": ("`search` | `textclf search`", ("run",)),
    "audit": ("`audit` | `textclf audit`", ("run",)),
    "sign": ("`sign` | `textclf sign`, `textclf verify --key`", ("run", "keras")),
}
RESULT, EXTRAS = "first_install", "[pipeline]"  # the installation of README.md


def measure() -> dict[str, Any]:
    """Return what the installation in README.md downloads, needs and takes."""
    from tests import wheel

    with tempfile.TemporaryDirectory(prefix="textclf-install-") as folder:
        wanted, used = f"{wheel.build(Path(folder))}{EXTRAS}", cpu_seconds()
        environment = install(Path(folder, "environment"), "--no-cache-dir", wanted)
        minutes, packages = (cpu_seconds() - used) / 60, Path(folder, "packages")
        download = ["-m", "pip", "download", "--quiet", "--dest", str(packages), wanted]
        subprocess.run([environment / "bin" / "python", *download], check=True)
        took = {"cpu_minutes": minutes, "download_megabytes": round(size(packages) / 1e6)}
        return {"extras": EXTRAS, **describe(environment), **took}


def describe(environment: Path) -> dict[str, int]:
    """Return the size and number of an environment's packages, without pip and setuptools."""
    packages = site_packages(environment)
    return {
        "megabytes": round(size(packages) / 1e6),
        "packages": len(list(packages.glob("*.dist-info"))) - 2,
    }


def install(environment: Path, *words: str) -> Path:
    """Return a new environment with the packages that these arguments of `pip install` name."""
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    pip = [
        str(environment / "bin" / "python"),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]
    subprocess.run([*pip, *words], check=True)
    return environment


def site_packages(environment: Path) -> Path:
    """Return the folder of an environment's packages."""
    return next(environment.glob("lib/*/site-packages"))


def size(folder: Path) -> int:
    """Return the bytes of the files in a folder."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


def locked() -> dict[str, Any]:
    """Return each extra's additional packages, by its lock file, and their megabytes."""
    result = {re.sub("[-_.]+", "-", each.name).lower(): each for each in distributions()}

    def names(*locks: str) -> set[str]:
        texts = (
            (results.ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
            for lock in locks
        )
        return {name for text in texts for name, _ in LOCKED.findall(text) if name in result}

    def describe(names: set[str]) -> dict[str, int]:
        paths = [Path(str(file.locate())) for name in names for file in result[name].files or []]
        sizes = (path.lstat().st_size for path in paths if path.is_file())
        return {"packages": len(names), "megabytes": round(sum(sizes) / 1e6)}

    return {lock: describe(names(lock) - names(*others)) for lock, (_, others) in ADDED.items()}


def table() -> str:
    """Return what each extra adds, as Markdown."""
    took = results.read("extras")
    lines = ["| Extra | For | Packages | MB |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {took[lock]['packages']} | {took[lock]['megabytes']:,} |"
        for lock, (name, _) in ADDED.items()
    ]
    return "\n".join(lines)


def sentence() -> str:
    """Return what the installation in README.md takes."""
    took = results.read(RESULT)
    return (
        f"That is {took['packages']} packages: {took['download_megabytes'] / 1e3:.1f} GB to "
        f"download, {took['megabytes'] / 1e3:.1f} GB on disk, "
        f"{took['cpu_minutes']:.1f} minutes of CPU. "
        f"Networks (`keras`) add {results.read('extras')['keras']['megabytes'] / 1e3:.1f} GB."
    )


if __name__ == "__main__":
    results.main({RESULT: measure, "extras": locked})
