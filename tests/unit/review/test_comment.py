"""The Markdown of a pull request's comment, as text and as rendered HTML."""

import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from tests import approved
from textclf.core.differences import Difference
from textclf.evaluate.comparisons import McNemar
from textclf.evaluate.intervals import Interval
from textclf.review import comment, markdown
from textclf.review.changes import Change
from textclf.review.comment import Figure, Report
from textclf.review.differences import StageChange
from textclf.review.gate import Check
from textclf.review.pairing import Pair

ACCURACY = Change("keras", "test", "accuracy", 0.8, 0.748, Interval(-0.091, -0.013))
LOSS = Change("keras", "test", "log_loss", 0.5, 0.45, Interval(-0.1, 0.02))
SAME = Change("majority", "test", "accuracy", 0.48, 0.48, Interval(-0.1, 0.1))
NEW = Change("nb_svm", "test", "accuracy", None, 0.8)
GONE = Change("linear_svm", "test", "accuracy", 0.8, None)
ECE = Change("keras", "test", "ece", 0.1, 0.2)
REASON = "fell by 0.052 (0.013 to 0.091), more than 0.0"
FAILED = Check("maximum_drop", 0.0, ACCURACY, REASON)
PASSED = Check("minimum", 0.7, ACCURACY)
NASTY = (
    "a|b`c <img src=x onerror=alert(1)> [x](http://example.org) @someone #1 *b* </details> "
    "<!-- \n## h \u202e \\|"
)


def report(*changes: Change, **more: Any) -> Report:
    return Report(base="aaaaaaaa", head="bbbbbbbb", changes=list(changes), **more)


def html(text: str) -> str:
    return str(MarkdownIt("gfm-like", {"linkify": False}).render(text))


# The headline


OTHER = [replace(change, interval=None, same_task=False) for change in (ACCURACY, LOSS)]
GATE = [Difference("gate.minimum.keras.test.accuracy", "0.8", "0.1")]
HEADLINES = {
    "unchanged": report(SAME),
    "unchanged, and a gate": report(SAME, checks=[PASSED]),
    "a failed gate": report(ACCURACY, LOSS, SAME, checks=[PASSED, FAILED]),
    "better and worse models": report(
        replace(ACCURACY, model="nb", head=0.9, interval=Interval(0.05, 0.15)), ACCURACY
    ),
    "new and removed models": report(LOSS, NEW, GONE),
    "chance, and too few rows": report(
        replace(ACCURACY, interval=Interval(-0.1, 0.02)),
        replace(LOSS, interval=None, few_rows=True),
    ),
    "better, and too few rows": report(
        replace(ACCURACY, head=0.9, interval=Interval(0.05, 0.15)),
        replace(LOSS, interval=None, few_rows=True),
    ),
    "other rules": report(SAME, checks=[PASSED], gate_changes=GATE),
    "a wrong gate": report(SAME, gate_errors=("why",)),
    "a wrong gate of other rules": report(SAME, gate_errors=("why",), gate_changes=GATE),
    "training rows": report(replace(ACCURACY, split="train")),
    "another task": report(*OTHER, task=["data.label"], same_rows=False),
    "another task and a new model": report(*OTHER, NEW, task=["data.label"], checks=[PASSED]),
}


def test_the_headline_states_what_changed_and_the_result_of_the_gate() -> None:
    said = [f"{name}: {comment.headline(given)}\n" for name, given in HEADLINES.items()]
    approved.check("".join(said), Path(__file__).with_name("headlines.txt"))


def test_numbers_of_a_different_task_have_no_verdict() -> None:
    drop, least = Check("maximum_drop", 0.0, OTHER[0]), Check("minimum", 0.7, OTHER[0])
    given = report(
        *OTHER,
        task=["data.label", "test.classes"],
        checks=[drop, least],
        same_rows=None,
        confidence=None,
    )
    approved.check(comment.render(given), Path(__file__).with_name("other_task.txt"))


def test_each_reason_why_the_gate_could_not_be_checked_is_listed() -> None:
    text = comment.render(
        report(SAME, gate_errors=("params.yaml: gate.minimum must ...; got x.test.f1", NASTY))
    )
    assert (
        "- the gate could not be checked: `params.yaml: gate.minimum must ...; got x.test.f1`"
        in text.splitlines()
    )
    assert "Gate: " not in text
    assert "<img" not in re.sub(r"(?s)<code>.*?</code>", "", html(text))


# The comment


