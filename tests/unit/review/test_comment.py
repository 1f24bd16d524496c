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
NASTY = "a|b`c <img src=x onerror=alert(1)> [x](http://example.org) @someone #1 *b* </details> <!-- \n## h \u202e \\|"


def report(*changes: Change, **more: Any) -> Report:
    return Report(base="aaaaaaaa", head="bbbbbbbb", changes=list(changes), **more)


def html(text: str) -> str:
    return str(MarkdownIt("gfm-like", {"linkify": False}).render(text))


# The headline


WORSE = "`keras` is worse in accuracy (log_loss within noise)"
WITHIN = "`keras` changed within noise"
OTHER = [replace(change, interval=None, same_task=False) for change in (ACCURACY, LOSS)]
RULES = "; the rules of the gate changed"
GATE = [Difference("gate.minimum.keras.test.accuracy", "0.8", "0.1")]


@pytest.mark.parametrize(
    ("given", "what", "gate"),
    [
        (report(SAME), "no metric changed", "no gate is set"),
        (report(SAME, checks=[PASSED]), "no metric changed", "the gate passed"),
        (report(ACCURACY, LOSS, SAME, checks=[PASSED, FAILED]), WORSE, "the gate failed (1 of 2 rules)"),
        (report(LOSS), WITHIN, "no gate is set"),
        (report(LOSS, NEW, GONE), f"`linear_svm` was removed, `nb_svm` is new, {WITHIN}", "no gate is set"),
        (report(replace(LOSS, interval=None)), "`keras` changed, without an interval to judge by", "no gate is set"),
        (report(LOSS, same_rows=False), f"{WITHIN}; the test rows differ from those of the base", "no gate is set"),
        (report(LOSS, same_rows=None), f"{WITHIN}; the test rows may differ from those of the base", "no gate is set"),
        (report(SAME, checks=[PASSED], gate_changes=GATE), "no metric changed", f"the gate passed{RULES}"),
        (report(SAME, gate_errors=("why",)), "no metric changed", "the gate could not be checked"),
        (
            report(SAME, gate_errors=("why",), gate_changes=GATE),
            "no metric changed",
            f"the gate could not be checked{RULES}",
        ),
        (report(replace(ACCURACY, split="train")), "no metric changed", "no gate is set"),
        (report(*OTHER, task=["data.label"], same_rows=False), None, "no gate is set"),
        (report(*OTHER, NEW, task=["data.label"], checks=[PASSED]), None, "`nb_svm` is new; the gate passed"),
    ],
)
def test_the_headline_states_what_changed_and_the_result_of_the_gate(
    given: Report, what: str | None, gate: str
) -> None:
    start = "The task differs from the base, so no numbers are compared" if what is None else f"On the test rows {what}"
    assert comment.headline(given) == f"{start}; {gate}."


def test_numbers_of_a_different_task_have_no_verdict() -> None:
    drop, least = Check("maximum_drop", 0.0, OTHER[0]), Check("minimum", 0.7, OTHER[0])
    given = report(*OTHER, task=["data.label", "test.classes"], checks=[drop, least], same_rows=None, confidence=None)
    approved.check(comment.render(given), Path(__file__).with_name("other_task.txt"))


@pytest.mark.parametrize(("p", "expected"), [(2e-9, "p < 0.001"), (0.0351, "p = 0.035"), (1.0, "p = 1.000")])
def test_a_small_p_value_is_shown_as_a_bound(p: float, expected: str) -> None:
    text = comment.render(report(ACCURACY, pairs=[Pair("keras", "test", 250, McNemar(0, 30, p))]))
    assert f": 0 correct only at the head, 30 only at the base, {expected}." in text


def test_each_reason_why_the_gate_could_not_be_checked_is_listed() -> None:
    text = comment.render(report(SAME, gate_errors=("params.yaml: gate.minimum must ...; got x.test.f1", NASTY)))
    assert "- the gate could not be checked: `params.yaml: gate.minimum must ...; got x.test.f1`" in text.splitlines()
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
                StageChange("train@keras", ["train.keras.epochs"], ["data/predictions/keras.parquet"]),
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
    assert comment.render(report(SAME)).splitlines() == [
        comment.MARKER,
        "",
        "### textclf: `bbbbbbbb` against `aaaaaaaa`",
        "",
        "**On the test rows no metric changed; no gate is set.**",
        "",
        "Unchanged: `majority`.",
        "",
        "Params: none changed.",
    ]


@pytest.mark.parametrize(
    ("given", "note"),
    [
        (report(ACCURACY), "; for the same rows they are too wide rather than too narrow."),
        (report(ACCURACY, same_rows=False), "`keras` on `test` rows.\n"),
        (report(ACCURACY, same_rows=False), "the two numbers of a line were measured on different rows"),
        (report(ACCURACY, same_rows=None), "whether the test rows are the same is not known here"),
        (report(replace(ACCURACY, interval=None), confidence=None), "`evaluate.confidence` differs"),
    ],
)
def test_the_notes_say_which_intervals_were_used(given: Report, note: str) -> None:
    text = comment.render(given)
    assert note in text
    assert "Paired" not in text


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ([LOSS, replace(LOSS, split="train", interval=None, few_rows=True)], ""),
        ([ACCURACY, replace(LOSS, split="train", interval=None)], ""),
        ([replace(LOSS, interval=None, few_rows=True), replace(LOSS, split="train"), ECE], "`ece`, `log_loss`"),
        ([replace(LOSS, interval=None), replace(LOSS, split="validation")], ""),
        ([replace(LOSS, interval=None), replace(LOSS, split="validation", head=0.5)], "`log_loss`"),  # unchanged
    ],
)
def test_a_metric_without_verdict_has_none_on_any_rows_not_trained_on(changes: list[Change], named: str) -> None:
    lines = [line for line in comment.render(report(*changes)).splitlines() if "without a verdict" in line]
    assert lines == ([f"- Without an interval, and so without a verdict: {named}."] if named else [])


