"""Measure fresh installations from each lock file: size, packages, and the start of `textclf predict`.

    python -m benchmarks.install [install] [first_install]

Needs the models of a run and the index of packages; takes some minutes. The installations differ only in their
packages, so their starts are measured in alternation. Sizes are those of site-packages, with compiled bytecode.
`first_install` is that of README.md: the wheel with its newest packages. Its minutes are those of the CPU, since the
time of the download depends on the network.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import results
from benchmarks.presets import cpu_seconds
from benchmarks.results import ROOT

ROUNDS = 9  # starts of each
NAMES = ("predict", "serve", "run")  # requirements/<name>.txt
FIRST, EXTRAS = "first_install", "[pipeline,encoder]"  # the result and the installation of README.md


def measure() -> dict[str, Any]:
    """Return megabytes, packages and seconds of a start for each lock file."""
    with tempfile.TemporaryDirectory(prefix="textclf-install-") as folder:
        environments = {
            name: install(Path(folder, name), "--require-hashes", "-r", str(ROOT / "requirements" / f"{name}.txt"))
            for name in NAMES
        }
        seconds: dict[str, list[float]] = {name: [] for name in NAMES}
        for _ in range(ROUNDS):
            for name, environment in environments.items():
                seconds[name].append(start(environment))
        installations = {
            name: {
                **describe(environment),
                "start_seconds": results.spread(seconds[name]),
            }
            for name, environment in environments.items()
        }
    return {"installations": installations, "rounds": ROUNDS}


def measure_first() -> dict[str, Any]:
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
    """Return the size of an environment's packages and how many they are, without pip and setuptools."""
    packages = site_packages(environment)
    return {"megabytes": round(size(packages) / 1e6), "packages": len(list(packages.glob("*.dist-info"))) - 2}


def install(environment: Path, *words: str) -> Path:
    """Return a new environment with the packages that these arguments of `pip install` name."""
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *words], check=True)
    return environment


def start(environment: Path) -> float:
    """Return the seconds from the start of `textclf predict` with one text to its end."""
    command = [str(environment / "bin" / "python"), "-m", "textclf.cli", "predict", "The food was great."]
    started = time.perf_counter()
    subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True, env={**os.environ, "PYTHONPATH": "."})
    return time.perf_counter() - started


def site_packages(environment: Path) -> Path:
    """Return the folder of an environment's packages."""
    return next(environment.glob("lib/*/site-packages"))


def size(folder: Path) -> int:
    """Return the bytes of the files in a folder."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


def sentence() -> str:
    """Return what the installation in README.md takes."""
    took = results.read(FIRST)
    return (
        f"That is {took['packages']} packages: {took['download_megabytes'] / 1e3:.1f} GB to download, "
        f"{took['megabytes'] / 1e3:.1f} GB on disk, {took['cpu_minutes']:.1f} minutes of CPU."
    )


def table() -> str:
    """Return the stored result as Markdown."""
    content = results.read("install")
    rows = [
        [
            f"`requirements/{name}.txt`",
            str(each["packages"]),
            f"{each['megabytes']:,}",
            results.show(each["start_seconds"]),
        ]
        for name, each in content["installations"].items()
    ]
    seconds = f"seconds of `textclf predict`, median of {content['rounds']}"
    return results.markdown(["locked in", "packages", "MB", seconds], rows)


if __name__ == "__main__":
    results.main({"install": measure, FIRST: measure_first})
