import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.curves import RELIABILITY, confusion, history, roc, search
from textclf.core import files
from textclf.evaluate.registry import METRICS
from textclf.plot import confusion as matrices
from textclf.plot import curves, figures

ODD = ("$x$", "<b>&", "]]>", "中文", "😀", "عربي", "\u202ea", "y" * 99)
FIGURES = [
    pytest.param(figures.history, history(["keras"]), id="history"),
    pytest.param(figures.history, history(["keras", "other"], "validation"), id="history of two models"),
    pytest.param(figures.history, history([]), id="history of no model"),
    pytest.param(figures.confusion, confusion(["0", "1"]), id="confusion"),
    pytest.param(figures.confusion, confusion(ODD), id="confusion of odd classes"),
    pytest.param(figures.roc, roc(), id="roc"),
    pytest.param(figures.roc, roc(ODD), id="roc of odd classes"),
    pytest.param(figures.reliability, RELIABILITY, id="reliability"),
    pytest.param(figures.reliability, RELIABILITY.iloc[:1], id="reliability of one bin"),
    # As rounded numbers may have it: the accuracy a little outside of its interval.
    pytest.param(figures.reliability, RELIABILITY.assign(accuracy_high=0.5), id="reliability above its interval"),
    pytest.param(figures.learning_curve, RELIABILITY, id="learning curve"),
    pytest.param(figures.learning_curve, RELIABILITY.iloc[:1], id="learning curve of one point"),
    pytest.param(partial(figures.search, metric=METRICS["log_loss"]), search(), id="search"),
    pytest.param(partial(figures.search, metric=METRICS["accuracy"]), search().iloc[:1], id="search of one trial"),
]


def drawn(draw: Callable[..., None], folder: Path, *arguments: Any) -> str:
    """The content of the figure's file."""
    draw(arguments[0], folder / "figure.svg", *arguments[1:])
    return (folder / "figure.svg").read_text(encoding="utf-8")


def texts(svg: str) -> list[str]:
    """The texts of a figure in their order."""
    return ["".join(element.itertext()) for element in ET.fromstring(svg).iter() if element.tag.endswith("}text")]  # noqa: S314 (our own)


def size(svg: str) -> tuple[int, int]:
    """Width and height of a figure in pixels."""
    root = ET.fromstring(svg)  # noqa: S314 (our own)
    return int(root.attrib["width"]), int(root.attrib["height"])


@pytest.mark.parametrize(("draw", "rows"), FIGURES)
def test_a_figure_is_svg_that_repeats_and_needs_nothing_else(
    tmp_path: Path, draw: Callable[..., None], rows: pd.DataFrame
) -> None:
    svg = drawn(draw, tmp_path, rows)
    assert svg == drawn(draw, tmp_path, rows)
    assert ET.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314 (our own)
    assert not re.search(r"<script|<style|href|url\(|currentColor|NaN", svg)
    assert re.search(r'<rect width="\d+" height="\d+" fill="#ffffff"/>', svg)  # readable on a dark page
    assert size(svg)[0] <= 1000


def test_a_figure_says_what_it_shows(tmp_path: Path) -> None:
    one = texts(drawn(figures.history, tmp_path, history(["keras"], count=30)))
    assert {"Accuracy and loss of keras by epoch", figures.WATCHED, "training rows", "test rows"} <= set(one)
    assert one.count("lowest test loss 0.500, epoch 3") == 1
    assert figures.WATCHED not in texts(drawn(figures.history, tmp_path, history(["keras"], "validation")))
    assert "No model of this run was trained in epochs." in texts(drawn(figures.history, tmp_path, history([])))
    assert {"a (0.500)", "b (1.000)"} <= set(texts(drawn(figures.roc, tmp_path, roc())))
    for draw in (figures.reliability, figures.learning_curve):
        assert {"majority", "logistic regression"} <= set(texts(drawn(draw, tmp_path, RELIABILITY)))


def test_a_model_keeps_its_colour_when_another_is_added(tmp_path: Path) -> None:
    blue = "#0072B2"
    for models in (["keras"], ["majority", "keras"]):
        assert blue in re.findall(r'stroke="(#[0-9A-F]{6})"', drawn(figures.history, tmp_path, history(models)))
        assert blue in re.findall(r'stroke="(#[0-9A-F]{6})"', drawn(figures.roc, tmp_path, roc(models=models)))


def test_classes_have_the_names_of_their_corpus(tmp_path: Path) -> None:
    names = {"0": "negative", "1": "positive"}
    shown = texts(drawn(figures.confusion, tmp_path, confusion(["0", "1"]), names))
    assert shown.count("negative") == shown.count("positive") == 4  # of two models, on two axes
    assert {"negative", "positive"} <= set(texts(drawn(figures.roc, tmp_path, roc(["0", "1", "2"]), names)))


