"""The command `textclf init`: what it prints, what it writes, and what it refuses."""

import json
import re
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from sklearn.linear_model import LogisticRegression

from tests.processes import Ended
from tests.settings import put
from tests.unit.tables.tables import delimited
from tests.unspaced import WORDS, write_table
from tests.unspaced import rows as rows_of
from textclf.evaluate.power import smallest_difference
from textclf.params import load, parse
from textclf.project.init.presets import PRESETS
from textclf.vectorize.terms.settings import Terms
from textclf.vectorize.terms.vectorizer import Vectorizer

ROWS = [
    (f"T{n}", f"The parcel {n} from {'team' * (n % 2)} is late.", ["shipping", "billing"][n % 2]) for n in range(40)
]
LIMITS = "{keras: {test: {accuracy: 0.75}}}"
BEFORE = put("gate.minimum", LIMITS, "gate.maximum_drop", LIMITS)  # whatever the gate of the project is
TABLE = delimited([("ticket", "message", "team"), *ROWS, ("T40", *ROWS[0][1:]), ("T41", "", "billing")])
FOUND = "between models that disagree on 13% of them is found in four of five such test sets (docs/evaluation.md)"

Run = Callable[..., Ended]


@pytest.fixture
def init(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command_line: Run) -> Run:
    """Runs `textclf init` in a project with a committed params.yaml and tickets.csv."""
    monkeypatch.chdir(tmp_path)
    Path(".textclf").mkdir()
    Path(".textclf/project.json").write_text("{}\n", encoding="utf-8")
    Path("params.yaml").write_text(BEFORE, encoding="utf-8")
    Path("tickets.csv").write_text(TABLE, encoding="utf-8")
    author = ("-c", "user.name=textclf", "-c", "user.email=textclf@example.org")
    for arguments in (("init", "--quiet"), ("add", "--all"), (*author, "commit", "--quiet", "-m", "params")):
        subprocess.run(("git", *arguments), check=True)
    return partial(command_line, "init")


def test_it_says_what_it_saw_and_chose_and_what_to_do_next(init: Run) -> None:
    done = init("--data", "tickets.csv")
    assert (done.status, done.err) == (0, "")
    lines = done.out.splitlines()
    preset = lines.index(f"preset good: {PRESETS['good']}")
    assert lines[:preset] == [
        "tickets.csv: 41 rows, texts in column message, labels in column team, ids in column ticket",
        "2 classes: billing (20), shipping (21)",
        "words of a text: 6 in the median, 7 at most",
        "language of the texts: English",
        "1 row without text or label: left out",
        "1 row with the text of an earlier row: kept in the same split",
        f"about 10 test rows: no difference {FOUND}",
    ]
    assert re.fullmatch(r"expected: about \d+ (seconds|minutes?) for the first run on this machine", lines[preset + 1])
    assert lines[preset + 2] == (
        "params.yaml: 6 settings changed beside data, about, and the models, which are those of the preset"
    )
    assert lines[-1] == "next: git add tickets.csv (dvc add if it is large), dvc repro"


def told(init: Run, *arguments: str) -> str:
    lines = init("--data", "tickets.csv", "--preset", "fast", *arguments).out.splitlines()
    return next(line for line in lines if line.endswith(FOUND))


def difference(rows: int) -> str:
    """Return the smallest difference that so many independent rows find in four of five test sets, in points."""
    found = smallest_difference(rows, 0.13, 0.05)
    return "no difference" if found is None else f"a difference of {100 * found:.1f} points"


@pytest.mark.parametrize("given", [False, True])
def test_it_says_which_difference_the_test_rows_find(init: Run, given: bool) -> None:
    table = [(f"T{n}", f"The parcel {n} is {'not ' * (n % 2)}here.", ["late", "lost"][n % 2]) for n in range(1000)]
    splits = ["test" if n < 250 else "train" for n in range(1000)]
    lines = [("ticket", "message", "team", "split"), *((*row, split) for row, split in zip(table, splits, strict=True))]
    Path("tickets.csv").write_text(delimited(lines if given else [line[:3] for line in lines]), encoding="utf-8")
    assert told(init) == f"{'' if given else 'about '}250 test rows: {difference(250)} {FOUND}"


