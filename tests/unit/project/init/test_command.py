"""The command `textclf init` in a project; text files beside approve prints and settings."""

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sklearn.linear_model import LogisticRegression

from tests import approved
from tests.processes import Command as Run
from tests.processes import git
from tests.settings import put
from tests.unit.tables.tables import delimited
from tests.unspaced import WORDS, write_table
from tests.unspaced import rows as rows_of
from textclf.core.differences import compare_values
from textclf.params import load, parse
from textclf.project.init import expected, presets
from textclf.vectorize.terms.settings import Terms
from textclf.vectorize.terms.vectorizer import Vectorizer

ROWS = [
    (f"T{n}", f"The parcel {n} from {'team' * (n % 2)} is late.", ["shipping", "billing"][n % 2])
    for n in range(40)
]
HEADER = ("ticket", "message", "team")
LIMITS = "{keras: {test: {accuracy: 0.75}}}"
# The gate is this, whatever that of the project is.
BEFORE = put(
    "gate.minimum", LIMITS, "gate.maximum_drop", LIMITS, "evaluate.calibration", "temperature"
)
TABLE = delimited([HEADER, *ROWS, ("T40", *ROWS[0][1:]), ("T41", "", "billing")])


@pytest.fixture
def init(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command_line: Run) -> Run:
    """Run `textclf init` with params.yaml and tickets.csv; an idle machine, all packages."""
    monkeypatch.setattr(presets, "find_spec", lambda name: name)
    monkeypatch.setattr(expected, "pace", lambda: 1.0)
    monkeypatch.setattr(expected, "free_cores", float)
    monkeypatch.setattr(expected, "cores", lambda: 4)
    monkeypatch.chdir(tmp_path)
    write({".textclf/project.json": "{}\n", "params.yaml": BEFORE, "tickets.csv": TABLE})
    return partial(command_line, "init")


def write(files: Mapping[str, str]) -> None:
    for name, content in files.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(content, encoding="utf-8", errors="surrogateescape")


# Tables, and what is printed and chosen for them


class Case(NamedTuple):
    """Files, and the arguments of the command."""

    files: Mapping[str, str]
    arguments: Sequence[str]


def table(header: Sequence[str], rows: Sequence[Sequence[Any]], *arguments: str) -> Case:
    return Case({"a.csv": delimited([header, *rows])}, ("--data", "a.csv", *arguments))


def clustered(*columns: str, rows: int, texts: int, tested: int) -> Case:
    """Return the case of a table in which so many texts, or their authors, repeat in turn."""
    lines = []
    for n in range(rows):
        part = n % texts
        text = f"The parcel {n if 'author' in columns else part} is {'not ' * (part % 2)}here."
        cells = {
            "message": text,
            "team": ["late", "lost"][part % 2],
            "author": f"author {part}",
            "split": "test" if part < tested else "train",
        }
        lines.append([cells[name] for name in columns])
    groups = ("--label", "team", "--group", "author") if "author" in columns else ()
    return table(columns, lines, "--preset", "fast", *groups)


def repeated(*conflicts: int) -> Case:
    """Return the case of 90 rows, some with id and text of the row before but another label."""
    numbers = [n - (n in conflicts) for n in range(90)]
    rows = [
        (k, f"The parcel {k} is late.", ["late", "lost"][n % 2], "pq"[n % 2])
        for n, k in enumerate(numbers)
    ]
    return table(
        ("ticket_id", "message", "team", "who"), rows, "--preset", "fast", "--label", "team"
    )


