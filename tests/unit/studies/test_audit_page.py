"""The page of an audit: well formed, the same each time, and inert whatever the texts are."""

import functools
from dataclasses import replace
from pathlib import Path

import pytest

from tests import approved
from tests.curves import HOSTILE
from tests.page import Page
from tests.unit.studies.audits import WRONG, find, rows_with_issues
from textclf.core.display import INVISIBLE, labelled_names
from textclf.studies.audit.page import SECTIONS, named, render
from textclf.studies.audit.similar import SimilarTexts
from textclf.studies.audit.summary import Audited, count_reviews
from textclf.studies.settings import Audit
from textclf.tables.corrections import Corrections


@functools.cache
def found(hostile: bool = False) -> Audited:
    rows = rows_with_issues()
    for number, text in enumerate(HOSTILE):
        place = 6 + number
        rows.loc[place, "text"] = (
            f"{rows['text'][place]} {text}" if hostile else f"{rows['text'][place]} tame{number}"
        )
    for place in range(6, 14):  # other labels, for texts that are the same or similar
        rows.loc[place + 21, "text"] = f"{rows['text'][place]} !"
        rows.loc[place + 41, "text"] = rows["text"][place]
    if hostile:
        rows["id"] = [f"{row} {HOSTILE[number % 2 * 4]}" for number, row in enumerate(rows["id"])]
        rows.loc[WRONG[1], "text"] = (
            f"{rows['text'][WRONG[1]]} {HOSTILE[2]} {HOSTILE[4]} {'word' * 25_000}"
        )
    return find(rows, folds=4)


def page(hostile: bool = False, title: str = "rows.csv") -> str:
    names = labelled_names(["0", "1"], {"0": HOSTILE[1]} if hostile else {"0": "negative"})
    reviews = {str(place): (str(place % 2), place) for place in range(1, 19)}
    reviewed = Corrections(Path(), {row: "0" for row in reviews if int(row) % 3}, reviews=reviews)
    return render(replace(found(hostile), reviewed=count_reviews(reviewed)), Audit(), title, names)


def test_a_page_repeats_and_has_all_sections_and_no_script() -> None:
    assert page() == page()
    shown = Page(page())
    assert [section["id"] for section in shown.find("section")] == list(SECTIONS)
    assert all(len(shown.text[section].split()) > 5 for section in SECTIONS)
    assert shown.find("script") == []
    assert "script-src &#39;none&#39;" in page()


def test_the_text_of_the_page_is_as_it_was_approved() -> None:
    approved.check(approved.lines(page(), *SECTIONS), Path(__file__).with_name("audit_page.txt"))


@pytest.mark.parametrize(
    ("left_out", "said"), [(0, None), (1200, "1,200 frequent words, which would have led to")]
)
def test_without_similar_texts_the_page_names_them_only_if_some_were_left_out(
    left_out: int, said: str | None
) -> None:
    audited = replace(found(), similar=SimilarTexts([], left_out))
    shown = Page(render(audited, Audit(), "rows.csv", {"0": "0", "1": "1"})).text
    assert ("similar" in shown) == (said is not None)
    if said:
        assert said in shown["similar"]
        assert "There is no such pair." in shown["similar"]


@pytest.mark.parametrize("section", ["suspicious", "conflicts", "similar"])
def test_hostile_texts_ids_and_names_add_no_element(section: str) -> None:
    tame, hostile = Page(page()), Page(page(True, HOSTILE[0]))
    assert {tag for tag, _ in hostile.elements} <= {tag for tag, _ in tame.elements} | {
        "details",
        "summary",
    }
    assert hostile.find("script") == []
    assert not [
        name for _, attributes in hostile.elements for name in attributes if name.startswith("on")
    ]
    assert {link["href"] for link in hostile.find("a")} == {link["href"] for link in tame.find("a")}
    assert not INVISIBLE.search(hostile.text[section])
    assert "alert(1)" in hostile.text[section]
    assert "⟨U+202E⟩" in hostile.text[section]


def test_a_very_long_text_is_cut() -> None:
    assert "word" * 600 not in page(True)
    assert "characters left out" in page(True)


def test_a_label_that_all_of_several_models_contradict_names_none_of_them() -> None:
    both, one = ["a", "b"], ["logistic_regression"]
    assert [named(both, 2), named(one, 2), named(one, 1)] == [
        "all 2",
        "logistic regression",
        "logistic regression",
    ]