@pytest.mark.parametrize("kept", ["texts", "groups", "given"])
def test_test_rows_in_clusters_count_as_what_they_are_worth_at_least(init: Run, kept: str) -> None:
    """A hundred texts, each 20 times, are worth a hundred rows, and a quarter of them 25."""
    lines = [("message", "team", "author", "split")]
    for n in range(2000):
        part, text = n % 100, f"The parcel {n % 100} of {'' if kept == 'texts' else n} is here."
        lines.append((text, ["late", "lost"][part % 2], f"author {part}", "test" if part < 50 else "train"))
    used = {"texts": 2, "groups": 3, "given": 4}[kept]
    Path("tickets.csv").write_text(delimited([line[:used] for line in lines]), encoding="utf-8")
    start = "1,000 test rows" if kept == "given" else "about 500 test rows"
    worth = 50 if kept == "given" else 25
    clustered = f"{start} in clusters of dependent rows, worth at least {worth} independent ones: "
    arguments = () if kept == "texts" else ("--label", "team", "--group", "author")
    assert told(init, *arguments) == f"{clustered}{difference(worth)} {FOUND}"


def test_labels_that_look_alike_are_united_and_rare_ones_left_out(init: Run) -> None:
    labels = {0: "Shipping", 2: "shipping ", 4: "once"}
    rows = [(f"The parcel {n} is late.", labels.get(n, ["shipping", "billing"][n % 2])) for n in range(60)]
    Path("tickets.csv").write_text(delimited([("message", " Label"), *rows]), encoding="utf-8")
    done = init("--data", "tickets.csv")
    data = load().data
    assert (data.label, data.labels) == (" Label", {"Shipping": "shipping", "shipping ": "shipping"})
    assert data.rare == "drop"
    lines = done.out.splitlines()
    assert "3 classes: billing (30), once (1), shipping (29)" in lines
    alike = "'Shipping' (1) as 'shipping' (27), 'shipping ' (1) as 'shipping' (27)"
    assert f"labels that look alike are one class (data.labels, take out what is wrong): {alike}" in lines
    reason = "leaves out classes too rare to be divided, as those of fewer than 4 texts may be: once (1)"
    assert any(line.split() == ["data.rare:", "drop", *reason.split()] for line in lines)
    assert init("--data", "tickets.csv", "--title", "Parcels", "--force").status == 0
    assert (load().data.rare, load().data.labels) == (data.rare, data.labels)  # of the same table
    Path("tickets.csv").write_text(TABLE, encoding="utf-8")
    assert init("--data", "tickets.csv", "--force").status == 0
    assert (load().data.labels, load().data.rare) == ({}, "refuse")


@pytest.mark.parametrize(("preset", "models"), [("fast", 2), ("good", 4), ("best", 5)])
def test_a_preset_is_written_whole_and_takes_the_place_of_the_models_before(
    init: Run, preset: str, models: int
) -> None:
    assert init("--data", "tickets.csv", "--preset", preset).status == 0
    assert len(load().train.names()) == models
    assert "keras" not in load().train.names()
    assert load().split.validation_size == 0  # too few rows
    assert len(Path("params.yaml").read_text(encoding="utf-8").splitlines()) < 125


def test_a_search_of_a_model_that_is_gone_is_removed_and_a_language_stays(init: Run) -> None:
    assert init("--data", "tickets.csv", "--preset", "best").status == 0
    changed = put(
        "search.model", "transformer", "about.language", "Klingon", text=Path("params.yaml").read_text("utf-8")
    )
    Path("params.yaml").write_text(changed, encoding="utf-8")
    Path("tickets.csv").write_text("text,label\n" + "".join(f"{n},{n % 2}\n" for n in range(20)), encoding="utf-8")
    done = init("--data", "tickets.csv", "--text", "text", "--label", "label", "--preset", "fast", "--force")
    assert (done.status, load().search.model, load().about.language) == (0, None, "Klingon")
    assert "section search: removed, since it names models that the preset does not have" in done.out.splitlines()


def test_the_settings_of_the_table_are_written_and_the_others_stay(init: Run, tmp_path: Path) -> None:
    options = ("--title", "Help desk", "--licence", "CC0", "--id", "ticket")
    assert init("--data", str(tmp_path / "tickets.csv"), *options).status == 0
    params, data = load(), load().data
    found = (data.path, data.text, data.label, data.id, data.missing)
    assert found == ("tickets.csv", "message", "team", "ticket", "drop")
    assert (params.about.title, params.about.licence) == ("Help desk", "CC0")
    assert params.split.stratify
    assert params.evaluate == parse(BEFORE).evaluate
    evaluate = re.search(r"\nevaluate:.*?\n\n", BEFORE, re.DOTALL)
    assert evaluate is not None
    assert evaluate[0] in Path("params.yaml").read_text(encoding="utf-8")


