"""Results whose figures are known from how they are made, and pages taken apart."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import soundfile

from unmuffle.measure.results import ClipResult, Results

RATE = 16_000
VOID = {"meta", "link", "br", "img", "input", "hr"}


def made_results(
    clips: int = 12,
    enhancers: tuple[str, ...] = ("noisy", "first", "second"),
    folder: Path | None = None,
    seed: int = 0,
) -> Results:
    """Measures that rise with the SNR, one of them unknown, and audio for each version where there is a folder."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(clips):
        clip = f"clip{number:02d}"
        snr_db = float((-5, 0, 5, 10)[number % 4])
        conditions = {"snr_db": snr_db, "noise": ("fan", "street", "rain")[number % 3]}
        for place, enhancer in enumerate(enhancers):
            values = {
                "si_sdr_db": snr_db + 1.5 * place + rng.normal(),
                "pesq_wideband": 1.5 + snr_db / 20.0 + 0.1 * place + 0.05 * rng.normal(),
                "homemade": float(rng.normal()),
            }
            if enhancer != "noisy":
                values["real_time_factor"] = 0.01 * place
            files = _files(folder, clip, enhancer, place, number) if folder is not None else {}
            rows.append(ClipResult(clip, enhancer, RATE, 2.0, values, {}, conditions, files))
    return Results(rows, {"data": "made up", "machine": "none"})


def _files(folder: Path, clip: str, enhancer: str, place: int, seed: int) -> dict[str, str]:
    """Swelling tones in noise, each version at another level."""
    time = np.arange(2 * RATE) / RATE
    rng = np.random.default_rng(seed)
    voice = np.sin(2 * np.pi * 440.0 * time) * np.sin(2 * np.pi * 1.5 * time) ** 2
    names = {"noisy": folder / f"{clip}.wav", "clean": folder / f"{clip}.clean.wav"}
    soundfile.write(names["noisy"], 0.05 * (voice + 0.3 * rng.standard_normal(time.size)), RATE)
    soundfile.write(names["clean"], 0.3 * voice, RATE)
    if enhancer != "noisy":
        names["enhanced"] = folder / f"{clip}.{enhancer}.wav"
        enhanced = 0.1 / (place + 1) * (voice + 0.1 * rng.standard_normal(time.size))
        soundfile.write(names["enhanced"], enhanced, RATE)
    return {role: str(path) for role, path in names.items()}


class Page(HTMLParser):
    """A page taken apart: its elements with their attributes, its text, and whether every tag is closed in its turn."""

    def __init__(self, path: Path) -> None:
        super().__init__(convert_charrefs=True)
        self.source = path.read_text("utf-8")
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text: list[tuple[str, str]] = []
        self.mistakes: list[str] = []
        self._open: list[str] = []
        self.feed(self.source)
        self.close()
        self.mistakes += [f"{tag} is never closed" for tag in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.mistakes.append(f"</{tag}> closes something else at {self.getpos()}")

    def handle_data(self, data: str) -> None:
        self.text.append((self._open[-1] if self._open else "", data))

    def all(self, tag: str, **wanted: str) -> list[dict[str, str]]:
        return [
            found
            for name, found in self.elements
            if name == tag
            and all(found.get(key.rstrip("_").replace("_", "-")) == value for key, value in wanted.items())
        ]

    @property
    def shown(self) -> str:
        """All text that a reader sees."""
        return " ".join(data for tag, data in self.text if tag not in ("script", "style", "title"))

    @property
    def clip_table(self) -> dict:
        found = re.search(r'<script type="application/json" id="clip-data">(.*?)</script>', self.source, re.DOTALL)
        return json.loads(found.group(1))

    @property
    def players(self) -> dict[str, dict]:
        blocks = re.findall(
            r'<script type="application/json" data-listen="[^"]*">(.*?)</script>', self.source, re.DOTALL
        )
        return {data["clip"]: data for data in map(json.loads, blocks)}
