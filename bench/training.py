"""Speed of training: seconds of audio trained on in a second, by processes and precision, and the cost of mixing."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from bench.one_thread import call
from unmuffle.jobs.one_thread import ONE_THREAD

RATE_HZ, TALKERS, NOISES, SECONDS = 48_000, 6, 4, 8.0
STEPS, WARM_STEPS = 75, 25
ITEMS, ROUNDS, ITEM_S = 48, 3, 3.0
EFFECTS = {
    "as by default": {},
    "rooms": {"room_share": 1.0},
    "coded": {"codec_share": 1.0},
    "packets lost": {"packet_loss_share": 1.0},
    "wind for noise": {"wind_share": 0.8},
    "typing for noise": {"keyboard_share": 0.8},
}
CONFIG = """
steps = {steps}
half_precision = {half}
[network]
name = "unmuffle_s"
[data]
clips = {clips}
seconds = 3.0
full_band_share = {full_band_share}
[validation]
every_steps = 1000000
"""


def measure() -> dict[str, Any]:
    """Return the speed of the flagship's training in several processes, and milliseconds of mixing an item."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        packed = _pack(folder)
        crews = sorted({1, min(2, _cores()), _cores()})
        rows = [_train(folder, packed, crew, half, 0.0) for half in (True, False) for crew in crews]
        rows.append(_train(folder, packed, _cores(), True, 1.0))
        mixing = {str(rate): call("bench.training", "mixing_ms", str(packed), rate) for rate in (16_000, 48_000)}
    allocator = Path(os.environ.get("LD_PRELOAD", "")).name or "the system's"
    return {"allocator": allocator, "cores": _cores(), "runs": rows, "mixing_ms": mixing, "item_s": ITEM_S}


def mixing_ms(packed: str, rate: int) -> dict[str, float]:
    """Return milliseconds of processor time an item takes, by what is done to it."""
    from unmuffle.train.data.mixing import Mixer
    from unmuffle.train.data.settings import MixSettings

    found = {}
    for name, changes in EFFECTS.items():
        mixer = Mixer(Path(packed), rate, replace(MixSettings(), **changes), ITEM_S)
        mixer.batch((0,), range(8))
        times = []
        for _ in range(ROUNDS):
            started = time.process_time()
            mixer.batch((1,), range(ITEMS))
            times.append(time.process_time() - started)
        found[name] = 1_000 * min(times) / ITEMS
    return found


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _pack(folder: Path) -> Path:
    """Make and pack a small corpus: what is said in it does not matter to the speed."""
    from unmuffle.train.data.packing import pack

    random = np.random.default_rng(0)
    count = round(SECONDS * RATE_HZ)
    syllables = np.clip(np.sin(2 * np.pi * 3 * np.arange(count) / RATE_HZ), 0, None)
    for kind, number in [("speech", n) for n in range(TALKERS)] + [("noise", n) for n in range(NOISES)]:
        place = folder / kind / f"{kind}{number}"
        place.mkdir(parents=True)
        sound = random.standard_normal(count) * (syllables if kind == "speech" else 1.0)
        soundfile.write(place / "a.wav", 0.1 * sound, RATE_HZ)
    pack({kind: [folder / kind] for kind in ("speech", "noise")}, folder / "packed", (), 8, 0.0)
    return folder / "packed"


def _train(folder: Path, packed: Path, processes: int, half: bool, full_band_share: float) -> dict[str, Any]:
    """Train for some steps and return the speed that the run tells after the first of them."""
    clips = 8 * processes
    name = f"{processes}-{half}-{full_band_share}"
    config = folder / f"{name}.toml"
    text = CONFIG.format(steps=STEPS, half=str(half).lower(), clips=clips, full_band_share=full_band_share)
    config.write_text(text)
    command = [sys.executable, "-m", "unmuffle", "train", "run", config, "--data", packed, "--work", folder / name]
    done = subprocess.run(
        [str(word) for word in [*command, "--processes", processes]],
        env=os.environ | ONE_THREAD,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"training in {processes} processes failed:\n{done.stderr}")
    entries = [json.loads(line) for line in (folder / name / "log.jsonl").read_text().splitlines()]
    speeds = [entry["real_time"] for entry in entries if "real_time" in entry and entry["step"] > WARM_STEPS]
    return {
        "processes": processes,
        "bfloat16": half,
        "rate_hz": 48_000 if full_band_share else 16_000,
        "real_time": statistics.median(speeds),
    }