def test_texts_of_several_columns_are_written_as_a_list(init: Run) -> None:
    lines = [("title", "body", "team"), *((f"Parcel {n}", "It is late." * (n % 2), "ab"[n % 2]) for n in range(20))]
    Path("tickets.csv").write_text(delimited(lines), encoding="utf-8")
    done = init("--data", "tickets.csv", "--text", "title", "--text", "body", "--preset", "fast")
    assert done.out.startswith("tickets.csv: 20 rows, texts in columns title, body, labels in column team\n")
    assert load().data.text == ("title", "body")


def test_a_column_of_times_splits_by_time(init: Run) -> None:
    day = "2024-05-{:02d}".format
    lines = [("message", "team", "day"), *((f"It is late {n}", "ab"[n % 2], day(n % 9 + 1)) for n in range(20))]
    Path("tickets.csv").write_text(delimited([*lines, lines[1]]), encoding="utf-8")
    done = init("--data", "tickets.csv", "--time", "day", "--preset", "fast")
    printed = done.out.splitlines()
    assert "texts in column message, labels in column team, times in column day" in printed[0]
    assert "1 row with the text of an earlier row" in printed
    found = load()
    assert (found.data.time, found.split.method) == ("day", "time")
    assert (found.split.stratify, found.split.group_duplicates) == (False, False)


def test_a_second_table_inherits_nothing_of_the_first(init: Run) -> None:
    init("--data", "tickets.csv", "--title", "Help desk", "--id", "ticket")
    first = Path("params.yaml").read_bytes()
    Path("other.tsv").write_text(TABLE.replace(",", "\t").replace("T40", "T39"), encoding="utf-8")
    assert init("--data", "other.tsv", "--force").status == 0
    assert (load().data.id, load().about.title) == (None, None)
    assert init("--data", "tickets.csv", "--title", "Help desk", "--id", "ticket", "--force").status == 0
    assert Path("params.yaml").read_bytes() == first


def test_a_params_yaml_that_git_cannot_bring_back_is_not_overwritten(init: Run) -> None:
    changed = put("split.seed", "7")
    Path("params.yaml").write_text(changed, encoding="utf-8")
    done = init("--data", "tickets.csv")
    assert (done.status, done.out) == (2, "")
    assert done.err == (
        "error: init: params.yaml must be committed before it is overwritten; it has changes; commit it, "
        "or add --force\n"
    )
    assert Path("params.yaml").read_text(encoding="utf-8") == changed
    subprocess.run(("git", "rm", "--quiet", "--cached", "params.yaml"), check=True)
    assert "it is not in Git" in init("--data", "tickets.csv").err
    assert init("--data", "tickets.csv", "--force").status == 0
    assert load().split.seed == 7


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--data", "no.csv"], "no.csv not found; set --data to a file or folder of texts"),
        (["--data", "tickets.csv", "--text", "mesage"], "--text must be one of its columns"),
        (
            ["--data", "tickets.csv", "--text", "message", "--label", "message"],
            "label must be another column than text; got message for both",
        ),
        (["--data", "tickets.csv", "--encoding", "klingon"], "--encoding must be an encoding that Python knows"),
        (["--data", "tickets.csv", "--label", "ticket"], "two classes must have at least 4 different texts each"),
        (
            ["--data", "tickets.csv", "--label", "ticket"],
            "; texts in column message, labels in column ticket: set --text and --label if these are not meant\n",
        ),
    ],
)
def test_a_mistake_is_one_line_and_params_yaml_stays(init: Run, arguments: list[str], line: str) -> None:
    done = init(*arguments)
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
    assert line in done.err
    assert Path("params.yaml").read_text(encoding="utf-8") == BEFORE


def test_a_given_test_set_stays_apart(init: Run) -> None:
    Path("tickets").mkdir()
    for name, rows in (("old.csv", ROWS[:30]), ("new.csv", ROWS[30:])):
        Path("tickets", name).write_text(delimited([("ticket", "message", "team"), *rows]), encoding="utf-8")
    done = init("--data", "tickets/old.csv", "--test", "tickets/new.csv")
    assert (done.status, done.err) == (0, "")
    assert "splits that the table gives: train 30 rows, test 10 rows" in done.out.splitlines()
    data = load().data
    assert (data.path, data.files) == ("tickets", {"train": "old.csv", "test": "new.csv"})


