"""What the sections say of a run."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import page as pages
from tests.behaviours import case, results_of, said
from tests.page import Page, specs, without_pictures
from tests.results import comparison, with_results
from tests.runs import HOSTILE, SOURCE, YELP, make_run
from textclf.artifacts import splits
from textclf.artifacts.predictions import Predictions
from textclf.artifacts.splits import ReadColumns, read_table
from textclf.core import resources
from textclf.core.display import visible
from textclf.evaluate.model_warnings import find_warnings
from textclf.evaluate.results import Ends
from textclf.report import behaviour as section
from textclf.report import curves, data, overview
from textclf.report.data import BARS, first_conflicting, histogram
from textclf.report.doubt import doubt
from textclf.report.errors import errors
from textclf.report.page import mark_settings, render
from textclf.report.run import Run, open_rows, tables_of
from textclf.report.slices import title

PAIR = ("logistic_regression", "keras")
DEFAULT = make_run()
MODEL = "logistic_regression"


def model_colours(run: Run) -> dict[str, set[str]]:
    result: dict[str, set[str]] = {}

    def collect(part: Any) -> None:
        if isinstance(part, dict):
            if part.get("field") == "model" and "scale" in part:
                for name, value in zip(
                    part["scale"]["domain"], part["scale"].get("range", ()), strict=False
                ):
                    if str(value).startswith("#"):
                        result.setdefault(name, set()).add(value)
            part = list(part.values())
        if isinstance(part, list):
            for item in part:
                collect(item)

    collect(specs(run))
    return result


def test_a_model_has_one_colour_and_keeps_it_when_another_is_removed() -> None:
    every = model_colours(make_run(("majority", *PAIR), history=["keras"]))
    assert set(every) == {"majority", "logistic regression", "keras"}
    assert all(len(colours) == 1 for colours in every.values())
    assert model_colours(make_run(("keras",), history=["keras"])) == {"keras": every["keras"]}


@pytest.mark.parametrize("grouped", [False, True])
def test_texts_with_several_labels_are_listed_with_their_rows(grouped: bool) -> None:
    run = make_run(
        texts=("Good  food", "bad", "good food"),  # labels in turn: each text has both
        settings={"data.group": "user"} if grouped else None,
    )
    asked = []

    def reader(read: ReadColumns) -> ReadColumns:
        def columns_of(columns: list[str]) -> pa.Table:
            asked.append(columns)
            rows = read(columns)
            if grouped and "cluster" in columns:  # each row a group of its own
                rows = rows.drop("cluster").append_column(
                    "cluster", pa.array(np.arange(len(rows)), pa.uint64())
                )
            return rows

        return columns_of

    run = replace(
        run, splits={name: list(map(reader, readers)) for name, readers in run.splits.items()}
    )
    text = pages.section(run, "data")
    assert f"Texts with several labels ({run.results.splits.label_conflicts.normalised})" in text
    assert "Good food" in text
    assert (
        ["cluster", "label"] in asked
    ) != grouped  # texts are read again only where clusters are groups
    conflicts = data.find_conflicts(run.rows, run.classes, data.CONFLICTS, grouped)
    assert [conflict.text for conflict in conflicts] == ["Good  food", "bad"]
    assert conflicts[0].rows["no"].ids[:2] == [
        ("train", "rows.csv:train0"),
        ("train", "rows.csv:train2"),
    ]
    assert sum(labelled.number for labelled in conflicts[0].rows.values()) == 54  # of 80 rows
    assert len(data.find_conflicts(run.rows, run.classes, 1, grouped)) == 1


def test_a_confusion_without_its_zeros_gives_the_same_page() -> None:
    for classes in (["a", "b", "c"], [f"c{n}" for n in range(30)]):
        run = make_run(PAIR, classes, count=90)
        every = run.tables["confusion"]
        without = replace(run, tables={**run.tables, "confusion": every[every["count"] > 0]})
        assert without_pictures(without) == without_pictures(run)


def test_classes_of_a_built_in_corpus_have_names() -> None:
    run = make_run(("majority", "keras"), ("0", "1"), sources=[YELP])
    assert run.names == {"0": "negative", "1": "positive"}
    (chart, _) = curves.confusion(run)["charts"]
    assert {row["actual"] for row in chart.spec["data"]["values"]} == {"negative", "positive"}
    assert make_run(("majority",), ("0", "1"), sources=[YELP, SOURCE]).names == {"0": "0", "1": "1"}


def test_mistakes_follow_the_decisions_that_evaluate_wrote() -> None:
    run = make_run(("logistic_regression",), settings={"evaluate.threshold": "0.999999"})
    (part,) = errors(run)["mistakes"]
    assert part["constant"] == "no"
    decisions = {"logistic_regression": {"threshold": 0.5, "temperature": 100.0}}
    calibrated = with_results(run, decisions=decisions)
    (part,) = errors(calibrated)["mistakes"]
    assert {row["confidence"] for row in part["kinds"]["wrong"]} <= {
        f"50.{digit}%" for digit in range(6)
    }


def test_a_run_in_pieces_has_the_same_page() -> None:
    rows = 7

    def pieces(table: Any) -> list[Any]:
        if isinstance(table, Predictions):
            return [table.take(slice(start, start + rows)) for start in range(0, len(table), rows)]
        whole = table(["id", "text", "label", "cluster"])
        return [whole.slice(start, rows).select for start in range(0, len(whole), rows)]

    run = make_run((*PAIR, "majority"), ["a", "b", "c"], validation=True)
    divided = replace(
        run,
        splits={name: pieces(*parts) for name, parts in run.splits.items()},
        predictions={name: pieces(*parts) for name, parts in run.predictions.items()},
    )
    assert without_pictures(divided) == without_pictures(run)


def test_lengths_beyond_the_others_are_counted_and_not_drawn() -> None:
    bars, beyond = histogram(np.array([*range(1, 200), 20_000], dtype=np.int32))
    assert beyond == 1
    assert bars["rows"].sum() == 199
    assert len(bars) <= BARS + 1
    assert histogram(np.zeros(2, dtype=np.int32))[0]["rows"].sum() == 2


def test_settings_in_a_sentence_are_code_and_the_rest_is_escaped() -> None:
    assert mark_settings("set split.stratify <b>") == "set <code>split.stratify</code> &lt;b&gt;"


def test_a_title_and_class_names_of_the_user_are_shown_escaped() -> None:
    settings = {"about.title": "'<b>Tickets</b>'", "about.class_names": "{'yes': '<i>urgent</i>'}"}
    page = render(make_run(settings=settings))
    assert "<title>textclf: &lt;b&gt;Tickets&lt;/b&gt;</title>" in page
    assert "&lt;i&gt;urgent&lt;/i&gt;" in page
    assert "<i>urgent" not in page


def test_the_recall_of_a_class_has_the_interval_of_the_table() -> None:
    run = make_run(count=200)
    classes = run.tables["classes"].assign(recall_low=0.125)
    drawn = errors(replace(run, tables={**run.tables, "classes": classes}))["by_class"].spec[
        "data"
    ]["values"]
    assert {row["low"] for row in drawn} == {0.125}


@pytest.mark.parametrize("classes", [2, 44])
def test_a_baseline_that_would_squeeze_the_axis_of_the_others_is_told_and_not_drawn(
    classes: int,
) -> None:
    models = ("majority", "logistic_regression", "keras")
    names = [f"c{n}" for n in range(classes)]
    run = make_run(
        models, names, count=4 * classes, validation=True, settings={"evaluate.coverage": "0.8"}
    )
    for name in models[1:]:
        run.results.intervals[name]["test"]["accuracy"] = Ends(low=0.8, high=1.0)
    section = doubt(run)
    assert section
    for chart in (overview.compared(run)["chart"], section["charts"][0]):
        drawn = {row["model"] for row in chart.spec["data"]["values"]}
        assert drawn == {"logistic regression", "keras"} | ({"majority"} if classes == 2 else set())
        share = f"{run.results.evaluation['majority']['test']['accuracy']:.1%}"
        told = f"Not drawn, so that the others can be told apart: majority (accuracy {share})."
        assert (told in chart.caption) == (classes == 44)
    alone = make_run(("majority",), names, count=4 * classes)
    assert alone.squeezing == []


@pytest.mark.parametrize(("times", "remedy"), [(1.5, False), (2.5, True)])
def test_a_calibration_error_close_to_that_of_chance_needs_no_remedy(
    times: float, remedy: bool
) -> None:
    run = make_run(("logistic_regression", "keras"), count=400)
    for name in run.models:
        chance = run.results.decisions[name].ece_if_calibrated["test"]
        run.results.evaluation[name]["test"]["ece"] = times * (chance or 0)
    assert bool(curves.calibration(run)["remedy"]) == remedy


def test_the_section_on_doubt_has_the_models_errors_by_the_share_of_rows_answered() -> None:
    run = make_run(
        ("majority", *PAIR), count=120, validation=True, settings={"evaluate.coverage": "0.8"}
    )
    section = doubt(run)
    assert section
    values = section["charts"][0].spec["data"]["values"]
    assert {value["model"] for value in values} == {"logistic regression", "keras"}
    errors_of_models = run.tables["risk_coverage"].query("model != 'majority'")["error"]
    assert max(value["error"] for value in values) == pytest.approx(
        errors_of_models.max(), abs=1e-6
    )


@pytest.mark.parametrize("costs", ["{'no': {'yes': 10}, abstain: 0.6}", "{}"])
def test_a_lower_accuracy_is_warned_of_only_without_costs(costs: str) -> None:
    run = make_run(settings={"evaluate.costs": costs}, validation=True)
    worse = with_results(
        run, comparisons={"logistic_regression_vs_majority": comparison(-0.2, -0.3, -0.1)}
    )
    warnings = find_warnings(worse.results, run.models, 0.95).get("logistic_regression", [])
    assert any("its accuracy is" in text for text in warnings) == (costs == "{}")


def test_the_parameters_are_those_of_the_models_that_trained() -> None:
    text = pages.section(DEFAULT, "params")
    assert "train.logistic_regression" in text
    assert r"token_pattern (?u)\b\w\w+\b" in text
    assert "train.keras" not in text
    assert "behave" not in text


def test_average_precision_is_read_of_labels_alone() -> None:
    assert "average_precision" in tables_of("multilabel")["classes"]
    assert "average_precision" not in tables_of("multiclass")["classes"]


def test_a_slice_is_shown_by_its_column_and_the_name_of_its_value() -> None:
    run = make_run()
    run.names["no"] = "negative"
    assert title(run, "class=no") == "class: negative"
    assert title(run, "unknown_words=none") == "unknown words: none"
    assert title(run, "platform=") == "platform: missing"
    assert title(run, "platform=a=b") == "platform: a=b"


def test_one_slice_is_counted_in_the_singular() -> None:
    run = make_run()
    slices = run.results.slices[MODEL]
    one = with_results(run, slices={MODEL: {"class=no": slices["class=no"]}})
    text = pages.section(one, "slices")
    assert "1 slice of at least 10 rows was compared with all other test rows" in text


def test_values_of_the_table_are_shown_as_text_alone() -> None:
    values = [*HOSTILE, "web"]
    run = make_run(columns={"platform": values}, count=20 * len(values))
    text = pages.section(run, "slices")  # fails if one of them opens an element that is not closed
    shown = [
        name.partition("=")[2] for name in run.results.slices[MODEL] if name.startswith("platform=")
    ]
    assert len(shown) > 1
    for value in shown:
        assert " ".join(f"platform: {visible(value)}".split()) in " ".join(text.split())


def test_hostile_texts_make_no_element_and_are_shown_as_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(section, "EXAMPLES", len(HOSTILE))

    def page(texts: Sequence[str]) -> Page:
        cases = [
            case(text, said(True, after="no"), said(True, after="no"), changed="b", change="pair")
            for text in texts
        ]
        tests = results_of({"bad": {"kind": "invariance", "about": texts[0], "cases": cases}})
        return Page(
            render(
                make_run(settings={"behave.tests": "{mine: mine.yaml}"}, behaviour={"mine": tests})
            )
        )

    plain = page(
        ["word " * 20_000 if len(text) > 1_000 else "word" for text in HOSTILE]
    )  # what is long is folded
    hostile = page(HOSTILE)
    assert [tag for tag, _ in hostile.elements] == [tag for tag, _ in plain.elements]
    shown = " ".join(hostile.text["behaviour"].split())
    assert [text for text in HOSTILE[:4] if f"{text} becomes b" not in shown] == []


@given(st.lists(st.text(max_size=3), min_size=1), st.integers(1, 4), st.sets(st.integers(0, 30)))
def test_rows_at_positions_are_read_from_their_pieces_alone(
    texts: list[str], size: int, places: set[int]
) -> None:
    table = pa.table({"id": [f"r{n}" for n in range(len(texts))], "text": texts})
    starts = range(0, len(texts), size)
    seen: list[tuple[int, str]] = []

    def reader(start: int) -> ReadColumns:
        def read(columns: list[str]) -> pa.Table:
            seen.extend((start, name) for name in columns)
            return table[start : start + size].select(columns)

        return read

    split = open_rows([reader(start) for start in starts])
    assert len(split) == len(texts)
    seen.clear()
    wanted = {place for place in places if place < len(texts)}
    shown = split.at(wanted, "text").itertuples(name=None)
    assert list(shown) == [(place, texts[place]) for place in sorted(wanted)]
    assert seen == [(start, "text") for start in sorted({place // size * size for place in wanted})]


def read_piece(path: Path, columns: list[str]) -> pa.Table:
    return splits.read_table(path, columns)


def test_several_pieces_are_measured_in_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(texts=("Good  food", "bad", "good food"))
    readers = {}
    for name, (read,) in run.splits.items():
        rows = read(["id", "text", "label", "cluster"])
        paths = [tmp_path / f"{name}{start}" for start in range(0, len(rows), 9)]
        for number, path in enumerate(paths):
            splits.write_table(rows[9 * number : 9 * number + 9], path)
        readers[name] = [partial(read_piece, path) for path in paths]
    monkeypatch.setattr(resources, "cores", lambda: 2)
    read_here: list[list[str]] = []

    def recorded(path: Path, columns: list[str]) -> pa.Table:
        read_here.append(columns)
        return read_table(path, columns)

    monkeypatch.setattr(splits, "read_table", recorded)
    pieces = replace(run, splits=readers).rows
    assert read_here.count(["text"]) == len(readers)  # the first of each split, for its size
    found = data.find_conflicts(pieces, run.classes, data.CONFLICTS, grouped=False)
    assert ["cluster", "label"] not in read_here
    assert found == data.find_conflicts(run.rows, run.classes, data.CONFLICTS, grouped=False)
    for name, rows in run.rows.items():
        assert pieces[name].words.tolist() == rows.words.tolist()


@given(
    st.lists(
        st.tuples(st.sampled_from([0, 1, 2**24, 2**24 + 1, 2**64 - 1]), st.integers(0, 2)),
        min_size=1,
    ),
    st.integers(1, 3),
)
def test_the_first_keys_with_several_labels_are_found(
    pairs: list[tuple[int, int]], limit: int
) -> None:
    rows = pd.DataFrame(
        {
            "key": np.array([key for key, _ in pairs], dtype=np.uint64),
            "label": [n for _, n in pairs],
        }
    )
    several = [
        key for key in dict.fromkeys(rows["key"]) if rows["label"][rows["key"] == key].nunique() > 1
    ]
    for size in (data.PART, 3):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(data, "PART", size)
            conflicts = first_conflicting(rows, limit)
        assert conflicts.equals(rows[rows["key"].isin(several[:limit])])
