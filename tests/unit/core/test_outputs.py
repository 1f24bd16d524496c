import contextlib
import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.processes import ROOT, python
from textclf.core import ownership
from textclf.core.errors import UserError
from textclf.core.outputs import finished_by, locked, outputs
from textclf.core.ownership import note_made


def tree(folder: Path) -> dict[str, str | None]:
    """Return every path below a folder with a file's text, or None for a folder."""
    return {
        str(path.relative_to(folder)): None if path.is_dir() else path.read_text()
        for path in folder.rglob("*")
    }


NEW = {"folder": None, "folder/new": "new", "file": "new", "another": None, "another/new": "new"}
OLD = {"folder": None, "folder/old": "old", "file": "old"}


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "old").write_text("old")
    (tmp_path / "file").write_text("old")
    return tmp_path


def write_both(folder: Path, file: Path) -> None:
    folder.mkdir()
    (folder / "new").write_text("new")
    file.write_text("new")


def test_outputs_take_their_places_together(filled: Path) -> None:
    with outputs(filled / "folder", filled / "file") as (folder, file):
        write_both(folder, file)
        assert (filled / "folder" / "old").exists()
        assert (filled / "file").read_text() == "old"
    assert tree(filled) == {"folder": None, "folder/new": "new", "file": "new"}


def scratch_folders(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.suffix == ".scratch")


HOLD = """
import sys
from pathlib import Path
from textclf.core.outputs import outputs
with outputs(Path("out.json")) as (scratch,):
    scratch.write_text("held")
    print("ready", flush=True)
    sys.stdin.read()
"""


def write_out(folder: Path) -> None:
    with outputs(folder / "out.json") as (scratch,):
        scratch.write_text("new")


