"""Open a project, or say what to install for that."""

from pathlib import Path
from typing import TYPE_CHECKING

from textclf.core.errors import UserError
from textclf.core.failures import lines_of

if TYPE_CHECKING:
    from textclf.notebook.project import Project


def open_project(path: str | Path) -> "Project":
    """Return the project of a folder; `UserError` also if the packages of a run are missing."""
    try:
        import pandas as pd  # noqa: F401 (its extra has all that a run needs)

        from textclf.notebook.project import Project
    except ModuleNotFoundError as error:
        lines = lines_of(error)
        if lines is None:
            raise
        raise UserError(*lines) from None
    return Project(path)
