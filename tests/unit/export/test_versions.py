import subprocess
from pathlib import Path

import pytest

from textclf.export import versions

LOCK = """\
# made by a tool
numpy==2.4.6 \\
    --hash=sha256:00
Keras==3.15.1
dvc[s3]==3.67.1 ; python_version < "3.14"
vl_convert.python==1.9.0.post1
other==1
"""


def test_a_combined_checksum_depends_on_names_and_contents_but_not_on_their_order() -> None:
    combined, *others = map(
        versions.combine_checksums, ({"a": "1", "b": "2"}, {"a": "2", "b": "1"}, {"a": "1", "c": "2"})
    )
    assert combined == versions.combine_checksums({"b": "2", "a": "1"})
    assert len({combined, *others}) == 3
    assert versions.combine_checksums({"a": "1"}) == "1"


def test_locked_versions_are_found_in_any_spelling_of_the_name() -> None:
    assert versions.locked_versions(LOCK) == {
        "dvc": "3.67.1",
        "keras": "3.15.1",
        "numpy": "2.4.6",
        "vl-convert-python": "1.9.0.post1",
    }


def test_versions_that_computed_are_told_from_those_that_are_only_locked() -> None:
    computed = {"keras": ["3"], "numpy": ["2.0", "2.1"], "own": ["1"]}
    locked = {"numpy": "2.0", "keras": "3", "dvc": "3.67"}
    assert list(versions.describe_versions(computed, locked).items()) == [
        ("dvc, as locked", "3.67"),
        ("keras", "3"),
        ("numpy", "2.0 and 2.1 (locked: 2.0)"),
        ("own", "1"),
    ]
    (line,) = versions.unlocked(computed, locked)
    assert line.startswith("the stages computed with numpy 2.0 and 2.1, but the requirements lock 2.0; install the")


def test_a_machine_without_a_repository_has_no_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    for name in ("GIT_DIR", "GIT_WORK_TREE"):
        monkeypatch.delenv(name, raising=False)
    machine = versions.describe_machine(tmp_path, ["numpy", "no-such-package"])
    assert machine["git"] == {"revision": None, "clean": None}
    monkeypatch.setenv("PATH", str(tmp_path))  # without Git
    assert versions.describe_machine(tmp_path)["git"] == {"revision": None, "clean": None}
    packages = machine["packages"]
    assert isinstance(packages, dict)
    assert packages["no-such-package"] is None
    assert packages["numpy"]


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
    assert versions.describe_machine(tmp_path)["git"] == {"revision": None, "clean": True}
    (tmp_path / "a").write_text("a")
    git("add", "a")
    git("commit", "--quiet", "-m", "a")
    assert versions.describe_machine(tmp_path)["git"] == {"revision": git("rev-parse", "HEAD"), "clean": True}
    (tmp_path / "a").write_text("b")
    assert versions.describe_machine(tmp_path)["git"] == {"revision": git("rev-parse", "HEAD"), "clean": False}
