"""The page for everyone: names for screen readers, contrast, keyboard alone, narrow screens, no needless motion."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

pytest.importorskip("starlette", reason="the extra serve is not installed")
from live_server import running_server
from page_browser import chromium, clean_file, until, watched
from playwright.sync_api import FileChooser

CHECKS = Path(__file__).with_name("page_access.js").read_text()
RATE = 16_000
VIEWS = ("start", "result", "live", "measure")
AA = 4.5
AA_LARGE = 3.0


@pytest.fixture(scope="module")
def recording(tmp_path_factory, noisy_speech, write_file):
    return write_file(tmp_path_factory.mktemp("access") / "talk.wav", noisy_speech(RATE, 3.0), RATE)


@pytest.fixture(scope="module")
def browser():
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def server():
    with running_server() as running:
        yield running


@pytest.fixture(scope="module", params=["light", "dark"])
def shown(request, browser, server, recording):
    """A page with a result, in both colour schemes."""
    with watched(browser, server.url, color_scheme=request.param, reduced_motion="reduce") as page:
        clean_file(page.open(), recording)
        until(page.page, "() => document.querySelector('#diagnosis').getAttribute('aria-busy') === 'false'")
        page.page.evaluate(CHECKS)
        yield page


def view(page, name: str) -> None:
    """Bring a view of the page to sight; the one before a file was given is made visible as it was."""
    page.evaluate(
        """(name) => {
          location.hash = name === "start" || name === "result" ? "clean" : name;
          document.querySelector("#clean-start").hidden = name !== "start";
          document.querySelector("#clean-result").hidden = name === "start";
        }""",
        name,
    )
    panel = "clean" if name in ("start", "result") else name
    until(page, f"() => !document.querySelector('#panel-{panel}').hidden")


@pytest.mark.parametrize("name", VIEWS)
def test_whatever_can_be_used_has_a_name(shown, name):
    view(shown.page, name)
    assert shown.page.evaluate("checks.nameless()") == []


@pytest.mark.parametrize("name", VIEWS)
def test_ids_are_unique_and_whatever_refers_to_one_finds_it(shown, name):
    view(shown.page, name)
    assert shown.page.evaluate("checks.references()") == []


@pytest.mark.parametrize("name", VIEWS)
def test_headings_are_in_order_and_one_is_the_first(shown, name):
    view(shown.page, name)
    levels = shown.page.evaluate("checks.headings()")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_roles_tell_their_state(shown):
    page = shown.page
    view(page, "result")
    assert page.get_attribute("html", "lang") == "en"
    assert page.locator("main").count() == 1
    slider = page.locator("[role=slider]")
    assert float(slider.get_attribute("aria-valuemax")) == pytest.approx(3.0)
    assert slider.get_attribute("aria-valuetext").endswith("of 3 seconds")
    assert page.get_attribute("#announcer", "aria-live") == "polite"
    for tab in page.locator("[role=tab]").all():
        chosen = tab.get_attribute("aria-selected") == "true"
        assert page.is_visible(f"#{tab.get_attribute('aria-controls')}") == chosen
        assert tab.get_attribute("tabindex") in (("0", None) if chosen else ("-1",))


@pytest.mark.parametrize("name", VIEWS)
def test_text_stands_out_from_what_is_behind_it(shown, name):
    """WCAG 1.4.3: 4.5 to 1, and 3 to 1 where it is large."""
    view(shown.page, name)
    found = shown.page.evaluate("checks.contrasts()")
    assert len(found) > 8
    assert [text for text in found if text["ratio"] < (AA_LARGE if text["large"] else AA)] == []


def test_edges_of_what_can_be_used_stand_out(shown):
    """WCAG 1.4.11: 3 to 1."""
    assert min(shown.page.evaluate("checks.edges()")) >= 3.0


def test_nothing_moves_for_those_who_want_no_motion(shown):
    assert shown.page.evaluate("checks.moving()") == []


@pytest.mark.parametrize("width", [360, 320])
@pytest.mark.parametrize("name", VIEWS)
def test_a_phone_shows_it_without_scrolling_sideways(shown, name, width):
    page = shown.page
    page.set_viewport_size({"width": width, "height": 740})
    view(page, name)
    try:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate("checks.outside()") == []
        assert page.evaluate("checks.small()") == []
    finally:
        page.set_viewport_size({"width": 1200, "height": 900})


def walk(page, last: str) -> list[str]:
    """Press Tab until an element is reached; the names of all on the way."""
    seen: list[str] = []
    while last not in seen:
        page.keyboard.press("Tab")
        seen.append(page.evaluate("checks.focused()"))
        assert len(seen) < 60, seen
        assert page.evaluate("checks.outline()") not in ("none", ""), f"no focus is seen on {seen[-1]}"
    return seen


def test_all_is_done_by_the_keyboard_alone(browser, server, recording):
    with watched(browser, server.url) as shown:
        page = shown.open()
        page.evaluate(CHECKS)
        choosers: list[FileChooser] = []
        page.on("filechooser", lambda chooser: choosers.append(chooser))
        start = ["Skip to the tools", "tab-clean", "clean-choose", "clean-record", "clean-preset"]
        assert walk(page, "clean-preset") == start
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Enter")
        for _ in range(200):
            page.wait_for_timeout(0 if choosers else 50)
        choosers[0].set_files(recording)
        until(page, "() => document.activeElement.id === 'result-name'")
        on_the_way = walk(page, "download-mp3")
        assert on_the_way[:6] == ["result-preset", "result-another", "play", "enhanced", "match", "strength"]
        assert {"timeline", "zoom-out", "zoom-in", "zoom-fit", "download-wav"} <= set(on_the_way)
        use_the_strength(page)
        use_the_timeline(page)
        use_the_tabs(page)


def use_the_strength(page) -> None:
    page.focus("#strength")
    page.keyboard.press("ArrowLeft")
    assert page.inner_text("#strength-value") == "99 %"
    page.keyboard.press("Home")
    assert page.inner_text("#strength-value") == "0 %"


def use_the_timeline(page) -> None:
    page.focus("#timeline")
    page.keyboard.press("End")
    assert page.inner_text("#time").startswith("0:03.0")
    page.keyboard.press("Home")
    page.keyboard.press(" ")
    until(page, "() => document.querySelector('#play').getAttribute('aria-label') === 'Pause'")
    page.keyboard.press("1")
    assert page.is_checked("#listen input[value=original]")
    assert page.inner_text("#announcer") == "Original."
    page.keyboard.press(" ")
    until(page, "() => document.querySelector('#play').getAttribute('aria-label') === 'Play'")


def use_the_tabs(page) -> None:
    page.focus("#tab-clean")
    for key, name in [("ArrowRight", "live"), ("End", "measure"), ("ArrowRight", "clean")]:
        page.keyboard.press(key)
        assert page.evaluate("checks.focused()") == f"tab-{name}"
        assert page.is_visible(f"#panel-{name}")


def test_the_page_works_under_a_prefix_and_asks_for_nothing_but_its_own(browser, server):
    with watched(browser, server.url) as shown:
        page = shown.open()
        page.evaluate(CHECKS)
        assert not [link for link in page.evaluate("checks.links()") if link.startswith(("/", "http"))]
        for name in ("live", "measure", "clean"):
            page.click(f"#tab-{name}")
        until(page, "() => document.querySelectorAll('#clean-preset option').length > 3")
        paths = {url.removeprefix(server.url) for url in shown.requests}
        assert paths >= {"/", "/page/main.js", "/page/style.css", "/v1/presets"}
