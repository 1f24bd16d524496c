"""The report in a browser: Debian's Chromium, without a network."""

import platform
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.behaviours import MODELS, case, results_of, said
from tests.runs import ALL, HOSTILE, YELP, make_run
from tests.unit.studies.audits import find, rows_with_issues
from tests.verify import Copy
from textclf.report.page import SECTIONS, render
from textclf.report.run import Run
from textclf.studies.audit.page import render as audit_page
from textclf.studies.settings import Audit

sync_api = pytest.importorskip(
    "playwright.sync_api", reason="needs the browser, driven by playwright"
)
CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs the browser Chromium")

PHONE = {"width": 360, "height": 740}
SCREENS = {
    390: 13_000,
    1280: 7_400,
}  # pixels: the widths, and how tall the report of the default run may be at most
OPEN = "document.querySelectorAll('details').forEach(details => { details.open = true })"
OPTIONAL = {
    "behaviour",
    "doubt",
    "history",
    "labels",
    "slices",
    "unknown",
}  # sections that a report may be without
TIMEOUT = 60_000  # milliseconds; two cores may be busy with another test


Browse = Callable[..., AbstractContextManager[Any]]


@pytest.fixture(scope="module")
def browse() -> Iterator[Browse]:
    """Opens a file: with or without script, in a colour scheme, in a window of a size.

    The page must load nothing but itself, and nothing may go wrong in it.
    """
    with sync_api.sync_playwright() as playwright:
        # Chromium's own sandbox needs rights that a container seldom gives; the page is ours.
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )

        @contextmanager
        def opened(path: Path, script: bool = True, **options: Any) -> Iterator[Any]:
            context = browser.new_context(java_script_enabled=script, **options)
            context.set_default_timeout(TIMEOUT)
            page = context.new_page()
            messages: list[str] = []
            requests: list[str] = []

            def dismissed(dialog: Any) -> None:
                messages.append(f"dialog: {dialog.message}")
                dialog.dismiss()  # or the page would wait for ever

            page.on("console", lambda message: messages.append(f"{message.type}: {message.text}"))
            page.on("pageerror", lambda error: messages.append(f"error: {error}"))
            page.on("dialog", dismissed)
            page.on("request", lambda request: requests.append(request.url))
            # Before any script of the page: a violation is also on the console, but not in every
            # version.
            page.add_init_script(
                "window.violations = [];"
                "addEventListener('securitypolicyviolation', "
                "e => violations.push(e.violatedDirective))"
            )
            page.goto(path.resolve().as_uri())
            if script:
                assert page.evaluate("violations") == []
            yield page
            assert messages == []
            assert [url for url in requests if not url.startswith("data:")] == [
                page.url.partition("#")[0]
            ]
            context.close()

        yield opened
        browser.close()


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    models = ("majority", "logistic_regression", "keras")
    return written(
        make_run(models, ("0", "1"), count=120, history=["keras"], sources=[YELP]), tmp_path_factory
    )


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report whose texts, terms and classes are markup and worse."""
    return written(
        make_run(ALL[:3], HOSTILE, texts=HOSTILE, history=["naive_bayes"]), tmp_path_factory
    )


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of all models on sixty classes, with validation rows."""
    classes = [f"class number {n}" for n in range(60)]
    doubting = {"evaluate.coverage": "0.8"}
    run = make_run(ALL, classes, count=180, validation=True, history=["keras"], settings=doubting)
    return written(run, tmp_path_factory)


@pytest.fixture(scope="module")
def tested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with behavioural tests, whose texts are markup and worse."""
    cases = [
        case(text, said(True, after="no"), said(False, after="yes"), changed=text, change=text)
        for text in HOSTILE
    ]
    results = results_of(
        {"invariance": {"kind": "invariance", "about": HOSTILE[0], "cases": cases}}
    )
    run = make_run(
        MODELS, settings={"behave.tests": "{mine: mine.yaml}"}, behaviour={"mine": results}
    )
    return written(run, tmp_path_factory)


@pytest.fixture(scope="module")
def labels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of texts with several of thirty labels each."""
    names = [f"label number {n}" for n in range(30)]
    sets = [[name for n, name in enumerate(names) if row % (n + 2) == 0] for row in range(60)]
    return written(
        make_run(ALL[:3], names, count=180, validation=True, sets=sets), tmp_path_factory
    )


