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

from tests import approved
from tests.curves import RELIABILITY, confusion, history, roc, search
from textclf.core import files
from textclf.core.files import CURVES
from textclf.evaluate.registry import METRICS
from textclf.plot import confusion as matrices
from textclf.plot import figures
from textclf.plot.charts import columns_of
from textclf.plot.figures import DECADES, FEW_VALUES, by_setting, by_trial

ODD = ("$x$", "<b>&", "]]>", "中文", "😀", "عربي", "\u202ea", "y" * 99)
NO_LOSS = history(["keras"]).assign(loss=np.nan)
COUNTED = confusion(["a", "b", "c"]).assign(count=[2, 2, 2, 0, 3, 0, 0, 0, 4] * 2)
COUNTED = COUNTED.assign(share=COUNTED["count"] / np.tile(np.repeat([6, 3, 4], 3), 2))
SEVEN = confusion(list("abcdefg"))
OF_LABELS = pd.DataFrame(
    [("keras", "a", "a", 8, 1.0), ("keras", "a", "b", 5, 0.625), ("keras", "b", "b", 1, 0.125)],
    columns=["model", "actual", "predicted", "count", "share"],
)
FORTY = confusion([f"label {number}" for number in range(40)], ["keras"]).assign(share=1.0)
by_log_loss = partial(figures.search, metric=METRICS["log_loss"])
FIGURES: dict[str, tuple[Any, pd.DataFrame]] = {
    "history": ("history", history(["keras"], count=30)),
    "lowest loss": ("history", history(["keras"])),
    "histories": ("history", history(["keras", "a_b"], "validation")),
    "history without a number": ("history", NO_LOSS),
    "no history": ("history", history([])),
    "confusion": ("confusion", confusion(["0", "1"])),
    "confusion of three classes, one with a rounded share": ("confusion", COUNTED),
    "confusion of six classes": ("confusion", confusion(list("abcdef"))),
    "confusion of seven classes": (
        "confusion",
        SEVEN.assign(count=7 * (SEVEN["actual"] == SEVEN["predicted"])),
    ),
    "confusion of odd classes": ("confusion", confusion(ODD)),
    "confusion of labels": ("confusion", OF_LABELS),
    "confusion of many labels": ("confusion", FORTY),
    "confusion without a decided label": ("confusion", confusion([])),
    "roc": ("roc", roc()),
    "roc of three classes": ("roc", roc(["spam", "$x$", "ham"])),
    "roc of odd classes": ("roc", roc(ODD)),
    "reliability": ("reliability", RELIABILITY),
    "reliability from the lowest confidence of two classes": (
        "reliability",
        RELIABILITY.assign(confidence=0.5),
    ),
    "reliability below it": ("reliability", RELIABILITY.assign(confidence=0.499)),
    "reliability of one bin": ("reliability", RELIABILITY[:1]),
    # As rounded numbers may have it: the accuracy a little outside of its interval.
    "above the interval": ("reliability", RELIABILITY.assign(accuracy_high=0.5)),
    "learning curve": (figures.learning_curve, RELIABILITY),
    "learning curve of one point": (figures.learning_curve, RELIABILITY[:1]),
    "search": (by_log_loss, search()),
    "random search": (by_log_loss, search().assign(expected=0.5)),
    "one trial": (partial(figures.search, metric=METRICS["accuracy"]), search()[:1]),
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
    return [
        "".join(element.itertext())
        for element in ET.fromstring(svg).iter()  # noqa: S314 (our own)
        if element.tag.endswith("}text")
    ]


def size(svg: str) -> tuple[int, int]:
    root = ET.fromstring(svg)  # noqa: S314 (our own)
    return int(root.attrib["width"]), int(root.attrib["height"])


@pytest.mark.parametrize(("figure", "rows"), FIGURES.values(), ids=[*FIGURES])
def test_a_figure_repeats_and_needs_nothing_else(figure: Any, rows: pd.DataFrame) -> None:
    svg = draw(figure, rows)
    assert svg == draw(figure, rows)
    assert not re.search(r"<script|<style|href|url\(|currentColor|NaN", svg)
    assert re.search(
        r'<rect width="\d+" height="\d+" fill="#ffffff"/>', svg
    )  # readable on a dark page
    assert size(svg)[0] <= 1000


def test_figures_say_what_was_approved() -> None:
    said = [f"# {name}\n{' | '.join(texts(draw(*figure)))}\n" for name, figure in FIGURES.items()]
    approved.check("".join(said), Path(__file__).with_name("figures.txt"))


def test_names_of_classes_survive_from_the_table_to_the_figure(tmp_path: Path) -> None:
    names = ("007", "NA", "true", "1e3", "a,b", 'say "so"')
    for figure, rows in (("confusion", confusion(names)), ("roc", roc(names))):
        files.write_csv(tmp_path / "table.csv", rows)
        shown = texts(draw(figure, files.read_csv(tmp_path / "table.csv", columns_of(figure))))
        assert list(dict.fromkeys(text for text in shown if text in names)) == list(names)


def test_cells_without_rows_may_be_missing() -> None:
    assert sorted(texts(draw("confusion", COUNTED[COUNTED["count"] > 0]))) == sorted(
        texts(draw("confusion", COUNTED))
    )


def test_many_classes_make_a_figure_taller_and_not_wider_than_a_page() -> None:
    few, twelve, many = (
        [f"class {number}" for number in range(count)] for count in (2, CURVES, 120)
    )
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
        assert any(
            "Of more than 12 classes, those with the most mistakes." in text for text in shown
        ) == (count == 12)


def test_a_model_of_one_class_does_not_choose_the_hardest() -> None:
    pairs = [
        ("majority", "a", "c", 50),
        ("keras", "a", "a", 9),
        ("keras", "b", "c", 3),
        ("keras", "c", "b", 1),
    ]
    rows = pd.DataFrame(pairs, columns=["model", "actual", "predicted", "count"])
    assert matrices.most_mistaken(rows, ["a", "b", "c"], limit=2) == ["b", "c"]


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        (
            [1.0 + n / FEW_VALUES * (DECADES - 1) for n in range(FEW_VALUES + 1)],
            "log",
        ),  # from 1 to DECADES
        ([1.0 + n / FEW_VALUES * (DECADES - 2) for n in range(FEW_VALUES + 1)], "linear"),
        (
            [float(n * DECADES) for n in range(FEW_VALUES + 1)],
            "linear",
        ),  # from 0 on, which has no logarithm
        ([10.0**n for n in range(FEW_VALUES)], "ordinal"),
        ([*map(float, range(FEW_VALUES)), "none"], "nominal"),
    ],
)
def test_numbers_over_decades_have_a_logarithmic_axis(values: list[Any], scale: str) -> None:
    rows = pd.DataFrame({"trial": 1, "a.b": [*map(str, values)], "score": 0.5})
    chart = by_setting(rows, "a.b", METRICS["accuracy"])
    x = chart["encoding"]["x"]
    result = {"quantitative": x.get("scale", {}).get("type", "linear")}.get(x["type"], x["type"])
    assert result == scale
    assert [row["value"] for row in chart["data"]["values"]] == (
        [*map(str, values)] if scale == "nominal" else values
    )


@pytest.mark.parametrize(
    ("metric", "best"), [("accuracy", [0.5, 0.7, 0.7]), ("log_loss", [0.5, 0.5, 0.4])]
)
def test_the_best_trial_so_far_is_that_of_the_metric(metric: str, best: list[float]) -> None:
    rows = pd.DataFrame({"trial": [1, 2, 3], "score": [0.5, 0.7, 0.4]})
    result = by_trial(rows, METRICS[metric])
    assert [row["best"] for row in result["data"]["values"]] == best
    assert len(result["layer"]) == 2
    result = by_trial(rows.assign(expected=[0.1, 0.2, 0.3]), METRICS[metric])
    assert [row["expected"] for row in result["data"]["values"]] == [0.1, 0.2, 0.3]
    assert result["layer"][2]["encoding"]["y"]["field"] == "expected"
