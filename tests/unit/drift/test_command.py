"""The command `textclf drift`: its answer, its outputs and its errors."""

import json
import re
import shlex
import sys
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests import approved
from tests.processes import WITHOUT_EXTRAS, Command, python
from tests.unit.drift.texts import draw_texts
from tests.unit.predict.models import export, three_classes, two_classes
from textclf.artifacts import splits
from textclf.artifacts.decisions import write_index

WORDS = 25  # of a text: with fewer made-up ones, many texts are nearly the same
HOSTILE = "</script><img src=x onerror=alert(1)>\u202e&\x1b[31m"


def write_split(folder: Path, name: str, texts: Sequence[str], groups: Sequence[str] = ()) -> None:
    names = groups or texts
    rows = [
        {"id": str(number), "text": text, "label": 0, "cluster": zlib.crc32(group.encode())}
        for number, (text, group) in enumerate(zip(texts, names, strict=True))
    ]
    splits.write_table(
        pa.Table.from_pylist(rows, schema=splits.CLUSTERED), folder / f"{name}.parquet"
    )


def write_texts(path: Path, texts: Sequence[str], groups: Sequence[str] = ()) -> None:
    """Write a line of JSON for each text, with its group as `who`."""
    rows = [
        {"text": text} | ({"who": groups[number]} if groups else {})
        for number, text in enumerate(texts)
    ]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")


