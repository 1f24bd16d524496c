"""Terms of splits in several files: vectors as of all texts at once, and by workers."""

import contextlib
import itertools
import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import stored_splits
from tests.processes import python
from tests.refusal import refusal
from tests.unit.vectorize.terms.corpora import CORPORA, TEXTS, any_settings, same
from textclf.artifacts import features, shards, splits
from textclf.artifacts.features import Features
from textclf.artifacts.shards import Shards
from textclf.core import parquet, resources, workers
from textclf.core.errors import UserError
from textclf.vectorize import batches, representation, stage
from textclf.vectorize.stage import estimate, require_memory_and_disk, vectorize
from textclf.vectorize.terms.settings import Terms
from textclf.vectorize.terms.vectorizer import Vectorizer

CLASSES = ["neg", "pos"]


def sharded(
    train: list[str], test: list[str], cuts: set[int], settings: Terms, folder: Path
) -> tuple[dict[str, Features], Vectorizer, dict[str, Mapping[str, int]]]:
    """Return features, vectorizer and shapes of shards; these rows cut the training texts."""
    shutil.rmtree(folder / "scratch", ignore_errors=True)
    for name in ("splits", "features"):
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir()
    splits.write_classes(CLASSES, folder / "splits")
    borders = [0, *sorted(cut for cut in cuts if cut < len(train)), len(train)]
    pieces = {
        "train": [train[low:high] for low, high in itertools.pairwise(borders)],
        "test": [test],
    }
    for name, texts in pieces.items():
        frames = [
            pd.DataFrame(
                {
                    "id": [f"{name}{number}:{n}" for n in range(len(piece))],
                    "text": piece,
                    "label": "pos",
                }
            )
            for number, piece in enumerate(texts)
        ]
        shards.write(frames, folder / "splits", name, ".parquet", stored_splits.write)
    rows = splits.open_shards(folder / "splits")
    made = vectorize(rows, CLASSES, "words", settings, folder / "features", folder, folder)
    opened = features.open_shards(folder / "features")
    assert {name: len(parts) for name, parts in opened.items()} == {
        "train": len(borders) - 1,
        "test": 1,
    }
    return (
        features.read(folder / "features"),
        representation.read(folder / "features" / representation.VECTORIZER, folder),
        dict(made.parts["words"].splits),
    )


def write_features(rows: Mapping[str, Shards[pd.DataFrame]], folder: Path) -> None:
    (folder / "features").mkdir()
    vectorize(rows, CLASSES, "words", Terms(), folder / "features", folder, folder)


@given(
    train=st.lists(TEXTS, min_size=1, max_size=12),
    test=CORPORA,
    cuts=st.sets(st.integers(1, 11)),
    settings=any_settings(),
)
def test_shards_give_the_same_as_all_rows_at_once(
    tmp_path_factory: pytest.TempPathFactory,
    train: list[str],
    test: list[str],
    cuts: set[int],
    settings: Terms,
) -> None:
    folder = tmp_path_factory.getbasetemp()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workers, "FEWEST_TASKS", 1000)
        patch.setattr(resources, "announce", lambda *_: None)
        try:
            once = Vectorizer.fit(train, settings)
        except UserError as error:
            with pytest.raises(UserError, match=re.escape(str(error))):
                sharded(train, test, cuts, settings, folder)
            return
        parts, vectorizer, shapes = sharded(train, test, cuts, settings, folder)
    assert (
        vectorizer.to_json()
        == Vectorizer.from_json(json.loads(json.dumps(once.to_json()))).to_json()
    )
    for name, texts in (("train", train), ("test", test)):
        expected = once.transform(texts)
        assert same(parts[name].X, expected)
        assert parts[name].X.dtype == expected.dtype
        assert shapes[name] == features.shape(parts[name])


@pytest.mark.parametrize(("hashing", "weighting"), [(None, "tfidf"), (64, "counts"), (64, "tfidf")])
def test_workers_give_the_same_as_one_process(
    two_workers: workers.Pool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    hashing: int | None,
    weighting: str,
) -> None:
    generator = np.random.default_rng(0)
    words = [f"w{number:03}" for number in range(300)]
    texts = [" ".join(generator.choice(words, 10)) for _ in range(200)]
    changes = {"weighting": weighting, "hashing": hashing, "max_features": None if hashing else 100}
    settings = Terms.model_validate({"analyzer": "word+char_wb"} | changes)
    monkeypatch.setattr(workers, "pool", lambda *_: contextlib.nullcontext(two_workers))
    monkeypatch.setattr(stage, "MERGED", 2)  # twelve files are merged in four steps
    parts, vectorizer, _ = sharded(texts, texts[:9], set(range(17, 200, 17)), settings, tmp_path)
    once = Vectorizer.fit(texts, settings)
    assert vectorizer.parts == once.parts
    assert same(parts["train"].X, once.transform(texts))
    assert same(parts["test"].X, once.transform(texts[:9]))


