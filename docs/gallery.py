"""Take the screenshots of the report in README.md and docs/report.md.

`make docs` does if they are outdated.

usage: python docs/gallery.py (after `make repro`; needs `make .venv/dev` and Chromium)

docs/gallery/made-from.json has the checksum of the report that they show, as in dvc.lock, and those
of the pictures.
"""

import hashlib
import shutil
import sys
from pathlib import Path
from typing import Any

from textclf.core import files
from textclf.core.errors import UserError
from textclf.core.settings import load_yaml

ROOT = Path(__file__).parents[1]
REPORT = "reports/report.html"
GALLERY = "docs/gallery"
# Name, width and height in CSS pixels, id of the section at the top (empty: top of the page),
# colour scheme.
PICTURES = (
    ("report", 1180, 980, "", "light"),
    ("models", 1180, 900, "models", "light"),
    ("terms-dark", 1180, 760, "terms", "dark"),
)


def current(root: Path) -> dict[str, Any]:
    """Return the content of made-from.json: checksums of the report (dvc.lock) and pictures."""
    outs = load_yaml(root / "dvc.lock")["stages"]["report"]["outs"]
    pictures = {f"{name}.png": root / GALLERY / f"{name}.png" for name, *_ in PICTURES}
    return {
        REPORT: next(out["md5"] for out in outs if out["path"] == REPORT),
        "pictures": {
            name: files.sha256_of_file(path) for name, path in pictures.items() if path.exists()
        },
    }


def outdated(root: Path) -> bool:
    """Return whether the pictures are not those of the run in dvc.lock."""
    record = root / GALLERY / "made-from.json"
    return not record.exists() or files.read_json(record) != current(root)


def take() -> None:
    """Take the screenshots; `UserError` without the report of the run or without Chromium."""
    chromium = next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    report = ROOT / REPORT
    if (
        not report.exists()
        or hashlib.md5(report.read_bytes(), usedforsecurity=False).hexdigest()
        != current(ROOT)[REPORT]
    ):
        raise UserError(
            f"{REPORT} must be that of dvc.lock, for the pictures in {GALLERY}; run make repro"
        )
    if chromium is None:
        raise UserError(
            f"the pictures in {GALLERY} are of another run; install Chromium and run make docs"
        )
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, width, height, section, scheme in PICTURES:
            page = browser.new_page(
                viewport={"width": width, "height": height},
                color_scheme=scheme,  # type: ignore[arg-type]
            )
            page.goto(report.as_uri())
            if section:
                page.evaluate(f"document.getElementById('{section}').scrollIntoView()")
            page.wait_for_timeout(500)
            page.screenshot(path=ROOT / GALLERY / f"{name}.png")
        browser.close()
    record()


def record() -> None:
    """Write of which report the pictures are."""
    files.write_json(ROOT / GALLERY / "made-from.json", current(ROOT))


if __name__ == "__main__":
    try:
        take()
    except UserError as error:
        sys.exit("\n".join(f"error: gallery: {line}" for line in error.lines))
