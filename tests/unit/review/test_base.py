"""The run of the base: the commands that it starts, and the reason why one failed."""

import sys

import pytest

from textclf.core.errors import UserError
from textclf.review import base


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("print('more'); print('error: check: first'); print('ERROR: second')", "check: first"),
        ("print('one'); print('two')", "two"),
        ("pass", "exit code 3"),
    ],
)
def test_the_first_error_that_a_command_prints_is_the_reason(
    program: str, reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UserError) as raised:
        base._run(sys.executable, "-c", f"{program}; raise SystemExit(3)", echo=True)
    assert raised.value.lines == (reason,)
    assert capfd.readouterr().out == ""
