import io
import math
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.processes import python
from tests.refusal import refusal
from textclf.core import files


def test_json_is_sorted_indented_and_ends_with_a_newline(tmp_path: Path) -> None:
    files.write_json(tmp_path / "x.json", {"b": [1, 0.5], "a": {"é": None}})
    assert (tmp_path / "x.json").read_bytes() == (
        '{\n  "a": {\n    "é": null\n  },\n  "b": [\n    1,\n    0.5\n  ]\n}\n'.encode()
    )
    assert files.read_json(tmp_path / "x.json") == {"b": [1, 0.5], "a": {"é": None}}


def test_versioned_json_holds_its_format_and_hides_it_and_a_newer_one_is_refused(
    tmp_path: Path,
) -> None:
    path = tmp_path / "x.json"
    files.write_versioned_json(path, {"width": 2})
    assert files.read_json(path) == {"format": 1, "width": 2}
    assert files.read_versioned_json(path) == {"width": 2}
    files.write_json(path, {"format": 2})
    error = "was made by a newer textclf (format 2; this version reads 1); upgrade textclf"
    assert refusal(files.read_versioned_json, path) == f"{path} {error}"


@pytest.mark.parametrize(
    "content", [[], "x", None, {"format": "1"}, {"format": True}, {"format": 1.0}, {"format": 0}]
)
def test_versioned_json_that_is_no_object_with_an_integer_format_is_damaged(
    tmp_path: Path, content: object
) -> None:
    files.write_json(tmp_path / "x.json", content)
    assert " is damaged; " in refusal(files.read_versioned_json, tmp_path / "x.json")


def test_json_holds_no_nan(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.write_json(tmp_path / "x.json", math.nan)


def test_named_columns_of_a_csv_are_read_alone(tmp_path: Path) -> None:
    files.write_csv(tmp_path / "x.csv", pd.DataFrame({"term": ["NA"], "b": [1.0], "c": [1]}))
    assert files.read_csv(tmp_path / "x.csv", ["c", "term"]).columns.tolist() == ["term", "c"]


WRONG_ROWS = (b"x", b"x,1,2", b"x,1y", b"\xff,1", b'"x,1', b"x,99999999999999999999")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"term,row\nx,1\n",
        b"term,rows,rows\nx,1\n",
        *(b"term,rows\n" + row + b"\n" for row in WRONG_ROWS),
    ],
)
def test_a_damaged_csv_is_an_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.csv").write_bytes(content)
    assert "x.csv is damaged; " in refusal(files.read_csv, tmp_path / "x.csv", ["term", "rows"])


# fmt: off
CLASSES = [
    "007", "NA", "nan", "null", "None", "true", "False", "1e3", "1.0", "-0", "a,b", 'say "so"', '"',
    "a;b\tc", " ", " x ", "é😀", "\u2028", "#x", "'x'", "=1+1", "'=1+1", "''-a", "-1", "@me", "inf",
    "\ufeffx",
]
# fmt: on


def test_text_of_a_csv_comes_back_as_it_was(tmp_path: Path) -> None:
    rows = dict.fromkeys(files.TEXT_COLUMNS, CLASSES)
    files.write_csv(tmp_path / "x.csv", pd.DataFrame(rows))
    assert files.read_csv(tmp_path / "x.csv", [*rows]).to_dict("list") == rows


def test_text_that_a_spreadsheet_would_compute_has_an_apostrophe(tmp_path: Path) -> None:
    cells = ["=1+1", "'=1+1", "@me", "-a", "+1-2", "-1.5", "-", "a=b", ""]
    files.write_csv(tmp_path / "x.csv", pd.DataFrame({"id": cells, "n": -1.0}))
    expected = ["'=1+1", "''=1+1", "'@me", "'-a", "'+1-2", "-1.5", "-", "a=b", ""]
    assert (tmp_path / "x.csv").read_text() == "\n".join(
        ["id,n", *(f"{cell},-1.0" for cell in expected), ""]
    )


