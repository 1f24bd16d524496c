"""Take the screenshots of the report that README.md and docs/report.md show.

usage: python docs/gallery.py (after `make repro`; needs `make .venv/dev` and Chromium)
"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
REPORT = ROOT / "reports" / "report.html"
GALLERY = ROOT / "docs" / "gallery"
# Name, width and height in CSS pixels, id of the section at the top (empty: top of the page), colour scheme.
PICTURES = (
    ("report", 1180, 980, "", "light"),
    ("models", 1180, 900, "models", "light"),
    ("terms-dark", 1180, 760, "terms", "dark"),
)


def main() -> None:
    """Take the screenshots."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    for name, exists in ((REPORT, REPORT.exists()), ("chromium", chromium)):
        if not exists:
            sys.exit(f"error: gallery: {name} not found; run make repro, and install Chromium")
    GALLERY.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, width, height, section, scheme in PICTURES:
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
            page.goto(REPORT.as_uri())
            page.wait_for_selector(".vega-embed svg")
            if section:
                page.evaluate(f"document.getElementById('{section}').scrollIntoView()")
            page.wait_for_timeout(500)
            page.screenshot(path=GALLERY / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main()