def written(run: Run, places: pytest.TempPathFactory) -> Path:
    path = places.mktemp("report") / "report.html"
    path.write_text(render(run), encoding="utf-8", newline="\n")
    return path


@pytest.fixture(params=["usual", "hostile", "many", "tested", "labels"])
def path(request: pytest.FixtureRequest) -> Path:
    path: Path = request.getfixturevalue(request.param)
    return path


def has_every_section(page: Any) -> bool:
    """Check the page's sections and that the keyboard reaches every chart; unfold everything."""
    page.evaluate(OPEN)
    shown = page.evaluate("[...document.querySelectorAll('section')].map(section => section.id)")
    assert shown == [name for name in SECTIONS if name not in OPTIONAL or name in shown]
    for name in shown:
        title, _ = SECTIONS[name]
        assert page.locator(f"#{name} h2").inner_text() == title
        assert len(page.locator(f"#{name}").inner_text()) > len(title) + 20
    plots = page.locator(".plot")
    assert plots.count() >= 8
    assert page.locator(".plot > svg").count() == plots.count()
    assert (
        page.locator(".plot[tabindex='0']").count()
        == page.locator(".plot:has([role=img])").count()
        >= 8
    )
    assert page.locator(".plot title").count() == 0
    assert page.locator("script").count() == 1
    return True