def test_files_of_two_folders_are_copied_into_one(init: Run) -> None:
    for name, rows in (("a/rows.csv", ROWS[:30]), ("b/rows.csv", ROWS[30:])):
        Path(name).parent.mkdir()
        Path(name).write_text(delimited([("ticket", "message", "team"), *rows]), encoding="utf-8")
    assert init("--data", "a/rows.csv", "--test", "b/rows.csv", "--force").status == 0
    data = load().data
    assert (data.path, data.files) == ("texts", {"train": "train.csv", "test": "test.csv"})
    assert Path("texts/test.csv").read_bytes() == Path("b/rows.csv").read_bytes()


def test_a_column_of_splits_is_used_and_is_not_taken_for_the_labels(init: Run) -> None:
    rows = [(*row[1:], "test" if n % 4 < 2 else "train") for n, row in enumerate(ROWS)]
    Path("tickets.csv").write_text(delimited([("message", "team", "split"), *rows]), encoding="utf-8")
    done = init("--data", "tickets.csv")
    assert "splits that the table gives: train 20 rows, test 20 rows" in done.out.splitlines()
    assert (load().data.split, load().data.label) == ("split", "team")


def written(name: str, labels: list[object]) -> None:
    """Write 60 rows whose labels are these in turn."""
    rows = [(f"The parcel {n} is late.", labels[n % len(labels)]) for n in range(60)]
    if name == "a.csv":
        content = delimited([("message", "labels"), *((text, str(label)) for text, label in rows)])
    else:
        content = "".join(json.dumps({"message": text, "labels": label}) + "\n" for text, label in rows)
    Path(name).write_text(content, encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "labels", "separator", "shown"),
    [
        ("a.csv", ["billing", "late", "billing|late"], "|", "labels combines some by '|'"),
        ("a.csv", ["billing", "late", "late, billing"], ",", "labels combines some by ','"),
        ("a.csv", ["['billing', 'late']", "['late']"], None, "labels holds lists"),
        ("a.csv", ['["billing","late"]', '["late"]', "[]"], None, "labels holds lists"),
        ("a.jsonl", [["billing"], ["billing", "late"], []], None, "labels holds lists"),
    ],
)
def test_several_labels_of_a_text_are_detected_and_told(
    init: Run, name: str, labels: list[object], separator: str | None, shown: str
) -> None:
    written(name, labels)
    done = init("--data", name, "--preset", "fast")
    assert (done.status, done.err) == (0, "")
    lines = done.out.splitlines()
    assert f"a text has several labels: {shown} (data.task: multilabel)" in lines
    assert lines[1].startswith("2 labels: billing (")
    assert lines[1].endswith(f"; {20 if labels[-1] in ([], '[]') else 0} texts without")
    found = load()
    assert (found.data.task, found.data.label, found.data.label_separator) == ("multilabel", "labels", separator)
    assert (found.split.stratify, found.evaluate.threshold, found.evaluate.calibration) == (True, 0.5, "none")
    assert found.train.names() == ["majority", "logistic_regression"]


def test_columns_of_0_and_1_are_the_labels_of_a_text_if_no_other_column_is(init: Run) -> None:
    rows = [(f"The parcel {n} is late.", n % 2, int(n % 3 == 0)) for n in range(60)]
    lines = [("message", "billing", "late", "lost"), *((*row, 0) for row in rows)]
    Path("a.csv").write_text(delimited(lines), encoding="utf-8")
    done = init("--data", "a.csv", "--preset", "fast")
    assert "labels in columns billing, late" in done.out
    told = "billing, late are columns of 0 and 1, without lost, the same in all rows; --label billing takes one alone"
    assert f"a text has several labels: {told} (data.task: multilabel)\n" in done.out
    assert load().data.label == ("billing", "late")
    lines = [("message", "billing", "late", "team"), *((*row, "ab"[n % 2]) for n, row in enumerate(rows))]
    Path("a.csv").write_text(delimited(lines), encoding="utf-8")
    assert "could be billing (2 values), late (2 values), team (2 values)" in init("--data", "a.csv", "--force").err
    labels = ("--label", "billing", "--label", "late")
    assert init("--data", "a.csv", "--preset", "fast", "--force", *labels).status == 0
    assert (load().data.task, load().data.label) == ("multilabel", ("billing", "late"))


