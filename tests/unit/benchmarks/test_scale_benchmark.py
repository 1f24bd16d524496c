"""The benchmark of many rows: its corpus, and what it computes from samples of a run."""

import json
import sys
from collections import Counter
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from benchmarks import corpus, project, timings, watch

SENTENCES = [
    ("The food was great.", 1),
    ("The food was bad!", 0),
    ('So "good", really', 1),
    ("Bad, bad, bad.", 0),
]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus, "published", lambda: SENTENCES)
    monkeypatch.setattr(corpus, "BATCH", 1000)


@pytest.mark.parametrize("count", [20, 1000, 2500])
def test_a_smaller_corpus_is_the_beginning_of_a_larger_one_of_the_same_seed(
    tmp_path: Path, count: int
) -> None:
    few, many, other = (tmp_path / f"{name}.csv" for name in ("few", "many", "other"))
    for path, size, seed in ((few, count, 0), (many, 3000, 0), (other, count, 1)):
        corpus.write(size, path, seed)
    assert many.read_bytes().startswith(few.read_bytes())
    assert other.read_bytes() != few.read_bytes()
    assert len(few.read_text().splitlines()) == 1 + count


def test_csv_and_parquet_have_the_same_rows(tmp_path: Path) -> None:
    paths = [tmp_path / "rows.csv", tmp_path / "rows.parquet"]
    for path in paths:
        corpus.write(2500, path, seed=0)
    assert pd.read_csv(paths[0]).to_dict("list") == pq.read_table(paths[1]).to_pydict()


def test_sentences_are_walks_over_the_sentences_of_the_label() -> None:
    chain = corpus.Chain(SENTENCES)
    states, bounds = chain.walk(np.array([0, 1] * 50), np.random.default_rng(0))
    made = [" ".join(chain.words[state] for state in states[a:b]) for a, b in pairwise(bounds)]
    assert set(made[1::2]) == {"The food was great.", 'So "good", really'}
    assert set(made[::2]) == {"The food was bad!", "Bad, bad, bad."}


def test_rows_are_repeated_and_the_vocabulary_grows() -> None:
    made = list(islice(corpus.batches(corpus.Chain(corpus.published()), seed=0), 20))
    early = set(zip(*made[0], strict=True))
    unusual = [
        [
            (text, label)
            for text, label in zip(texts, labels, strict=True)
            if len(text.split()) > 3 and " w" in text[8:]
        ]
        for texts, labels in made
    ]
    assert len(early) > 100
    repeated = Counter(row in early for batch in unusual[1:] for row in batch)
    assert repeated[True] > 0
    words = [{word for text in texts for word in text.split()} for texts, _ in made]
    assert len(set.union(*words[:10])) < 0.7 * len(set.union(*words))


def test_the_time_between_two_stages_belongs_to_the_first() -> None:
    samples = [
        watch.Sample(0.5, 60, working=False),
        watch.Sample(1.5, 200, working=True),
        watch.Sample(2.5, 100, working=True),
        watch.Sample(3.9, 60, working=False),
        watch.Sample(4.5, 500, working=True),
    ]
    lines = [
        (1.0, "Running stage 'split':"),
        (1.1, "> python -m stages.split"),
        (4.0, "Running stage 'train@keras':"),
    ]
    start, split, train = watch.stages(watch.Run(5.0, lines, samples, 500))
    assert (start.name, start.seconds, start.waiting, start.largest) == (
        "DVC's start",
        1.0,
        1.0,
        60,
    )
    assert (split.name, split.seconds, split.largest) == ("split", 3.0, 200)
    assert split.waiting == pytest.approx(4.0 - 2.5 - watch.INTERVAL / 2)
    assert (train.name, train.largest) == ("train@keras", 500)


def test_the_memory_of_a_command_includes_its_children_and_a_failing_one_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    child = "block = b'1' * 300_000_000"
    script = (
        f"import subprocess, sys; print('begun'); subprocess.run([sys.executable, '-c', {child!r}])"
    )
    run = watch.watch([sys.executable, "-c", script], tmp_path, {})
    assert [line for _, line in run.lines] == ["begun"]
    assert run.largest > 300_000_000
    with pytest.raises(SystemExit, match="must exit with 0; got 3"):
        watch.watch(
            [sys.executable, "-c", "import sys; print('why', file=sys.stderr); sys.exit(3)"],
            tmp_path,
            {},
        )
    assert "why" in capsys.readouterr().err


def test_the_copy_of_a_project_has_no_results_of_another_corpus(tmp_path: Path) -> None:
    kept, made = (
        tmp_path / "metrics" / "search.json",
        tmp_path / "metrics" / "models" / "keras.json",
    )
    made.parent.mkdir(parents=True)
    for path in (kept, made, tmp_path / "plot.svg"):
        path.touch()
    outs = "[{path: plot.svg}, {path: metrics/models}, {path: gone.json}]"
    (tmp_path / "dvc.lock").write_text(f"stages: {{check: {{cmd: x}}, plot: {{outs: {outs}}}}}")
    project.remove_run(tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [kept]


def test_stages_are_shown_side_by_side_with_the_ratios(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(timings, "RESULTS", tmp_path)
    part = {"name": "split", "seconds": 2.5, "waiting": 0.5, "largest": 900}
    ratios = {"fastText": {"median": 0.9, "minimum": 0.8, "maximum": 1.1}}
    whole = {"rounds": 3, "pipeline": part | {"seconds": 4.0}}
    for rows, parts, compared in ((10_000, [part], ratios), (2_000, [], {})):
        content = whole | {"rows": rows, "parts": parts, "ratios": compared}
        (tmp_path / f"scale-{rows}.json").write_text(json.dumps(content))
    header, _, *lines = timings.scale_stages().splitlines()
    assert header.split(" | ")[1:3] == ["2,000 rows: seconds (of it DVC)", "2,000 rows: MB"]
    assert lines[:3] == [
        "| **pipeline, end to end** | 4.0 (0.5) | 900 | 4.0 (0.5) | 900 |",
        "| `split` |  |  | 2.5 (0.5) | 900 |",
        "| pipeline / fastText |  |  | 0.90 (0.80\N{EN DASH}1.10) |  |",
    ]


def test_a_file_with_two_hard_links_is_counted_once(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "cache").mkdir()
    (tmp_path / "data" / "a").write_bytes(b"1" * 100_000)
    one = watch.on_disk([tmp_path / "data"])
    (tmp_path / "cache" / "a").hardlink_to(tmp_path / "data" / "a")
    both = watch.on_disk([tmp_path / "data", tmp_path / "cache"])
    assert 100_000 <= one <= both < 200_000
