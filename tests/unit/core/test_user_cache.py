import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from textclf.core.user_cache import FOLDER, cached_text


class Compute:
    """A computation that counts its calls."""

    def __init__(self, text: str = "text é\r\n") -> None:
        self.text, self.calls = text, 0

    def __call__(self) -> str:
        self.calls += 1
        return self.text


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's cache folder, which does not exist yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def files(home: Path) -> list[Path]:
    """The files in the cache, hidden ones too."""
    return sorted(path for path in home.rglob("*") if path.is_file())


def calls(compute: Compute) -> int:
    """How often a text is computed if it is asked for; it must be right."""
    before = compute.calls
    assert cached_text("kind", "key", compute) == compute.text
    return compute.calls - before


def test_a_text_is_computed_once_per_key(home: Path) -> None:
    compute = Compute()
    assert [calls(compute) for _ in range(3)] == [1, 0, 0]
    assert cached_text("kind", "other", Compute("b")) == "b"
    assert cached_text("other", "key", Compute("c")) == "c"
    assert len(files(home)) == 3


def test_folder_and_files_are_the_users_alone_whatever_his_umask(home: Path) -> None:
    umask = os.umask(0)
    try:
        cached_text("kind", "key", Compute())
    finally:
        os.umask(umask)
    (file,) = files(home)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (home, home / FOLDER, file)]
    assert modes == [0o700, 0o700, 0o600]


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:0],
        lambda data: data[:-1],
        lambda data: data + b"x",
        lambda data: data.replace(b"text", b"evil"),
        lambda data: b"\n" + data,
        lambda data: data.translate(bytes(range(1, 256)) + b"\0"),
    ],
)
def test_a_damaged_file_is_computed_and_written_again(home: Path, damage: Callable[[bytes], bytes]) -> None:
    compute = Compute()
    calls(compute)
    (file,) = files(home)
    file.write_bytes(damage(file.read_bytes()))
    assert [calls(compute), calls(compute)] == [1, 0]


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_may_write_is_not_believed(home: Path, mode: int) -> None:
    compute = Compute()
    calls(compute)
    (file,) = files(home)
    file.chmod(mode)
    assert [calls(compute), calls(compute)] == [1, 0]  # it was replaced by a file of the user's own


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777, 0o1777])
def test_a_folder_that_others_may_write_is_not_used(home: Path, mode: int) -> None:
    compute = Compute()
    calls(compute)
    (home / FOLDER).chmod(mode)
    assert [calls(compute), calls(compute)] == [1, 1]


@pytest.mark.usefixtures("home")
def test_files_of_another_user_are_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    compute = Compute()
    calls(compute)
    monkeypatch.setattr("os.geteuid", lambda: os.getuid() + 1)
    assert [calls(compute), calls(compute)] == [1, 1]


@pytest.mark.parametrize("part", ["folder", "file"])
def test_a_link_is_not_followed(home: Path, tmp_path: Path, part: str) -> None:
    compute = Compute()
    calls(compute)
    (file,) = files(home)
    path = file.parent if part == "folder" else file
    path.rename(tmp_path / "moved")
    path.symlink_to(tmp_path / "moved")
    assert calls(compute) == 1


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_what_is_no_file_is_not_read(home: Path, kind: str) -> None:
    compute = Compute()
    calls(compute)
    (file,) = files(home)
    file.unlink()
    file.mkdir() if kind == "folder" else os.mkfifo(file, 0o600)
    assert calls(compute) == 1
    assert [path.name for path in (home / FOLDER).iterdir()] == [file.name]  # nothing is left behind


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"HOME": ""},
        {"HOME": "relative"},
        {"HOME": "/proc/no such home"},
        {"HOME": "/dev/null"},
        {"XDG_CACHE_HOME": "/dev/null", "HOME": "/"},
    ],
)
def test_without_a_home_the_text_is_computed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variables: dict[str, str]
) -> None:
    for name in ("XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    compute = Compute()
    assert [calls(compute), calls(compute)] == [1, 1]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("variable", ["relative/cache", ""])
def test_a_home_has_its_cache_below_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", variable)
    monkeypatch.setenv("HOME", str(tmp_path))
    compute = Compute()
    assert [calls(compute), calls(compute)] == [1, 0]
    assert [path.parent for path in files(tmp_path)] == [tmp_path / ".cache" / FOLDER]


@pytest.mark.parametrize("call", ["open", "rename"])
def test_a_disk_that_takes_nothing_is_no_error(home: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    compute = Compute()
    calls(compute)
    (file,) = files(home)
    file.unlink()
    original = os.open

    def full(*arguments: object, **names: object) -> int:
        if call == "open" and isinstance(arguments[1], int) and not arguments[1] & os.O_CREAT:
            return original(*arguments, **names)  # type: ignore[arg-type]
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, full)
    assert [calls(compute), calls(compute)] == [1, 1]
    assert files(home) == []
