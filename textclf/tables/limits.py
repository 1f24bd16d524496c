"""How long a row and a text may be, and how many rows are in memory at a time, so that no file can exhaust it."""

from textclf.core.errors import UserError

TEXT_CHARACTERS = 2**25  # of a text; the complete works of Shakespeare have a sixth of it
ROW_BYTES = 2**26  # of a row with all its columns, as it is stored
BLOCK_ROWS, BLOCK_BYTES = 4096, 2**25  # in memory at a time; a single row may be longer
ADVICE = "shorten it, or leave it out"


def row_too_long(place: str, advice: str = ADVICE) -> UserError:
    """Return the error for a row of more than `ROW_BYTES`."""
    return UserError(f"{place}: a row must be at most {ROW_BYTES // 2**20} MiB long; got more; {advice}")
