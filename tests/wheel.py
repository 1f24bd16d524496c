"""The wheel of textclf-pipeline, built of this repository, and what is installed from it."""

import subprocess
import sys
from pathlib import Path

from tests.verify import ROOT


def build(folder: Path, target: str = "wheel") -> Path:
    command = [
        sys.executable,
        "-m",
        "hatchling",
        "build",
        "--target",
        target,
        "--directory",
        str(folder),
    ]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    (built,) = folder.glob("*.whl" if target == "wheel" else "*.tar.gz")
    return built


def install(folder: Path) -> Path:
    """Return a folder with the installed wheel, to go before the editable one in PYTHONPATH."""
    place = folder / "installed"
    wheel = build(folder)
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--target",
        str(place),
        str(wheel),
    ]
    subprocess.run(command, capture_output=True, check=True)
    (record,) = place.glob("textclf_pipeline-*.dist-info/direct_url.json")
    record.write_text(
        '{"url": "https://example.org/textclf_pipeline.whl", "archive_info": {}}'
    )  # not of this machine
    return place