def written(name: str = "drift.json") -> dict[str, Any]:
    content: dict[str, Any] = json.loads(Path(name).read_text(encoding="utf-8"))
    return content


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a model, splits, and texts of the same kind and of another one."""
    folder = tmp_path_factory.mktemp("project")
    generator = np.random.default_rng(0)
    export(two_classes(), folder / "models" / "linear")
    export(three_classes([HOSTILE, "b", "c"]), folder / "models" / "hostile")
    write_index("linear", ["linear", "hostile"], folder / "models")
    (folder / "data/splits").mkdir(parents=True)
    for name, count in (("train", 60), ("test", 40)):
        write_split(
            folder / "data/splits",
            name,
            [f"great {text}" for text in draw_texts(generator, count, WORDS)],
        )
    write_texts(
        folder / "same.jsonl", [f"great {text}" for text in draw_texts(generator, 40, WORDS)]
    )
    other = [f"bad {HOSTILE} zzz {text}" for text in draw_texts(generator, 30, WORDS)]
    write_texts(folder / "other.jsonl", other)
    write_texts(folder / "few.jsonl", ["one", "One!", "two"])
    (folder / "other.txt").write_text("".join(f"{text}\n" for text in other), encoding="utf-8")
    (folder / "empty.jsonl").write_text("")
    return folder


@pytest.fixture
def project(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for path in made.iterdir():
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
# The folder in which it runs.
def run(project: Path, command_line: Command) -> Command:  # noqa: ARG001
    return partial(command_line, "drift")


@pytest.fixture
def splits_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Lets the run have splits of these texts, with the number of texts in a group of each."""

    def write(size: int = 1, **parts: Sequence[str]) -> None:
        (folder := tmp_path / "splits").mkdir()
        for name, texts in parts.items():
            groups = [str(number // size) for number in range(len(texts))] if size > 1 else ()
            write_split(folder, name, texts, groups)
        monkeypatch.setattr("textclf.drift.command.FOLDER", folder)

    return write


def test_texts_of_the_same_kind_have_no_drift(run: Command) -> None:
    done = run("same.jsonl")
    assert (done.status, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[:2] == [
        "new: same.jsonl, 40 rows, 40 different texts",
        "reference: train, 60 rows, 60 different texts",
    ]
    assert lines[2].endswith(
        "classes: test, 40 rows, 40 different texts, which the model has not seen"
    )
    assert lines[-1] == "no drift found (of all 5 checks together at most 5% false alarms)"


def test_rows_without_text_are_left_out(run: Command, project: Path) -> None:
    whole = run("same.jsonl").out
    lines = (project / "same.jsonl").read_text(encoding="utf-8").splitlines()
    (project / "blank.jsonl").write_text(
        "\n".join(['{"text": null}', *lines, "", '{"text": " "}']) + "\n", encoding="utf-8"
    )
    assert run("blank.jsonl").out == whole.replace("same.jsonl", "blank.jsonl")


def test_texts_of_another_kind_have_drift(run: Command) -> None:
    done = run("other.jsonl", "--output", "drift.json")
    assert (done.status, done.err) == (1, "")
    assert done.out.splitlines()[-1].startswith("drift found: classifier, words, length")
    content = written()
    assert content["drift"] is True
    assert content["new"] == {
        "name": "other.jsonl",
        "rows": 30,
        "texts": 30,
        "compared": 30,
        "clusters": 30,
    }
    assert content["held_out"]["name"] == "test"
    checks = content["checks"]
    assert list(checks) == ["classes", "classifier", "length", "unknown_words", "words"]
    assert checks["classes"]["classes"]["no"]["new"]["share"] == 1
    assert checks["words"]["clearest"][0]["word"] in {
        "zzz",
        "bad",
        "great",
        "img",
        "script",
        "src",
        "onerror",
        "alert",
    }
    for check in checks.values():
        assert check["p"] <= check["p_holm"]
        assert check["drift"] == (check["p_holm"] <= 0.05)


def test_another_reference_is_compared_in_all_checks_by_as_few_permutations_as_can_find_drift(
    run: Command,
) -> None:
    for reference in ("test", "same.jsonl"):
        done = run(
            "other.jsonl",
            "--reference",
            reference,
            "--output",
            "drift.json",
            "--permutations",
            "99",
        )
        assert done.status == 1
        content = written()
        assert (content["reference"]["name"], content["permutations"]) == (reference, 99)
        assert "held_out" not in content


def test_lines_of_standard_input_are_compared(
    run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Path("other.txt").open(encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        done = run("-")
    assert done.status == 1
    assert done.out.startswith("new: standard input, 30 rows")


def test_text_of_the_corpus_is_inert_in_lines_and_page(run: Command) -> None:
    name = "<img src=x onerror=alert(1)>.jsonl"
    Path(name).write_bytes(Path("other.jsonl").read_bytes())
    done = run(name, "--model", "hostile", "--page", "drift.html")
    assert done.status == 1
    page = Path("drift.html").read_text(encoding="utf-8")
    shown, _, script = page.partition('<script type="module">')
    assert script
    for text in (done.out, page):
        assert not re.search("[\x1b\u202e]", text)
    for text in (name, HOSTILE):
        assert text not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in shown
    assert "<img" not in shown
    assert shown.count("</script>") == shown.count("<script")


def test_the_same_inputs_give_the_same_bytes(run: Command) -> None:
    written = []
    for seed in ("1", "1", "2"):
        done = run("same.jsonl", "--output", "drift.json", "--page", "drift.html", "--seed", seed)
        written.append((done.out, Path("drift.json").read_bytes(), Path("drift.html").read_bytes()))
    assert written[0] == written[1]
    assert written[0][1] != written[2][1]
    assert str(Path.cwd()) not in written[0][2].decode()


def test_groups_of_new_texts_are_compared_as_a_whole(run: Command, project: Path) -> None:
    """Groups of one topic are four texts each; those of a file without drift differ as much."""
    generator = np.random.default_rng(8)
    topics = generator.choice(["great", "bad", "awful", "nice", "food", "film"], (2, 30))
    for name, words in zip(("old", "new"), topics, strict=True):
        texts = [
            f"{' '.join([word] * 9)} {text}"
            for word in words
            for text in draw_texts(generator, 4, WORDS)
        ]
        write_texts(
            project / f"{name}.jsonl", texts, [f"{name}{number // 4}" for number in range(120)]
        )
    alone = run("new.jsonl", "--reference", "old.jsonl")
    done = run("new.jsonl", "--reference", "old.jsonl", "--group", "who", "--output", "drift.json")
    assert (alone.status, done.status, done.err) == (1, 0, "")
    assert done.out.splitlines()[0] == "new: new.jsonl, 120 rows, 120 different texts in 30 groups"
    assert written()["reference"]["clusters"] == 30


def test_groups_of_a_split_are_those_of_the_run(
    run: Command, project: Path, splits_of: Callable[..., None]
) -> None:
    generator = np.random.default_rng(5)
    splits_of(3, train=draw_texts(generator, 120, WORDS), test=draw_texts(generator, 90, WORDS))
    done = run("same.jsonl")
    assert (
        done.err
        == "warning: drift: the reference has groups of texts; set --group if NEW has some too\n"
    )
    assert "reference: train, 120 rows, 120 different texts, 40 of them compared\n" in done.out
    write_texts(
        project / "grouped.jsonl",
        draw_texts(generator, 90, WORDS),
        [str(n // 3) for n in range(90)],
    )
    done = run("grouped.jsonl", "--group", "who")
    assert (done.status, done.err) == (0, "")
    assert "reference: train, 120 rows, 120 different texts in 40 groups\n" in done.out
    assert "test, 90 rows, 90 different texts in 30 groups, which" in done.out


def test_shared_texts_of_groups_are_counted(run: Command, project: Path) -> None:
    texts = draw_texts(np.random.default_rng(6), 140, WORDS)
    for name, start in (("old", 0), ("new", 65)):  # texts 65 to 74 are on both sides
        write_texts(
            project / f"{name}.jsonl",
            texts[start : start + 75],
            [f"{name}{n // 3}" for n in range(75)],
        )
    run(
        "new.jsonl",
        "--reference",
        "old.jsonl",
        "--group",
        "who",
        "--output",
        "drift.json",
        "--page",
        "drift.html",
    )
    assert written()["shared_texts"] == 10
    assert "10 texts occurred on both sides" in Path("drift.html").read_text(encoding="utf-8")


def test_a_mistake_gets_the_approved_line_and_status_2(run: Command) -> None:
    def say(words: str) -> list[str]:
        done = run(*shlex.split(words))
        assert (done.status, done.out) == (2, "")
        return done.err.splitlines()

    approved.check_cases(Path(__file__).with_name("mistakes.txt"), say)


def test_twenty_texts_are_enough(run: Command) -> None:
    lines = Path("same.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    for count, status in ((19, 2), (20, 0)):
        Path("some.jsonl").write_text("".join(lines[:count]), encoding="utf-8")
        assert run("some.jsonl").status == status


def test_checks_are_left_out_if_there_are_too_few_unseen_rows(
    run: Command, splits_of: Callable[..., None]
) -> None:
    splits_of(train=draw_texts(np.random.default_rng(5), 40, WORDS), test=["great food"])
    done = run("same.jsonl")
    assert done.err == (
        "warning: drift: unknown words and predicted classes are left out, "
        "for which test must have at least 20 different texts or groups other than training or "
        "validation texts; got 1\n"
    )
    assert "of all 3 checks together" in done.out


def test_training_texts_among_the_new_ones_are_not_taken_for_drift(
    run: Command, project: Path
) -> None:
    learned = [
        text
        for shard in splits.open_columns(Path("data/splits"))["train"]
        for text in shard(["text"])["text"].to_pylist()
    ]
    fresh = [
        json.loads(line)["text"]
        for line in (project / "same.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    write_texts(project / "both.jsonl", [*learned[:30], *fresh])
    both = run("both.jsonl", "--output", "both.json")
    assert both.status == 0
    assert both.err == (
        "warning: drift: 30 texts of 70 are training or validation texts, "
        "and left out in unknown words and predicted classes\n"
    )
    assert "which the model has not seen; 40 new texts are compared with them\n" in both.out
    run("same.jsonl", "--output", "fresh.json")
    contents = [written("both.json"), written("fresh.json")]
    assert (
        contents[0]["checks"]["unknown_words"]["new"]
        == contents[1]["checks"]["unknown_words"]["new"]
    )
    assert contents[0]["smallest_difference"] == contents[1]["smallest_difference"]
    assert [content["shared_texts"] for content in contents] == [30, 0]
    assert contents[0]["checks"]["length"] != contents[1]["checks"]["length"]
    write_texts(project / "learned.jsonl", learned)
    assert run("learned.jsonl").err == (
        "warning: drift: unknown words and predicted classes are left out, "
        "for which NEW must have at least 20 different texts or groups other than training or "
        "validation texts; got 0\n"
    )


@pytest.mark.parametrize("reference", ["train", "validation"])
def test_training_and_validation_texts_are_left_out_whichever_is_the_reference(
    run: Command, project: Path, splits_of: Callable[..., None], reference: str
) -> None:
    generator = np.random.default_rng(8)
    drawn = {name: draw_texts(generator, 30, WORDS) for name in ("train", "validation", "test")}
    drawn["test"] = [*drawn["test"], drawn["train"][9], drawn["validation"][9]]
    splits_of(**drawn)
    fresh = draw_texts(generator, 25, WORDS)
    write_texts(project / "mixed.jsonl", [*drawn["train"][:3], *drawn["validation"][:4], *fresh])
    done = run("mixed.jsonl", "--reference", reference, "--output", "drift.json")
    assert done.err == (
        "warning: drift: 7 texts of 32 are training or validation texts, "
        "and left out in unknown words and predicted classes\n"
    )
    content = written()
    assert (content["reference"]["name"], content["held_out"]["name"]) == (reference, "test")
    assert content["held_out"]["texts"] == 30


def test_a_file_is_compared_without_any_extra_and_what_needs_one_says_which(project: Path) -> None:
    slim = partial(python, "-c", WITHOUT_EXTRAS, "drift", "other.jsonl", folder=project)
    done = slim("--reference", "same.jsonl", "--output", "drift.json")
    assert (done.status, done.err) == (1, "")
    line = (
        "error: drift: the package pyarrow must be installed for this; "
        "pip install --only-binary :all: pyarrow\n"
    )
    assert slim() == (2, "", line)
    page = slim("--reference", "same.jsonl", "--page", "drift.html")
    assert (page.status, page.out) == (2, "")
    assert "must be installed for this; in a clone of textclf: make .venv/run" in page.err
