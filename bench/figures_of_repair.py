"""Before and after each stage of repair, on the example recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.drawing import (
    AFTER,
    BEFORE,
    TRUTH,
    Span,
    example,
    key,
    levels_db,
    long_spectrum_db,
    over_hz,
    panels,
    spectrograms,
    waves,
)
from bench.repair_signals import Floats, clipped, hum, in_a_room

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RATE = 16_000


def declipping() -> Figure:
    """Peaks before they were cut off, cut off, and rebuilt."""
    from unmuffle.repair import declip

    clean = example()
    spoilt = clipped(clean.audio)
    rebuilt = declip(spoilt, clean.rate)
    loudest = int(np.argmax(np.abs(clean.audio - spoilt))) / clean.rate
    figure, axis = panels(1, height_in=2.4)
    named = {"clean": (clean.audio, TRUTH), "rebuilt": (rebuilt, AFTER), "clipped": (spoilt, BEFORE)}
    waves(axis, named, clean.rate, Span(loudest - 0.006, loudest + 0.006), unit_s=1e-3)
    return figure


def declicking() -> Figure:
    """A click and a lost packet, and what was put in their place."""
    from unmuffle.repair import declick

    clean = example()
    middle = _loudest(clean.audio, clean.rate)
    spoilt = clean.audio.copy()
    click, lost = Span(middle - 0.03, middle - 0.0295), Span(middle, middle + 0.01)
    burst = np.random.default_rng(3).standard_normal(24) * np.exp(-np.arange(24) / 8.0)
    click.of(spoilt, clean.rate)[:] += 0.5 * np.abs(clean.audio).max() * burst
    lost.of(spoilt, clean.rate)[:] = 0.0
    figure, axes = panels(2, height_in=1.8, sharex=True, sharey=True)
    span = Span(middle - 0.045, middle + 0.025)
    waves(axes[0], {"a click of 0.5 ms, a packet of 10 ms lost": (spoilt, BEFORE)}, clean.rate, span, unit_s=1e-3)
    named = {"clean": (clean.audio, TRUTH), "repaired": (declick(spoilt, clean.rate), AFTER)}
    waves(axes[1], named, clean.rate, span, unit_s=1e-3)
    axes[0].set(title="before: a click of 0.5 ms, and a packet of 10 ms lost", xlabel="")
    axes[1].set(title="after")
    return figure


def dehumming() -> Figure:
    """Hum whose frequency swings."""
    from unmuffle.repair import dehum

    clean = example(rate=RATE)
    lines, _ = hum(clean, np.random.default_rng(0), 50.0)
    spoilt = clean.audio + lines.sum(axis=0)
    figure, axes = panels(2, sharex=True, sharey=True)
    named = {"before: hum of 50 Hz, 10 dB below the voice": spoilt, "after dehum": dehum(spoilt, RATE)}
    spectrograms(axes, named, RATE, 500.0, window_s=0.25)
    return figure


def high_passing() -> Figure:
    """Rumble below the voice."""
    from unmuffle.repair import high_pass

    clean = example(rate=RATE)
    random = np.random.default_rng(0)
    rumble = _band(np.cumsum(random.standard_normal(len(clean.audio))), RATE, 2.0, 60.0)
    spoilt = clean.audio + 0.05 * rumble / rumble.std()
    figure, axis = panels(1, height_in=2.4)
    for name, audio, colour in (
        ("before: rumble", spoilt, BEFORE),
        ("after high_pass", high_pass(spoilt, RATE), AFTER),
    ):
        over_hz(axis, *long_spectrum_db(audio, RATE, 5.0), color=colour, label=name)
    axis.set(ylabel="dBFS in 5 Hz", xlim=(10.0, 2000.0), ylim=(-100.0, -20.0))
    axis.axvline(70.0, color=TRUTH, linestyle=":", label="cutoff_hz=70")
    key(axis, 3)
    return figure


def deessing() -> Figure:
    """Sibilants raised by 12 dB, and softened."""
    from unmuffle.repair import deess

    clean = example()
    sharp = clean.audio + 3.0 * _band(clean.audio, clean.rate, 5000.0, 12_000.0)
    bands = [_band(audio, clean.rate, 5000.0, 12_000.0) for audio in (sharp, deess(sharp, clean.rate))]
    figure, axes = panels(2, sharex=True)
    (times, before_db), (_, after_db) = (levels_db(band, clean.rate, 0.02) for band in bands)
    axes[0].plot(times, before_db, color=BEFORE, label="before: sibilants 12 dB too strong")
    axes[0].plot(times, after_db, color=AFTER, label="after deess")
    axes[0].set(title="5 to 12 kHz", ylabel="dBFS in 20 ms", ylim=(-60.0, -10.0), xlim=(1.0, 15.0))
    key(axes[0], 2)
    heard = before_db > -60.0
    axes[1].plot(times, np.where(heard, after_db - before_db, 0.0), color=AFTER)
    axes[1].set(title="what was taken off there", ylabel="dB", xlabel="s", ylim=(-7.0, 1.0))
    return figure


def deplosion() -> Figure:
    """Pops of breath, at the onsets of words."""
    from unmuffle.repair import deplosive

    clean = example(rate=RATE)
    spoilt = clean.audio.copy()
    time = np.arange(round(0.12 * RATE)) / RATE
    pop = np.sin(2.0 * np.pi * 35.0 * time) * np.exp(-time / 0.03) * np.abs(clean.audio).max() * 1.2
    for at_s in (1.86, 4.02, 4.9):
        at = round(at_s * RATE)
        spoilt[at : at + len(pop)] += pop
    figure, axes = panels(2, sharex=True, sharey=True)
    span = Span(1.5, 6.5)
    waves(axes[0], {"before": (spoilt, BEFORE)}, RATE, span)
    waves(axes[1], {"after": (deplosive(spoilt, RATE), AFTER)}, RATE, span)
    axes[0].set(title="before: a pop of breath before three words", xlabel="")
    axes[1].set(title="after deplosive")
    return figure


def dereverberation() -> Figure:
    """A room, and what each method leaves of it."""
    from unmuffle.repair import dereverb

    clean = example(rate=RATE)
    audio, _ = in_a_room(clean, np.random.default_rng(1), 0.7)
    named = {"before: a room that rings for 0.7 s": audio}
    named |= {f"after {method}": dereverb(audio, RATE, method) for method in ("wpe", "wpe_offline", "late")}
    figure, axes = panels(4, height_in=1.1, sharex=True, sharey=True)
    span = Span(8.0, 12.0)
    spectrograms(axes, {name: span.of(each, RATE) for name, each in named.items()}, RATE, 4000.0, range_db=50.0)
    return figure


def _loudest(audio: Floats, rate: int) -> float:
    size = round(0.1 * rate)
    return (int(np.square(audio[: len(audio) // size * size].reshape(-1, size)).sum(axis=1).argmax()) + 0.5) * 0.1


def _band(audio: Floats, rate: int, low_hz: float, high_hz: float) -> Floats:
    from scipy.signal import butter, sosfiltfilt

    return sosfiltfilt(butter(4, (low_hz, high_hz), "bandpass", fs=rate, output="sos"), audio)
