"""The page as a whole: well formed, reproducible, and nothing that is run or loaded."""

import base64
import functools
import hashlib
import re
from itertools import pairwise

import pytest

from tests.page import Page
from tests.runs import ALL, HOSTILE, YELP, make_run
from textclf.core.display import INVISIBLE
from textclf.report.page import SECTIONS, render

RUNS = {
    "majority alone": make_run(("majority",)),
    "three rows": make_run(("logistic_regression",), count=3, texts=("one", "two two", "three")),
    "built-in corpus, history": make_run(
        ("majority", "keras"), ("0", "1"), history=["keras"], sources=[YELP]
    ),
    "all models, three classes": make_run(
        ALL,
        ("a", "b", "c"),
        validation=True,
        history=["keras"],
        settings={"evaluate.coverage": "0.9"},
    ),
    "sixty classes": make_run(ALL[:3], [f"c{n}" for n in range(60)], count=180),
    "several labels": make_run(ALL[:3], ("a", "b"), validation=True, sets=((), ("a",), ("a", "b"))),
    "hostile": make_run(ALL[:3], HOSTILE, texts=HOSTILE, history=["naive_bayes"]),
}


@functools.cache
def rendered(name: str) -> str:
    return render(RUNS[name])


def test_a_page_repeats() -> None:
    name = "all models, three classes"
    assert render(RUNS[name]) == rendered(name)


@pytest.mark.parametrize("name", RUNS)
def test_a_page_is_well_formed_and_has_every_section_with_something_to_say(name: str) -> None:
    page = Page(rendered(name))
    run = RUNS[name]
    silent = {
        "history": not len(run.tables["history"]),
        "slices": not any(run.results.slices.models.values()),
        "behaviour": not run.behaviour,
        "doubt": not run.results.coverage.models,
        "unknown": not run.results.unknown,
        "labels": not run.results.labels,
    }
    sections = [section for section in SECTIONS if not silent.get(section)]
    assert [section["id"] for section in page.find("section")] == sections
    linked = [link["href"] for link in page.find("a") if link["href"] != "#main"]
    assert list(dict.fromkeys(linked)) == [f"#{section}" for section in sections]
    assert all(len(page.text[section].split()) > 5 for section in sections)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(set(ids)) == len(ids)
    headings = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert headings[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(headings))
    assert all(image["aria-label"] for image in page.find("div") if image.get("class") == "plot")
    assert not re.search(r"\bnan\b|\bNone\b|\binf\b", " ".join(page.text.values()))


@pytest.mark.parametrize("name", ["built-in corpus, history", "hostile"])
def test_nothing_is_loaded_or_run_but_the_inline_style_and_script(name: str) -> None:
    text = rendered(name)
    page = Page(text)
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name == "style" or name.startswith("on")]
        assert tag not in {"img", "iframe", "object", "embed", "form", "base", "button"}
        for link in ("src", "href", "srcset"):
            assert str(attributes.get(link) or "#").startswith(("#", "data:,"))
    policy = next(str(meta["content"]) for meta in page.find("meta") if meta.get("http-equiv"))
    rules = dict(part.split(" ", 1) for part in policy.split("; "))
    for tag, pattern in (
        ("script", r'<script type="module">(.*?)</script>'),
        ("style", r"<style>(.*?)</style>"),
    ):
        (inline,) = re.findall(pattern, text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
        assert rules[f"{tag}-src"] == f"'sha256-{digest}'"
    assert {rules[name] for name in ("default-src", "base-uri", "form-action")} == {"'none'"}
    assert "unsafe" not in policy


def test_hostile_text_and_names_add_no_element() -> None:
    classes = [f"c{n}" for n in range(len(HOSTILE))]
    texts = [f"text {n}" for n in range(len(HOSTILE))]
    tame = Page(render(make_run(ALL[:3], classes, texts=texts, history=["naive_bayes"])))
    hostile = Page(rendered("hostile"))
    assert {tag for tag, _ in hostile.elements} == {tag for tag, _ in tame.elements}
    assert len(hostile.find("script")) == len(tame.find("script"))
    assert "{{7*7}}" in hostile.text["errors"]
    assert "49" not in {word.strip("$}") for word in hostile.text["terms"].split()}
    assert not any(INVISIBLE.search(text) for text in hostile.text.values())


def test_a_very_long_text_is_cut_and_says_how_much_is_left_out() -> None:
    text = render(make_run(texts=("word" * 25_000,)))
    assert "98,000 of 100,000 characters left out" in text
    assert "word" * 600 not in text
