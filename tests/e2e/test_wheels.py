"""Each locked requirement has a wheel, by its hash, on each platform where textclf runs."""

import json
import re
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.e2e.test_install import pip
from tests.verify import ROOT

SDIST = "antlr4-python3-runtime"  # pure Python, built where it is installed
ALONE = {"lowest", "newest"}  # the others have one version of each package
TOGETHER = " ".join(sorted({path.stem for path in (ROOT / "requirements").glob("*.txt")} - ALONE))
WINDOWS = {
    "sys_platform": "win32",
    "platform_system": "Windows",
    "os_name": "nt",
    "platform_machine": "AMD64",
}
MAC = {"sys_platform": "darwin", "platform_system": "Darwin", "platform_machine": "arm64"}
ARM64 = "manylinux2014_aarch64 manylinux_2_%_aarch64"
MARKERS = {"win_amd64": WINDOWS, "macosx_14_0_arm64": MAC, ARM64: {"platform_machine": "aarch64"}}
CASES = [(files, version) for files in (TOGETHER, "newest") for version in ("3.11", "3.13")]
CASES += [("lowest", "3.11"), ("serve", "3.14"), ("newest", "3.14")]
MUSL = [(files, version, "musllinux_1_%_x86_64") for files, version in CASES[-2:]]


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("files", "version", "tag"), [*((*case, tag) for case in CASES for tag in MARKERS), *MUSL]
)
def test_each_locked_requirement_has_a_wheel(files: str, version: str, tag: str) -> None:
    surroundings = {
        "python_full_version": f"{version}.9",
        "python_version": version,
        **MARKERS.get(tag, {}),
    }
    hashes = {}
    text = "".join(
        (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
        for name in files.split()
    )
    for block in re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]:
        wanted = Requirement(block.partition(" \\")[0])
        if wanted.name != SDIST and (wanted.marker is None or wanted.marker.evaluate(surroundings)):
            hashes[f"{wanted.name}{wanted.specifier}"] = set(re.findall(r"sha256:(\w+)", block))
    tags = {
        f"--platform={each.replace('%', str(minor))}"
        for each in tag.split()
        for minor in range(1, 29)
    }
    options = (
        f"--python-version={version}",
        "--ignore-requires-python",
        "--no-deps",
        "--only-binary=:all:",
        *tags,
    )
    words = ("install", "--quiet", "--dry-run", "--report=-", "--target=unused", *options, *hashes)
    report = json.loads(pip(Path(sys.prefix), *words))
    result = {
        entry["download_info"]["archive_info"]["hashes"]["sha256"] for entry in report["install"]
    }
    assert (len(result), result - set().union(*hashes.values())) == (len(hashes), set())