def test_metrics_whose_interval_is_not_paired_are_named() -> None:
    recall = replace(LOSS, metric="recall")
    pairs = [Pair("keras", "test", 250, McNemar(3, 12, 0.035), frozenset({"recall", "ece"}))]
    text = comment.render(report(ACCURACY, LOSS, recall, ECE, replace(LOSS, split="validation"), pairs=pairs))
    assert "row by row): `keras` on 250 `test` rows." in text
    few = "too few rows are right or wrong for a paired one: `keras` on `test` rows (`recall`); for"
    assert f"{UNPAIRED}, because {few}" in text
    assert "Unpaired" not in comment.render(report(ACCURACY, LOSS, ECE, pairs=pairs))


UNPAIRED = "- Unpaired 95% intervals (methods of Newcombe and of Zou & Donner)"


def test_the_reason_why_intervals_are_unpaired_is_stated_once_for_all_models_that_have_it() -> None:
    models = [replace(ACCURACY, model=model) for model in "abc"] + [replace(LOSS, model="c")]
    missing = "this machine has no predictions of the base"
    why = {("a", "test"): "the classes differ", ("b", "test"): missing, ("c", "test"): missing}
    text = comment.render(report(*models, why_unpaired=why, base_failure="check: 1.0 | `x`"))
    note = "; for the same rows they are too wide rather than too narrow."
    assert f"\n{UNPAIRED}, because the classes differ: `a` on `test` rows{note}\n" in text
    failed = "<code>check&#58; 1&#46;0 &#124; &#96;x&#96;</code>"
    assert f", because {missing} (its run failed: {failed}): `b` on `test` rows, `c` on `test` rows{note}\n" in text
    assert text.count("Unpaired") == 2


def test_a_baseline_is_neither_better_nor_worse() -> None:
    given = report(replace(ACCURACY, baseline=True))
    assert comment.headline(given) == "On the test rows `keras` (baseline) changed; no gate is set."
    text = comment.render(given)
    assert "| `keras` | `test` | `accuracy` | 0.800 | 0.748 | -0.052 | baseline |" in text.partition("<details>")[2]
    assert "intervals" not in text


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
        assert row.count("<td") in (0, 3, 6, 7)
    assert "a|b`c &lt;img src=x" in page  # still readable


@pytest.mark.parametrize(
    "text", ["", " ", "`", "``", "|", "\\", "\\|", "a\\", "a`b", "$x$", "ü😀", "x" * 500, "\n", "\x00"]
)
def test_any_text_stays_one_cell(text: str) -> None:
    table = f"| a | b |\n| --- | --- |\n| {markdown.code(text)} | end |\n"
    cells = re.findall(r"<td>(.*?)</td>", html(table))
    assert cells[1:] == ["end"]
    assert re.fullmatch(r"<code>[^<]*</code>", cells[0])


@pytest.mark.parametrize(("limit", "most"), [(9000, 20), (5000, 5), (2000, 1)])
def test_a_comment_that_is_too_long_has_fewer_rows_in_every_table(limit: int, most: int) -> None:
    given = report(
        *(replace(LOSS, metric=f"metric_{n}") for n in range(50)),
        checks=[FAILED] * 50,
        params=[Difference(f"param_{n}", "1", "2") for n in range(50)],
        others=[Difference(f"other_{n}", "1", "2") for n in range(300)],
    )
    text = comment.render(given, limit)
    assert len(text.encode()) <= limit < len(comment.render(given).encode())
    for start in ("- gate: ", "| `keras` | `test` | `metric_", "| `param_", "| `other_"):
        assert text.count(f"\n{start}") == most
    assert f"\nand {300 - most} more.\n" in text
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
    text = comment.render(report(*(replace(LOSS, model=f"m{n}") for n in range(count)), params=params))
    assert text.count("\nand 3 more.\n") == 2 * said
    assert f"| `p{comment.MOST - 1}` |" in text
    assert f"| `p{comment.MOST}` |" not in text


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (markdown.names(list("abcdefgh")), "`a`, `b`, `c`, `d`, `e`, `f`, `g`, `h`"),
        (markdown.names(list("abcdefghij")), "`a`, `b`, `c`, `d`, `e`, `f`, `g`, `h` and 2 more"),
        (markdown.number(None), ""),
        (markdown.number(0.0), "0.000"),
        (markdown.signed(math.nan), ""),
        (markdown.signed(0.0), "+0.000"),
        (markdown.signed(-0.25), "-0.250"),
        (markdown.code("x" * markdown.LONGEST), f"`{'x' * markdown.LONGEST}`"),
        (markdown.url("https://a.org/b c?d=(e)"), "https://a.org/b%20c?d=%28e%29"),
    ],
)
def test_numbers_and_names_are_written(written: str, text: str) -> None:
    assert written == text


def test_the_address_of_an_image_can_not_end_its_attribute() -> None:
    text = comment.render(report(SAME, figures=[Figure("plots/roc.svg", 'https://example.org/"onerror="x', "")]))
    assert '<img src="https://example.org/&#34;onerror=&#34;x" alt="base" width="420">' in text
