"""The one kind of error that a user can mend."""


class UserError(Exception):
    """A user's mistake: each line says what is wrong, where, the rule, and what was found.

    The command line prints the lines on stderr, each behind ``error: ``, and exits with 2. Any other
    exception is a defect of textclf and keeps its traceback.
    """

    def __init__(self, *lines: str) -> None:
        """Keep the lines; there is at least one."""
        super().__init__("\n".join(lines))
        self.lines = lines
