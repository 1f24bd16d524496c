"""How the times of a table are written."""

from pathlib import Path

import pytest

from tests.refusal import refusal
from textclf.project.init.times import FORMATS, find_time_format
from textclf.tables.layout import Layout
from textclf.tables.values import parse_time


def write(folder: Path, *times: str) -> Path:
    path = folder / "a.csv"
    path.write_text("".join(f'"{time}"\n' for time in ("day", *times)))
    return path


@pytest.mark.parametrize(
    ("times", "form"),
    [
        (["2024-05-31", "2024-12-01 10:00+02:00", ""], None),
        (["1.5", "17"], None),
        (["31.12.2024", "01.02.2024"], "%d.%m.%Y"),
        (["12/31/2024", "01/02/2024"], "%m/%d/%Y"),
        (["31/12/2024", "01/02/2024"], "%d/%m/%Y"),
        (["31.12.2024 17:30"], "%d.%m.%Y %H:%M"),
        (["1/31/2024 5:30 PM"], "%m/%d/%Y %I:%M %p"),
        (["31.12.24"], "%d.%m.%y"),
        # No form fits all.
        (["31.12.2024", "yesterday"], None),
    ],
)
def test_the_one_form_that_fits_all_times_is_found(
    times: list[str], form: str | None, tmp_path: Path
) -> None:
    assert find_time_format(write(tmp_path, *times), Layout({}), "day") == form


def test_times_of_which_day_and_month_may_be_exchanged_are_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path, "03/04/2024", "05/06/2024")
    assert refusal(find_time_format, path, Layout({}), "day") == (
        f"{path}: --time-format must say how day is written; "
        "'03/04/2024' and all other values may be %d/%m/%Y or %m/%d/%Y"
    )


def test_every_form_gives_times_that_sort() -> None:
    for form in FORMATS:
        earlier, later = (parse_time(_shown(form, text), form) for text in ("05", "12"))
        assert str(earlier) < str(later)


def _shown(form: str, month: str) -> str:
    """Return a time of this month of 2024, written in the form."""
    values = {"%d": "28", "%m": month, "%Y": "2024", "%y": "24", "%H": month, "%I": month}
    for part, value in (values | {"%M": "30", "%S": "10", "%p": "PM"}).items():
        form = form.replace(part, value)
    return form
