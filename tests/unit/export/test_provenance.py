import hashlib
import subprocess
from pathlib import Path

import pytest

from textclf.export import provenance

LOCK = """\
# made by a tool
numpy==2.4.6 \\
    --hash=sha256:00
Keras==3.15.1
dvc[s3]==3.67.1 ; python_version < "3.14"
vl_convert.python==1.9.0.post1
other==1
"""


def test_a_files_checksum_is_that_of_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b"a,b\r\n" * 300_000)
    assert provenance.checksum(path) == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_checksums_of_files_stand_by_their_names_in_order(tmp_path: Path) -> None:
    files = {name: tmp_path / name.replace("/", "-") for name in ("b.txt", "a.txt", "below/c.txt")}
    for name, path in files.items():
        path.write_text(name)
    found = provenance.checksums(files)
    assert list(found) == ["a.txt", "b.txt", "below/c.txt"]
    assert found["a.txt"] == provenance.checksum(files["a.txt"])


def test_a_combined_checksum_follows_names_and_contents_and_not_their_order() -> None:
    one = provenance.combined({"a": "1", "b": "2"})
    assert one == provenance.combined({"b": "2", "a": "1"})
    assert len({one, provenance.combined({"a": "2", "b": "1"}), provenance.combined({"a": "1", "c": "2"})}) == 3
    assert provenance.combined({"a": "1"}) == "1"


def test_locked_versions_are_found_however_the_name_is_written() -> None:
    assert provenance.locked(LOCK) == {
        "dvc": "3.67.1",
        "keras": "3.15.1",
        "numpy": "2.4.6",
        "vl-convert-python": "1.9.0.post1",
    }


def test_a_machine_without_a_repository_has_no_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    for name in ("GIT_DIR", "GIT_WORK_TREE"):
        monkeypatch.delenv(name, raising=False)
    found = provenance.machine(tmp_path, ["numpy", "no-such-package"])
    assert found["git"] == {"revision": None, "clean": None}
    packages = found["packages"]
    assert isinstance(packages, dict)
    assert packages["no-such-package"] is None
    assert packages["numpy"]


def test_a_machine_without_git_has_no_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert provenance.machine(tmp_path)["git"] == {"revision": None, "clean": None}


def test_the_revision_and_whether_the_tree_is_clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)

    def git(*arguments: str) -> str:
        settings = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
        done = subprocess.run(
            ["git", "-C", tmp_path, *settings, *arguments], capture_output=True, check=True, text=True
        )
        return done.stdout.strip()

    git("init", "--quiet")
    assert provenance.machine(tmp_path)["git"] == {"revision": None, "clean": True}
    (tmp_path / "a").write_text("a")
    git("add", "a")
    git("commit", "--quiet", "-m", "a")
    assert provenance.machine(tmp_path)["git"] == {"revision": git("rev-parse", "HEAD"), "clean": True}
    (tmp_path / "a").write_text("b")
    assert provenance.machine(tmp_path)["git"] == {"revision": git("rev-parse", "HEAD"), "clean": False}
