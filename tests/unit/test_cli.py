"""The command line: its commands, and how they end."""

import importlib
import inspect
from pathlib import Path

import pytest

from tests import approved
from tests.processes import Command, run
from textclf import __version__, cli
from textclf.core.command import describe
from textclf.drift.arguments import Drift


def test_the_version_is_printed(command_line: Command) -> None:
    assert command_line("--version") == (0, f"textclf {__version__}\n", "")


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_each_command_has_help_and_a_module_that_runs(name: str, command_line: Command) -> None:
    status, out, _ = command_line(name, "--help")
    assert status == 0
    kind = cli.COMMANDS[name].load()
    assert describe(kind).partition("\n")[0] in out
    assert f"\n  textclf {name}" in out or f"$(textclf {name}" in out, "an example"
    module = importlib.import_module(f"textclf.{kind.module}")
    assert len(inspect.signature(module.run).parameters) == 1


@pytest.mark.parametrize(("result", "code"), [(None, 0), (1, 1)])
def test_the_exit_code_is_what_a_command_returns(
    result: int | None, code: int, monkeypatch: pytest.MonkeyPatch, command_line: Command
) -> None:
    called: list[Drift] = []

    def work(arguments: Drift) -> int | None:
        called.append(arguments)
        return result

    monkeypatch.setattr("textclf.drift.command.run", work)
    assert command_line("drift", "new.csv", "--delimiter", ";").status == code
    ((given,),) = [called]
    assert (given.name, given.new, given.form.delimiter) == ("drift", "new.csv", ";")


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
