"""The result as lines and JSON."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from tests.unit.drift.texts import draw_texts, pool_of
from tests.unit.predict.models import three_classes
from textclf.drift import page
from textclf.drift.measure import Settings, measure
from textclf.drift.result import Result, Side, smallest_difference, to_json, to_lines

SETTINGS = Settings(0.05, 199, 0)


def make_result(held_out: bool = True) -> Result:
    """Return the result for new texts with another word than those of the reference."""
    generator = np.random.default_rng(0)
    old, new = ([f"{word} {text}" for text in draw_texts(generator, 60)] for word in ("great", "bad\u202e"))
    pool = pool_of(old, new)
    findings = measure(pool, pool if held_out else None, three_classes(["a", "\x1b", "c"]), SETTINGS)
    side = Side("new", 100, 80, 60, 60)
    return Result("model", SETTINGS, side, side, (side, side) if held_out else None, 3, findings)


def test_lines_show_each_check_and_the_answer() -> None:
    lines = to_lines(make_result())
    assert lines[0] == "new: new, 100 rows, 80 different texts, 60 of them compared"
    assert [line.split("  ")[0] for line in lines[6:11]] == [
        "classifier",
        "words",
        "length",
        "unknown words",
        "predicted classes",
    ]
    assert [line.partition(" (")[0] for line in lines[-3:-1]] == [
        "more frequent in new texts: bad",
        "less frequent in new texts: great",
    ]
    assert {line.split()[1] for line in lines[11:14]} == {"a", "⟨U+001B⟩", "c"}
    assert lines[-1].startswith("drift found: classifier, words")
    assert all(line.isprintable() for line in lines)


def test_checks_that_were_left_out_are_in_no_line() -> None:
    lines = to_lines(make_result(held_out=False))
    assert not [line for line in lines if "class " in line or "unknown" in line or "points" in line]


@pytest.mark.parametrize(("word", "shown"), [("a\u202eb", "a⟨U+202E⟩b"), ("a\n b", "a b"), ("x" * 99, "x" * 59 + "…")])
def test_a_word_is_shown_on_one_line(word: str, shown: str) -> None:
    result = make_result()
    findings = replace(result.findings, words=[result.findings.words[0]._replace(word=word, reference=0.0, new=1.0)])
    assert f"more frequent in new texts: {shown} (0.0%, 100.0%)" in to_lines(replace(result, findings=findings))


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


def test_groups_are_named_and_count_as_one_text_each() -> None:
    result = make_result()
    grouped = replace(result, unseen=(Side("test", 90, 80, 80, 30), Side("new", 100, 80, 60, 20)))
    assert "test, 90 rows, 80 different texts in 30 groups, which" in to_lines(grouped)[2]
    assert grouped.smallest == smallest_difference(30, 20, 0.05 / 5)


def test_the_page_draws_the_clearest_words_of_each_direction_and_the_classes_with_the_smallest_p() -> None:
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
    points = re.findall(r"<title>of: ([a-z]+)(\d+)&#xA;texts: (\w+)&#xA;share: ([\d.]+%)</title>", html)
    for name, numbers, side, share in (
        ("more", range(15), "reference", 0.25),
        ("less", range(15), "new", 0.5),
        ("class", range(5, 25), "reference", shares.reference),
        ("class", range(5, 25), "new", shares.new),
    ):
        found = [(int(n), drawn) for one, n, of, drawn in points if (one, of) == (name, side)]
        assert found == [(n, f"{share:.1%}") for n in numbers]
    assert all(f"class{n}<" in html for n in range(25))  # the table has all classes
    lines = to_lines(replace(result, findings=findings))
    assert len([line for line in lines if line.startswith("  class class")]) == 10