def test_names_of_classes_survive_from_the_table_to_the_figure(tmp_path: Path) -> None:
    names = ("007", "NA", "true", "1e3", "a,b", 'say "so"')
    for rows, columns, draw in (
        (confusion(names), matrices.COLUMNS, figures.confusion),
        (roc(names), curves.ROC_COLUMNS, figures.roc),
    ):
        files.write_csv(tmp_path / "table.csv", rows)
        shown = texts(drawn(draw, tmp_path, files.read_csv(tmp_path / "table.csv", columns)))
        assert list(dict.fromkeys(text for text in shown if text in names)) == list(names)


def test_each_of_several_classes_has_a_roc_panel_with_the_areas(tmp_path: Path) -> None:
    shown = texts(drawn(figures.roc, tmp_path, roc(["spam", "$x$", "ham"])))
    assert [text for text in shown if text in {"spam", "$x$", "ham"}] == ["spam", "$x$", "ham"]
    assert shown.count("0.500") == shown.count("1.000") == 3
    assert shown.count("a") == shown.count("b") == 1  # one legend for all


def test_a_cell_of_few_classes_has_its_count_and_share(tmp_path: Path) -> None:
    rows = confusion(["a", "b"]).assign(count=[5, 0, 1, 3] * 2, share=[1, 0, 0.25, 0.75] * 2)
    shown = texts(drawn(figures.confusion, tmp_path, rows))
    for text in ("5", "100%", "0", "0%", "1", "25%", "3", "75%"):
        assert shown.count(text) == 2
    assert shown.count("8 of 9 right") == 2


def test_cells_without_rows_may_be_missing_and_percentages_of_a_class_sum_to_100(tmp_path: Path) -> None:
    rows = confusion(["a", "b", "c"]).assign(count=[2, 2, 2, 0, 3, 0, 0, 0, 4] * 2)
    rows = rows.assign(share=rows["count"] / np.tile(np.repeat([6, 3, 4], 3), 2))
    shown = texts(drawn(figures.confusion, tmp_path, rows))
    assert [shown.count(text) for text in ("34%", "33%", "100%", "0%")] == [2, 4, 4, 8]
    sparse = texts(drawn(figures.confusion, tmp_path, rows[rows["count"] > 0]))
    assert sorted(sparse) == sorted(shown)


def test_a_cell_of_many_classes_has_its_count_unless_it_is_0(tmp_path: Path) -> None:
    names = list("abcdefg")
    rows = confusion(names)
    rows = rows.assign(count=7 * (rows["actual"] == rows["predicted"]).astype(int))
    shown = texts(drawn(figures.confusion, tmp_path, rows.assign(share=rows["count"] / 7)))
    assert shown.count("7") == 14
    assert "0" not in shown
    assert not any("%" in text for text in shown)
    assert sorted(text for text in shown if text in names) == sorted(names * 4)  # of two models, on two axes


def test_many_classes_make_a_figure_taller_and_not_wider_than_a_page(tmp_path: Path) -> None:
    heights = []
    for count in (2, 12, 120):
        names = [f"class {number}" for number in range(count)]
        for draw, rows in ((figures.confusion, confusion(names, ["majority"])), (figures.roc, roc(names))):
            width, height = size(drawn(draw, tmp_path, rows))
            assert width <= 900
            heights.append(height)
    assert heights[0] < heights[2] < heights[4] < 1000
    assert heights[1] < heights[3] < heights[5] < 1000


def test_of_many_classes_the_hardest_are_drawn_and_the_figure_says_so(tmp_path: Path) -> None:
    names = [f"class {number}" for number in range(120)]
    rows = confusion(names, ["majority"])
    often = (rows["actual"] == "class 50") & (rows["predicted"] == "class 51")
    rows = rows.assign(count=np.where(often, 9, rows["count"]))
    shown = texts(drawn(figures.confusion, tmp_path, rows))
    assert len({text for text in shown if text in names}) == matrices.MOST_CLASSES
    assert {"class 50", "class 51", "9", "360 of 608 right"} <= set(shown)
    assert any("The 20 of 120 classes with the most mistakes." in text for text in shown)
    assert drawn(figures.confusion, tmp_path, rows[rows["count"] > 0]) == drawn(figures.confusion, tmp_path, rows)
    points = roc(names)
    rates = np.where(points["class"] == "class 7", 0.0, points["true_positive_rate"])
    points = points.assign(true_positive_rate=rates)
    shown = texts(drawn(figures.roc, tmp_path, points))
    assert "class 7" in shown
    assert any("The 20 of 120 classes with the smallest areas." in text for text in shown)


def test_a_failed_drawing_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        figures.roc(pd.DataFrame({"model": ["a"]}), tmp_path / "roc")
    assert list(tmp_path.iterdir()) == []
