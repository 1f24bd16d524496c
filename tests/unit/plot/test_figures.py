import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.curves import RELIABILITY, confusion, history, roc, search
from textclf.core import files
from textclf.core.files import CURVES
from textclf.evaluate.registry import METRICS
from textclf.plot import confusion as matrices
from textclf.plot import figures
from textclf.plot.charts import columns_of
from textclf.plot.search import DECADES, FEW, by_setting, by_trial

ODD = ("$x$", "<b>&", "]]>", "中文", "😀", "عربي", "\u202ea", "y" * 99)
NO_LOSS = history(["keras"]).assign(loss=np.nan)
# A figure, its rows, and some of what it says
FIGURES = {
    "history": ("history", history(["keras"], count=30), ["Accuracy and loss of keras by epoch", figures.WATCHED]),
    "lowest loss": ("history", history(["keras"]), ["The dot is at the lowest test loss: 0.500, at epoch 3."]),
    "histories": ("history", history(["keras", "a_b"], "validation"), ["a b", "The dot is at the lowest validation"]),
    "history without a number": ("history", NO_LOSS, ["The dot is at the lowest test loss of a model."]),
    "no history": ("history", history([]), ["No model of this run was trained in epochs."]),
    "confusion": ("confusion", confusion(["0", "1"]), ["majority", "actual class", "predicted class"]),
    "confusion of odd classes": ("confusion", confusion(ODD), ["$x$", "<b>&", "]]>", "中文"]),
    "confusion without a decided label": (
        *("confusion", confusion([])),
        ["Test rows by actual and predicted label", "No label was predicted for a text that has labels."],
    ),
    "roc": ("roc", roc(), ["a (0.500)", "b (1.000)", "false positive rate", "true positive rate"]),
    "roc of odd classes": ("roc", roc(ODD), ["$x$", "<b>&", "]]>", "中文"]),
    "reliability": ("reliability", RELIABILITY, ["majority", "logistic regression", "On the dotted line"]),
    "reliability of one bin": ("reliability", RELIABILITY[:1], ["confidence", "accuracy"]),
    # As rounded numbers may have it: the accuracy a little outside of its interval.
    "above the interval": ("reliability", RELIABILITY.assign(accuracy_high=0.5), ["majority"]),
    "learning curve": (figures.learning_curve, RELIABILITY, ["majority", "logistic regression", "training rows"]),
    "learning curve of one point": (figures.learning_curve, RELIABILITY[:1], ["majority"]),
    "search": (partial(figures.search, metric=METRICS["log_loss"]), search(), ["vectorize.words.min_df", "<b>&"]),
    "random search": (
        partial(figures.search, metric=METRICS["log_loss"]),
        search().assign(expected=0.5),
        ["so many random trials find on average"],
    ),
    "one trial": (partial(figures.search, metric=METRICS["accuracy"]), search()[:1], ["Trials of the search"]),
}