def test_a_comment_with_every_section_is_as_it_was_approved() -> None:
    text = comment.render(
        report(
            ACCURACY,
            LOSS,
            SAME,
            GONE,
            ECE,
            replace(LOSS, split="train"),
            checks=[FAILED, PASSED, Check("maximum_drop", 0.0, NEW)],
            gate_changes=[Difference("gate.minimum.keras.test.accuracy", "0.75", None)],
            pairs=[Pair("keras", "test", 250, McNemar(3, 12, 0.035))],
            looks=12,
            of_best={"keras": Interval(0.652, 0.826)},
            params=[Difference("train.keras.epochs", "100", "2")],
            others=[Difference("training.json: keras.epochs", "100", "2")],
            stages=[
                StageChange(
                    "train@keras", ["train.keras.epochs"], ["data/predictions/keras.parquet"]
                ),
                StageChange("evaluate", ["data/predictions"], ["metrics/evaluation.json"]),
                StageChange("plot", ["textclf/plot"], []),
            ],
            figures=[Figure("plots/roc.svg", "https://example.org/a/plots/roc.svg", "")],
            not_run=["train.keras.epochs"],
            uncommitted=["dvc.lock"],
            report_url="https://example.org/artifact(1)",
        )
    )
    approved.check(text, Path(__file__).with_name("comment.txt"))


def test_a_report_without_changes_is_short() -> None:
    approved.check(comment.render(report(SAME)), Path(__file__).with_name("unchanged.txt"))


def test_the_change_of_one_setting_of_one_model_takes_25_lines() -> None:
    metrics = ("accuracy", "f1", "roc_auc", "log_loss", "precision", "recall", "ece")
    text = comment.render(
        report(
            *(replace(LOSS, metric=metric) for metric in metrics),
            SAME,
            checks=[PASSED],
            pairs=[Pair("keras", "test", 250, McNemar(3, 12, 0.035))],
            looks=2,
            of_best={"keras": Interval(0.652, 0.826)},
            params=[Difference("train.keras.epochs", "100", "25")],
            others=[Difference("training.json: keras.epochs", "100", "25")],
            stages=[StageChange("train@keras", ["train.keras.epochs", "params.yaml"], ["data"])],
            figures=[
                Figure(f"plots/{n}.svg", "https://a.org/b", "https://a.org/c") for n in "abcd"
            ],
            report_url="https://a.org/d",
        )
    )
    assert len(text.splitlines()) <= 25
    for number in ("| `roc_auc` | 0.500 | 0.450 |", "`recall` 0.500 → 0.450", "`ece` ↓ 0.500"):
        assert number in text


NOT_PAIRED = Pair("keras", "test", 250, McNemar(3, 12, 2e-9), frozenset({"recall", "ece"}))
TRAIN, VALIDATION = replace(LOSS, split="train"), replace(LOSS, split="validation")
NO_LOSS = replace(LOSS, interval=None)
WHY = {
    ("a", "test"): "the classes differ",
    ("b", "test"): "no predictions",
    ("c", "test"): "no predictions",
}
OF_MODELS = [*(replace(ACCURACY, model=model) for model in "abc"), replace(LOSS, model="c")]
NOTES = {
    "unpaired intervals": report(ACCURACY),
    "unpaired, other rows": report(ACCURACY, same_rows=False),
    "unpaired, perhaps other rows": report(ACCURACY, same_rows=None),
    "another confidence": report(replace(ACCURACY, interval=None), confidence=None),
    "reasons": report(*OF_MODELS, why_unpaired=WHY, base_failure="check: 1.0 | `x`"),
    "paired but for recall": report(
        ACCURACY, LOSS, replace(LOSS, metric="recall"), ECE, VALIDATION, pairs=[NOT_PAIRED]
    ),
    "paired but for a metric without change": report(ACCURACY, LOSS, ECE, pairs=[NOT_PAIRED]),
    "a verdict on test rows, too few training rows": report(
        LOSS, replace(TRAIN, interval=None, few_rows=True)
    ),
    "a verdict on test rows alone": report(ACCURACY, replace(TRAIN, interval=None)),
    "a verdict on training rows alone": report(replace(NO_LOSS, few_rows=True), TRAIN, ECE),
    "a verdict on validation rows": report(NO_LOSS, VALIDATION),
    "unchanged on validation rows": report(NO_LOSS, replace(VALIDATION, head=0.5)),
    "a baseline": report(replace(ACCURACY, baseline=True)),
}


def test_notes_say_which_intervals_were_used_and_what_has_no_verdict() -> None:
    said = []
    for name, given in NOTES.items():
        lines = [
            line
            for line in comment.render(given).splitlines()
            if line.startswith(("**", "- ", "| `", "<details"))
        ]
        said += [f"# {name}", *lines, ""]
    approved.check("\n".join(said), Path(__file__).with_name("notes.txt"))


