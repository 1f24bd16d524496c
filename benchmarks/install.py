"""Measure fresh installations from each lock file: size, packages, and the start of `textclf predict`.

    python -m benchmarks.install --result benchmarks/results/install.json

Needs the models of a run and the index of packages; takes some minutes. The installations differ only in their
packages, so their starts are measured in alternation. Sizes are those of site-packages, with compiled bytecode.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from textclf.core import files

ROOT = Path(__file__).parents[1]
NAMES = ("predict", "serve", "run")  # requirements/<name>.txt
RESULT = ROOT / "benchmarks" / "results" / "install.json"


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Measure installations from each lock file.")
    parser.add_argument("--rounds", type=int, default=9, help="starts of each (default 9)")
    parser.add_argument("--result", type=Path, help="a JSON file to write")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="textclf-install-") as folder:
        environments = {name: install(Path(folder, name), name) for name in NAMES}
        seconds: dict[str, list[float]] = {name: [] for name in NAMES}
        for _ in range(arguments.rounds):
            for name, environment in environments.items():
                seconds[name].append(start(environment))
        installations = {
            name: {
                "megabytes": round(size(environment) / 1e6),
                "packages": len(list(site_packages(environment).glob("*.dist-info"))) - 2,  # pip and setuptools
                "start_seconds": {
                    "median": round(statistics.median(seconds[name]), 3),
                    "minimum": round(min(seconds[name]), 3),
                    "maximum": round(max(seconds[name]), 3),
                },
            }
            for name, environment in environments.items()
        }
    content = {"installations": installations, "load": round(os.getloadavg()[0], 1), "rounds": arguments.rounds}
    if arguments.result is not None:
        files.write_json(arguments.result, content)
    print(table(content))


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
    content = content or json.loads(RESULT.read_text(encoding="utf-8"))
    lines = [
        f"| locked in | packages | MB | seconds of `textclf predict`, median of {content['rounds']} |",
        "| --- | --- | --- | --- |",
    ]
    for name, each in content["installations"].items():
        seconds = "{median:.2f} ({minimum:.2f} to {maximum:.2f})".format(**each["start_seconds"])
        lines.append(f"| `requirements/{name}.txt` | {each['packages']} | {each['megabytes']:,} | {seconds} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
