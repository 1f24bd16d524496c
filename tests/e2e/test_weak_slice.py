"""A weak slice and corrected labels in the whole pipeline, from table to gate."""

import dataclasses
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from tests import verify
from tests.unit.split.rows import write_csv
from tests.verify import Copy

pytestmark = pytest.mark.slow
SETTINGS = (
    *("data.path=reviews.csv", "data.id=id", "data.slices=[platform]"),
    *(*verify.only("majority", "logistic_regression"), "gate.minimum={}", "gate.maximum_drop={}"),
)
MODEL = "logistic_regression"
WEAK = "platform=phone"
ROWS = 1600


def made() -> list[tuple[str, str, str, str]]:
    """Return rows whose words say the label; on one platform they often say the other one."""
    generator = np.random.default_rng(3)
    rows = []
    for number in range(ROWS):
        label = int(generator.integers(2))
        platform = ["web", "phone", "", "desk"][generator.choice(4, p=[0.5, 0.2, 0.1, 0.2])]
        misleading = platform == "phone" and generator.random() < 0.4
        word = ["bad", "good"][label ^ int(misleading)]
        others = " ".join(generator.choice(["film", "actor", "scene", "plot", "music", "end"], 5))
        rows.append((f"r{number}", f"{others} {word} {number}", str(label), platform))
    return rows


def test_a_weak_slice_is_found_named_and_gated_and_labels_are_corrected(
    pipeline: Copy, tmp_path: Path
) -> None:
    copy = dataclasses.replace(
        pipeline, folder=Path(shutil.copytree(pipeline.folder, tmp_path / "textclf"))
    )
    write_csv(copy.folder / "reviews.csv", made(), ("id", "text", "label", "platform"))
    verify.change_params(copy.folder / "params.yaml", SETTINGS)
    printed = copy.dvc("repro", "report")
    assert f"{MODEL}: weak on {WEAK}: accuracy 0." in printed
    slices = json.loads((copy.folder / "metrics/slices.json").read_text())
    weak = slices[MODEL][WEAK]
    assert weak["difference_interval"]["high"] < -0.1
    assert weak["p_holm"] < 0.001
    assert all(
        entry["p_holm"] > 0.001
        for name, entry in slices[MODEL].items()
        if not name.startswith("platform=")
    )
    assert {"platform=", "platform=web", "platform=desk"} < slices[MODEL].keys()
    assert slices["majority"] == {}
    page = (copy.folder / "reports/report.html").read_text(encoding="utf-8")
    assert "is less accurate on some rows than on the other test rows: platform: phone (" in page

    # The gate
    bound = f"gate.slices={{{MODEL}: {{{WEAK}: {{accuracy: 0.9}}}}}}"
    verify.change_params(copy.folder / "params.yaml", [bound])
    done = copy.run("sh", "-c", '"$0" -m textclf.cli pr-report HEAD; test $? = 1', sys.executable)
    assert f"gate: {MODEL}.{WEAK}.accuracy is {weak['accuracy']:.3f}, less than 0.9" in done
    assert f"- gate: `{MODEL}.{WEAK}.accuracy` is " in done

    # Corrections run split again, and say what became of them.
    labels = {row: label for row, _, label, _ in made()}
    lines = "".join(f"{row},{1 - int(label)}\n" for row, label in list(labels.items())[:40])
    (copy.folder / "corrections.csv").write_text(f"id,label\n{lines}", encoding="utf-8")
    printed = copy.dvc("repro", "report")
    counts = json.loads((copy.folder / "metrics/splits.json").read_text())["corrections"]
    train, skipped = counts["applied"]["train"], counts["skipped"]
    assert train + skipped == 40
    assert f"corrected labels: {train} training rows" in printed
    assert f"warning: {skipped} corrections of test rows were not applied" in printed
    for path in ("reports/report.html", f"models/{MODEL}/README.md"):
        text = (copy.folder / path).read_text(encoding="utf-8")
        assert f"Labels of {train} training rows were corrected by hand." in text
        assert f"{skipped} corrections of test rows were not applied" in text
