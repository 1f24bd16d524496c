"""The errors that report mistakes of the user."""

from collections.abc import Collection

# Limits the characters of a line: of a longer one, such as a name of megabytes, the middle is left
# out.
LONGEST = 2_000


class UserError(Exception):
    """A mistake that the user can correct.

    Each line says where and what is wrong, the rule, and the actual value. The command line prints
    the lines on stderr, each after ``error: ``, and exits with 2. Any other exception is a defect
    of textclf and keeps its traceback.
    """

    def __init__(self, *lines: str) -> None:
        """Keep the lines, at least one."""
        half = LONGEST // 2
        self.lines = tuple(
            line if len(line) <= LONGEST else f"{line[:half]} … {line[-half:]}" for line in lines
        )
        super().__init__("\n".join(self.lines))


class TooRareError(UserError):
    """Some of the classes have too few rows for the rows to be divided."""

    def __init__(self, line: str, rare: Collection[str], classes: Collection[str]) -> None:
        """Keep the error's line, the classes that are too rare, and all classes."""
        super().__init__(line)
        self.rare, self.classes = set(rare), set(classes)
