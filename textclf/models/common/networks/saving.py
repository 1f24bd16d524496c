"""model.keras with the same bytes each time."""

import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

ZIP_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest date that a zip can hold


def save_keras(network: "keras.Sequential", path: Path) -> None:
    """Write the network as a .keras file; keras.saving.load_model opens it without custom objects.

    It is written again without what differs from one save to the next: the date in metadata.json, the times in the zip,
    and `shared_object_id` in config.json, a memory address that only matters for shared objects.
    """
    network.save(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in sorted(archive.namelist())}
    metadata = json.loads(members["metadata.json"])
    metadata["date_saved"] = "1980-01-01@00:00:00"
    members["metadata.json"] = json.dumps(metadata, sort_keys=True).encode()
    config = json.loads(members["config.json"], object_hook=_without_address)
    members["config.json"] = json.dumps(config, sort_keys=True).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, ZIP_TIME), content)


def _without_address(mapping: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if key != "shared_object_id"}
