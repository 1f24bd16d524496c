"""The error that reports mistakes of the user."""

LONGEST = 2_000  # characters of a line; of a longer one, such as a name of megabytes, the middle is left out


class UserError(Exception):
    """A mistake that the user can correct: each line says where and what is wrong, the rule, and the actual value.

    The command line prints the lines on stderr, each after ``error: ``, and exits with 2. Any other exception is a
    defect of textclf and keeps its traceback.
    """

    def __init__(self, *lines: str) -> None:
        """Keep the lines, at least one."""
        half = LONGEST // 2
        self.lines = tuple(line if len(line) <= LONGEST else f"{line[:half]} … {line[-half:]}" for line in lines)
        super().__init__("\n".join(self.lines))
