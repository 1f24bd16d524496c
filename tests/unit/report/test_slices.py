"""How slices are named in their section."""

from tests.page import sections
from tests.runs import HOSTILE, make_run
from textclf.core.labels import visible
from textclf.report.slices import title

MODEL = "logistic_regression"


def test_a_slice_is_shown_by_its_column_and_the_name_of_its_value() -> None:
    run = make_run()
    run.names["no"] = "negative"
    assert title(run, "class=no") == "class: negative"
    assert title(run, "unknown_words=none") == "unknown words: none"
    assert title(run, "platform=") == "platform: missing"
    assert title(run, "platform=a=b") == "platform: a=b"


def test_values_of_the_table_are_shown_as_text_alone() -> None:
    values = [*HOSTILE, "web"]
    run = make_run(columns={"platform": values}, count=20 * len(values))
    text = sections(run)["slices"]  # fails if one of them opens an element that is not closed
    shown = [name.partition("=")[2] for name in run.results.slices[MODEL] if name.startswith("platform=")]
    assert len(shown) > 1
    for value in shown:
        assert " ".join(f"platform: {visible(value)}".split()) in " ".join(text.split())
