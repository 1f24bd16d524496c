import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import helper

from tests import tiny_bert
from tests.refusal import refusal
from textclf.core.errors import UserError
from textclf.pretrained import bert
from textclf.pretrained.onnx_graph import Graph
from textclf.vectorize.encoder.representation import CHUNK, Representation
from textclf.vectorize.encoder.settings import Settings

NOWHERE = Path("nowhere")
TEXTS = ["good food.", "bad", "", "service", "good good food", "[SEP] [PAD]", "bad food"]
IDS = [
    [2, 4, 6, 9, 3],
    [2, 5, 3],
    [2, 3],
    [2, 7, 8, 3],
    [2, 4, 4, 6, 3],
    [2, 10, 13, 11, 10, 12, 11, 3],
    [2, 5, 6, 3],
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bert.write_folder(tmp_path_factory.mktemp("pretrained") / "tiny")


@pytest.fixture(scope="module")
def fitted(folder: Path) -> Representation:
    return Representation.fit((), own(folder), NOWHERE)


def own(path: Path, **changes: Any) -> Settings:
    given = {
        "pretrained": None,
        "path": str(path),
        "sha256": tiny_bert.checksum(path),
        "length": 16,
    }
    return Settings(**(given | changes))


def write_onnx(folder: Path, model: onnx.ModelProto) -> Path:
    (folder / "tokenizer.json").write_text(json.dumps(tiny_bert.tokenizer_json()))
    path = folder / "encoder.onnx"
    path.write_bytes(model.SerializeToString(deterministic=True))
    return path


def expected(pooling: str = "mean", normalize: bool = True) -> list[Any]:
    tokens = [tiny_bert.token_vectors(tiny_bert.weights(), ids) for ids in IDS]
    vectors = [each.mean(axis=0) if pooling == "mean" else each[0] for each in tokens]
    return [each / np.linalg.norm(each) for each in vectors] if normalize else vectors


@pytest.mark.parametrize(("pooling", "normalize"), [("mean", True), ("mean", False), ("cls", True)])
def test_vectors_are_pooled_from_the_vectors_of_tokens(
    folder: Path, pooling: str, normalize: bool
) -> None:
    fitted = Representation.fit(TEXTS, own(folder, pooling=pooling, normalize=normalize), NOWHERE)
    vectors = fitted.transform(iter(TEXTS))
    assert (vectors.dtype.name, vectors.shape, fitted.columns) == ("float32", (7, 8), 8)
    np.testing.assert_allclose(vectors, expected(pooling, normalize), rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize(("pooling", "normalize"), [("mean", True), ("mean", False), ("cls", True)])
def test_a_long_text_gets_the_mean_of_its_windows(
    folder: Path, pooling: str, normalize: bool
) -> None:
    def encoder(**changes: Any) -> Representation:
        return Representation.fit((), own(folder, length=6, pooling=pooling, **changes), NOWHERE)

    windows = ["good food bad food", "food . bad .", ". good ."]  # of 6, 6 and 5 pieces
    expected = np.average(encoder(normalize=False).transform(windows), axis=0, weights=[6, 6, 5])
    expected = expected / np.linalg.norm(expected) if normalize else expected
    fitted = encoder(window="mean", normalize=normalize)
    long = "good food bad food . bad . good ."
    vectors = fitted.transform([long, *TEXTS, long])
    np.testing.assert_allclose(vectors[0], expected, rtol=1e-5)
    assert vectors.dtype == np.float32
    np.testing.assert_array_equal(vectors[-1], fitted.transform([long])[0])
    short = ["bad", "", "good food."]
    assert (
        fitted.transform(short).tobytes() == encoder(normalize=normalize).transform(short).tobytes()
    )
    assert (fitted.count_cut([long, "bad"]), encoder().count_cut([long, "bad"])) == (0, 1)


@pytest.mark.parametrize("window", ["first", "mean"])
@given(texts=st.lists(st.text(alphabet="god fb.[]ae", max_size=30), min_size=1, max_size=60))
def test_the_vector_of_a_text_is_the_same_to_the_bit_whatever_its_neighbours(
    folder: Path, window: str, texts: list[str]
) -> None:
    fitted = Representation.fit((), own(folder, length=5, window=window), NOWHERE)
    alone = np.concatenate([fitted.transform([text]) for text in texts])
    assert fitted.transform(texts).tobytes() == alone.tobytes()


def test_the_number_of_cores_changes_no_byte(
    fitted: Representation, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [f"{'good ' * (number % 5)}food{'.' * (number % 3)}" for number in range(300)]
    results = []
    for cores in (1, 2, 5):
        monkeypatch.setattr(
            "textclf.vectorize.encoder.representation.cores", lambda cores=cores: cores
        )
        results.append(fitted.transform(texts).tobytes())
    assert len(set(results)) == 1


def test_more_texts_than_a_chunk_are_encoded_in_their_order(fitted: Representation) -> None:
    texts = [TEXTS[number % len(TEXTS)] for number in range(CHUNK + 10)]
    vectors = fitted.transform(texts)
    np.testing.assert_array_equal(vectors, np.resize(fitted.transform(TEXTS), vectors.shape))


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_a_shared_file_that_was_changed_is_refused(folder: Path, tmp_path: Path, name: str) -> None:
    fitted = Representation.fit((), own(folder), NOWHERE)
    fitted.share(tmp_path)
    path = tmp_path / fitted.to_json()["name"] / name
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert f"{name} must have the SHA-256" in refusal(
        Representation.from_json, fitted.to_json(), tmp_path
    )


@pytest.mark.parametrize("columns", [0, "8"])
def test_an_encoder_that_was_stored_without_its_width_is_damaged(
    folder: Path, columns: object
) -> None:
    content = Representation.fit((), own(folder), NOWHERE).to_json() | {"columns": columns}
    with pytest.raises(ValueError, match="columns"):
        Representation.from_json(content, NOWHERE)


# Encoders of the user's own as ONNX files


def test_an_onnx_file_that_gives_vectors_of_texts_is_not_pooled(tmp_path: Path) -> None:
    def head(graph: Graph, vectors: str) -> str:
        return bert.pool_vectors(graph, vectors, "mean")

    path = write_onnx(
        tmp_path, bert.encoder_model(tiny_bert.CONFIG, tiny_bert.weights(), head, "v", ("rows", 8))
    )
    fitted = Representation.fit((), own(path, pooling="cls"), NOWHERE)
    np.testing.assert_allclose(fitted.transform(TEXTS), expected(), rtol=1e-4, atol=2e-5)


def test_a_graph_that_quantizes_while_it_runs_gives_a_text_the_same_vector_in_any_company(
    tmp_path: Path,
) -> None:
    """DynamicQuantizeLinear chooses its scale by all numbers of a batch."""

    def head(graph: Graph, vectors: str) -> str:
        names = ["quantized", "scale", "zero"]
        return graph.add(
            "DequantizeLinear", *graph.split("DynamicQuantizeLinear", vectors, names=names)
        )

    path = write_onnx(tmp_path, bert.encoder_model(tiny_bert.CONFIG, tiny_bert.weights(), head))
    fitted = Representation.fit((), own(path, normalize=False), NOWHERE)
    texts = ["good food", "bad food", "bad good", "food food"]
    alone = np.concatenate([fitted.transform([text]) for text in texts])
    np.testing.assert_array_equal(fitted.transform(texts), alone)


def model_of(inputs: list[str], shape: list[str | int]) -> onnx.ModelProto:
    graph = Graph()
    graph.add("Identity", inputs[0], name="out")
    infos = [
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
        for name in (*inputs, "out")
    ]
    return graph.model(infos[:-1], infos[-1:])


def integers(path: Path) -> None:
    graph = Graph()
    graph.add("Identity", "input_ids", name="out")
    infos = [
        helper.make_tensor_value_info(name, onnx.TensorProto.INT64, ["rows", "length"])
        for name in ("input_ids", "out")
    ]
    path.write_bytes(graph.model(infos[:1], infos[1:]).SerializeToString())


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (
            lambda path: path.write_bytes(b"not an ONNX file"),
            r"encoder\.onnx must be a whole ONNX file; ",
        ),
        (
            lambda path: onnx.save_model(model_of(["pixels"], ["rows", 3]), path),
            r"encoder\.onnx must take the inputs input_ids, attention_mask .*; got pixels",
        ),
        (integers, r"encoder\.onnx must give the vectors of tokens .*; got \[1, 2\]"),
    ],
)
def test_an_onnx_file_that_is_no_encoder_is_one_line(
    damage: Callable[[Path], Any], reason: str, tmp_path: Path
) -> None:
    path = write_onnx(tmp_path, bert.encoder_model(tiny_bert.CONFIG, tiny_bert.weights()))
    damage(path)
    with pytest.raises(UserError, match=reason) as error:
        Representation.fit((), own(path), NOWHERE).columns  # noqa: B018 (opens the file)
    assert "\n" not in str(error.value)


def write_external(
    folder: Path, location: str = "model.onnx.data", name: str = "model.onnx"
) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "tokenizer.json").write_text(json.dumps(tiny_bert.tokenizer_json()))
    model = bert.encoder_model(tiny_bert.CONFIG, tiny_bert.weights())
    onnx.save_model(
        model, folder / name, save_as_external_data=True, location=location, size_threshold=200
    )
    return folder / name


