"""Measure fresh installations from each lock file: size, packages, and the start of `textclf predict`.

    python -m benchmarks.install

Needs the models of a run and the index of packages; takes some minutes. The installations differ only in their
packages, so their starts are measured in alternation. Sizes are those of site-packages, with compiled bytecode.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import results
from benchmarks.results import ROOT

ROUNDS = 9  # starts of each
NAMES = ("predict", "serve", "run")  # requirements/<name>.txt


def measure() -> dict[str, Any]:
    """Return megabytes, packages and seconds of a start for each lock file."""
    with tempfile.TemporaryDirectory(prefix="textclf-install-") as folder:
        environments = {name: install(Path(folder, name), name) for name in NAMES}
        seconds: dict[str, list[float]] = {name: [] for name in NAMES}
        for _ in range(ROUNDS):
            for name, environment in environments.items():
                seconds[name].append(start(environment))
        installations = {
            name: {
                "megabytes": round(size(environment) / 1e6),
                "packages": len(list(site_packages(environment).glob("*.dist-info"))) - 2,  # pip and setuptools
                "start_seconds": results.spread(seconds[name]),
            }
            for name, environment in environments.items()
        }
    return {"installations": installations, "rounds": ROUNDS}


def install(environment: Path, name: str) -> Path:
    """Return a new environment with the packages of a lock file."""
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--require-hashes", "-r", str(ROOT / "requirements" / f"{name}.txt")], check=True)
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


def size(environment: Path) -> int:
    """Return the bytes of an environment's packages."""
    return sum(path.lstat().st_size for path in site_packages(environment).rglob("*") if path.is_file())


def table(content: dict[str, Any] | None = None) -> str:
    """Return a result, by default the stored one, as Markdown."""
    content = content or results.read("install")
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
    results.main({"install": measure}, table)
