"""The command line: its commands, and how they end."""

import importlib
import inspect
import signal
from types import SimpleNamespace
from typing import Any

import pytest

from textclf import __version__, cli


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main(["--version"])
    assert stop.value.code == 0
    assert __version__ in capsys.readouterr().out


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_each_command_has_help_and_a_module_that_runs_with_its_arguments(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main([name, "--help"])
    assert stop.value.code == 0
    command = cli.COMMANDS[name]
    assert command.description.strip().splitlines()[0] in capsys.readouterr().out
    module = importlib.import_module(f"textclf.{command.package}.command")
    assert len(inspect.signature(module.run).parameters) == (command.add_arguments is not None)


@pytest.mark.parametrize(("words", "parameters"), [(["fsck"], 0), (["drift", "new.csv"], 1)])
@pytest.mark.parametrize(("result", "code"), [(None, 0), (1, 1)])
def test_the_exit_code_is_what_a_command_returns(
    words: list[str], parameters: int, result: int | None, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[Any] = []

    def run(*arguments: Any) -> int | None:
        called.append(arguments)
        return result

    monkeypatch.setattr(importlib, "import_module", lambda _: SimpleNamespace(run=run))
    handlers = {number: signal.getsignal(number) for number in (signal.SIGHUP, signal.SIGTERM)}
    with pytest.raises(SystemExit) as stop:
        cli.main(words)
    for number, handler in handlers.items():
        signal.signal(number, handler)
    assert stop.value.code == code
    assert [len(arguments) for arguments in called] == [parameters]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ([], "error: textclf: the following arguments are required: COMMAND"),
        (["predit"], "error: textclf: argument COMMAND: invalid choice: 'predit' (choose from "),
        (["fsck", "--all"], "error: fsck: unrecognized arguments: --all"),
        (["serve", "--por", "1"], "error: serve: unrecognized arguments: --por 1"),
    ],
)
def test_a_wrong_command_line_is_one_line(words: list[str], line: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main(words)
    (printed,) = capsys.readouterr().err.splitlines()
    assert stop.value.code == 2
    assert printed.startswith(line)
    assert printed.endswith(" --help lists the arguments")
