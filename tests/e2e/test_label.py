"""The page of `textclf label` in a browser, by keys alone, in two tabs."""

import shutil
from pathlib import Path

import pytest

from tests.unit.label.test_server import served
from textclf.label.rows import Row, read_rows

sync_api = pytest.importorskip(
    "playwright.sync_api", reason="needs the browser, driven by playwright"
)
CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"
TEXTS = [HOSTILE, "\u05e9\u05dc\u05d5\u05dd", "x" * 100_000, "four", "five", "six"]


@pytest.mark.skipif(CHROMIUM is None, reason="needs the browser Chromium")
def test_texts_are_labelled_by_keys(tmp_path: Path) -> None:
    file, messages = tmp_path / "f.csv", []
    rows = [Row(str(n), text, suggested=HOSTILE) for n, text in enumerate(TEXTS)]
    known = ["a", "b", *(f"class_{n}" for n in range(75))]
    with sync_api.sync_playwright() as playwright, served(file, *rows, known=known) as server:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        context = browser.new_context(viewport={"width": 390, "height": 844})
        page, other = context.new_page(), context.new_page()
        page.on("console", lambda message: messages.append(message.text))
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.on("dialog", lambda dialog: messages.append(dialog.message))
        page.goto(server.url)

        def see(done: int, text: str) -> None:
            sync_api.expect(page.locator("#progress")).to_have_text(f"{done} of 6")
            sync_api.expect(page.locator("#text")).to_have_text(text)
            assert page.evaluate("() => document.documentElement.scrollWidth") <= 390

        see(0, TEXTS[0])
        steps = ["Enter", "s", "2", "/ s s _ 7 0 Enter", "Backspace"]
        for keys, done, text in zip(steps, (1, 1, 2, 3, 4), TEXTS[1:], strict=True):
            for key in keys.split(" "):
                page.keyboard.press(key)
            see(done, text)
        page.reload()
        see(4, TEXTS[5])
        page.keyboard.press("u")
        see(3, TEXTS[4])
        other.goto(server.url)
        sync_api.expect(other.locator("#text")).to_have_text(TEXTS[1])
        other.keyboard.press("1")
        sync_api.expect(other.locator("#progress")).to_have_text("4 of 6")
        page.keyboard.type("+new")
        page.keyboard.press("Enter")
        see(5, TEXTS[5])
        other.keyboard.press("1")
        sync_api.expect(other.locator("#error")).to_contain_text("answered meanwhile: new")
        page.keyboard.press("Enter")
        see(6, "All texts are answered.")
        page.locator("#finish").press("Enter")
        sync_api.expect(page.locator("body")).to_have_text("Finished. You can close this page.")
        browser.close()
    assert messages == []
    assert [row.label for row in read_rows(file)] == [HOSTILE, "a", "b", "class_70", "new", HOSTILE]
