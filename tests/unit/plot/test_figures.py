import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from textclf.core import files
from textclf.plot import figures


def history(*models: str) -> pd.DataFrame:
    parts = [
        pd.DataFrame({"model": model, "epoch": [1, 2], "split": split, "loss": [0.7, 0.5], "accuracy": [0.5, 1.0]})
        for model in models
        for split in ("train", "test")
    ]
    return pd.concat(parts) if parts else pd.DataFrame(columns=["model", "epoch", "split", "loss", "accuracy"])


def confusion(*classes: str) -> pd.DataFrame:
    pairs = [(actual, predicted) for actual in classes for predicted in classes]
    frame = pd.DataFrame(pairs, columns=["actual", "predicted"]).assign(count=3, share=1 / len(classes))
    return pd.concat([frame.assign(model=model) for model in ("majority", "logistic_regression")])


ROC = pd.DataFrame(
    {
        "model": ["a", "a", "b", "b", "b"],
        "class": "1",
        "false_positive_rate": [0.0, 1.0, 0.0, 0.0, 1.0],
        "true_positive_rate": [0.0, 1.0, 0.0, 1.0, 1.0],
    }
)


def roc(*classes: str) -> pd.DataFrame:
    """The curves of each class."""
    return pd.concat([ROC.assign(**{"class": name}) for name in classes])


RELIABILITY = pd.DataFrame(
    {
        "model": ["majority", "logistic_regression", "logistic_regression"],
        "confidence": [0.52, 0.65, 0.93],
        "accuracy": [0.5, 0.6, 1.0],
        "accuracy_low": [0.4, 0.35, 0.8],
        "accuracy_high": [0.6, 0.85, 1.0],
    }
)
LEARNING_CURVE = RELIABILITY.drop(columns="confidence").assign(rows=[75, 75, 150])

ODD = ("$x$", r"$\frac$", "中文", "😀", "عربي", "a, b", "007", "y" * 99)
FIGURES = [
    pytest.param(figures.history, history("keras"), id="history"),
    pytest.param(figures.history, history("keras", "other"), id="history of two models"),
    pytest.param(figures.history, history(), id="history of no model"),
    pytest.param(figures.history, history("keras").replace("test", "validation"), id="history of validation"),
    pytest.param(figures.confusion, confusion("0", "1"), id="confusion"),
    pytest.param(figures.confusion, confusion("<b>&", "--", "]]>"), id="confusion of classes with markup"),
    pytest.param(figures.confusion, confusion(*ODD), id="confusion of odd classes"),
    pytest.param(figures.confusion, confusion(*map(str, range(15))), id="confusion of many classes"),
    pytest.param(figures.roc, ROC, id="roc"),
    pytest.param(figures.roc, roc("a", "b", "c"), id="roc of three classes"),
    pytest.param(figures.roc, roc(*ODD), id="roc of odd classes"),
    pytest.param(figures.reliability, RELIABILITY, id="reliability"),
    pytest.param(figures.reliability, RELIABILITY[:1], id="reliability of one bin"),
    # As a CSV of rounded numbers may have it: the accuracy a little outside of its interval.
    pytest.param(figures.reliability, RELIABILITY.assign(accuracy_high=0.5), id="reliability above its interval"),
    pytest.param(figures.learning_curve, LEARNING_CURVE, id="learning curve"),
    pytest.param(figures.learning_curve, LEARNING_CURVE[:1], id="learning curve of one point"),
]


@pytest.mark.parametrize(("draw", "rows"), FIGURES)
def test_a_figure_is_xml_and_repeats_byte_for_byte_without_a_date(
    tmp_path: Path, draw: Callable[[pd.DataFrame, Path], None], rows: pd.DataFrame
) -> None:
    for name in ("a", "b"):
        draw(rows, tmp_path / name)
    first = (tmp_path / "a").read_bytes()
    assert ET.fromstring(first).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314 (our own)
    assert first == (tmp_path / "b").read_bytes()
    assert not re.search(rb"\d{4}-\d\d-\d\d|dc:date|Matplotlib v", first)


def test_a_figure_says_what_it_shows(tmp_path: Path) -> None:
    # Glyphs are drawn as paths; matplotlib leaves the text beside them as comments.
    figures.roc(ROC, tmp_path / "roc")
    figures.confusion(confusion("0", "1"), tmp_path / "confusion")
    figures.history(history("keras"), tmp_path / "history")
    figures.history(history(), tmp_path / "empty")
    figures.reliability(RELIABILITY, tmp_path / "reliability")
    figures.learning_curve(LEARNING_CURVE, tmp_path / "learning_curve")
    texts = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    assert "<!-- a (0.500) -->" in texts["roc"]
    assert "<!-- b (1.000) -->" in texts["roc"]
    assert "logistic regression" in texts["confusion"]
    assert "6 of 12 right" in texts["confusion"]
    assert "<!-- The test rows were watched, as in the lesson; they decided nothing. -->" in texts["history"]
    assert "0.500, epoch 2" in texts["history"]
    assert "<!-- calibrated -->" in texts["reliability"]
    assert "<!-- training rows -->" in texts["learning_curve"]
    for name in ("reliability", "learning_curve"):
        assert "<!-- logistic regression -->" in texts[name]
        assert "<!-- majority -->" in texts[name]
    assert "<!-- no model was trained in epochs -->" in texts["empty"]