def draw(figure: Any, rows: pd.DataFrame, titles: Mapping[str, str] | None = None) -> str:
    """Return the content of a figure's file; the figure is a name or a function."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "figure.svg"
        if isinstance(figure, str):
            figures.draw(figure, rows, path, titles)
        else:
            figure(rows, path)
        return path.read_text(encoding="utf-8")


def test_a_setting_is_drawn_by_the_trials_in_which_it_applies() -> None:
    figure, rows = partial(figures.search, metric=METRICS["log_loss"]), search()
    plain = draw(figure, rows)
    assert draw(figure, rows.assign(never=None)) == plain
    once = draw(figure, rows.assign(once=pd.Series({rows.index[0]: "true"})))
    assert "once" in once
    assert not {"NaN", "null", "None"} & {*once.replace("<", ">").split(">")}


def texts(svg: str) -> list[str]:
    """The texts of a figure in their order."""
    return ["".join(element.itertext()) for element in ET.fromstring(svg).iter() if element.tag.endswith("}text")]  # noqa: S314 (our own)


def size(svg: str) -> tuple[int, int]:
    """Width and height of a figure in pixels."""
    root = ET.fromstring(svg)  # noqa: S314 (our own)
    return int(root.attrib["width"]), int(root.attrib["height"])


@pytest.mark.parametrize(("figure", "rows", "says"), FIGURES.values(), ids=[*FIGURES])
def test_a_figure_says_what_it_shows_repeats_and_needs_nothing_else(
    figure: Any, rows: pd.DataFrame, says: list[str]
) -> None:
    svg = draw(figure, rows)
    assert svg == draw(figure, rows)
    assert not re.search(r"<script|<style|href|url\(|currentColor|NaN", svg)
    assert re.search(r'<rect width="\d+" height="\d+" fill="#ffffff"/>', svg)  # readable on a dark page
    assert size(svg)[0] <= 1000
    shown = "\n".join(texts(svg))
    assert [text for text in says if text not in shown] == []
    assert (figures.WATCHED in shown) == (figure == "history" and "test" in set(rows["split"]))


@pytest.mark.parametrize(("lowest", "starts"), [(0.5, "40%"), (0.499, "0%")])
def test_confidence_starts_below_the_lowest_that_two_classes_can_have(lowest: float, starts: str) -> None:
    shown = texts(draw("reliability", RELIABILITY.assign(confidence=[lowest, 0.65, 0.93])))
    assert next(text for text in shown if text.endswith("%")) == starts


def test_names_of_classes_survive_from_the_table_to_the_figure(tmp_path: Path) -> None:
    names = ("007", "NA", "true", "1e3", "a,b", 'say "so"')
    for figure, rows in (("confusion", confusion(names)), ("roc", roc(names))):
        files.write_csv(tmp_path / "table.csv", rows)
        shown = texts(draw(figure, files.read_csv(tmp_path / "table.csv", columns_of(figure))))
        assert list(dict.fromkeys(text for text in shown if text in names)) == list(names)


def test_each_of_several_classes_has_a_roc_panel_with_the_areas() -> None:
    shown = texts(draw("roc", roc(["spam", "$x$", "ham"])))
    assert [text for text in shown if text in {"spam", "$x$", "ham"}] == ["spam", "$x$", "ham"]
    # From below, so that they stand in the order of the legend
    assert [text for text in shown if text in {"0.500", "1.000"}] == ["1.000", "0.500"] * 3
    assert shown.count("a") == shown.count("b") == 1  # one legend for all


def test_a_cell_of_few_classes_has_its_count_and_share() -> None:
    rows = confusion(["a", "b"]).assign(count=[5, 0, 1, 3] * 2, share=[1, 0, 0.25, 0.75] * 2)
    shown = texts(draw("confusion", rows))
    for text in ("5", "100%", "0", "0%", "1", "25%", "3", "75%"):
        assert shown.count(text) == 2
    assert shown.count("8 of 9 right") == 2


def test_cells_without_rows_may_be_missing_and_percentages_of_a_class_sum_to_100() -> None:
    rows = confusion(["a", "b", "c"]).assign(count=[2, 2, 2, 0, 3, 0, 0, 0, 4] * 2)
    rows = rows.assign(share=rows["count"] / np.tile(np.repeat([6, 3, 4], 3), 2))
    shown = texts(draw("confusion", rows))
    assert [shown.count(text) for text in ("34%", "33%", "100%", "0%")] == [2, 4, 4, 8]
    assert sorted(texts(draw("confusion", rows[rows["count"] > 0]))) == sorted(shown)


def test_a_cell_of_many_classes_has_its_count_unless_it_is_0() -> None:
    names = list("abcdefg")
    rows = confusion(names)
    rows = rows.assign(count=7 * (rows["actual"] == rows["predicted"]).astype(int))
    shown = texts(draw("confusion", rows.assign(share=rows["count"] / 7)))
    assert shown.count("7") == 14
    assert "0" not in shown
    assert not any("%" in text for text in shown)
    assert "60%" in texts(draw("confusion", confusion(names[:-1])))
    assert sorted(text for text in shown if text in names) == sorted(names * 4)  # of two models, on two axes


def test_many_classes_make_a_figure_taller_and_not_wider_than_a_page() -> None:
    few, twelve, many = ([f"class {number}" for number in range(count)] for count in (2, CURVES, 120))
    for sizes in (
        [size(draw("confusion", confusion(names, ["majority"]))) for names in (few, twelve, many)],
        [size(draw("roc", roc(names))) for names in (few, twelve)],
    ):
        widths, heights = zip(*sizes, strict=True)
        assert max(widths) <= 900
        assert sorted(set(heights)) == list(heights)
        assert heights[-1] < 1000


def test_of_many_classes_the_hardest_are_drawn_and_the_figure_says_so() -> None:
    names = [f"class {number}" for number in range(120)]
    rows = confusion(names, ["majority"])
    often = (rows["actual"] == "class 50") & (rows["predicted"] == "class 51")
    rows = rows.assign(count=np.where(often, 9, rows["count"]))
    shown = texts(draw("confusion", rows))
    assert len({text for text in shown if text in names}) == matrices.MOST_CLASSES
    assert {"class 50", "class 51", "9", "360 of 608 right"} <= set(shown)
    assert any("The 20 of 120 classes with the most mistakes." in text for text in shown)
    assert draw("confusion", rows[rows["count"] > 0]) == draw("confusion", rows)
    for count in (CURVES - 1, CURVES):
        shown = texts(draw("roc", roc(names[:count])))
        assert any("Of more than 12 classes, those with the most mistakes." in text for text in shown) == (count == 12)


def test_cells_of_labels_have_shares_of_their_own_and_no_count_of_what_is_right() -> None:
    pairs = [("keras", "a", "a", 8, 1.0), ("keras", "a", "b", 5, 0.625), ("keras", "b", "b", 1, 0.125)]
    rows = pd.DataFrame(pairs, columns=["model", "actual", "predicted", "count", "share"])
    shown = texts(draw("confusion", rows))
    assert {"8", "100%", "5", "62%", "12%", "actual label", "predicted label", "0%"} <= set(shown)
    assert "Number of rows and share of the actual label." in shown
    assert not [text for text in shown if "right" in text or "class" in text]
    assert matrices.overlapping(rows)
    assert not matrices.overlapping(confusion(["a", "b", "c"]))


def test_of_many_labels_those_decided_most_for_texts_with_others_are_drawn() -> None:
    names = [f"label {number}" for number in range(40)]
    rows = confusion(names, ["keras"])
    shown = texts(draw("confusion", rows.assign(share=1.0)))
    assert any("The 20 of 40 labels most often predicted for texts with other labels." in text for text in shown)


def test_a_model_of_one_class_does_not_choose_the_hardest() -> None:
    pairs = [("majority", "a", "c", 50), ("keras", "a", "a", 9), ("keras", "b", "c", 3), ("keras", "c", "b", 1)]
    rows = pd.DataFrame(pairs, columns=["model", "actual", "predicted", "count"])
    assert matrices.most_mistaken(rows, ["a", "b", "c"], limit=2) == ["b", "c"]


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        ([1.0 + n / FEW * (DECADES - 1) for n in range(FEW + 1)], "log"),  # from 1 to DECADES
        ([1.0 + n / FEW * (DECADES - 2) for n in range(FEW + 1)], "linear"),
        ([float(n * DECADES) for n in range(FEW + 1)], "linear"),  # from 0 on, which has no logarithm
        ([10.0**n for n in range(FEW)], "ordinal"),
        ([*map(float, range(FEW)), "none"], "nominal"),
    ],
)
def test_numbers_over_decades_have_a_logarithmic_axis(values: list[Any], scale: str) -> None:
    rows = pd.DataFrame({"trial": 1, "a.b": [*map(str, values)], "score": 0.5})
    chart = by_setting(rows, "a.b", METRICS["accuracy"])
    x = chart["encoding"]["x"]
    found = {"quantitative": x.get("scale", {}).get("type", "linear")}.get(x["type"], x["type"])
    assert found == scale
    assert [row["value"] for row in chart["data"]["values"]] == ([*map(str, values)] if scale == "nominal" else values)


@pytest.mark.parametrize(("metric", "best"), [("accuracy", [0.5, 0.7, 0.7]), ("log_loss", [0.5, 0.5, 0.4])])
def test_the_best_trial_so_far_is_that_of_the_metric(metric: str, best: list[float]) -> None:
    rows = pd.DataFrame({"trial": [1, 2, 3], "score": [0.5, 0.7, 0.4]})
    found = by_trial(rows, METRICS[metric])
    assert [row["best"] for row in found["data"]["values"]] == best
    assert len(found["layer"]) == 2
    found = by_trial(rows.assign(expected=[0.1, 0.2, 0.3]), METRICS[metric])
    assert [row["expected"] for row in found["data"]["values"]] == [0.1, 0.2, 0.3]
    assert found["layer"][2]["encoding"]["y"]["field"] == "expected"