def same_ids(same_text: bool) -> Case:
    """Return the case of two rows per id."""
    texts = [f"The parcel {n // 2 if same_text else n} is late." for n in range(90)]
    rows = [(n // 2, text, ["late", "lost", "wet"][n % 3]) for n, text in enumerate(texts)]
    return table(("ticket_id", "message", "team"), rows, "--preset", "fast")


def sentences(subjects: str, bad: str, good: str) -> Case:
    rows = [
        (f"{who} {what}.", label)
        for who in subjects.split("|")
        for label, said in (("-", bad), ("+", good))
        for what in said.split("|")
    ]
    return table(("text", "label"), rows)


def two_files(first: str, second: str, *, repeat: bool = False) -> Case:
    parts = (ROWS, ROWS) if repeat else (ROWS[:30], ROWS[30:])
    files = {
        name: delimited([HEADER, *part]) for name, part in zip((first, second), parts, strict=True)
    }
    return Case(files, ("--data", first, "--test", second, "--preset", "fast"))


def repeated_column(*arguments: str) -> Case:
    """Return the case of two columns with one name."""
    rows = [(message, team, "x") for _, message, team in ROWS]
    return table(("message", "team", "team"), rows, *arguments)


def competition(*arguments: str) -> Case:
    """Return the case of a folder as Kaggle has it: the rows of two of its files have no labels."""
    columns = {"train": ["ticket", "message", "team"], "test": ["ticket", "message"]}
    columns["sample_submission"] = ["ticket", "team"]
    rows = [dict(zip(HEADER, row, strict=True)) for row in ROWS]
    files = {
        f"in/{name}.csv": delimited([names, *([row[each] for each in names] for row in rows)])
        for name, names in columns.items()
    }
    return Case(files, ("--data", *arguments))


FAST = ("--preset", "fast")
TICKETS = ("--data", "tickets.csv")
LOOK_ALIKE = {0: "Shipping", 2: "shipping ", 4: "once"}
ALIKE = [
    (f"The parcel {n} is late.", LOOK_ALIKE.get(n, ["shipping", "billing"][n % 2]))
    for n in range(60)
]
GERMAN = (
    "Das Paket|Der Kundendienst|Die Rechnung|Mein Gerät",
    "ist leider sehr schlecht|taugt nichts",
    "ist gut",
)
ARABIC = "الطرد|خدمة العملاء|الفاتورة|جهازي الجديد", "سيئ جدا ولا أنصح به|لا يعمل كما يجب", "ممتاز"
MADE = {
    "test rows to be drawn": clustered("message", "team", rows=1000, texts=1000, tested=0),
    "given test rows": clustered("message", "team", "split", rows=1000, texts=1000, tested=250),
    "repeated texts": clustered("message", "team", rows=2000, texts=100, tested=0),
    "groups": clustered("message", "team", "author", rows=2000, texts=100, tested=0),
    "given groups": clustered(
        "message", "team", "author", "split", rows=2000, texts=100, tested=50
    ),
    "a test file": two_files("tickets/old.csv", "tickets/new.csv"),
    "a test file in another folder": two_files("a/rows.csv", "b/rows.csv"),
    "ids that repeat in another file": two_files("tickets/old.csv", "tickets/new.csv", repeat=True),
    "German": sentences(*GERMAN),
    "Arabic": sentences(*ARABIC),
    "alike and rare": table(("message", " Label"), ALIKE, *FAST),
    "few contradicting repeats of an id": repeated(1, 3),
    "many contradicting repeats of an id": repeated(*range(1, 20, 2)),
    "rows of an id and a text": same_ids(same_text=True),
    "rows of an id and other texts": same_ids(same_text=False),
    "groups of rows": (grouped := repeated(*range(1, 60, 2)))._replace(
        arguments=(*grouped.arguments, "--group", "ticket_id")
    ),
    "files of different columns": competition("in"),
    "files without the columns to read": competition("in", "--text", "message", "--label", "team"),
    "files of different columns, with a pattern": competition("in", "--files", "t*.csv"),
    "a test file without labels": competition("in/train.csv", "--test", "in/test.csv"),
    "a name of two columns": repeated_column(),
    "a name of two columns, given": repeated_column("--text", "message", "--label", "team"),
    "a folder as test table": Case({"c/a.csv": TABLE}, (*TICKETS, "--test", "c")),
    "another encoding": Case(
        {"a.csv": "text,label\ncaf\udce9 eins,a\ncaf\udce9 zwei,b\n"}, ("--data", "a.csv")
    ),
}


def case_of(line: str) -> Case:
    """Return a case by its name or, if it is not `MADE`, as it is described in YAML.

    A column is a list whose values come in turn, or a text with the number of the row, and that
    modulo `every`.
    """
    return MADE[line] if line in MADE else describe(**approved.described(line))


def describe(
    words: str = "", columns: Mapping[str, Any] | None = None, rows: int = 60, every: int = 1
) -> Case:
    if columns is None:
        return Case({}, shlex.split(words))
    made = [
        [
            each.format(n=n, k=n % every) if isinstance(each, str) else each[n % len(each)]
            for each in columns.values()
        ]
        for n in range(rows)
    ]
    if not any(isinstance(cell, list | dict) for row in made for cell in row):
        return table([*columns], made, *shlex.split(words))
    lines = [json.dumps(dict(zip(columns, row, strict=True))) + "\n" for row in made]
    return Case({"a.jsonl": "".join(lines)}, ("--data", "a.jsonl", *shlex.split(words)))


SHOWN = ("data", "about", "split", "evaluate", "export", "search")


def chosen() -> list[str]:
    """Return the settings that differ from those before, and the names of the models."""
    before, after = (
        {key: vars(params)[key].model_dump() for key in SHOWN} for params in (parse(BEFORE), load())
    )
    words = load().vectorize["words"]
    lines = [f"{each.name}: {each.head}" for each in compare_values(before, after)]
    return [*lines, f"train: {', '.join(load().train.names())}", f"words: {words.analyzer}"]


@pytest.mark.parametrize("name", ["labels", "mistakes", "tables"])
def test_each_table_is_described_and_gets_its_settings_as_approved(name: str, init: Run) -> None:
    def say(line: str) -> list[str]:
        files, arguments = case_of(line)
        write({"params.yaml": BEFORE, **files})
        done = init(*arguments, "--force", "--verbose")
        if done.status == 0:
            assert done.err == ""
            return [*done.lines, *chosen()]
        assert (done.status, done.out) == (2, "")
        assert Path("params.yaml").read_text(encoding="utf-8") == BEFORE
        return done.err.splitlines()

    approved.check_differences(Path(__file__).with_name(f"{name}.txt"), say)


@pytest.mark.parametrize("line", MADE)
def test_eight_lines_are_enough_to_say_what_was_read_and_what_trains(line: str, init: Run) -> None:
    files, arguments = MADE[line]
    write({"params.yaml": BEFORE, **files})
    done = init(*arguments, "--force")
    if done.status == 0:
        # A project that was there before has a line more, on its changes.
        assert len(done.lines) <= 8 + 1
        assert "textclf" not in done.out
        assert any("can't be told from chance" in line or "too few" in line for line in done.lines)


# params.yaml


NOT_COMMITTED = (
    "params.yaml was not committed before, so Git can't undo this; commit it from now on"
)


def test_sections_that_no_table_decides_keep_their_text_and_the_next_step_is_told(
    init: Run,
) -> None:
    done = init(*TICKETS, *FAST, "--force")
    fetch = re.search(r"\nfetch:.*?\n\n", BEFORE, re.DOTALL)
    assert fetch is not None
    text = Path("params.yaml").read_text(encoding="utf-8")
    assert fetch[0] in text
    assert len(text.splitlines()) < 125
    assert done.lines[-2:] == [
        NOT_COMMITTED,
        "next: git add tickets.csv (dvc add if it is large), dvc repro",
    ]


def test_a_second_table_inherits_nothing_of_the_first(init: Run) -> None:
    files, arguments = MADE["alike and rare"]
    write(files)
    assert init(*arguments, "--title", "Help desk", "--force").status == 0
    first = Path("params.yaml").read_bytes()
    assert init(*TICKETS, "--force").status == 0
    assert (load().data.labels, load().data.rare, load().about.title) == ({}, "refuse", None)
    assert init(*arguments, "--title", "Help desk", "--force").status == 0
    assert Path("params.yaml").read_bytes() == first


def test_a_search_of_a_model_that_is_gone_is_removed_and_a_language_stays(init: Run) -> None:
    assert init(*TICKETS, "--preset", "best", "--force").status == 0
    best = Path("params.yaml").read_text(encoding="utf-8")
    numbers = "text,label\n" + "".join(f"{n},{n % 2}\n" for n in range(20))
    klingon = put("search.model", "transformer", "about.language", "Klingon", text=best)
    write({"params.yaml": klingon, "tickets.csv": numbers})
    done = init(*TICKETS, "--text", "text", "--label", "label", *FAST, "--force")
    assert (done.status, load().search.model, load().about.language) == (0, None, "Klingon")
    assert (
        "section search: removed, since it names models that the preset does not have" in done.lines
    )


def test_a_params_yaml_that_git_cannot_bring_back_is_not_overwritten(init: Run) -> None:
    refusal = (
        "error: init: params.yaml must be committed before it is overwritten; it {}; "
        "commit it, or add --force\n"
    )
    git("init", "--quiet")
    assert init(*TICKETS) == (2, "", refusal.format("is not in Git"))
    git("add", "--all")
    git("commit", "--quiet", "-m", "params")
    changed = put("split.seed", "7")
    write({"params.yaml": changed})
    assert init(*TICKETS) == (2, "", refusal.format("has changes"))
    assert Path("params.yaml").read_text(encoding="utf-8") == changed
    done = init(*TICKETS, "--force")
    assert (done.status, load().split.seed) == (0, 7)
    assert done.lines[-2] == NOT_COMMITTED
    git("commit", "--quiet", "--all", "-m", "tickets")
    assert init(*TICKETS).lines[-2] == "params.yaml is as it was"
    undoes = "git diff shows all changes; git checkout params.yaml undoes them"
    assert init(*TICKETS, "--title", "Help desk").lines[-2] == undoes


def test_a_test_file_of_another_folder_is_copied_beside_the_table(init: Run) -> None:
    files, arguments = MADE["a test file in another folder"]
    write(files)
    assert init(*arguments, "--force").status == 0
    assert Path("texts/test.csv").read_bytes() == Path("b/rows.csv").read_bytes()


@pytest.mark.parametrize("language", WORDS)
def test_texts_without_spaces_between_words_are_read_by_letters(init: Run, language: str) -> None:
    write_table(Path("tickets.csv"), language)
    done = init(*TICKETS, "--force", "--verbose")
    assert re.search(r"^characters of a text: \d\d in the median", done.out, re.MULTILINE)
    assert re.search(r"^100% of the texts are in a script without spaces", done.out, re.MULTILINE)
    assert load().about.language == language
    assert accuracy(language, load().vectorize["words"]) >= 0.95
    if language != "Thai":  # whose vowel signs cut words into pieces
        assert accuracy(language, Terms(method="terms")) <= 0.55


def accuracy(language: str, settings: Terms) -> float:
    """Return the accuracy of logistic regression on the last 100 of 400 rows."""
    texts, labels = zip(*rows_of(language), strict=True)
    vectorizer = Vectorizer.fit(texts[:300], settings)
    model = LogisticRegression().fit(vectorizer.transform(texts[:300]), labels[:300])
    return float(model.score(vectorizer.transform(texts[300:]), labels[300:]))