@pytest.mark.parametrize("killed", [False, True])
def test_the_scratch_folder_of_a_process_is_kept_while_it_runs(
    tmp_path: Path, killed: bool
) -> None:
    command = [sys.executable, "-c", HOLD]
    with subprocess.Popen(
        command, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        held = scratch_folders(tmp_path)
        write_out(tmp_path)
        assert scratch_folders(tmp_path) == held
        if killed:
            process.kill()
            process.wait()
            write_out(tmp_path)
        else:
            process.communicate("")
    assert tree(tmp_path) == {"out.json": "new" if killed else "held"}


def test_a_process_is_not_recognised_by_its_id(tmp_path: Path) -> None:
    # Ids are given again, and in a container they are those of other processes.
    (tmp_path / f".out.json.{os.getppid()}.abc.scratch").mkdir()
    (tmp_path / ".another.json.abc.scratch").mkdir()
    write_out(tmp_path)
    assert scratch_folders(tmp_path) == [".another.json.abc.scratch"]


@pytest.mark.parametrize("error", [OSError, UserError, KeyboardInterrupt, None])
def test_a_block_that_fails_leaves_old_outputs_and_no_scratch(
    filled: Path, error: type[BaseException] | None
) -> None:
    def fail() -> None:
        with outputs(filled / "folder", filled / "file") as (folder, file):
            if error is None:
                folder.mkdir()
            else:
                write_both(folder, file)
                raise error

    with pytest.raises(error or FileNotFoundError):
        fail()
    assert tree(filled) == OLD


@pytest.mark.parametrize(
    "make",
    [
        lambda target: target.write_text("old"),
        lambda target: target.mkdir(),
        lambda target: target.symlink_to("folder"),
        lambda target: target.symlink_to("file"),
        lambda target: target.symlink_to("nowhere"),
    ],
    ids=["file", "folder", "link to a folder", "link to a file", "broken link"],
)
@pytest.mark.parametrize("new", ["new", None])
def test_an_output_replaces_whatever_stands_in_its_place_but_nothing_that_it_points_at(
    filled: Path,
    make: Callable[[Path], object],
    new: str | None,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ownership, "RECORDS", tmp_path_factory.mktemp("records"))
    make(filled / "target")
    note_made(filled / "target", filled / "target")
    with finished_by(lambda: None), outputs(filled / "target") as (scratch,):
        scratch.mkdir() if new is None else scratch.write_text(new)
    assert not (filled / "target").is_symlink()
    assert tree(filled) == OLD | {"target": new}


def test_outside_of_a_stage_a_link_and_permissions_stay_and_a_read_only_file_is_refused(
    filled: Path,
) -> None:
    file, other = filled / "file", filled / "other"
    file.chmod(0o600)
    (filled / "link").symlink_to("file")
    (filled / "broken").symlink_to("other")
    with outputs(filled / "link", filled / "broken") as scratch:
        for path in scratch:
            path.write_text("new")
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("new", 0o600)
    assert (filled / "link").is_symlink()
    assert (other.read_text(), (filled / "broken").is_symlink()) == ("new", True)
    other.chmod(0o444)
    with pytest.raises(UserError, match="other must be writable; it is read-only"):
        write(filled / "file", filled / "broken")
    assert (file.read_text(), other.read_text()) == ("new", "new")


def write(*targets: Path) -> None:
    with outputs(*targets) as scratch:
        for path in scratch:
            path.write_text("newer")


# The last step


CALLS = ("link", "rename", "replace")  # of the module os, by which outputs take their places


class Failing:
    """Make the call with a number fail, of all calls from 0; if `permanent`, all later ones."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, number: int, permanent: bool = False
    ) -> None:
        self.count, self.number, self.permanent = 0, number, permanent
        for name in CALLS:
            monkeypatch.setattr(os, name, self.wrap(getattr(os, name)))

    def wrap(self, call: Callable[..., None]) -> Callable[..., None]:
        def fail(*arguments: Any, **options: Any) -> None:
            self.count += 1
            if self.count > self.number and (self.permanent or self.count == self.number + 1):
                raise OSError(5, "Input/output error", os.fspath(arguments[0]))
            call(*arguments, **options)

        return fail


def replace_all(folder: Path) -> None:
    with outputs(folder / "folder", folder / "file", folder / "another") as (first, second, third):
        write_both(first, second)
        third.mkdir()
        (third / "new").write_text("new")


FAILS = pytest.raises(OSError, match="Input/output error")
WORKS = contextlib.nullcontext()


# Call 2 is a link, instead of which the file is renamed; there are five calls.
@pytest.mark.parametrize(
    ("number", "outcome", "after"),
    [
        (0, FAILS, OLD),
        (1, FAILS, OLD),
        (2, WORKS, NEW),
        (3, FAILS, OLD),
        (4, FAILS, OLD),
        (5, WORKS, NEW),
    ],
)
def test_a_failed_rename_leaves_the_old_outputs(
    filled: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    outcome: contextlib.AbstractContextManager[object],
    after: dict[str, str | None],
) -> None:
    with monkeypatch.context() as patch:
        Failing(patch, number)
        with outcome:
            replace_all(filled)
    assert tree(filled) == after


def test_what_cannot_be_put_back_is_named_and_put_back_next_time(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        Failing(patch, 1, permanent=True)
        with pytest.raises(
            UserError,
            match=r"\.replaced could not be put back to .*folder \(Input/output error\); move it",
        ):
            replace_all(filled)
    assert not (filled / "folder").exists()
    with contextlib.suppress(ValueError), outputs(filled / "folder"):
        raise ValueError
    assert tree(filled) == OLD


KILLED = """
import os, sys
from pathlib import Path
from textclf.core.outputs import outputs
number, call = int(sys.argv[1]), {name: getattr(os, name) for name in ("link", "rename", "replace")}
def kill(name):
    def run(*arguments, **options):
        global number
        if not number:
            os._exit(137)
        number -= 1
        call[name](*arguments, **options)
    return run
with outputs(Path("folder"), Path("file")) as (folder, file):
    folder.mkdir()
    (folder / "new").write_text("new")
    file.write_text("new")
    for name in call:
        setattr(os, name, kill(name))
"""


@pytest.mark.parametrize("number", range(4))
def test_after_a_kill_between_two_renames_no_old_output_is_lost(filled: Path, number: int) -> None:
    assert python("-c", KILLED, str(number), folder=filled).status == 137
    with contextlib.suppress(ValueError), outputs(filled / "folder", filled / "file"):
        raise ValueError
    after = tree(filled)
    assert after["file"] == "old"
    assert "folder/old" in after or "folder/new" in after
    assert scratch_folders(filled) == []


def test_an_old_output_that_cannot_be_removed_goes_next_time(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path, ignore_errors: bool = False) -> None:
        if not ignore_errors:
            raise PermissionError(path)

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", fail)
        replace_all(filled)
    assert len(scratch_folders(filled)) > 0
    replace_all(filled)
    assert tree(filled) == NEW


@pytest.mark.parametrize(
    ("error", "path"),
    [
        (OSError(errno.ENOSPC, "full"), "first"),
        (OSError(errno.EDQUOT, "full"), "first"),
        (OSError(errno.ENOSPC, "full", "a", None, "b"), "first"),  # as when a is copied to b
        (OSError(errno.ENOSPC, "full", "a"), "a"),
        (OSError(errno.EIO, "broken"), None),
        (OSError("3 requested and 2 written"), None),
    ],
)
def test_an_error_of_a_full_disk_names_the_first_output(
    tmp_path: Path, error: OSError, path: str | None
) -> None:
    first, second = tmp_path / "first", tmp_path / "table.csv"

    def write() -> None:
        with outputs(first, second):
            raise error

    with pytest.raises(type(error)) as caught:
        write()
    expected = str(first) if path == first.name else path
    assert (caught.value.errno, caught.value.filename) == (error.errno, expected)


def test_outputs_are_on_the_disk_before_they_take_their_places(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match=r"No space left on device: .*folder"):
            replace_all(filled)
    assert tree(filled) == OLD


COUNT = """
import sys
from pathlib import Path
from threading import Thread
from textclf.core.outputs import locked
path, other = Path(sys.argv[1]), Path("other")
def count():
    for number in range(50):
        with locked(*[path, other][:: 1 if number % 2 else -1]):
            path.write_text(str(int(path.read_text()) + 1))
threads = [Thread(target=count) for _ in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""


def test_one_process_and_one_thread_at_a_time_has_a_lock_whatever_links_lead_to_it(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").write_text("0")
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "folder").symlink_to(tmp_path)
    # As a killed process leaves it.
    (tmp_path / ".file.lock.scratch").mkdir()
    (tmp_path / ".file.lock.scratch" / ".lock").touch()
    commands = [[sys.executable, "-c", COUNT, name] for name in ("file", "link", "folder/file")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    processes = [subprocess.Popen(command, cwd=tmp_path, env=environment) for command in commands]
    assert [process.wait() for process in processes] == [0, 0, 0]
    assert (tmp_path / "file").read_text() == "300"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder", "link"]


def test_a_lock_where_nobody_can_write_is_none(tmp_path: Path) -> None:
    with locked(tmp_path / "missing" / "file"):
        pass
    assert not [*tmp_path.iterdir()]
