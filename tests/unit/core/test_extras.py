import json
import re
import sys
import tomllib
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest

from tests import approved
from tests.processes import ROOT
from textclf.core import extras, installed, stage
from textclf.core.extras import EXTRAS, LOCKED, how_to_install
from textclf.core.failures import USAGE_ERROR
from textclf.version import __version__

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# Modules that are not named as their packages.
MODULES = {
    "scikit-learn": "sklearn",
    "vl-convert-python": "vl_convert",
    "model-signing": "model_signing",
    "pyopenssl": "OpenSSL",
}
NEVER_IMPORTED = {"ruamel.yaml.clib"}  # by textclf; DVC's reader of YAML finds it
GIT = {
    "url": "https://github.com/someone/textclf",
    "vcs_info": {"vcs": "git", "requested_revision": "main", "commit_id": "9a1b"},
}
WHEEL = {
    "url": "file:///tmp/a%20b/textclf_pipeline-0.1.0-py3-none-any.whl",
    "archive_info": {"hash": "sha256=00"},
}


def modules(requirements: list[str]) -> set[str]:
    names = (re.split(r"[<>=]", line)[0] for line in requirements)
    return {MODULES.get(name, name) for name in names} - NEVER_IMPORTED


def test_every_package_of_an_extra_is_known_by_the_module_that_it_brings() -> None:
    declared = {name: modules(lines) for name, lines in PROJECT["optional-dependencies"].items()}
    declared["pipeline"] |= {"markupsafe"}
    declared["pipeline"] -= declared["parquet"] | modules(PROJECT["dependencies"])
    assert {name: set(packages) for name, packages in EXTRAS.items()} == declared


def test_each_extra_with_a_lock_file_is_installed_from_it() -> None:
    locks = {path.stem for path in (ROOT / "requirements").glob("*.txt")}
    assert set(LOCKED) == locks & set(EXTRAS)


def fail(error: Exception) -> None:
    raise error


def test_a_missing_package_is_one_line_with_the_command_that_installs_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def say(module: str) -> list[str]:
        assert (
            stage.exit_code("predict", lambda: fail(ModuleNotFoundError("", name=module)))
            == USAGE_ERROR
        )
        return capsys.readouterr().err.splitlines()

    approved.check_cases(Path(__file__).with_name("missing_packages.txt"), say)


@pytest.mark.parametrize("name", ["textclf.lost", "stages.lost", None])
def test_a_missing_module_of_textclf_is_a_defect(name: str | None) -> None:
    with pytest.raises(ModuleNotFoundError):
        stage.exit_code("predict", lambda: fail(ModuleNotFoundError("", name=name)))


@pytest.mark.parametrize(
    ("extra", "recorded", "command"),
    [
        ("pipeline", "textclf-pipeline[pipeline] @ https://x.org/t.whl", None),
        ("keras", "textclf-pipeline[keras] @ https://x.org/t.whl", None),
        ("serve", None, "pip install --only-binary :all: fastapi uvicorn"),
    ],
)
def test_outside_of_a_clone_an_extra_is_installed_from_where_textclf_came(
    monkeypatch: pytest.MonkeyPatch, extra: str, recorded: str | None, command: str | None
) -> None:
    monkeypatch.setattr(extras, "NEWEST", sys.version_info[:2])
    monkeypatch.setattr(extras, "clone_root", lambda: None)
    monkeypatch.setattr(extras, "requirement", lambda _extra: recorded)
    assert how_to_install(extra) == (command or f'pip install "{recorded}"')


@pytest.mark.parametrize(
    ("extra", "refused"), [("keras", True), ("pretrained", True), ("pipeline", False)]
)
def test_a_python_without_tensorflow_wheels_is_told(
    extra: str, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.version_info", (3, 14, 0))
    line = "TensorFlow has no wheels for this Python; use Python 3.11, 3.12 or 3.13"
    assert (how_to_install(extra) == line) == refused


def test_base_has_no_upper_bounds() -> None:
    assert [line for line in PROJECT["dependencies"] if re.search("<|==|~=", line)] == []


def install(folder: Path, direct_url: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the metadata of an installed distribution, and let Python find it."""
    metadata = folder / "textclf_pipeline-0.1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        "Metadata-Version: 2.4\nName: textclf-pipeline\nVersion: 0.1.0\n"
    )
    if direct_url is not None:
        (metadata / "direct_url.json").write_text(json.dumps(direct_url))
    monkeypatch.setattr(installed, "distribution", lambda _name: PathDistribution(metadata))


@pytest.mark.parametrize(
    ("direct_url", "extra", "expected"),
    [
        (None, None, f"textclf-pipeline=={__version__}"),
        (None, "pipeline", f"textclf-pipeline[pipeline]=={__version__}"),
        (GIT, None, "textclf-pipeline @ git+https://github.com/someone/textclf@9a1b"),
        (
            GIT,
            "pipeline",
            "textclf-pipeline[pipeline] @ git+https://github.com/someone/textclf@9a1b",
        ),
        (GIT | {"url": "file:///a/b"}, None, "textclf-pipeline @ git+file://localhost/a/b@9a1b"),
        (WHEEL, "pipeline", f"textclf-pipeline[pipeline] @ {WHEEL['url']}"),
    ],
)
def test_the_requirement_is_what_was_installed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    direct_url: object,
    extra: str | None,
    expected: str,
) -> None:
    install(tmp_path, direct_url, monkeypatch)
    assert installed.requirement(extra) == expected
    assert bool(installed.LOCAL.match(expected)) is ("file:" in expected)


def test_code_copied_without_its_distribution_is_required_by_its_version(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(installed, "DISTRIBUTION", "textclf-that-nobody-has")
    assert installed.requirement() == f"textclf-that-nobody-has=={__version__}"


def test_a_clone_has_the_stages_beside_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert installed.clone_root() == ROOT
    monkeypatch.setattr(installed, "__file__", str(tmp_path / "textclf" / "core" / "installed.py"))
    (tmp_path / "textclf" / "stages").mkdir(parents=True)
    assert installed.clone_root() is None
    # A package installed into a project's own folder.
    (tmp_path / "dvc.yaml").touch()
    assert installed.clone_root() is None