def test_columns_of_0_and_1_of_which_no_row_is_1_in_two_are_asked_for(init: Run) -> None:
    rows = [(f"The parcel {n} is late.", int(n % 3 == 0), int(n % 3 == 1)) for n in range(60)]
    Path("a.csv").write_text(delimited([("message", "spam", "link"), *rows]), encoding="utf-8")
    done = init("--data", "a.csv", "--preset", "fast")
    rule = "--label must name the column of labels, or each of them if a text may have several"
    assert done.err == f"error: init: a.csv: {rule}; no row is 1 in two of spam, link\n"
    assert init("--data", "a.csv", "--preset", "fast", "--label", "spam").status == 0
    assert (load().data.task, load().data.label) == ("multiclass", "spam")
    assert init("--data", "a.csv", "--preset", "fast", "--force", "--label", "spam", "--label", "link").status == 0
    assert load().data.label == ("spam", "link")


def test_columns_of_0_and_1_may_be_floats(init: Run) -> None:
    rows = [(f"The parcel {n} is late.", float(n % 2), float(n % 3 == 0)) for n in range(60)]
    Path("a.csv").write_text(delimited([("message", "billing", "late"), *rows]), encoding="utf-8")
    assert init("--data", "a.csv", "--preset", "fast").status == 0
    assert load().data.label == ("billing", "late")


def repeated(*conflicts: int) -> None:
    """Write 90 rows of which those numbered so repeat the id and the text of the row before, with another label."""
    rows = []
    for n in range(90):
        number = n - (n in conflicts)
        rows.append((number, f"The parcel {number} is late.", ["late", "lost"][n % 2], "pq"[n % 2]))
    Path("a.csv").write_text(delimited([("ticket_id", "message", "team", "who"), *rows]), encoding="utf-8")


@pytest.mark.parametrize(("conflicts", "task"), [(range(1, 4, 2), "multiclass"), (range(1, 20, 2), "multilabel")])
def test_few_contradicting_repeats_of_an_id_are_no_several_labels(init: Run, conflicts: range, task: str) -> None:
    repeated(*conflicts)
    assert init("--data", "a.csv", "--preset", "fast", "--label", "team").status == 0
    assert load().data.task == task  # though the column who differs within an id, and could be one of slices


def test_a_column_of_groups_unites_no_rows(init: Run) -> None:
    repeated(*range(1, 60, 2))
    assert init("--data", "a.csv", "--preset", "fast", "--label", "team", "--group", "ticket_id").status == 0
    assert (load().data.task, load().data.group) == ("multiclass", "ticket_id")


def test_separators_that_may_separate_labels_are_told(init: Run) -> None:
    written("a.csv", ["late", "late|lost", "late|lost|wet"])
    assert "'|' is in many labels; if it separates labels of a text, set data.task" in init("--data", "a.csv").out


def test_probabilities_of_several_labels_are_not_called_calibrated(init: Run) -> None:
    for labels, told in (("a b", True), ("a b a|b", False)):
        written("a.csv", [*labels.split()])
        out = init("--data", "a.csv", "--preset", "best", "--force").out
        assert "preset best: good, a fine-tuned" in out
        assert ("calibrated probabilities\n" in out) == told