def test_on_a_phone_a_keyboard_reaches_every_chart_and_nothing_is_scrolled_sideways(
    browse: Browse, path: Path
) -> None:
    with browse(path, viewport=PHONE) as page:
        assert has_every_section(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        assert (
            page.evaluate("document.querySelectorAll('.scroll:not([tabindex=\"0\"])').length") == 0
        )


def test_without_script_every_chart_is_a_picture_that_fits_a_phone(
    browse: Browse, path: Path
) -> None:
    with browse(path, script=False, viewport=PHONE) as page:
        assert page.locator(".plot > svg").count() == page.locator(".plot").count() >= 8
        pictures = page.locator(".plot:not(details:not([open]) .plot) > svg")
        boxes = [picture.bounding_box() for picture in pictures.all()]
        assert all(box is not None and box["width"] > 200 and box["height"] > 40 for box in boxes)
        # Without script only the layout can be asked for.
        boxes = [
            element.bounding_box()
            for element in page.locator("body, main, section, figure, nav").all()
        ]
        assert all(box is None or box["x"] + box["width"] <= PHONE["width"] + 0.5 for box in boxes)


@pytest.mark.parametrize("width", SCREENS)
def test_no_table_and_no_label_of_a_chart_is_cut(browse: Browse, usual: Path, width: int) -> None:
    with browse(usual, viewport={"width": width, "height": 900}) as page:
        page.evaluate(OPEN)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        boxes = "[...document.querySelectorAll('.scroll, th, td')]"
        cut = page.evaluate(
            f"{boxes}.filter(box => box.scrollWidth > box.clientWidth + 1).map(box => "
            "box.innerText)"
        )
        assert cut == []
        cut = page.evaluate(
            """() => [...document.querySelectorAll(".plot text")].filter(text => {
                const box = text.getBoundingClientRect();
                return box.width && (box.left < 0 || box.right > innerWidth);
            }).map(text => text.textContent)"""
        )
        assert cut == []


@pytest.mark.parametrize(
    ("width", "height", "parts"),
    [(1280, 800, (".figure", "svg", ".verdicts", ".example")), (390, 844, (".figure", "svg"))],
)
def test_the_first_screen_has_the_number_and_its_picture(
    browse: Browse, usual: Path, width: int, height: int, parts: tuple[str, ...]
) -> None:
    with browse(usual, viewport={"width": width, "height": height}) as page:
        for part in parts:
            for element in page.locator(f"#summary {part}").all():
                box = element.bounding_box()
                assert box["y"] + box["height"] <= height
        assert page.locator("#summary .example").count() == 2
        assert page.locator("#summary svg").bounding_box()["width"] > 350


def test_a_chart_that_stands_alone_uses_its_room(browse: Browse, usual: Path) -> None:
    with browse(usual, viewport={"width": 1280, "height": 800}) as page:
        room = page.locator("#models .charts").bounding_box()
        picture = page.locator("#models .charts svg").first.bounding_box()
        caption = page.locator("#models .charts figcaption").bounding_box()
        assert picture["width"] > 0.55 * room["width"]
        assert caption["x"] > picture["x"] + picture["width"]
        assert caption["x"] + caption["width"] > 0.9 * (room["x"] + room["width"])


def with_terms(name: str, places: pytest.TempPathFactory) -> Path:
    """Write the report of a run whose terms, of very many rows, have this name and a number."""
    run = make_run(("logistic_regression",), ("a", "b", "c"))
    names = [f"{name}{n}" for n in range(len(run.tables["terms"]))]
    terms = run.tables["terms"].assign(term=names, rows=1_234_567)
    return written(replace(run, tables={**run.tables, "terms": terms}), places)


@pytest.mark.parametrize("width", [390, 1100])
def test_no_term_is_broken_or_cut(
    browse: Browse, tmp_path_factory: pytest.TempPathFactory, width: int
) -> None:
    window = {"width": width, "height": 900}
    with browse(with_terms("letters__ disap", tmp_path_factory), viewport=window) as page:
        lines = (
            "[...document.querySelectorAll('#terms th bdi')].map(term => "
            "term.getClientRects().length)"
        )
        assert set(page.evaluate(lines)) == {1}
    with browse(
        with_terms("donaudampfschifffahrtsgesellschaft", tmp_path_factory), viewport=window
    ) as page:
        boxes = "[...document.querySelectorAll('#terms .scroll')]"
        assert (
            page.evaluate(f"{boxes}.filter(box => box.scrollWidth > box.clientWidth).length") == 0
        )
        assert page.evaluate(f"{boxes}.length") == 3


def test_on_a_phone_each_cell_has_a_line_of_its_own_below_the_title_of_its_row(
    browse: Browse, many: Path
) -> None:
    with browse(many, viewport={"width": 390, "height": 900}) as page:
        page.evaluate(OPEN)
        box = "cell.getBoundingClientRect()"
        cells = f"row => [...row.children].filter(cell => cell.offsetHeight).map(cell => {box}.top)"
        rows = page.evaluate(f"[...document.querySelectorAll('.stack tbody tr')].map({cells})")
        assert len(rows) > 100
        assert [tops for tops in rows if tops != sorted(set(tops))] == []
        metrics = (
            "[...document.querySelectorAll('#models > .scroll .stack td')].map(cell => "
            f"{box}.height)"
        )
        empty = (
            "[...document.querySelectorAll('.stack td')].filter(cell => cell.offsetHeight && "
            "!cell.innerText.trim())"
        )
        assert page.evaluate(f"{empty}.length") == 0
        assert max(page.evaluate(metrics)) < 30  # pixels: one line, with value and interval


@pytest.mark.parametrize("width", [390, 1280])
def test_an_audit_page_cuts_no_name_of_a_class(browse: Browse, tmp_path: Path, width: int) -> None:
    names = {
        "0": "card_payment_wrong_exchange_rate_or_fee",
        "1": "Kreditkartenzahlungsverzögerungsbeschwerde",
    }
    (path := tmp_path / "audit.html").write_text(
        audit_page(find(rows_with_issues(), folds=4), Audit(), "rows", names)
    )
    with browse(path, script=False, viewport={"width": width, "height": 900}) as page:
        for table in page.locator("table.texts").all():
            box, room = table.bounding_box(), table.locator("xpath=..").bounding_box()
            assert box["width"] <= room["width"] + 0.5
        for cell in page.locator("td:has(bdi)").all():
            outer, inner = cell.bounding_box(), cell.locator("bdi").first.bounding_box()
            assert inner["x"] + inner["width"] <= outer["x"] + outer["width"] + 0.5


def test_a_part_with_charts_is_unfolded_by_keyboard(browse: Browse, many: Path) -> None:
    with browse(many) as page:
        part = page.locator("#confusion details").first
        assert part.locator(".plot > svg").count() == len(ALL) - 1
        summary = part.locator("summary")
        page.keyboard.press("Tab")  # from here on the focus is shown
        summary.focus()
        assert summary.evaluate("summary => getComputedStyle(summary).outlineStyle") == "solid"
        page.keyboard.press("Enter")
        assert all(svg.bounding_box()["width"] > 300 for svg in part.locator(".plot > svg").all())


def test_the_dark_scheme_has_light_ink_on_the_page_and_in_the_charts(
    browse: Browse, usual: Path
) -> None:
    with browse(usual, color_scheme="dark") as page:
        ground, ink, label = page.evaluate(
            "[getComputedStyle(document.body).backgroundColor, "
            "getComputedStyle(document.body).color, getComputedStyle(document.querySelector('.plot "
            "text')).fill]"
        )
        assert ink == label
        assert contrast(ground, ink) > 10


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_told_from_its_ground(browse: Browse, usual: Path, scheme: str) -> None:
    # WCAG 2.2, 1.4.3 (AA): 4.5 to 1.
    with browse(usual, color_scheme=scheme) as page:
        pairs = page.evaluate(
            """() => [...document.querySelectorAll(
                "p, li, a, td, th, dt, dd, summary, caption, h2, .ends, .wrong"
            )]
                .map(element => {
                    const ground = (box) => {
                        const colour = getComputedStyle(box).backgroundColor;
                        return colour === "rgba(0, 0, 0, 0)" ? ground(box.parentElement) : colour;
                    };
                    return [ground(element), getComputedStyle(element).color].join(";");
                })"""
        )
        for pair in set(pairs):
            assert contrast(*pair.split(";")) >= 4.5, pair


def test_the_bars_of_terms_are_as_long_as_their_weights(browse: Browse, usual: Path) -> None:
    with browse(usual) as page:
        page.evaluate(OPEN)
        for table in page.locator(".terms").all():
            rows = table.locator("tr:has(.bar)")
            weights = [float(text) for text in rows.locator("td:nth-child(2)").all_inner_texts()]
            bars = rows.evaluate_all(
                "rows => rows.map(row => row.querySelector('rect').getBoundingClientRect().width)"
            )
            full = rows.locator("svg").first.bounding_box()["width"]
            assert [bar / full for bar in bars] == pytest.approx(
                [each / max(weights) for each in weights], abs=0.01
            )
            aligned = rows.locator("td:not(.bar)").evaluate_all(
                "all => all.map(td => getComputedStyle(td).textAlign)"
            )
            assert {*aligned} == {"right"}


def contrast(*colours: str) -> float:
    """Return the contrast ratio of two colours, each `rgb(r, g, b)`, as WCAG defines it."""
    lights = []
    for colour in colours:
        parts = [
            int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(", ")
        ]
        linear = [
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        ]
        lights.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])
    return (max(lights) + 0.05) / (min(lights) + 0.05)


