"""Measure fresh installations from each lock file: download, size, packages, and the start of `textclf predict`.

    python -m benchmarks.install

Needs the models of a run and the index of packages; takes some minutes. The installations differ only in their
packages, so their starts are measured in alternation. Sizes are those of site-packages, with compiled bytecode.
Nothing is cached: the download is what pip's cache has afterwards, and minutes are those of the clock and of the CPU.
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


def measure() -> dict[str, Any]:
    """Return megabytes, packages and seconds of a start for each lock file."""
    with tempfile.TemporaryDirectory(prefix="textclf-install-") as folder:
        installed = {name: install(Path(folder, name), name) for name in NAMES}
        environments = {name: environment for name, (environment, _) in installed.items()}
        seconds: dict[str, list[float]] = {name: [] for name in NAMES}
        for _ in range(ROUNDS):
            for name, environment in environments.items():
                seconds[name].append(start(environment))
        installations = {
            name: {
                "megabytes": round(size(site_packages(environment)) / 1e6),
                "packages": len(list(site_packages(environment).glob("*.dist-info"))) - 2,  # pip and setuptools
                "start_seconds": results.spread(seconds[name]),
                **installed[name][1],
            }
            for name, environment in environments.items()
        }
    return {"installations": installations, "rounds": ROUNDS}


def install(environment: Path, name: str) -> tuple[Path, dict[str, float]]:
    """Return a new environment with the packages of a lock file, and what it took: megabytes and minutes."""
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    cache = environment.with_name(f"{name}-cache")
    started, used = time.perf_counter(), cpu_seconds()
    words = ["--cache-dir", str(cache), "--require-hashes", "-r", str(ROOT / "requirements" / f"{name}.txt")]
    subprocess.run([*pip, *words], check=True)
    took = {"minutes": (time.perf_counter() - started) / 60, "cpu_minutes": (cpu_seconds() - used) / 60}
    return environment, {"download_megabytes": round(size(cache) / 1e6), **took}


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
    """Return what the installation of the pipeline takes, for README.md."""
    each = results.read("install")["installations"]["run"]
    return (
        f"The installation downloads {each['packages']} packages of {each['download_megabytes'] / 1e3:.1f} GB, takes "
        f"{each['megabytes'] / 1e3:.1f} GB and, beside the download, {each['cpu_minutes']:.0f} minutes of CPU."
    )


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
