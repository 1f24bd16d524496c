"""The command `textclf init` in an empty folder beside a table."""

from functools import partial
from pathlib import Path

import pytest

from tests.processes import Command as Run
from textclf.project import upgrade
from textclf.project.init import command, expected

TABLE = "text,label\n" + "".join(
    f"The thing {n} is {'good' if n % 2 else 'bad'},{'pn'[n % 2]}\n" for n in range(40)
)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command_line: Run) -> Run:
    """Runs textclf, as if it were an installed package, in an empty folder beside a table."""
    for module in (command, upgrade):
        monkeypatch.setattr(module, "require_installed", lambda: None)
    # The machine's pace takes 0.2 s to measure.
    monkeypatch.setattr(expected, "pace", lambda: 1.0)
    (tmp_path / "rows.csv").write_text(TABLE)
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    return command_line


@pytest.fixture
def init(run: Run) -> Run:
    return partial(run, "init", "--data", "../rows.csv")
