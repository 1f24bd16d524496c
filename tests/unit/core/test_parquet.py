import io
import os
from pathlib import Path
from unittest.mock import Mock

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.faults.damage import flip_bit
from textclf.core import parquet

TABLE = pa.table({"id": ["a", "b"], "probability_é": [0.25, 0.75]}).replace_schema_metadata(
    {"made by": "a test"}
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that `write_table` wrote."""
    parquet.write_table(TABLE, tmp_path / "a.parquet")
    return tmp_path / "a.parquet"


def test_a_file_is_one_that_any_reader_of_parquet_reads(tmp_path: Path) -> None:
    paths = tmp_path / "a.parquet", tmp_path / "b.parquet"
    for path in paths:
        with parquet.create(path, TABLE.schema) as writer:
            for _ in range(3):
                writer.write_table(TABLE)
    path, other = paths
    assert path.read_bytes() == other.read_bytes()
    assert pq.read_table(path).equals(pa.concat_tables([TABLE] * 3))
    assert pq.ParquetFile(path).num_row_groups == 3
    assert pq.read_schema(path).equals(TABLE.schema, check_metadata=True)
    assert parquet.open_file(path).schema_arrow.metadata == {b"made by": b"a test"}


def test_a_file_is_verified_once_and_again_when_it_has_changed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed = Mock(wraps=parquet._checksum)
    monkeypatch.setattr(parquet, "_checksum", computed)
    for _ in range(2):
        assert parquet.open_file(path).read(["id"]).equals(TABLE.select(["id"]))
    assert computed.call_count == 1
    path.write_bytes(flip_bit(path.read_bytes(), 40))
    os.utime(path, ns=(0, 0))
    with pytest.raises(parquet.ChecksumError):
        parquet.open_file(path)


def test_a_flipped_bit_is_noticed_wherever_it_is(path: Path) -> None:
    content = path.read_bytes()
    # Of the first and last bytes each bit, of the others one.
    ends = [*range(128), *range(8 * len(content) - 512, 8 * len(content))]
    for position in {*ends, *range(0, 8 * len(content), 9)}:
        path.write_bytes(flip_bit(content, position))
        with pytest.raises(parquet.ChecksumError):
            parquet._verify_once(path, position)


@pytest.mark.parametrize("change", [slice(-1), slice(1, None), slice(0), slice(200)])
def test_a_file_with_other_bytes_than_those_written_is_refused(path: Path, change: slice) -> None:
    path.write_bytes(path.read_bytes()[change])
    with pytest.raises(ValueError, match=r"checksum in its footer|empty file"):
        parquet.open_file(path)


def test_a_file_without_a_checksum_is_refused(tmp_path: Path) -> None:
    texts = pa.table({"text": ["the key textclf.sha256", "b"]})
    pq.write_table(texts, tmp_path / "other.parquet", compression="none")
    with pytest.raises(parquet.ChecksumError):
        parquet.open_file(tmp_path / "other.parquet")


def test_a_stream_is_not_readable_if_its_writer_failed() -> None:
    stream = io.BytesIO()
    with pytest.raises(KeyError), parquet.writing(stream, TABLE.schema) as writer:  # noqa: PT012
        writer.write_table(TABLE)
        raise KeyError
    del writer
    with pytest.raises(pa.ArrowInvalid):
        pq.ParquetFile(stream)