@pytest.mark.parametrize("name", ["model.onnx", "encoder.onnx"])
def test_external_data_of_an_onnx_file_are_exported_with_it(name: str, tmp_path: Path) -> None:
    path = write_external(tmp_path / "mine", f"{name}_data", name)
    fitted = Representation.fit((), own(path.parent if name == "model.onnx" else path), NOWHERE)
    vectors = fitted.transform(TEXTS)
    np.testing.assert_allclose(vectors, expected(), rtol=1e-4, atol=2e-5)
    content = json.loads(json.dumps(fitted.to_json()))
    fitted.share(tmp_path / "shared")
    shutil.rmtree(tmp_path / "mine")
    again = Representation.from_json(content, tmp_path / "shared")
    assert again.transform(TEXTS).tobytes() == vectors.tobytes()


@pytest.mark.parametrize(
    ("location", "change", "reason"),
    [
        (
            "weights.bin",
            None,
            r"model\.onnx must keep its external data beside it, in files whose names start with ",
        ),
        (
            "model.onnx.data",
            Path.unlink,
            r"model\.onnx must be whole with its external data, .*; got: ",
        ),
        (
            "model.onnx.data",
            lambda data: data.write_bytes(b"short"),
            r"model\.onnx must be whole with its external",
        ),
    ],
)
def test_external_data_elsewhere_or_damaged_are_one_line(
    location: str, change: Callable[[Path], Any] | None, reason: str, tmp_path: Path
) -> None:
    path = write_external(tmp_path / "mine", location)
    if change is not None:
        change(path.parent / location)
    with pytest.raises(UserError, match=reason) as error:
        Representation.fit((), own(path.parent), NOWHERE).columns  # noqa: B018 (reads the data)
    assert "\n" not in str(error.value)