def comments(path: Path) -> list[str]:
    """The texts of a figure in their order, which matplotlib leaves as comments where it draws them as paths."""
    return re.findall(r"<!-- (.*?) -->", path.read_text(encoding="utf-8"))


def test_names_of_classes_survive_from_the_table_to_the_figure(tmp_path: Path) -> None:
    names = ("007", "NA", "true", "1e3", "a,b", 'say "so"', "😀")
    for name, rows, columns, draw in (
        ("confusion", confusion(*names), figures.CONFUSION_COLUMNS, figures.confusion),
        ("roc", roc(*names), figures.ROC_COLUMNS, figures.roc),
    ):
        files.write_csv(tmp_path / f"{name}.csv", rows)
        draw(files.read_csv(tmp_path / f"{name}.csv", columns), tmp_path / name)
        texts = comments(tmp_path / name)
        assert [text for text in texts if text in names][: len(names)] == list(names)


def test_of_many_classes_the_roc_has_a_panel_each_with_the_areas_of_the_models(tmp_path: Path) -> None:
    figures.roc(roc("spam", "$x$", "ham"), tmp_path / "roc")
    texts = comments(tmp_path / "roc")
    names = [text for text in texts if text in {"spam", "$x$", "ham", "0.500", "1.000"}]
    assert names == ["spam", "0.500", "1.000", "$x$", "0.500", "1.000", "ham", "0.500", "1.000"]
    assert texts.count("a") == texts.count("b") == 1  # the models stand in one legend


def test_a_cell_of_few_classes_has_its_count_and_share(tmp_path: Path) -> None:
    rows = confusion("a", "b").assign(count=[5, 0, 1, 3] * 2, share=[1, 0, 0.25, 0.75] * 2)
    figures.confusion(rows, tmp_path / "confusion")
    texts = comments(tmp_path / "confusion")
    for text in ("5", "100%", "0", "0%", "1", "25%", "3", "75%"):
        assert texts.count(text) >= 2
    assert texts.count("8 of 9 right") == 2


def test_a_cell_of_many_classes_has_its_count_unless_it_is_0(tmp_path: Path) -> None:
    names = list("abcdefg")
    rows = confusion(*names)
    rows["count"] = 7 * (rows["actual"] == rows["predicted"])
    figures.confusion(rows.assign(share=rows["count"] / 7), tmp_path / "confusion")
    texts = comments(tmp_path / "confusion")
    assert texts.count("7") == 14
    assert "0" not in texts
    assert not any("%" in text for text in texts)
    assert [text for text in texts if text in names] == names * 4  # of two models, on two axes


def size(path: Path) -> tuple[float, float]:
    """Width and height of a figure in inches."""
    root = ET.fromstring(path.read_bytes())  # noqa: S314 (our own)
    width, height = (float(root.attrib[name].removesuffix("pt")) / 72 for name in ("width", "height"))
    return width, height


def test_a_figure_grows_with_the_classes_in_height_alone(tmp_path: Path) -> None:
    sizes = []
    for count in (2, 6, 12):
        names = [f"class {number}" for number in range(count)]
        figures.confusion(confusion(*names), tmp_path / "confusion")
        sizes.append(size(tmp_path / "confusion"))
    (_, low), (_, middle), (_, high) = sizes
    assert low < middle
    assert high > 2 * 12 * 0.45  # one matrix below the other, whose cells keep their size
    assert all(width < 14 for width, _ in sizes)
    figures.roc(roc(*names), tmp_path / "roc")
    width, height = size(tmp_path / "roc")
    assert width < 14
    assert height == pytest.approx(4.2)  # two rows of small panels


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("y" * 24, "y" * 24),
        ("y" * 25, "y" * 23 + "…"),
        ("中" * 12, "中" * 12),
        ("中" * 13, "中" * 11 + "…"),
        ("a" + "中" * 12, "a" + "中" * 11 + "…"),
    ],
)
def test_a_long_name_is_cut(tmp_path: Path, name: str, shown: str) -> None:
    figures.roc(roc(name, "b"), tmp_path / "roc")
    figures.confusion(confusion(name, "b"), tmp_path / "confusion")
    for figure in ("roc", "confusion"):
        text = (tmp_path / figure).read_text(encoding="utf-8")
        assert f">{shown}</text>" in text or f"<!-- {shown} -->" in text


def test_letters_that_the_font_lacks_stay_text(tmp_path: Path) -> None:
    for names, as_text in ((("中文", "b"), True), (("é😀", "عربي"), False)):
        figures.confusion(confusion(*names), tmp_path / "confusion")
        assert ("<text" in (tmp_path / "confusion").read_text(encoding="utf-8")) == as_text


def test_many_models_stand_beside_the_reliability_curves(tmp_path: Path) -> None:
    figures.reliability(RELIABILITY, tmp_path / "two")
    more = [RELIABILITY.assign(model=RELIABILITY["model"] + suffix) for suffix in ("", " b")]
    figures.reliability(pd.concat(more), tmp_path / "four")
    assert size(tmp_path / "two")[0] < size(tmp_path / "four")[0]
    assert comments(tmp_path / "four").count("logistic regression b") == 1


def test_a_failed_drawing_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        figures.roc(pd.DataFrame({"model": ["a"]}), tmp_path / "roc")
    assert list(tmp_path.iterdir()) == []


def test_drawing_changes_no_setting_of_matplotlib(tmp_path: Path) -> None:
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    figures.roc(ROC, tmp_path / "roc")
    assert dict(mpl.rcParams) == before