@pytest.mark.parametrize("width", SCREENS)
def test_a_pointer_or_a_finger_is_told_the_numbers_of_the_nearest_mark(
    browse: Browse, usual: Path, width: int
) -> None:
    with browse(usual, viewport={"width": width, "height": 900}, has_touch=True) as page:
        tip = page.locator("#tip")
        assert not tip.is_visible()
        page.locator("#chart-confusion-keras text", has_text=re.compile("^[0-9]+$")).first.hover(
            force=True
        )
        assert tip.inner_text().splitlines()[:2] == ["actual: negative", "predicted: negative"]
        page.locator("#confusion h2").hover()
        assert not tip.is_visible()
        line = page.locator("#chart-history-loss .plot path[fill='#0072B2']").nth(10)
        line.scroll_into_view_if_needed()
        box = line.bounding_box()
        page.touchscreen.tap(box["x"] + 3, box["y"] - 12)
        assert "epoch: " in tip.inner_text()
        shown = tip.bounding_box()
        assert shown["x"] >= 0
        assert shown["x"] + shown["width"] <= width


def test_arrow_keys_go_through_the_marks_of_a_chart(browse: Browse, usual: Path) -> None:
    with browse(usual) as page:
        page.keyboard.press("Tab")  # from here on the focus is shown
        page.locator("#chart-confusion-keras .plot").focus()
        said = [page.locator("#tip[role=status]").inner_text()]
        for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp", "ArrowLeft"):
            page.keyboard.press(key)
            said.append(page.locator("#tip").inner_text())
        marks = [
            mark.get_attribute("aria-label")
            for mark in page.locator("#chart-confusion-keras [role=img]").all()
        ]
        assert said == [marks[n].replace("; ", "\n") for n in (0, 1, 2, 1, 0, -1)]
        assert page.locator(".shown").count() == 1
        page.keyboard.press("Escape")
        assert not page.locator("#tip").is_visible()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Tab")
        assert page.evaluate("!document.activeElement.matches('.plot')")
        assert not page.locator("#tip").is_visible()


