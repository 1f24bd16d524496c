"""The result as lines and JSON."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests import approved
from tests.unit.drift.texts import draw_texts, pool_of
from tests.unit.predict.models import three_classes, two_classes
from textclf.drift import page
from textclf.drift.measure import Settings, measure
from textclf.drift.result import Result, Side, smallest_difference, to_json, to_lines

SETTINGS = Settings(0.05, 199, 0)


def make_result(held_out: bool = True) -> Result:
    """Return the result for new texts with another word than those of the reference."""
    generator = np.random.default_rng(0)
    old, new = (
        [f"{word} {text}" for text in draw_texts(generator, 60)] for word in ("great", "bad\u202e")
    )
    pool = pool_of(old, new)
    findings = measure(
        pool, pool if held_out else None, three_classes(["a", "\x1b", "c"]), SETTINGS
    )
    side = Side("new", 100, 80, 60, 60)
    return Result("model", SETTINGS, side, side, (side, side) if held_out else None, 3, findings)


def test_lines_are_as_they_were_approved() -> None:
    result = make_result()
    grouped = replace(result, unseen=(Side("test", 90, 80, 80, 30), Side("new", 100, 80, 60, 20)))
    generator = np.random.default_rng(1)
    pool = pool_of(draw_texts(generator, 40), draw_texts(generator, 40))
    side = Side("x", 40, 40, 40, 40)
    alike = Result("m", SETTINGS, side, side, None, 0, measure(pool, pool, two_classes(), SETTINGS))
    cases = {
        "drift": result,
        "no unseen rows": make_result(held_out=False),
        "groups": grouped,
        "no drift": alike,
    }
    said = [f"{line}\n" for name, each in cases.items() for line in (f"# {name}", *to_lines(each))]
    approved.check("".join(said), Path(__file__).with_name("lines.txt"))
    assert grouped.smallest == smallest_difference(30, 20, 0.05 / 5)


@pytest.mark.parametrize(
    ("word", "shown"), [("a\u202eb", "a⟨U+202E⟩b"), ("a\n b", "a b"), ("x" * 99, "x" * 59 + "…")]
)
def test_a_word_is_shown_on_one_line(word: str, shown: str) -> None:
    result = make_result()
    findings = replace(
        result.findings,
        words=[result.findings.words[0]._replace(word=word, reference=0.0, new=1.0)],
    )
    assert f"more frequent in new texts: {shown} (0.0%, 100.0%)" in to_lines(
        replace(result, findings=findings)
    )


def test_json_has_corrected_p_values_of_checks_words_and_classes() -> None:
    result = make_result()
    content = json.loads(to_json(result))
    assert content["smallest_difference"] == round(smallest_difference(60, 60, 0.05 / 5), 6)
    words = content["checks"]["words"]
    assert words["found"] == len(result.words)
    assert words["clearest"][0]["p_holm"] == pytest.approx(words["p_holm"])
    classes = content["checks"]["classes"]
    parts = [*classes["classes"].values(), *classes["probabilities"].values()]
    assert min(each["p"] for each in parts) == classes["p"]
    assert all(0 < each["distance"] <= 1 for each in classes["probabilities"].values())
    assert list(classes["probabilities"]) == list(classes["classes"])


def test_the_page_draws_each_directions_clearest_words_and_the_classes_with_smallest_p() -> None:
    result = make_result()
    assert result.findings.classes is not None
    word, shares = result.findings.words[0], next(iter(result.findings.classes.values()))
    words = [
        word._replace(word=f"{name}{n}", reference=reference, new=0.5, p=1e-6)
        for name, reference in (("more", 0.25), ("less", 0.75))
        for n in range(20)
    ]
    classes = {f"class{n}": replace(shares, p=1 - n / 100) for n in range(25)}
    findings = replace(result.findings, words=words, classes=classes)
    html = page.render(replace(result, findings=findings))
    points = re.findall(
        r"<title>of: ([a-z]+)(\d+)&#xA;texts: (\w+)&#xA;share: ([\d.]+%)</title>", html
    )
    for name, numbers, side, share in (
        ("more", range(15), "reference", 0.25),
        ("less", range(15), "new", 0.5),
        ("class", range(5, 25), "reference", shares.reference),
        ("class", range(5, 25), "new", shares.new),
    ):
        actual = [(int(n), drawn) for one, n, of, drawn in points if (one, of) == (name, side)]
        assert actual == [(n, f"{share:.1%}") for n in numbers]
    assert all(f"class{n}<" in html for n in range(25))  # the table has all classes
    lines = to_lines(replace(result, findings=findings))
    assert len([line for line in lines if line.startswith("  class class")]) == 10
