"""Files of other programs: report any error of a library about a damaged file in one line."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from textclf.core.errors import UserError
from textclf.core.quoting import first_line


def damaged(path: Path, kind: str, reason: object) -> UserError:
    """Return the error for a file that its library can't read as one of this kind."""
    return UserError(f"{path} must be a whole {kind} file; {first_line(reason)}; copy it again")


@contextlib.contextmanager
def whole_file(path: Path, kind: str) -> Iterator[None]:
    """Turn exceptions of a library that reads a file of this kind into `UserError`, except those of the file system."""
    try:
        yield
    except (UserError, ImportError):
        raise
    except MemoryError as error:
        rule = f"must be a whole {kind} file whose parts memory can hold"
        advice = "copy it again, or use a machine with more memory"
        raise UserError(f"{path} {rule}; {first_line(error)}; {advice}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path} must contain text in UTF-8; got byte 0x{error.object[error.start]:02x}") from error
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise damaged(path, kind, error) from error
