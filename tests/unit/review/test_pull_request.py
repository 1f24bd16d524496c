"""The Markdown of a pull request's comment, as a reviewer and as GitHub's renderer get it."""

import re
from dataclasses import replace
from typing import Any

import pytest
from markdown_it import MarkdownIt

from textclf.evaluate.statistics import Interval, McNemar
from textclf.review import comment as pull_request
from textclf.review.changes import Change, Check, Difference, Pair, Stage
from textclf.review.comment import Plot, Report

ACCURACY = Change("keras", "test", "accuracy", 0.8, 0.748, Interval(-0.091, -0.013))
LOSS = Change("keras", "test", "log_loss", 0.5, 0.45, Interval(-0.1, 0.02))
SAME = Change("majority", "test", "accuracy", 0.48, 0.48, Interval(-0.1, 0.1))
NEW = Change("nb_svm", "test", "accuracy", None, 0.8)
GONE = Change("linear_svm", "test", "accuracy", 0.8, None)
ECE = Change("keras", "test", "ece", 0.1, 0.2)
REASON = "keras.test.accuracy fell by 0.052 (0.013 to 0.091), more than 0.0"
FAILED = Check("maximum_drop", 0.0, ACCURACY, REASON)
PASSED = Check("minimum", 0.7, ACCURACY)
NASTY = "a|b`c <img src=x onerror=alert(1)> [x](http://example.org) @someone #1 *b* </details> <!-- \n## h \u202e \\|"


def report(*changes: Change, **more: Any) -> Report:
    return Report(base="aaaaaaaa", head="bbbbbbbb", changes=list(changes), **more)


def html(text: str) -> str:
    return str(MarkdownIt("gfm-like", {"linkify": False}).render(text))


# The sentence on top


WORSE = "`keras` is worse in accuracy beyond the noise (log_loss inside it)"
INSIDE = "`keras` changed inside the noise"
OTHER = [replace(change, interval=None, same_task=False) for change in (ACCURACY, LOSS)]
NOT_COMPARED = "This is another task than at the base, so that nothing is compared"
GATE = [Difference("gate.minimum.keras.test.accuracy", "0.8", "0.1")]


@pytest.mark.parametrize(
    ("given", "what", "gate"),
    [
        (report(SAME), "no metric changed", "no gate is set"),
        (report(SAME, checks=[PASSED]), "no metric changed", "the gate passed"),
        (report(ACCURACY, LOSS, SAME, checks=[PASSED, FAILED]), WORSE, "the gate failed 1 of 2 times"),
        (report(LOSS), INSIDE, "no gate is set"),
        (report(LOSS, NEW, GONE), f"`linear_svm` is gone, `nb_svm` is new, {INSIDE}", "no gate is set"),
        (report(replace(LOSS, interval=None)), "`keras` changed, beyond the noise or not", "no gate is set"),
        (report(LOSS, same_rows=False), f"{INSIDE}; these are other rows than at the base", "no gate is set"),
        (report(LOSS, same_rows=None), f"{INSIDE}; these may be other rows than at the base", "no gate is set"),
        (
            report(SAME, checks=[PASSED], gate_changed=GATE),
            "no metric changed",
            "the gate passed, and was itself changed",
        ),
        (report(replace(ACCURACY, split="train")), "no metric changed", "no gate is set"),
    ],
)
def test_the_headline_says_what_changed_and_what_the_gate_says(given: Report, what: str, gate: str) -> None:
    assert pull_request.headline(given) == f"On the test rows {what}; {gate}."


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (report(*OTHER, task=["data.label"], same_rows=False), f"{NOT_COMPARED}; no gate is set."),
        (
            report(*OTHER, NEW, task=["data.label"], checks=[PASSED]),
            f"{NOT_COMPARED}; `nb_svm` is new; the gate passed.",
        ),
        (report(SAME, unjudged=("why",)), "On the test rows no metric changed; the gate can't be judged."),
        (
            report(SAME, unjudged=("why",), gate_changed=GATE),
            "On the test rows no metric changed; the gate can't be judged, and was itself changed.",
        ),
    ],
)
def test_the_headline_says_what_was_not_compared_or_not_judged(given: Report, sentence: str) -> None:
    assert pull_request.headline(given) == sentence