def test_names_and_params_are_neither_markup_nor_mentions_nor_table_cells() -> None:
    text = comment.render(
        report(
            replace(ACCURACY, model=NASTY),
            replace(SAME, model=NASTY[::-1]),
            checks=[Check("minimum", 0.9, replace(ACCURACY, model=NASTY), "is bad")],
            pairs=[Pair(NASTY, "test", 250, McNemar(3, 12, 0.035))],
            params=[Difference(NASTY, NASTY, None)],
            stages=[StageChange(NASTY, [NASTY], [NASTY])],
            figures=[Figure(NASTY, "", "")],
            uncommitted=[NASTY],
            others=[Difference(NASTY, NASTY, NASTY)],
        )
    )
    page = html(text)
    assert len(re.findall("<h[1-6]>", page)) == 1  # the title
    assert text.count("<!--") == 1
    outside = re.sub(r"(?s)<code>.*?</code>", "", page)
    for sign in ("<img", "onerror", "@someone", "#1", "example.org", "\u202e"):
        assert sign not in outside
    known = "code|table|thead|tbody|tr|th|td|h[1-6]|p|strong|ul|li|details|summary"
    assert re.findall(rf"<(?!!-- textclf|/?(?:{known})\b).*", page) == []
    for row in re.findall(r"(?s)<tr>.*?</tr>", page):
        assert row.count("<td") in (0, 6)
    assert "a|b`c &lt;img src=x" in page  # still readable


@pytest.mark.parametrize(
    "text",
    ["", " ", "`", "``", "|", "\\", "\\|", "a\\", "a`b", "$x$", "ü😀", "x" * 500, "\n", "\x00"],
)
def test_any_text_stays_one_cell(text: str) -> None:
    table = f"| a | b |\n| --- | --- |\n| {markdown.code(text)} | end |\n"
    cells = re.findall(r"<td>(.*?)</td>", html(table))
    assert cells[1:] == ["end"]
    assert re.fullmatch(r"<code>[^<]*</code>", cells[0])


@pytest.mark.parametrize(("limit", "most"), [(5000, 5), (2000, 1)])
def test_a_comment_that_is_too_long_has_fewer_rows_in_every_table(limit: int, most: int) -> None:
    given = report(
        *(replace(LOSS, model=f"model_{n}") for n in range(50)),
        checks=[FAILED] * 50,
        params=[Difference(f"param_{n}", "1", "2") for n in range(50)],
        others=[Difference(f"other_{n}", "1", "2") for n in range(300)],
    )
    text = comment.render(given, limit)
    assert len(text.encode()) <= limit < len(comment.render(given).encode())
    for start in ("- gate: ", "| `model_", "- `param_"):
        assert text.count(f"\n{start}") == most
    assert text.count("`other_") == most
    assert f" and {300 - most} more.\n" in text
    assert text.startswith(comment.MARKER)
    assert comment.headline(given) in text
    assert text.count("<details>") == text.count("</details>")


def test_the_longest_comment_is_shorter_than_github_allows() -> None:
    names = [f"|{NASTY * 3}{n}" for n in range(500)]
    changes = [replace(LOSS, model=name) for name in names]
    text = comment.render(
        report(
            *changes,
            *(replace(LOSS, model=name, metric="brier") for name in names),
            checks=[Check("minimum", 0.9, change, "is bad") for change in changes],
            gate_errors=tuple(names),
            gate_changes=[Difference(*[name] * 3) for name in names],
            pairs=[Pair(name, "test", 250, McNemar(3, 12, 0.035)) for name in names[:250]],
            why_unpaired={(name, "test"): "the classes differ" for name in names},
            looks=2,
            of_best=dict.fromkeys(names, Interval(0.1, 0.2)),
            task=[],
            params=[Difference(*[name] * 3) for name in names],
            others=[Difference(*[name] * 3) for name in names],
            stages=[StageChange(name, names[:9], []) for name in names],
            figures=[Figure(name, *[f"https://example.org/{name}"] * 2) for name in names],
            not_run=names,
            uncommitted=names,
        )
    )
    assert len(text) <= 65_536


@pytest.mark.parametrize(("more", "said"), [(0, False), (3, True)])
def test_rows_of_long_tables_are_counted(more: int, said: bool) -> None:
    count = comment.MOST + more
    params = [Difference(f"p{n}", "1", "2") for n in range(count)]
    text = comment.render(
        report(*(replace(LOSS, model=f"m{n}") for n in range(count)), params=params)
    )
    assert text.count("\n- and 3 more\n") == 2 * said
    assert f"- `p{comment.MOST - 1}`: " in text
    assert f"- `p{comment.MOST}`: " not in text


def test_numbers_and_names_are_written() -> None:
    eight = "`a`, `b`, `c`, `d`, `e`, `f`, `g`, `h`"
    assert [markdown.names(list(each)) for each in ("abcdefgh", "abcdefghij")] == [
        eight,
        f"{eight} and 2 more",
    ]
    assert [markdown.number(each) for each in (None, 0.0)] == ["", "0.000"]
    assert [markdown.signed(each) for each in (math.nan, 0.0, -0.25)] == ["", "+0.000", "-0.250"]
    assert markdown.code("x" * markdown.LONGEST) == f"`{'x' * markdown.LONGEST}`"
    assert markdown.url("https://a.org/b c?d=(e)") == "https://a.org/b%20c?d=%28e%29"


def test_the_address_of_an_image_can_not_end_its_attribute() -> None:
    text = comment.render(
        report(SAME, figures=[Figure("plots/roc.svg", 'https://example.org/"onerror="x', "")])
    )
    assert '<img src="https://example.org/&#34;onerror=&#34;x" alt="base" width="380">' in text
