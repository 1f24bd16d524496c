"""The command `textclf serve`: its models, its address, and what it refuses."""

import socket
from pathlib import Path

import pytest

from tests import approved
from tests.processes import Command
from tests.refusal import refusal
from tests.unit.predict.models import export, three_classes, two_classes
from tests.unit.serve.clients import make_app
from textclf.artifacts.decisions import write_index
from textclf.core.errors import UserError
from textclf.serve import Limits, command

resource = pytest.importorskip("resource")  # not on Windows


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of two models, of which the second is the default."""
    export(two_classes(), tmp_path / "models" / "first")
    export(three_classes(), tmp_path / "models" / "second")
    write_index("second", ["first", "second"], tmp_path / "models")
    return tmp_path / "models"


@pytest.mark.parametrize(
    ("models", "name", "names", "default"),
    [
        ("models", None, ["first", "second"], "second"),
        ("models", "first", ["first", "second"], "first"),
        ("models", "elsewhere/third", ["first", "second", "third"], "third"),
        ("none", "elsewhere/third", ["third"], "third"),
    ],
)
def test_all_models_of_the_folder_are_served_and_the_named_one(
    folder: Path,
    models: str,
    name: str | None,
    names: list[str],
    default: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    export(two_classes(), folder.parent / "elsewhere" / "third")
    monkeypatch.chdir(folder.parent)
    loaded, chosen = command.load_models(Path(models), name)
    assert (sorted(loaded), chosen) == (names, default)
    assert "second" not in loaded or [*loaded["second"].classes_] == ["a", "b", "c"]


def test_a_damaged_model_is_refused_at_the_start(folder: Path) -> None:
    (folder / "first" / "model.npz").write_bytes(b"")
    assert "is damaged" in refusal(command.load_models, folder, None)


def test_wrong_arguments_are_refused_with_the_approved_line(
    folder: Path, command_line: Command
) -> None:
    def say(words: str) -> list[str]:
        done = command_line("serve", "--models", folder, *words.split())
        assert (done.status, done.out) == (2, "")
        return done.err.replace(str(folder), "models").splitlines()

    approved.check_cases(Path(__file__).with_name("arguments.txt"), say)


def test_a_port_in_use_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            UserError, match=rf"^--host and --port .* got 127\.0\.0\.1 and {port} \(.*in use"
        ):
            command.listen("127.0.0.1", port)


@pytest.mark.parametrize(("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")])
def test_the_address_is_shown_as_a_url(host: str, shown: str) -> None:
    try:
        listener = command.listen(host, 0)
    except UserError:
        pytest.skip("this machine has no IPv6")
    with listener:
        assert command.address(listener) == f"http://{shown}:{listener.getsockname()[1]}"


def test_the_body_of_a_response_does_not_wait_until_the_client_acknowledges_the_head() -> None:
    with (
        command.listen("127.0.0.1", 0) as listener,
        socket.create_connection(listener.getsockname()),
    ):
        connection, _ = listener.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize("files", [40, 64, 256, 1024, 2**20, resource.RLIM_INFINITY])
def test_connections_never_take_all_files_that_the_server_may_open(
    files: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (files, files))
    config = command.configure(make_app(), Limits())
    assert (config.timeout_keep_alive, config.timeout_graceful_shutdown, config.access_log) == (
        5,
        10,
        False,
    )
    connections = config.http.keywords["most_connections"]  # type: ignore[union-attr]
    assert 1 <= config.backlog <= 128
    assert config.backlog < connections <= 1024
    if files != resource.RLIM_INFINITY:
        assert connections + 4 * config.backlog < files


def test_the_limits_that_the_command_line_shows_are_those_of_the_server(
    command_line: Command,
) -> None:
    shown = " ".join(command_line("serve", "--help").out.split())
    for value in (1000, 100000, 4194304, 32, 10):
        assert f"(default: {value})" in shown
