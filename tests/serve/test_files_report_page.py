"""The report as a page: a browser shows it, and nothing in it can act for who reads it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("starlette", reason="the extra serve is not installed")
import httpx
from live_server import Running, running_server
from page_browser import chromium, until, watched

from unmuffle.measure.report import html
from unmuffle.serve import routes_measure

RATE = 16_000
PLANTED = "<script>document.documentElement.dataset.planted = '1'</script>"


@pytest.fixture(scope="module")
def files(tmp_path_factory, noisy_speech, write_file) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("report")
    noisy = noisy_speech(RATE, 4.0)
    return {
        "noisy": write_file(folder / "noisy.wav", noisy, RATE),
        "enhanced": write_file(folder / "enhanced.wav", 0.5 * noisy, RATE),
    }


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running_server() as running:
        yield running


@pytest.fixture(scope="module")
def browser():
    with chromium() as running:
        yield running


def opened_report(page, files):
    for name, path in files.items():
        page.set_input_files(f"#measure-{name}", path)
    with page.context.expect_page() as opened:
        page.click("#measure-report")
    report = opened.value
    report.wait_for_load_state("load", timeout=60_000)
    return report


def test_the_answer_is_to_be_shown_and_has_no_origin(server, files):
    sent = {name: path.read_bytes() for name, path in files.items()}
    answer = httpx.post(f"{server.url}/v1/measure", params={"format": "html"}, files=sent, timeout=60.0)
    assert answer.headers["content-disposition"] == 'inline; filename="report.html"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    policy = dict.fromkeys(answer.headers["content-security-policy"].split("; "))
    assert "sandbox allow-scripts" in policy
    assert {"default-src 'none'", "form-action 'none'", "base-uri 'none'", "frame-ancestors 'none'"} <= policy.keys()
    assert not any("allow-same-origin" in part or "connect-src" in part for part in policy)


def test_a_click_shows_it_in_a_tab_of_its_own(browser, server, files):
    with watched(browser, server.url) as shown:
        page = shown.open("/#measure")
        faults: list[str] = []
        page.context.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        report = opened_report(page, files)
        assert report.inner_text("h1") == "Speech enhancement report"
        # Its own script runs: it makes the player of the clip, which plays the audio that the page has in it.
        report.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
        report.locator(".player .play").first.click()
        until(report, "() => document.querySelector('.player .seek').value > 0.3")
        assert page.inner_text("#measure-error") == ""
        assert [fault for fault in faults if "Content Security Policy" in fault] == []
        assert page.locator("#measure-title").count() == 1
        report.close()


def test_nothing_in_it_can_act_for_who_reads_it(browser, server, files):
    with watched(browser, server.url) as shown:
        page = shown.open("/#measure")
        page.evaluate("localStorage.setItem('secret', 'kept')")
        report = opened_report(page, files)
        assert report.evaluate("self.origin") == "null"
        tried = """async () => {
            const told = {};
            for (const [name, act] of Object.entries({
                storage: () => localStorage.getItem("secret"),
                cookie: () => document.cookie,
                fetch: () => fetch("/v1/models").then((answer) => answer.text()),
                opener: () => window.opener.document.title,
                frame: () => { const frame = document.createElement("iframe"); frame.src = "/";
                    document.body.append(frame); return frame.contentDocument.title; },
            })) {
                try { told[name] = String(await act()); } catch (error) { told[name] = "refused"; }
            }
            return told;
        }"""
        assert set(report.evaluate(tried).values()) == {"refused"}
        report.close()


def test_a_script_that_got_into_it_does_not_run(browser, server, files, tmp_path):
    """By the policy of the page itself, were it ever to let a name through unescaped."""
    sent = {name: path.read_bytes() for name, path in files.items()}
    answer = httpx.post(f"{server.url}/v1/measure", params={"format": "html"}, files=sent, timeout=60.0)
    page = browser.new_context().new_page()
    ran = {}
    for name, text in (("as it is", answer.text), ("open", answer.text.replace("Content-Security-Policy", "x"))):
        planted = tmp_path / "planted.html"
        planted.write_text(text.replace("</body>", f"{PLANTED}</body>"))
        page.goto(planted.as_uri())
        ran[name] = page.evaluate("document.documentElement.dataset.planted ?? null")
    assert ran == {"as it is": None, "open": "1"}
    page.context.close()


def test_names_of_files_cannot_become_part_of_the_page(server, files):
    sent = {name: ("<img src=x onerror=alert(1)>.wav", path.read_bytes()) for name, path in files.items()}
    answer = httpx.post(f"{server.url}/v1/measure", params={"format": "html"}, files=sent, timeout=60.0)
    assert answer.status_code == 200
    assert "<img src=x" not in answer.text


def test_the_servers_policy_allows_what_the_page_needs():
    """What the page's own policy lets it do, but for the scripts, which only the page can name."""
    template = (Path(html.__file__).parent / "templates" / "report.html.j2").read_text()
    own = template.split('http-equiv="Content-Security-Policy" content="')[1].split('"')[0]
    for part in own.split("; "):
        if not part.startswith("script-src"):
            assert part in routes_measure.PAGE_POLICY
