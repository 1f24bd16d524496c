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
def audited(hostile: bool = False) -> Audited:
    rows = rows_with_issues()
    texts: list[str] = rows["text"].tolist()
    for number, text in enumerate(HOSTILE):
        texts[6 + number] += f" {text if hostile else f'tame{number}'}"
    # Texts that are the same or similar have other labels.
    for place in range(6, 14):
        texts[place + 21] = f"{texts[place]} !"
        texts[place + 41] = texts[place]
    if hostile:
        rows["id"] = [f"{row} {HOSTILE[number % 2 * 4]}" for number, row in enumerate(rows["id"])]
        texts[WRONG[1]] += f" {HOSTILE[2]} {HOSTILE[4]} {'word' * 25_000}"
    return find(rows.assign(text=texts), folds=4)


def page(hostile: bool = False, title: str = "rows.csv") -> str:
    names = labelled_names(["0", "1"], {"0": HOSTILE[1]} if hostile else {"0": "negative"})
    reviews = {str(place): (str(place % 2), place) for place in range(1, 19)}
    reviewed = Corrections(Path(), {row: "0" for row in reviews if int(row) % 3}, reviews=reviews)
    content = replace(audited(hostile), reviewed=count_reviews(reviewed))
    return render(content, Audit(), title, names)


def test_a_page_repeats_and_has_all_sections_and_no_script() -> None:
    assert page() == page()
    shown = Page(page())
    assert [section["id"] for section in shown.find("section")] == list(SECTIONS)
    assert all(len(shown.text[section].split()) > 5 for section in SECTIONS)
    assert shown.find("script") == []
    assert "script-src &#39;none&#39;" in page()


def test_the_text_of_the_page_is_as_it_was_approved() -> None:
    approved.check(approved.lines(page(), *SECTIONS), Path(__file__).with_name("audit_page.txt"))


def test_without_similar_texts_the_page_names_them_only_if_some_were_left_out() -> None:
    def similar(left_out: int) -> str:
        content = replace(audited(), similar=SimilarTexts([], left_out))
        return Page(render(content, Audit(), "rows.csv", {"0": "0", "1": "1"})).text.get(
            "similar", ""
        )

    assert similar(0) == ""
    assert "1,200 frequent words, which would have led to" in similar(1200)
    assert "There is no such pair." in similar(1200)


@pytest.mark.parametrize("section", ["suspicious", "conflicts", "similar"])
def test_hostile_texts_ids_and_names_add_no_element(section: str) -> None:
    tame, hostile = Page(page()), Page(page(True, HOSTILE[0]))
    tags = {tag for tag, _ in tame.elements} | {"details", "summary"}
    assert {tag for tag, _ in hostile.elements} <= tags - {"script"}
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
    assert named(["a", "b"], 2) == "all 2"
    for models in (1, 2):
        assert named(["logistic_regression"], models) == "logistic regression"
