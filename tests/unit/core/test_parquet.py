import io
import os
from pathlib import Path
from unittest.mock import Mock

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from textclf.core import parquet

TABLE = pa.table({"id": ["a", "b"], "probability_é": [0.25, 0.75]}).replace_schema_metadata({"made by": "a test"})


def written(table: pa.Table = TABLE, count: int = 1) -> bytes:
    stream = io.BytesIO()
    with parquet.Writer(stream, table.schema) as writer:
        for _ in range(count):
            writer.write_table(table)
    return stream.getvalue()


def test_a_file_is_one_that_any_reader_of_parquet_reads() -> None:
    content = written(count=3)
    assert content == written(count=3)
    assert pq.read_table(io.BytesIO(content)).equals(pa.concat_tables([TABLE] * 3))
    assert pq.ParquetFile(io.BytesIO(content)).num_row_groups == 3
    assert pq.read_schema(io.BytesIO(content)).equals(TABLE.schema, check_metadata=True)
    assert parquet.open_file(io.BytesIO(content)).schema_arrow.metadata == {b"made by": b"a test"}


def test_a_file_is_written_and_read_by_its_path(tmp_path: Path) -> None:
    parquet.write_table(TABLE, tmp_path / "a.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == written()
    assert parquet.open_file(tmp_path / "a.parquet").read().equals(TABLE)
    assert parquet.open_file(tmp_path / "a.parquet").read(["id"]).column_names == ["id"]


def test_a_file_is_verified_once_and_again_when_it_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    verified = Mock(wraps=parquet.verify)
    monkeypatch.setattr(parquet, "verify", verified)
    path = tmp_path / "a.parquet"
    parquet.write_table(TABLE, path)
    for _ in range(2):
        assert parquet.open_file(path).read().equals(TABLE)
    assert verified.call_count == 1
    damaged = bytearray(path.read_bytes())
    damaged[5] ^= 1
    path.write_bytes(damaged)
    os.utime(path, ns=(0, 0))
    with pytest.raises(parquet.ChecksumError):
        parquet.open_file(path)


@pytest.mark.parametrize("tail", [parquet.TAIL, 700, 10**9])
def test_each_flipped_bit_is_noticed(tail: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "TAIL", tail)
    monkeypatch.setattr(parquet, "CHUNK", 64)
    content = written()
    parquet.verify(io.BytesIO(content))
    start = content.index(parquet.FOUND)
    for position in range(8 * len(content)):
        damaged = bytearray(content)
        damaged[position // 8] ^= 1 << position % 8
        if not start <= position // 8 < start + len(parquet.FOUND):  # else it looks like a file without a checksum
            with pytest.raises(parquet.ChecksumError):
                parquet.verify(io.BytesIO(damaged))


@pytest.mark.parametrize(
    "content", [written()[:-1], written() + b"\0", written()[1:], written()[:200] + written()[250:]]
)
def test_a_file_with_other_bytes_than_those_written_is_refused(content: bytes) -> None:
    with pytest.raises((parquet.ChecksumError, pa.ArrowInvalid)):
        parquet.open_file(io.BytesIO(content))


def test_a_file_without_a_checksum_is_read_unless_one_is_required(tmp_path: Path) -> None:
    texts = pa.table({"text": ["the key textclf.sha256", "b"]})
    pq.write_table(texts, tmp_path / "old.parquet", compression="none")
    assert parquet.open_file(tmp_path / "old.parquet").read().equals(texts)
    with pytest.raises(parquet.ChecksumError):
        parquet.open_file(tmp_path / "old.parquet", required=True)
    for content in (b"", b"PAR1", b"x" * 100):
        parquet.verify(io.BytesIO(content))  # it is for the reader to say what is wrong


def test_a_file_is_not_readable_if_its_writer_failed(tmp_path: Path) -> None:
    with pytest.raises(KeyError), parquet.create(tmp_path / "a.parquet", TABLE.schema) as writer:  # noqa: PT012
        writer.write_table(TABLE)
        raise KeyError
    with pytest.raises(pa.ArrowInvalid):
        parquet.open_file(tmp_path / "a.parquet")