@pytest.mark.parametrize("same_text", [True, False])
def test_rows_of_one_id_and_text_with_other_labels_are_one_text(init: Run, same_text: bool) -> None:
    rows = [
        (n // 2, f"The parcel {n // 2 if same_text else n} is late.", ["late", "lost", "wet"][n % 3]) for n in range(90)
    ]
    Path("a.csv").write_text(delimited([("ticket_id", "message", "team"), *rows]), encoding="utf-8")
    done = init("--data", "a.csv", "--preset", "fast")
    told = "a text has several labels: rows with the same ticket_id have one each (data.task: multilabel)\n"
    assert (told in done.out) == same_text
    assert done.out.startswith(f"a.csv: {45 if same_text else 90} rows, texts in column message, labels in column team")
    assert (load().data.task, load().data.id) == (("multilabel", "ticket_id") if same_text else ("multiclass", None))


@pytest.mark.parametrize(
    "labels",
    [
        ["Sales, North", "Sales, South"],
        ["(0, 10]", "(10, 20]"],
        ["rock 'n' roll", "R&B (soul, funk)"],
        ["0", "1"],
    ],
)
def test_labels_that_only_look_like_several_are_not_taken_for_these(init: Run, labels: list[object]) -> None:
    written("a.csv", labels)
    done = init("--data", "a.csv")
    assert (done.status, done.err, load().data.task) == (0, "", "multiclass")


def test_labels_that_cannot_be_told_apart_are_refused(init: Run) -> None:
    written("a.csv", ["[billing]", "[late]", "[billing, late]"])
    done = init("--data", "a.csv")
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
    assert (
        "must hold one label; got '[billing, late]', which combines others (1 of 3 labels do); set data.task"
        in done.err
    )
    assert Path("params.yaml").read_text(encoding="utf-8") == BEFORE


def test_settings_that_only_the_user_can_choose_are_offered_and_not_set(init: Run) -> None:
    rows = ["ticket,platform,author,label,message,label_id"]  # the label in another form is no slice
    for n in range(240):
        label = "urgent" if n % 12 == 0 else "late"
        rows.append(f"T{n},p{n % 3},author {n % 50},{label},Parcel {n} is late.,{int(label == 'late')}")
    Path("tickets.csv").write_text("\n".join(rows), encoding="utf-8")
    lines = init("--data", "tickets.csv").out.splitlines()
    start = lines.index("left to you, who know the rows:")
    assert [re.sub(" +", " ", line) for line in lines[start + 1 : -2]] == [
        " data.slices: [platform] measures the test rows by columns of few values",
        " data.group: author keeps rows of one of its 50 values in one split, if they depend on each other",
        (
            " train.logistic_regression.class_weight: balanced finds more rows of urgent, "
            "with probabilities that are not those of the data"
        ),
    ]
    params = load()
    assert (params.data.id, params.data.slices, params.data.group) == ("ticket", (), None)
    assert params.train["logistic_regression"].class_weight is None


def test_ids_of_several_files_that_repeat_are_not_taken(init: Run) -> None:
    Path("tickets").mkdir()
    for name in ("old.csv", "new.csv"):
        Path("tickets", name).write_text(delimited([("ticket", "message", "team"), *ROWS]), encoding="utf-8")
    done = init("--data", "tickets/old.csv", "--test", "tickets/new.csv")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("tickets: 80 rows, texts in column message, labels in column team\n")
    assert load().data.id is None
    assert "ids in column ticket" in init("--data", "tickets/old.csv", "--force").out


@pytest.mark.parametrize("language", WORDS)
def test_texts_without_spaces_between_words_are_read_by_letters(init: Run, language: str) -> None:
    write_table(Path("tickets.csv"), language)
    done = init("--data", "tickets.csv")
    assert re.search(r"^characters of a text: \d\d in the median", done.out, re.MULTILINE)
    assert re.search(r"^100% of the texts are in a script without spaces", done.out, re.MULTILINE)
    assert load().about.language == language
    settings = load().vectorize["words"]
    assert accuracy(language, settings) >= 0.95
    if language != "Thai":  # whose vowel signs cut words into pieces
        assert accuracy(language, Terms(method="terms")) <= 0.55


SPACED = {
    "German": (
        "Das Paket|Der Kundendienst|Die Rechnung|Mein Gerät",
        "ist leider sehr schlecht|taugt nichts",
        "ist gut",
    ),
    "Arabic": ("الطرد|خدمة العملاء|الفاتورة|جهازي الجديد", "سيئ جدا ولا أنصح به|لا يعمل كما يجب", "ممتاز"),
}


@pytest.mark.parametrize("language", SPACED)
def test_texts_of_other_languages_with_spaces_are_read_by_words(init: Run, language: str) -> None:
    subjects, bad, good = (part.split("|") for part in SPACED[language])
    rows = [(f"{who} {what}.", label) for who in subjects for label, said in (("-", bad), ("+", good)) for what in said]
    Path("tickets.csv").write_text(delimited([("text", "label"), *rows]), encoding="utf-8")
    assert f"\nlanguage of the texts: {language}\n" in init("--data", "tickets.csv").out
    settings = load().vectorize["words"]
    assert (load().about.language, settings.analyzer) == (language, "word+char_wb")
    texts, labels = zip(*rows, strict=True)
    X = Vectorizer.fit(list(texts), settings).transform(list(texts))
    assert LogisticRegression().fit(X, labels).score(X, labels) == 1


def accuracy(language: str, settings: Terms) -> float:
    """Return the accuracy of logistic regression on the last 100 of 400 rows."""
    texts, labels = zip(*rows_of(language), strict=True)
    vectorizer = Vectorizer.fit(texts[:300], settings)
    model = LogisticRegression().fit(vectorizer.transform(texts[:300]), labels[:300])
    return float(model.score(vectorizer.transform(texts[300:]), labels[300:]))


def test_a_table_must_be_given(init: Run) -> None:
    assert (
        init().err == "error: init: either --data or --lesson must be given; textclf init --help lists the arguments\n"
    )
