"""The pictures of the report in the docs: those of the run in dvc.lock."""

import shutil
from pathlib import Path

import pytest

from docs import gallery
from tests.processes import python
from tests.refusal import refusal
from tests.verify import ROOT
from textclf.core.errors import UserError

LOCK = """\
stages:
  report:
    outs:
    - path: reports/report.html
      md5: {}
"""
OF_REPORT = "b1946ac92492d2347c6235b4d2611184"  # of "hello\n"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a report, its checksum in dvc.lock, and pictures that were taken of it."""
    monkeypatch.setattr(gallery, "ROOT", tmp_path)
    (tmp_path / "dvc.lock").write_text(LOCK.format(OF_REPORT))
    shutil.copytree(ROOT / gallery.GALLERY, tmp_path / gallery.GALLERY)
    (tmp_path / "reports").mkdir()
    (tmp_path / gallery.REPORT).write_text("hello\n")
    gallery.record()
    return tmp_path


def test_pictures_are_outdated_if_the_run_or_a_picture_is_another(root: Path) -> None:
    assert not gallery.outdated(root)
    (root / "dvc.lock").write_text(LOCK.format("0" * 32))
    assert gallery.outdated(root)
    gallery.record()
    assert not gallery.outdated(root)
    for change in (lambda path: path.write_bytes(b"another"), Path.unlink):
        change(root / gallery.GALLERY / "models.png")
        assert gallery.outdated(root)
    gallery.record()
    (root / gallery.GALLERY / "made-from.json").unlink()
    assert gallery.outdated(root)


def test_pictures_are_taken_of_the_runs_report_with_chromium(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert "are of another run; install Chromium and run make docs" in refusal(gallery.take)
    for change in (lambda path: path.write_text("edited\n"), Path.unlink):
        change(root / gallery.REPORT)
        with pytest.raises(
            UserError, match=r"reports/report\.html must be that of dvc\.lock.* run make repro"
        ):
            gallery.take()


@pytest.mark.lesson
def test_the_check_of_the_docs_needs_no_browser_and_refuses_pictures_of_another_run() -> None:
    code = (
        "import runpy, sys; from pathlib import Path; from docs import gallery; "
        "sys.argv = ['generate', '--check']\n"
        "gallery.current = lambda root: {}\n"
        "runpy.run_path('docs/generate.py', run_name='__main__')"
    )
    done = python("-c", code, folder=ROOT)
    assert done.status == 1
    assert (
        "docs: the pictures in docs/gallery are of another run; run make docs, which needs Chromium"
        in done.err
    )
