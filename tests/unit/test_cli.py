"""The command line: its commands, and how they end."""

import importlib
import inspect
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests import approved
from tests.processes import Command, run
from textclf import __version__, cli


def test_the_version_is_printed(command_line: Command) -> None:
    assert command_line("--version") == (0, f"textclf {__version__}\n", "")


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_each_command_has_help_and_a_module_that_runs(name: str, command_line: Command) -> None:
    status, out, _ = command_line(name, "--help")
    assert status == 0
    command = cli.COMMANDS[name]
    assert (command.description or f"{command.help[1:]}.\n").strip().splitlines()[0] in out
    assert f"\n  textclf {name}" in out or f"$(textclf {name}" in out, "an example"
    module = importlib.import_module(f"textclf.{command.module}")
    assert len(inspect.signature(module.run).parameters) == (command.add_arguments is not None)


@pytest.mark.parametrize(("words", "parameters"), [(["metrics"], 0), (["drift", "new.csv"], 1)])
@pytest.mark.parametrize(("result", "code"), [(None, 0), (1, 1)])
def test_the_exit_code_is_what_a_command_returns(
    words: list[str],
    parameters: int,
    result: int | None,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    command_line: Command,
) -> None:
    called: list[Any] = []

    def work(*arguments: Any) -> int | None:
        called.append(arguments)
        return result

    monkeypatch.setattr(importlib, "import_module", lambda _: SimpleNamespace(run=work))
    assert command_line(*words).status == code
    assert [len(arguments) for arguments in called] == [parameters]


def test_a_wrong_command_line_is_answered_with_the_approved_line(command_line: Command) -> None:
    def say(case: str) -> list[str]:
        status, out, err = command_line(*case.split()[1:])
        assert (status, out) == (2, "")
        return err.splitlines()

    approved.check_cases(Path(__file__).with_name("wrong_lines.txt"), say)


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_the_completion_of_each_shell_knows_every_command(
    shell: str, command_line: Command
) -> None:
    status, out, _ = command_line("completion", shell)
    assert status == 0
    assert [name for name in cli.COMMANDS if name not in out] == []


def test_bash_completes_a_command(tmp_path: Path, command_line: Command) -> None:
    (tmp_path / "completion").write_text(command_line("completion", "bash").out)
    script = (
        "source completion; COMP_WORDS=(textclf learn); COMP_CWORD=1; _shtab_textclf; "
        "echo ${COMPREPLY[@]}"
    )
    assert run("bash", "-c", script, folder=tmp_path) == (0, "learning-curve\n", "")