def test_numbers_of_another_task_stand_side_by_side_without_a_verdict() -> None:
    drop, least = Check("maximum_drop", 0.0, OTHER[0]), Check("minimum", 0.7, OTHER[0])
    given = report(*OTHER, task=["data.label", "test.classes"], checks=[drop, least], same_rows=None, confidence=None)
    lines = pull_request.comment(given).splitlines()
    for line in (
        "| `keras` | `test` | `accuracy` | 0.800 | 0.748 |  | another task |",
        "| maximum_drop | `keras.test.accuracy` | 0.0 | 0.800 | 0.748 | nothing to compare with |",
        "| minimum | `keras.test.accuracy` | 0.7 | 0.800 | 0.748 | passed |",
    ):
        assert line in lines
    why = "**The task is another than at the base, since these differ: `data.label`, `test.classes`.**"
    assert f"- {why} No number has a verdict, and of the gate `maximum_drop` judges none." in lines
    assert not [line for line in lines if "intervals" in line or "others than at the base" in line]


@pytest.mark.parametrize(("p", "said"), [(2e-9, "p < 0.001"), (0.0351, "p = 0.035"), (1.0, "p = 1.000")])
def test_a_small_p_is_only_said_to_be_small(p: float, said: str) -> None:
    text = pull_request.comment(report(ACCURACY, pairs=[Pair("keras", "test", 250, McNemar(0, 30, p))]))
    assert f"0 right here alone, 30 at the base alone, {said}." in text


def test_a_gate_that_cannot_be_judged_is_said_to_be_so_with_each_reason() -> None:
    text = pull_request.comment(report(SAME, unjudged=("params.yaml: gate.minimum must ...; got x.test.f1", NASTY)))
    assert "- the gate can't be judged: `params.yaml: gate.minimum must ...; got x.test.f1`" in text.splitlines()
    assert "Gate: " not in text
    assert "<img" not in re.sub(r"(?s)<code>.*?</code>", "", html(text))


# The comment


def test_the_comment_begins_with_its_marker_and_has_every_part() -> None:
    text = pull_request.comment(
        report(
            ACCURACY,
            LOSS,
            SAME,
            GONE,
            ECE,
            replace(LOSS, split="train"),
            checks=[FAILED],
            gate_changed=[Difference("gate.minimum.keras.test.accuracy", "0.75", None)],
            pairs=[Pair("keras", "test", 250, McNemar(3, 12, 0.035))],
            params=[Difference("train.keras.epochs", "100", "2")],
            others=[Difference("training.json: keras.epochs", "100", "2")],
            stages=[Stage("train@keras", ["train.keras.epochs"], ["data/predictions/keras.parquet"])],
            plots=[Plot("plots/roc.svg", "https://example.org/a/plots/roc.svg", "")],
            uncommitted=["dvc.lock"],
            report_url="https://example.org/artifact(1)",
        )
    )
    assert text.startswith(f"{pull_request.MARKER}\n\n### textclf: `bbbbbbbb` against `aaaaaaaa`\n")
    for line in (
        "- gate: `keras.test.accuracy` fell by 0.052 (0.013 to 0.091), more than 0.0",
        "- the gate was changed: `gate.minimum.keras.test.accuracy` from `0.75` to not set",
        "| `keras` | `test` | `accuracy` | 0.800 | 0.748 | -0.052 (-0.091 to -0.013) | **worse** |",
        "| `keras` | `test` | `log_loss` ↓ | 0.500 | 0.450 | -0.050 (-0.100 to +0.020) | inside the noise |",
        "The same as at the base: `majority`.",
        "No longer among the models: `linear_svm`.",
        "- Paired intervals (95%), by a bootstrap of the predictions of both: `keras` on 250 test rows.",
        "- McNemar's exact test of `keras` on the test rows: 3 right here alone, 12 at the base alone, p = 0.035.",
        "- Not committed as they are here: `dvc.lock`.",
        "| `train.keras.epochs` | `100` | `2` |",
        '| <img src="https://example.org/a/plots/roc.svg" alt="base" width="420"> |  |',
        "| maximum_drop | `keras.test.accuracy` | 0.0 | 0.800 | 0.748 | **failed** |",
        "| `train@keras` | `train.keras.epochs` | `data/predictions/keras.parquet` |",
        "| `keras` | `test` | `ece` ↓ | 0.100 | 0.200 | +0.100 | no interval |",
        "| `training.json: keras.epochs` | `100` | `2` |",
        "[The report of this run](https://example.org/artifact%281%29)",
    ):
        assert line in text.splitlines()
    assert text.count("<details>") == text.count("</details>") == 4


