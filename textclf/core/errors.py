"""The error that reports mistakes of the user."""


class UserError(Exception):
    """A mistake that the user can correct: each line says where and what is wrong, the rule, and the actual value.

    The command line prints the lines on stderr, each after ``error: ``, and exits with 2. Any other exception is a
    defect of textclf and keeps its traceback.
    """

    def __init__(self, *lines: str) -> None:
        """Keep the lines, at least one."""
        super().__init__("\n".join(lines))
        self.lines = lines
