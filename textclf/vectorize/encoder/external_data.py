"""ONNX files that keep their weights in other files beside them, which ONNX calls external data."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from textclf.core.errors import UserError
from textclf.core.quoting import first_line, list_names
from textclf.pretrained.weights import is_part

ADVICE = "save the model in one file: onnx.save(onnx.load(...), ...)"


def in_one_piece(path: Path) -> Path | bytes:
    """Return the path of an ONNX file without external data; else the content of one file with all of it.

    So an exported model has one file. Raises `UserError` for external data that is in files which the checksum in the
    settings does not cover, is missing or damaged, or is too large for one file.
    """
    import onnx
    from google.protobuf.message import DecodeError, EncodeError  # type: ignore[import-untyped]

    try:
        model = onnx.load_model(path, load_external_data=False)
    except DecodeError:
        return path  # onnxruntime says what is wrong with it
    if not (names := sorted(set(_external_files(model)))):
        return path
    if others := [name for name in names if not is_part(name, path) or not Path(name).name == name]:
        raise UserError(
            f"{path} must keep its external data beside it, in files whose names start with {path.name}; "
            f"got {list_names(others)}; {ADVICE}"
        )
    try:
        onnx.load_external_data_for_model(model, str(path.parent))
        content: bytes = model.SerializeToString(deterministic=True)
    except (onnx.checker.ValidationError, ValueError, EncodeError) as error:
        raise UserError(
            f"{path} must be whole with its external data, at most 2 GiB together; got: {first_line(error)}; {ADVICE}"
        ) from error
    return content


def _external_files(message: Any) -> Iterator[str]:
    """Yield the name of the file of each tensor in a message of ONNX that is external data."""
    if message.DESCRIPTOR.name == "TensorProto":
        yield from (entry.value for entry in message.external_data if entry.key == "location")
        return
    for field, value in message.ListFields():
        if field.message_type is not None:
            for part in value if hasattr(value, "__len__") else [value]:
                yield from _external_files(part)