def test_a_hostile_corpus_is_text(browse: Browse, hostile: Path) -> None:
    with browse(hostile) as page:
        for text in HOSTILE[:4]:
            assert text in page.locator("#data").inner_text()
        assert page.locator("img, iframe, object, embed, form, [onerror], [onload]").count() == 0
        assert page.locator("main a:not([href^='#'])").count() == 0
        assert "49" not in page.locator("#terms").inner_text()
        page.locator("#chart-confusion-naive_bayes .plot [role=img]").first.hover(force=True)
        tip = page.locator("#tip")
        assert tip.locator("*").count() == 0
        assert "<script>" in tip.inner_text()


def test_a_long_text_is_unfolded_by_keyboard(browse: Browse, hostile: Path) -> None:
    with browse(hostile) as page:
        page.evaluate(
            "document.querySelectorAll('main > section > details').forEach(part => { part.open = "
            "true })"
        )
        summary = page.locator(".text summary:visible").first
        summary.focus()
        page.keyboard.press("Enter")
        rest = page.locator(".text details[open]").first
        rest.wait_for()
        assert "characters left out" in rest.inner_text()


def test_a_keyboard_reaches_the_report_past_the_contents(browse: Browse, usual: Path) -> None:
    with browse(usual) as page:
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"


def test_a_print_has_the_folded_tables_and_no_contents(browse: Browse, usual: Path) -> None:
    with browse(usual) as page:
        page.emulate_media(media="print")
        assert not page.locator("nav").is_visible()
        assert page.locator("#history details table").is_visible()
        assert page.pdf(format="A4").startswith(b"%PDF")


def test_the_report_of_the_default_run_is_small_and_names_no_machine(
    browse: Browse, pipeline: Copy
) -> None:
    path = pipeline.folder / "reports" / "report.html"
    with browse(path) as page:
        assert has_every_section(page)
    for width, most in SCREENS.items():
        with browse(path, viewport={"width": width, "height": 900}) as page:
            assert page.evaluate("document.documentElement.scrollHeight") <= most
    text = path.read_text(encoding="utf-8")
    assert platform.platform() not in text
    assert str(path.parent) not in text
    assert len(text.encode()) < 250_000