@pytest.mark.parametrize(
    ("frame", "content"),
    [
        (pd.DataFrame({"model": [], "a,b": []}), b'model,"a,b"\n'),
        (
            pd.concat(
                [
                    pd.DataFrame(columns=["term", "share"]),
                    pd.DataFrame({"term": ["x"], "share": [1 / 3]}),
                ]
            ),
            b"term,share\nx,0.333333\n",
        ),
        (
            pd.DataFrame({"class": ["NA", "nan"], "f1": [0.5, math.nan]}),
            b"class,f1\nNA,0.5\nnan,\n",
        ),
        (
            pd.DataFrame({"term": ["NA", "é,"], "b": [1 / 3, 1.0], "c": [1, 2]}),
            'term,b,c\nNA,0.333333,1\n"é,",1.0,2\n'.encode(),
        ),
    ],
    ids=["no rows", "decimals beside a table without rows", "no number", "rounded numbers"],
)
def test_a_csv_has_these_bytes_and_is_read_as_written(
    tmp_path: Path, frame: pd.DataFrame, content: bytes
) -> None:
    files.write_csv(tmp_path / "x.csv", frame)
    assert (tmp_path / "x.csv").read_bytes() == content
    read = files.read_csv(tmp_path / "x.csv")
    pd.testing.assert_frame_equal(read, frame.round(6), check_dtype=False)


CELLS = {
    "term": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), min_size=1),
    "whole": st.integers(-(2**63), 2**63 - 1),
    "part": st.floats(allow_infinity=False) | st.floats(-1, 1),
}


@given(st.lists(st.fixed_dictionaries(CELLS), min_size=1))
def test_a_csv_is_read_as_it_was_written(records: list[dict[str, Any]]) -> None:
    frame = pd.DataFrame(records, columns=list(CELLS))
    with tempfile.TemporaryDirectory() as folder, np.errstate(over="ignore"):
        files.write_csv(Path(folder, "x.csv"), frame)
        read = files.read_csv(Path(folder, "x.csv"))
        rounded = frame["part"].to_numpy().round(files.DIGITS)
    assert [read[name].tolist() for name in ("term", "whole")] == [
        frame[name].tolist() for name in ("term", "whole")
    ]
    assert np.array_equal(read["part"], rounded, equal_nan=True)


@pytest.mark.parametrize(
    "read", [files.require, files.read_json, files.read_versioned_json, files.read_csv]
)
def test_what_is_missing_is_named_with_what_makes_it(
    tmp_path: Path, read: Callable[[Path], object]
) -> None:
    path = tmp_path / "train.x"
    assert refusal(read, path) == f"{path} not found; run dvc repro (or dvc pull) to make it"


def test_sha256_is_that_of_the_standard(tmp_path: Path) -> None:
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    (tmp_path / "abc").write_bytes(b"abc")
    assert files.sha256(b"abc") == files.sha256_of_file(tmp_path / "abc") == digest


ARRAYS = {
    "columns first": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "every other row": np.arange(12, dtype=np.int32).reshape(4, 3)[::2],
    "no rows": np.empty((0, 3), dtype=np.float32),
    "one number": np.array(3.5),
    "text": np.array(["a", "longer"]),
    "larger than a buffer": np.arange(100_000, dtype=np.int64),
}


@pytest.mark.parametrize("array", ARRAYS.values(), ids=ARRAYS)
def test_the_bytes_are_those_of_numpy(array: NDArray[np.generic]) -> None:
    ours, numpys = io.BytesIO(), io.BytesIO()
    files.write_npy(ours, array)
    np.save(numpys, np.array(array, order="C"), allow_pickle=False)
    assert ours.getvalue() == numpys.getvalue()


@pytest.mark.parametrize(
    ("count", "room"), [(2, 129), (26, 129), (40_000, 0), (40_000, 128), (40_000, 20_000)]
)
def test_no_room_for_the_end_of_an_array_is_an_error(tmp_path: Path, count: int, room: int) -> None:
    code = (
        f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}))\n"
        "import sys; import numpy as np; from textclf.core.files import write_npy\n"
        "with open(sys.argv[1], 'wb') as file:\n"
        f"    write_npy(file, np.zeros({count}, dtype=np.uint8))\n"
    )
    done = python("-B", "-c", code, tmp_path / "array.npy")
    assert done.err.splitlines()[-1:] == ["OSError: [Errno 27] File too large"]


def test_small_archives_of_arrays_have_the_same_bytes_everywhere_and_no_64_bit_sizes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arrays = {"ids": np.array(["a", "bcd"]), "y": np.arange(6.0).reshape(2, 3)[:, ::2]}
    written = [io.BytesIO(), io.BytesIO()]
    for system, file in zip(("linux", "win32"), written, strict=True):
        monkeypatch.setattr(sys, "platform", system)
        files.write_npz(file, **arrays)
    assert written[0].getvalue() == written[1].getvalue()
    written[0].seek(0)
    with np.load(written[0], allow_pickle=False) as stored:
        assert {name: stored[name].tolist() for name in stored} == {
            name: array.tolist() for name, array in arrays.items()
        }
    members = zipfile.ZipFile(written[0]).infolist()
    assert [(member.extract_version, member.extra) for member in members] == [(20, b"")] * 2