def test_a_change_of_nothing_is_a_short_comment() -> None:
    assert pull_request.comment(report(SAME)).splitlines() == [
        pull_request.MARKER,
        "",
        "### textclf: `bbbbbbbb` against `aaaaaaaa`",
        "",
        "**On the test rows no metric changed; no gate is set.**",
        "",
        "The same as at the base: `majority`.",
        "",
        "Params: none changed.",
    ]


@pytest.mark.parametrize(
    ("given", "note"),
    [
        (report(ACCURACY), "of the same rows these are rather too wide than too narrow."),
        (report(ACCURACY, same_rows=False), "`keras` on test rows.\n"),
        (report(ACCURACY, same_rows=False), "no number is of the same rows as that beside it"),
        (report(ACCURACY, same_rows=None), "whether the test rows are can't be told from here"),
        (report(replace(ACCURACY, interval=None), confidence=None), "`evaluate.confidence` differs"),
    ],
)
def test_the_notes_say_which_intervals_were_used(given: Report, note: str) -> None:
    text = pull_request.comment(given)
    assert note in text
    assert "Paired" not in text


def test_text_of_params_and_names_is_neither_markup_nor_mention_nor_a_cell_of_its_own() -> None:
    text = pull_request.comment(
        report(
            replace(ACCURACY, model=NASTY),
            replace(SAME, model=NASTY[::-1]),
            checks=[Check("minimum", 0.9, replace(ACCURACY, model=NASTY), "is bad")],
            pairs=[Pair(NASTY, "test", 250, McNemar(3, 12, 0.035))],
            params=[Difference(NASTY, NASTY, None)],
            stages=[Stage(NASTY, [NASTY], [NASTY])],
            plots=[Plot(NASTY, "", "")],
            uncommitted=[NASTY],
            others=[Difference(NASTY, NASTY, NASTY)],
        )
    )
    page = html(text)
    assert len(re.findall("<h[1-6]>", page)) == 3  # the title, Params, Figures
    assert text.count("<!--") == 1
    outside = re.sub(r"(?s)<code>.*?</code>", "", page)
    for sign in ("<img", "onerror", "@someone", "#1", "example.org", "\u202e"):
        assert sign not in outside
    known = "code|table|thead|tbody|tr|th|td|h[1-6]|p|strong|ul|li|details|summary"
    assert re.findall(rf"<(?!!-- textclf|/?(?:{known})\b).*", page) == []
    for row in re.findall(r"(?s)<tr>.*?</tr>", page):
        assert row.count("<td") in (0, 3, 6, 7)
    assert "a|b`c &lt;img src=x" in page  # readable as it was written


@pytest.mark.parametrize(
    "text", ["", " ", "`", "``", "|", "\\", "\\|", "a\\", "a`b", "$x$", "ü😀", "x" * 500, "\n", "\x00"]
)
def test_any_text_stays_one_cell(text: str) -> None:
    table = f"| a | b |\n| --- | --- |\n| {pull_request._code(text)} | end |\n"
    cells = re.findall(r"<td>(.*?)</td>", html(table))
    assert cells[1:] == ["end"]
    assert re.fullmatch(r"<code>[^<]*</code>", cells[0])


@pytest.mark.parametrize(
    ("limit", "left_out"),
    [
        (9000, "other metrics"),
        (5500, "other metrics, all metrics"),
        (900, "other metrics, all metrics, gate, params"),
        (400, "all else"),
    ],
)
def test_what_is_too_long_leaves_out_the_details_first_and_says_so(limit: int, left_out: str) -> None:
    given = report(
        ACCURACY,
        *(replace(LOSS, metric=f"metric_{n}") for n in range(50)),
        checks=[FAILED],
        params=[Difference(f"param_{n}", "1", "2") for n in range(50)],
        others=[Difference(f"other_{n}", "1", "2") for n in range(300)],
    )
    whole = pull_request.comment(given)
    assert "Left out" not in whole
    text = pull_request.comment(given, limit)
    assert len(text.encode()) <= limit < len(whole.encode())
    assert f"Left out, as a comment holds no more: {left_out}." in text
    assert text.startswith(pull_request.MARKER)
    assert pull_request.headline(given) in text
    assert text.count("<details>") == text.count("</details>")


def test_the_limit_is_below_that_of_github() -> None:
    given = report(
        *(replace(LOSS, model="ü" * 90 + str(n)) for n in range(500)),
        params=[Difference("|" * 90 + str(n), "|" * 90, "|" * 90) for n in range(500)],
    )
    assert len(pull_request.comment(given)) <= 65_536
