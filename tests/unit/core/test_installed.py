import json
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest

from tests.processes import ROOT
from textclf.core import installed
from textclf.version import __version__

GIT = {
    "url": "https://github.com/someone/textclf",
    "vcs_info": {"vcs": "git", "requested_revision": "main", "commit_id": "9a1b"},
}
WHEEL = {"url": "file:///tmp/a%20b/textclf_pipeline-0.1.0-py3-none-any.whl", "archive_info": {"hash": "sha256=00"}}


def install(folder: Path, direct_url: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the metadata of an installed distribution, and let Python find it."""
    metadata = folder / "textclf_pipeline-0.1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.4\nName: textclf-pipeline\nVersion: 0.1.0\n")
    if direct_url is not None:
        (metadata / "direct_url.json").write_text(json.dumps(direct_url))
    monkeypatch.setattr(installed, "distribution", lambda _name: PathDistribution(metadata))


@pytest.mark.parametrize(
    ("direct_url", "extra", "expected"),
    [
        (None, None, f"textclf-pipeline=={__version__}"),
        (None, "pipeline", f"textclf-pipeline[pipeline]=={__version__}"),
        (GIT, None, "textclf-pipeline @ git+https://github.com/someone/textclf@9a1b"),
        (GIT, "pipeline", "textclf-pipeline[pipeline] @ git+https://github.com/someone/textclf@9a1b"),
        (GIT | {"url": "file:///a/b"}, None, "textclf-pipeline @ git+file://localhost/a/b@9a1b"),
        (WHEEL, "pipeline", f"textclf-pipeline[pipeline] @ {WHEEL['url']}"),
    ],
)
def test_the_requirement_is_what_was_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, direct_url: object, extra: str | None, expected: str
) -> None:
    install(tmp_path, direct_url, monkeypatch)
    assert installed.requirement(extra) == expected
    assert bool(installed.LOCAL.match(expected)) is ("file:" in expected)


def test_code_copied_without_its_distribution_is_required_by_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed, "DISTRIBUTION", "textclf-that-nobody-has")
    assert installed.requirement() == f"textclf-that-nobody-has=={__version__}"


def test_a_clone_has_the_stages_beside_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert installed.clone_root() == ROOT
    monkeypatch.setattr(installed, "__file__", str(tmp_path / "textclf" / "core" / "installed.py"))
    assert installed.clone_root() is None
    (tmp_path / "dvc.yaml").touch()  # a package installed into a project's own folder
    assert installed.clone_root() is None
