"""The command `textclf suggest`: the texts that it chooses, what it writes and refuses."""

import errno
import json
import os
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import numpy as np
import pyarrow as pa
import pytest

from tests.processes import Command
from tests.unit.predict.models import export, several_labels, two_classes
from textclf.artifacts import splits
from textclf.artifacts.decisions import write_index
from textclf.core.arrow import hash_normalized
from textclf.label import suggest
from textclf.label.rows import Row, read_rows
from textclf.label.suggest import choose, sample_pool
from textclf.predict.inputs import TextBatch
from textclf.vectorize.representation import Block, Union

TEXTS = [
    f"{word} {other}"
    for word in ("great", "bad", "food", "place")
    for other in ("one", "two", "three", "four")
]
HEADER = "id,text,label,chosen,round\n"


@pytest.fixture
def run(here: Path, command_line: Command) -> Command:
    (here / "pool.csv").write_text(
        "".join(f"{text}\n" for text in ["text", *TEXTS]), encoding="utf-8"
    )
    return partial(command_line, "suggest", "pool.csv")


def make_project(ids: str = "{} {}", **parts: Sequence[str]) -> None:
    Path("params.yaml").write_text("data: {path: t.csv}\n")
    Path("labelled.csv").write_text(HEADER, encoding="utf-8")
    Path("data/splits").mkdir(parents=True, exist_ok=True)
    splits.write_classes(["no", "yes"], Path("data/splits"))
    for name, texts in parts.items():
        rows = [
            {"id": ids.format(name, n), "text": text, "label": 0} for n, text in enumerate(texts)
        ]
        splits.write_table(
            pa.Table.from_pylist(rows, schema=splits.SCHEMA), Path(f"data/splits/{name}.parquet")
        )


def written() -> list[Row]:
    return read_rows(Path("to_label.csv"))


def test_a_sample_is_of_distinct_unknown_texts_whatever_their_order_and_batches() -> None:
    texts = [f"text {number}" for number in range(300)]
    rows = [
        (f"{copy}{text}", text if copy == "b" else text.upper()) for text in texts for copy in "ab"
    ]
    for size, batch, ordered in ((20, 7, rows), (20, 1000, rows[::-1]), (200, 50, rows)):
        parts = [ordered[start : start + batch] for start in range(0, len(rows), batch)]
        batches = [
            TextBatch([name for name, _ in part], [text for _, text in part]) for part in parts
        ]
        sample, counted = sample_pool(batches, [texts[:100]], seed=3, size=size)
        kept = np.array(texts[100:])[np.argsort(hash_normalized(texts[100:], 3))[:size]]
        assert sample == ([f"a{text}" for text in kept], [text.upper() for text in kept])
    assert counted == "600 rows, 200 of them labelled, discarded or empty; 200 other texts"


