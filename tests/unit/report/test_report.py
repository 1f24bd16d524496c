import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.runs import HOSTILE, made
from textclf.core.errors import UserError
from textclf.export import card
from textclf.report import page as report

ALL = ("majority", "naive_bayes", "logistic_regression", "linear_svm", "nb_svm", "keras")
HISTORY_MODELS = ("majority", "keras")
VOID = {"meta", "link", "br", "img", "path", "rect", "line"}


class Page(HTMLParser):
    """The elements and the text of a page; what is not closed in order is an error."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: dict[str, str] = {}
        self.section = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs)
        self.elements.append((tag, dict(attrs)))
        if tag == "section":
            self.section = str(dict(attrs)["id"])
        if tag not in VOID:
            self.open.append(tag)
        if tag in {"dd", "td", "th", "li", "p", "div", "h2", "h3", "h4"}:
            self.handle_data(" ")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag
        if tag == "section":
            self.section = ""

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in {"script", "style"}:
            self.text[self.section] = self.text.get(self.section, "") + data

    def found(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def said(run: report.Run) -> dict[str, str]:
    """The text of each section, its white space single."""
    return {name: " ".join(text.split()) for name, text in Page(report.page(run)).text.items()}


def whole(rows: report.Pieces) -> pd.DataFrame:
    """A table that a run of these tests has in one piece."""
    assert isinstance(rows, pd.DataFrame)
    return rows


def errors(run: report.Run) -> dict[str, Any]:
    return report.errors(run, report.measured(run.splits["test"])[0])


RUNS = [
    pytest.param(made(("majority",)), id="majority alone"),
    pytest.param(made(("logistic_regression",), count=3, texts=("one", "two two", "three")), id="three rows"),
    pytest.param(made(), id="two models"),
    pytest.param(made(("keras",), history=["keras"]), id="a history"),
    pytest.param(made(ALL, validation=True, history=["keras"]), id="all models, validation rows"),
    pytest.param(made(ALL[:2], [f"c{n}" for n in range(3)]), id="three classes"),
    pytest.param(made(ALL[:3], [f"c{n}" for n in range(60)], count=180), id="sixty classes"),
    pytest.param(made(ALL[:3], HOSTILE, texts=HOSTILE), id="hostile"),
]


@pytest.mark.parametrize("run", RUNS)
def test_a_page_is_well_formed_whole_and_repeats(run: report.Run) -> None:
    text = report.page(run)
    assert text == report.page(run)
    page = Page(text)
    assert [section["id"] for section in page.found("section")] == list(report.SECTIONS)
    linked = [link["href"] for link in page.found("a") if link["href"] != "#main"]
    assert [f"#{name}" for name in report.SECTIONS] == [href for href in dict.fromkeys(linked) if href != "#"]
    assert all(len(page.text[name].split()) > 5 for name in report.SECTIONS)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(set(ids)) == len(ids)
    headings = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert headings[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(headings))
    assert all(image["aria-label"] for image in page.found("div") if image.get("role") == "img")
    assert not re.search(r"\bnan\b|\bNone\b|\binf\b", " ".join(page.text.values()))


def test_the_policy_allows_the_inline_style_and_script_alone() -> None:
    text = report.page(made())
    page = Page(text)
    policy = next(meta["content"] for meta in page.found("meta") if meta.get("http-equiv"))
    found = dict(part.split(" ", 1) for part in str(policy).split("; "))
    for tag, pattern in (
        ("script", r'<script type="module">(.*?)</script>'),
        ("style", r"<style>(.*?)</style>"),
    ):
        (inline,) = re.findall(pattern, text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
        assert found[f"{tag}-src"] == f"'sha256-{digest}'"
    assert found["default-src"] == "'none'"
    assert {found["base-uri"], found["form-action"]} == {"'none'"}
    assert "unsafe" not in str(policy)


def test_nothing_is_loaded_and_no_attribute_is_style_or_script() -> None:
    page = Page(report.page(made(HISTORY_MODELS, history=["keras"])))
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name == "style" or name.startswith("on")]
        assert tag not in {"img", "iframe", "object", "embed", "form", "base", "button"}
        for name in ("src", "href", "srcset"):
            assert str(attributes.get(name) or "#").startswith(("#", "data:,"))


def test_hostile_text_and_names_add_no_element() -> None:
    tame = Page(report.page(made(ALL[:3], [f"c{n}" for n in range(8)], texts=[f"text {n}" for n in range(8)])))
    wild = Page(report.page(made(ALL[:3], HOSTILE, texts=HOSTILE)))
    assert {tag for tag, _ in wild.elements} == {tag for tag, _ in tame.elements}
    assert len(wild.found("script")) == len(tame.found("script"))
    assert "{{7*7}}" in wild.text["errors"]
    assert "49" not in {word.strip("$}") for word in wild.text["terms"].split()}
    for text in wild.text.values():
        assert not card.UNSEEN.search(text)


def test_a_very_long_text_is_cut_and_says_how_much_is_left_out() -> None:
    text = report.page(made(texts=("word" * 25_000,)))
    assert "98,000 of 100,000 characters left out" in text
    assert "word" * 600 not in text


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("short", report.Text("short", "", 0, 5)),
        ("a" * 12, report.Text("a" * 12, "", 0, 12)),  # a little more than what is shown at once
        ("a" * 15, report.Text("a" * 10, "a" * 5, 0, 15)),
        ("a" * 9 + " " + "b" * 30, report.Text("a" * 9, " " + "b" * 10, 20, 40)),
    ],
)
def test_a_text_is_cut_between_words_where_there_are_some(text: str, parts: report.Text) -> None:
    assert report.cut(text, 10, 20) == parts


def test_embedded_json_can_not_end_its_element() -> None:
    content = {"a": "</script><!--", "b": "\u2028&", "c": [1, None, True]}
    text = str(report.embedded(content))
    assert not re.search("[<>&\u2028\u2029]", text)
    assert json.loads(text) == content


def test_settings_in_a_sentence_are_code_and_the_rest_is_escaped() -> None:
    assert report.coded("set split.stratify <b>") == "set <code>split.stratify</code> &lt;b&gt;"


def test_the_headline_names_the_last_model_without_validation_rows_and_says_so() -> None:
    text = said(made(("logistic_regression", "majority")))["summary"]
    assert "majority stands for the run because it is the last of train.models" in text
    assert "Worse than logistic regression" in text
    assert "Read the caveats first" in text


def test_the_headline_names_the_best_on_the_validation_rows() -> None:
    text = said(made(("logistic_regression", "majority"), validation=True))["summary"]
    assert "logistic regression stands for the run because it has the highest accuracy on the validation rows" in text
    assert "Better than majority" in text
    assert "caveats" not in text


def test_the_headline_names_the_model_that_is_exported() -> None:
    run = made(("logistic_regression", "majority"), validation=True, settings={"export.model": "majority"})
    assert "majority stands for the run because export.model names it" in said(run)["summary"]


def test_models_that_can_not_be_told_apart_are_said_to_be_so() -> None:
    text = said(made(("logistic_regression", "keras")))["summary"]
    assert "Not to be told apart from logistic regression" in text
    assert said(made(("keras",)))["summary"].count("no other model to compare") == 1


def test_the_default_protocol_is_told_with_its_caveats() -> None:
    text = said(made(HISTORY_MODELS, history=["keras"]))
    assert "keras watched the test rows, as in the lesson" in text["protocol"]
    assert "40 rows to train on and 40 to test on" in text["protocol"]
    assert "nothing was decided by them" in text["history"]
    assert "There are no validation rows" not in said(made(validation=True))["protocol"]


def test_choices_on_validation_rows_are_told_with_their_values() -> None:
    settings = {"evaluate.threshold": "f1", "evaluate.calibration": "temperature"}
    text = said(made(("logistic_regression",), validation=True, settings=settings))
    assert re.search(r"Thresholds chosen: logistic regression 0\.\d{3}\.", text["protocol"])
    assert re.search(r"Scaling fitted: logistic regression, temperature \d+\.\d{3}\.", text["protocol"])
    assert re.search(r"calibration error 0\.\d{3} \(0\.\d{3} before\)", text["calibration"])


def test_the_users_own_rows_have_a_checksum_and_a_licence_to_state() -> None:
    text = said(made())["data"]
    assert "rows.csv SHA-256 " + "0" * 64 in text
    assert "Licence yours to state" in text


def test_many_files_are_counted_and_not_listed() -> None:
    sources = [card.Source(f"part{n}.csv", f"{n:064}") for n in range(report.FILES + 7)]
    text = said(made(sources=sources))["data"]
    assert "and 7 more files" in text
    assert f"part{report.FILES}.csv" not in text


def test_many_classes_are_drawn_in_part_and_the_rest_is_named() -> None:
    run = made(ALL[:2], [f"c{n}" for n in range(60)], count=180)
    text = said(run)
    assert f"Drawn are the {report.CELLS} classes that are mistaken most; 40 others" in text["confusion"]
    assert f"Drawn are the {report.CURVES} classes with most test rows" in text["roc"]
    assert f"The first {report.TERMS} classes; 40 others are in plots/terms.csv" in text["terms"]
    assert f"Drawn are the {report.GROUPS} that are found least often of 60" in text["errors"]


def test_mistakes_come_surest_first_with_id_text_and_probability() -> None:
    run = made(("logistic_regression",))
    found = errors(run)["mistakes"][0]
    shares = [float(row["confidence"].rstrip("%")) for row in found["rows"]]
    assert shares == sorted(shares, reverse=True)
    rows = whole(run.decided["logistic_regression"])
    rows = rows[rows["split"] == "test"]
    assert found["wrong"] == int((rows["label"] != rows["decided"]).sum()) > 0
    test = whole(run.splits["test"])
    texts = dict(zip(test["id"], test["text"], strict=True))
    assert all(row["text"].head == texts[row["id"]] for row in found["rows"])
    assert all(row["actual"] != row["predicted"] for row in found["rows"])


def test_mistakes_are_those_of_the_threshold_that_decides() -> None:
    run = made(("logistic_regression",), settings={"evaluate.threshold": "0.999999"})
    (found,) = errors(run)["mistakes"]
    assert found["constant"] == "no"


def test_a_model_that_says_one_class_is_said_to_do_so() -> None:
    assert "It takes every text for class no, and is wrong on all 20 of the others" in said(made())["errors"]


def test_disagreements_put_those_first_where_both_sides_are_sure() -> None:
    found = errors(made(("logistic_regression", "keras")))["disagreements"]
    assert found["apart"] > 0
    less_sure = [min(float(one["confidence"].rstrip("%")) for one in row["decided"]) for row in found["rows"]]
    assert less_sure == sorted(less_sure, reverse=True)
    assert all(len({one["name"] for one in row["decided"]}) == 2 for row in found["rows"])
    assert errors(made())["disagreements"] is None  # majority's would be all rows of another class


def test_confidence_is_of_the_class_decided() -> None:
    rows = pd.DataFrame({"decided": ["b", "a"], "probability_a": [0.9, 0.6], "probability_b": [0.1, 0.4]})
    assert report.confidence(rows).tolist() == [0.1, 0.6]


def test_lengths_leave_out_what_would_hide_the_others() -> None:
    bars, beyond = report._histogram(np.array([*range(1, 200), 20_000]))
    assert beyond == 1
    assert bars["rows"].sum() == 199
    assert len(bars) <= report.BARS + 1
    assert report._histogram(np.array([0, 0]))[0]["rows"].sum() == 2


@pytest.mark.parametrize("rows", [1, 7, 100])
def test_a_run_in_parts_has_the_same_page(rows: int) -> None:
    def parts(table: report.Pieces) -> list[pd.DataFrame]:
        return [whole(table)[start : start + rows] for start in range(0, len(whole(table)), rows)]

    run = made(("logistic_regression", "majority", "keras"), [f"c{n}" for n in range(3)], validation=True)
    apart = replace(
        run,
        splits={name: parts(table) for name, table in run.splits.items()},
        decided={name: parts(table) for name, table in run.decided.items()},
    )
    assert report.page(apart) == report.page(run)


def test_predictions_of_other_rows_than_the_splits_are_an_error() -> None:
    run = made()
    for change in (whole(run.splits["test"]).assign(id="other"), whole(run.splits["test"])[:-1]):
        with pytest.raises(UserError, match="of the rows of the test split in its order"):
            report.page(replace(run, splits={**run.splits, "test": change}))


def test_models_without_terms_are_named() -> None:
    assert "Majority looks at no term." in said(made())["terms"]
    assert "looks at no term" not in said(made(("logistic_regression",)))["terms"]


def test_parameters_are_those_of_the_models_trained() -> None:
    text = said(made())["params"]
    assert "train.logistic_regression" in text
    assert "train.keras" not in text
    assert r"token_pattern (?u)\b\w\w+\b" in text


def test_the_page_says_where_the_rest_of_its_provenance_is() -> None:
    text = said(made())["provenance"]
    assert "provenance.json" in text
    assert "numpy, as locked 2.4.6" in text
