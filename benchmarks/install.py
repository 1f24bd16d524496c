"""Measure the installation in README.md: the wheel with its newest packages.

    python -m benchmarks.install

Needs the index of packages. The size is that of site-packages, with compiled bytecode; the minutes are those of the
CPU, since the time of the download depends on the network.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import results
from benchmarks.presets import cpu_seconds

RESULT, EXTRAS = "first_install", "[pipeline,encoder]"  # the installation of README.md


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
    """Return the size of an environment's packages and how many they are, without pip and setuptools."""
    packages = site_packages(environment)
    return {"megabytes": round(size(packages) / 1e6), "packages": len(list(packages.glob("*.dist-info"))) - 2}


def install(environment: Path, *words: str) -> Path:
    """Return a new environment with the packages that these arguments of `pip install` name."""
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *words], check=True)
    return environment


def site_packages(environment: Path) -> Path:
    """Return the folder of an environment's packages."""
    return next(environment.glob("lib/*/site-packages"))


def size(folder: Path) -> int:
    """Return the bytes of the files in a folder."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


def sentence() -> str:
    """Return what the installation in README.md takes."""
    took = results.read(RESULT)
    return (
        f"That is {took['packages']} packages: {took['download_megabytes'] / 1e3:.1f} GB to download, "
        f"{took['megabytes'] / 1e3:.1f} GB on disk, {took['cpu_minutes']:.1f} minutes of CPU."
    )


if __name__ == "__main__":
    results.main({RESULT: measure})
