"""The section on slices: what is named in a sentence, what is shown at once, and when there is no section."""

import pytest

from tests.page import sections
from tests.results import ends, slice_of, with_results
from tests.runs import HOSTILE, make_run
from textclf.core.labels import visible
from textclf.evaluate.results import Slice
from textclf.report.run import Run
from textclf.report.slices import slices, title

MODEL = "logistic_regression"


def with_slices(entries: dict[str, Slice], **settings: str) -> Run:
    return with_results(make_run(settings=settings), slices={MODEL: entries, "majority": {}})


def test_slices_that_are_weak_beyond_chance_are_named_with_their_numbers() -> None:
    numbers = {"platform=web": (-0.2, 0.004), "platform=ios": (0.3, 0.0001), "words=1 to 4": (-0.1, 0.2)}
    entries = {name: slice_of(*each) for name, each in numbers.items()}
    text = sections(with_slices(entries))["slices"]
    assert (
        "logistic regression is less accurate on some rows than on the other test rows: platform: web "
        "(50.0% of 20 rows, \N{MINUS SIGN}20.0 points, p = 0.004)." in text
    )
    assert "beyond chance" not in text
    assert "words: 1 to 4 (" not in text


def test_of_many_weak_slices_three_are_named() -> None:
    entries = {f"platform=p{n}": slice_of(-0.2, 0.0001 * (n + 1)) for n in range(5)}
    (finding,) = (slices(with_slices(entries)) or {})["findings"]
    assert "platform: p2 (" in finding
    assert finding.endswith("p < 0.001), and 2 more.")


def test_all_slices_are_folded_the_worst_first() -> None:
    entries = {f"platform=p{n}": slice_of(-0.1, 0.1 + n / 10) for n in range(7)} | {"platform=good": slice_of(0.2, 0.5)}
    shown = slices(with_slices(entries)) or {}
    (folded,) = shown["all"]
    assert folded["title"] == "logistic regression: all 8 slices"
    assert [row[0] for row in folded["table"].rows] == [*(f"platform: p{n}" for n in range(7)), "platform: good"]
    minus = "\N{MINUS SIGN}"
    assert shown["all"][0]["table"].rows[0][2:4] == [
        ("50.0%", "40.0% to 60.0%"),
        (f"{minus}10.0", f"{minus}20.0 to 0.0"),
    ]
    assert shown["all"][0]["table"].rows[0][4] == "0.100"


def test_values_that_are_no_slices_are_counted() -> None:
    entries = {MODEL: {"class=no": slice_of()}, "protocol": {"left_out": {"class": 57, "plat\u202eform": 1}}}
    text = sections(with_results(make_run(), slices=entries))["slices"]
    assert "Not compared: 57 values of class and 1 value of plat⟨U+202E⟩form (fewer than 10 rows of them or" in text
    assert "Not compared" not in sections(make_run())["slices"]


def test_a_slice_is_shown_by_its_column_and_the_name_of_its_value() -> None:
    run = make_run()
    run.names["no"] = "negative"
    assert title(run, "class=no") == "class: negative"
    assert title(run, "unknown_words=none") == "unknown words: none"
    assert title(run, "platform=") == "platform: missing"
    assert title(run, "platform=a=b") == "platform: a=b"


@pytest.mark.parametrize("metric", ["log_loss", "f1"])
def test_the_metric_of_the_settings_stands_beside(metric: str) -> None:
    entries = {
        "platform=a": slice_of(-0.1, metrics={metric: 0.2, f"{metric}_interval": ends(0.2)}),
        "platform=b": slice_of(-0.1, metrics={metric: 0.2, f"{metric}_interval": None}),
        "platform=c": slice_of(-0.1),
    }
    shown = slices(with_slices(entries, **{"evaluate.slice_metric": metric})) or {}
    cells = [row[-1] for row in shown["all"][0]["table"].rows]
    assert cells[0][1].count(" to ") == 1
    assert cells[1][1] == "too few rows"
    assert cells[2] == ("not defined", "")


def test_values_of_the_table_are_shown_as_text_alone() -> None:
    values = [*HOSTILE, "web"]
    run = make_run(columns={"platform": values}, count=20 * len(values))
    text = sections(run)["slices"]  # fails if one of them opens an element that is not closed
    shown = [name.partition("=")[2] for name in run.results.slices[MODEL] if name.startswith("platform=")]
    assert len(shown) > 1
    for value in shown:
        assert " ".join(f"platform: {visible(value)}".split()) in " ".join(text.split())