@pytest.mark.parametrize("encoded", [True, False])
def test_each_cluster_has_one_text_and_near_copies_count_once(encoded: bool) -> None:
    vectors, texts = np.repeat(np.eye(8), 10, axis=0), [f"{number} a" for number in range(80)]
    diverse = choose(vectors, None, texts, (10, 2), encoded)
    assert [*diverse.items()][:2] == [(0, "random"), (1, "random")]
    assert sorted(place // 10 for place, why in diverse.items() if why == "diverse") == [*range(8)]
    margins = np.where(np.arange(80) % 20 < 10, 0.1, 0.9)  # small in every other cluster
    doubtful = choose(vectors, margins, texts, (6, 2), encoded)
    assert sorted(place // 10 for place, why in doubtful.items() if why == "uncertain") == [
        0,
        2,
        4,
        6,
    ]
    copies = [
        "one two three four five",
        "Five, four three two one!",
        "one two three four",
        "",
        "\U0001f600",
        "six",
    ]
    assert sorted(choose(np.eye(6), None, copies, (6, 1), encoded)) == [0, 3, 4, 5]


def test_without_a_project_texts_are_diverse_and_files_stay(run: Command) -> None:
    said = "to_label.csv: 8 chosen (5 random, 3 diverse); next: textclf label to_label.csv"
    assert run("--rows", "8").out.splitlines()[1] == said
    # The rows of each kind are mixed.
    assert [row.why for row in written()] != sorted((row.why for row in written()), reverse=True)
    assert run("--rows", "8", "--output", "again.csv").status == 0
    assert Path("again.csv").read_bytes() == Path("to_label.csv").read_bytes()
    assert "--output must be a new file; got to_label.csv" in run().err
    Path("table.csv").write_text(
        "id,text,label,split\n" + "".join(f"{n},{text},,\n" for n, text in enumerate(TEXTS))
    )
    assert (
        "must have texts to label; got 16 rows, 16 of them labelled"
        in run("--output", "more.csv").err
    )


def test_the_other_columns_of_the_pool_are_there_for_those_who_answer(run: Command) -> None:
    lines = [f"{n},title {n},{text},{'ab'[n % 2]},\n" for n, text in enumerate(TEXTS)]
    Path("pool.csv").write_text("number,title,message,team,label\n" + "".join(lines))
    make_project(train=["seen"], test=["also seen"])
    Path("params.yaml").write_text("data: {text: message, label: team, id: number}\n")
    assert run("--rows", "5").status == 0
    # Neither the labels of the table nor columns that the file to label has for itself.
    assert [row.other for row in written()] == [{"title": f"title {row.id}"} for row in written()]
    assert all(row.text == TEXTS[int(row.id)] and row.open for row in written())


def test_other_columns_that_hold_objects_stay_out(run: Command) -> None:
    rows = [{"text": text, "spans": [{"n": n}]} for n, text in enumerate(TEXTS)]
    Path("pool.csv").unlink()
    Path("pool.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    assert run.func("suggest", "pool.jsonl", "--rows", "5").status == 0  # type: ignore[attr-defined]
    assert [row.other for row in written()] == [{}] * 5


@pytest.mark.parametrize("links", [True, False], ids=["links", "no links"])
def test_a_file_that_appears_meanwhile_stays(
    links: bool, run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    def appear(*arguments: Any) -> Any:
        Path("to_label.csv").write_text("mine")
        return choose(*arguments)

    if not links:
        monkeypatch.setattr(os, "link", refuse)
    assert run("--output", "first.csv").status == 0
    monkeypatch.setattr(suggest, "choose", appear)
    status, _, err = run()
    assert (status, err.count("\n")) == (2, 1)
    assert (
        "--output must be a new file; got to_label.csv; textclf label --merge adds its answers"
        in err
    )
    assert Path("to_label.csv").read_text() == "mine"
    assert sorted(map(str, Path().iterdir())) == ["first.csv", "pool.csv", "to_label.csv"]


def test_a_model_suggests_for_texts_that_the_project_does_not_have(run: Command) -> None:
    write_index("m", [export(two_classes(), Path("models/m")).name], Path("models"))
    make_project(train=TEXTS[:4], test=TEXTS[4:6], test_unknown=["bad three"])
    Path("labelled.csv").write_text(
        f"{HEADER}x,FOOD  three,yes,,1\ny,food four,,random,1\n", encoding="utf-8"
    )
    assert (
        run("--random", "0").out.splitlines()[1].startswith("to_label.csv: 7 chosen (7 uncertain)")
    )
    rows = {row.text: row for row in written()}
    assert sorted(rows) == sorted([*TEXTS[7:10], *TEXTS[12:]])
    assert rows["bad four"] == replace(
        rows["bad four"], id="pool.csv:9", label="", by="", suggested="no"
    )
    assert float(rows["bad four"].probability) == pytest.approx(1 / (1 + np.exp(-3.5)), abs=1e-6)


def test_suggestions_of_several_labels_are_lists(run: Command) -> None:
    write_index("m", [export(several_labels(), Path("models/m")).name], Path("models"))
    assert run().status == 0
    assert {row.text: json.loads(row.suggested) for row in written()}["great one"] == [
        "good, great"
    ]


def test_predictions_take_the_place_of_a_model(run: Command) -> None:
    lines = [
        "id,probability_a,probability_b\n",
        *(f"pool.csv:{n + 2},{n / 20},{1 - n / 20}\n" for n in range(16)),
    ]
    Path("made.csv").write_text("".join(lines))
    assert run("--rows", "5", "--random", "0", "--predictions", "made.csv").status == 0
    near = dict(zip(TEXTS[6:15], "bbbbaaaaa", strict=True))  # the half around 0.5
    assert {row.text: row.suggested for row in written()}.items() <= near.items()
    Path("made.csv").write_text("".join(lines[:-1]))
    failed = run("--predictions", "made.csv", "--output", "more.csv")
    assert "made.csv must have a row for each text; ids are missing: pool.csv:17" in failed.err


def test_an_encoder_among_other_features_encodes_each_text_once() -> None:
    encode = Mock(side_effect=lambda texts: np.ones((len(texts), 1)))
    encoder: Any = SimpleNamespace(kind="dense", columns=1, transform=encode)
    both = Union([Block("a", 1.0, two_classes().vectorizer), Block("b", 1.0, encoder)])
    result = suggest._encoder(both)
    both.transform(["x", "y"])
    assert result.transform(["y", "x"]).tolist() == [[1], [1]]
    encode.assert_called_once_with(["x", "y"])


def test_mistakes_are_named(run: Command) -> None:
    make_project()
    assert "data/splits/train.parquet not found; run dvc repro" in run().err
    make_project("pool.csv:2", train=["other"], test=[])
    assert "an id must be that of no other text; got pool.csv:2; leave out --id, or" in run().err
    assert "--random must be from 0 to 8; got 9" in run("--rows", "8", "--random", "9").err