def test_terms_are_counted_without_importing_pandas(tmp_path: Path) -> None:
    (tmp_path / "features").mkdir()
    for name in ("train-00001", "train-00002", "test"):
        rows = pd.DataFrame({"id": [name], "text": f"good {name}", "label": "pos"})
        stored_splits.write(rows, tmp_path / f"{name}.parquet")
    code = (
        "import sys; from pathlib import Path; from textclf.artifacts import splits;"
        "from textclf.vectorize.stage import vectorize; from textclf.vectorize.terms.settings "
        "import Terms;settings = Terms(weighting='tfidf'), Path('features'), Path(), Path();"
        "print(vectorize(splits.open_shards(Path()), ['pos'], 'words', "
        "*settings).parts['words'].columns);print('pandas' in sys.modules)"
    )
    done = python("-c", code, folder=tmp_path)
    assert (done.out.splitlines()[-2:], done.err) == (["4", "False"], "")


@pytest.mark.parametrize("column", ["id", "text", "label"])
def test_a_shard_with_nulls_or_without_one_of_its_columns_is_damaged(
    tmp_path: Path, column: str
) -> None:
    rows = pa.table({"id": ["c:1"], "text": ["good"], "label": [0]})
    nulls = rows.set_column(rows.column_names.index(column), column, pa.nulls(1, rows[column].type))
    for number, damaged in enumerate((nulls, rows.drop_columns([column]))):
        (folder := tmp_path / str(number)).mkdir()
        parquet.write_table(rows, folder / "train.parquet")
        parquet.write_table(damaged, folder / "test.parquet")
        assert "test.parquet is damaged; remove it" in refusal(
            write_features, splits.open_shards(folder), folder
        )


@pytest.mark.parametrize(
    "name", ["scratch/train-word.npz", "scratch/train-word.terms", "scratch/word.part"]
)
def test_temporary_files_that_a_failing_disk_gives_back_damaged_are_told_in_a_line(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shard = tmp_path / "train.parquet"
    stored_splits.write(pd.DataFrame({"id": ["c:1"], "text": ["good"], "label": ["pos"]}), shard)
    transform = batches.transform_batch

    def damage_first(*arguments: Any) -> Any:
        (tmp_path / name).write_bytes(b"damaged")
        return transform(*arguments)

    monkeypatch.setattr("textclf.vectorize.stage.transform_batch", damage_first)
    with pytest.raises(UserError, match=f"{re.escape(name)} is damaged; remove it"):
        write_features({"train": Shards([shard], splits.read_shard)}, tmp_path)


def test_the_estimate_grows_with_the_texts_and_the_ngrams() -> None:
    def of_terms(letters: int = 10**6, **changes: object) -> tuple[int, int]:
        return estimate(100, letters, 2, Terms.model_validate(changes))

    memory, disk = of_terms()
    for larger in (of_terms(10**7), of_terms(ngram_range=(1, 3)), of_terms(analyzer="word+char")):
        assert larger[0] > memory
        assert larger[1] > disk


def test_each_worker_needs_the_memory_of_a_shard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stored_splits.write(
        pd.DataFrame({"id": ["c:1"], "text": ["good"], "label": ["pos"]}),
        tmp_path / "train.parquet",
    )
    paths = {"train": [tmp_path / "train.parquet"] * 11}
    monkeypatch.setattr(resources, "cores", lambda: 4)
    for available, told in ((10**12, "0.5 GB"), (3 * 10**8, "0.4 GB")):
        monkeypatch.setattr(resources, "available_memory", lambda available=available: available)
        with contextlib.suppress(UserError):
            require_memory_and_disk(paths, Terms(), "words", tmp_path)
        assert capsys.readouterr().out.startswith(f"11 rows in 11 shards: about {told} of memory")


def test_too_little_memory_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "splits").mkdir()
    for name in ("train-00001", "train-00002", "test"):
        rows = pd.DataFrame({"id": [name], "text": "good", "label": "pos"})
        stored_splits.write(rows, tmp_path / "splits" / f"{name}.parquet")
    splits.write_classes(CLASSES, tmp_path / "splits")
    monkeypatch.setattr(resources, "available_memory", lambda: 10_000_000)
    with pytest.raises(UserError) as error:
        vectorize(
            splits.open_shards(tmp_path / "splits"),
            CLASSES,
            "words",
            Terms(),
            *[tmp_path / "features"] * 3,
        )
    (line,) = error.value.lines
    assert line.startswith(
        "vectorize.words.analyzer word needs about 0.3 GB of memory; 10 MB is available; "
    )
    assert capsys.readouterr().out == "3 rows in 3 shards: about 0.3 GB of memory, 0.0 MB of disk\n"
    assert [path.name for path in tmp_path.iterdir()] == ["splits"]
