"""Photograph the web page for its documentation: ``python -m bench.page_screenshots`` writes ``docs/screenshots/``.

A server of its own, a headless Chromium, and the example recording, which is also what its microphone hears.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "screenshots"
NOISY, CLEAN = ROOT / "examples" / "noisy.flac", ROOT / "examples" / "clean.flac"
PHONE = {"width": 360, "height": 740}
COLOURS = 64
PATIENCE_S = 120.0


def main() -> None:
    """Take the pictures that were asked for, or all."""
    parser = argparse.ArgumentParser(prog="python -m bench.page_screenshots", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"{', '.join(SHOTS)} [default: all]")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder to write into [default: docs/screenshots]")
    options = parser.parse_args()
    if unknown := set(options.names) - set(SHOTS):
        parser.error(f"there is no picture {', '.join(sorted(unknown))}")
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, serving() as url, browser(Path(folder)) as chromium:
        for name in options.names or SHOTS:
            path = options.out / f"{name}.png"
            take, look = SHOTS[name]
            page = chromium.new_context(**look).new_page()
            page.goto(url)
            take(page)
            page.wait_for_timeout(500)
            page.screenshot(path=path)
            page.context.close()
            shrink(path)
            print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


@contextmanager
def serving() -> Iterator[str]:
    """Run ``unmuffle serve`` on a free port; its address."""
    command = [sys.executable, "-m", "unmuffle", "serve", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            for line in process.stderr or ():
                if port := re.search(r'"port": (\d+)', line):
                    yield f"http://127.0.0.1:{port[1]}/"
                    break
        finally:
            process.kill()


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """Run a Chromium whose microphone hears the example."""
    import soundfile
    from playwright.sync_api import sync_playwright

    audio, rate = soundfile.read(NOISY)
    soundfile.write(folder / "microphone.wav", audio, rate)
    flags = ["--no-sandbox", "--disable-gpu", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    microphone = f"--use-file-for-fake-audio-capture={folder / 'microphone.wav'}"
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=shutil.which("chromium"), args=[*flags, microphone])
        yield chromium
        chromium.close()


def shrink(path: Path) -> None:
    """Keep as many colours as it takes for nobody to notice."""
    from PIL import Image

    with Image.open(path) as image:
        small = image.convert("RGB").quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    small.save(path, optimize=True)


def until(page: Page, script: str, argument: Any = None) -> None:
    """Wait until something of the page is true."""
    end_s = time.monotonic() + PATIENCE_S
    while not page.evaluate(script, argument):
        if time.monotonic() > end_s:
            raise TimeoutError(f"in vain: {script}")
        time.sleep(0.1)


def cleaned(page: Page) -> None:
    """The example, cleaned, in the middle of being listened to."""
    page.set_input_files("#clean-file", NOISY)
    until(page, "() => document.querySelector('#snr-after').textContent !== '–'")
    until(page, "() => document.querySelector('#timeline').dataset.drawn")
    box = page.locator("#spectrogram-original").bounding_box() or {"x": 0, "y": 0, "width": 0, "height": 0}
    page.mouse.click(box["x"] + 0.42 * box["width"], box["y"] + box["height"] / 2)


def removed(page: Page) -> None:
    """What is removed at three quarters of the strength, a few words long."""
    cleaned(page)
    page.locator("#strength").fill("75")
    page.keyboard.press("3")
    for _ in range(3):
        page.locator("#timeline").press("+")
    page.wait_for_timeout(300)


def live(page: Page) -> None:
    """The live tab, while it runs."""
    page.click("#tab-live")
    page.click("#live-start")
    until(page, "() => /of/.test(document.querySelector('#live-late').textContent)")
    page.click("#live-record")
    taken = "() => Number(document.querySelector('#meter-taken').getAttribute('aria-valuenow')) > 6"
    page.wait_for_timeout(4000)
    until(page, taken)


def measured(page: Page) -> None:
    """The scores of the example."""
    page.click("#tab-measure")
    page.set_input_files("#measure-noisy", NOISY)
    page.set_input_files("#measure-enhanced", CLEAN)
    page.click("#measure-go")
    until(page, "() => !document.querySelector('#measure-result').hidden")


def looking(size: dict[str, int], colours: str = "light") -> dict[str, Any]:
    """How a page is looked at; still, so that pictures are sharp."""
    return {"viewport": size, "color_scheme": colours, "reduced_motion": "reduce"}


SHOTS: dict[str, tuple[Callable[[Page], None], dict[str, Any]]] = {
    "page-clean": (cleaned, looking({"width": 1000, "height": 1260})),
    "page-removed-dark": (removed, looking({"width": 1000, "height": 760}, "dark")),
    "page-live": (live, looking({"width": 1000, "height": 890})),
    "page-measure": (measured, looking({"width": 1000, "height": 1000})),
    "page-phone": (cleaned, looking(PHONE)),
}


if __name__ == "__main__":
    main()
