"""The line with which something is refused."""

from collections.abc import Callable

import pytest

from textclf.core.errors import UserError


def refusal(call: Callable[..., object], *arguments: object, **named: object) -> str:
    """Return the only line of the error that a call raises."""
    with pytest.raises(UserError) as error:
        call(*arguments, **named)
    (line,) = error.value.lines
    return line