# Broken folders


def nan_weights(folder: Path) -> None:
    arrays = tiny_bert.weights()
    arrays["embeddings.LayerNorm.weight"] *= np.nan
    (folder / "model.safetensors").write_bytes(tiny_bert.safetensors(arrays))


@pytest.mark.parametrize(
    ("damage", "changes", "reason"),
    [
        (
            lambda folder: (folder / "tokenizer.json").unlink(),
            {},
            r"tokenizer\.json not found; put it there",
        ),
        (
            lambda folder: (folder / "tokenizer.json").write_text("{}"),
            {},
            r"tokenizer\.json must be a file of the package tokenizers; got: ",
        ),
        (nan_weights, {}, r"model\.safetensors must give finite vectors; got NaN or infinity"),
        (
            lambda _: None,
            {"length": 17},
            "length must be at most 16, max_position_embeddings of .*; got 17",
        ),
    ],
)
def test_a_folder_that_is_no_encoder_is_one_line(
    damage: Callable[[Path], Any], changes: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    folder = tiny_bert.write_folder(tmp_path / "mine")
    damage(folder)
    with pytest.raises(UserError, match=reason) as error:
        # Opens the files.
        Representation.fit((), own(folder, **changes), NOWHERE).columns  # noqa: B018
    assert "\n" not in str(error.value)


def test_a_catalogue_entry_that_was_not_fetched_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"all-minilm-l6-v2/tokenizer\.json not found; run dvc repro again"
    ):
        Representation.fit((), Settings(), tmp_path)


def test_an_error_of_onnxruntime_is_not_printed_as_well(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tiny_bert.write_folder(tmp_path / "mine")
    tokenizer = tiny_bert.tokenizer_json()
    tokenizer["model"]["vocab"]["good"] = 500
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    with pytest.raises(UserError, match=r"model\.safetensors can't encode texts of 3 tokens: "):
        Representation.fit((), own(folder), NOWHERE).transform(["good"])
    assert capfd.readouterr().err == ""
