"""Before and after each stage of level, on the example recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.drawing import (
    AFTER,
    BEFORE,
    NOISY,
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
from bench.repair_signals import uneven

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RATE = 16_000


def levelling() -> Figure:
    """A talker who drops by 20 dB, and a pause."""
    from unmuffle.level import level

    audio, (drop,), _ = uneven(example(rate=RATE), np.random.default_rng(0))
    audio = audio[: drop.after.start + 8 * RATE]
    audio = np.concatenate(
        [audio, audio[-RATE // 4 :], 10.0**-3.75 * np.random.default_rng(1).standard_normal(5 * RATE)]
    )
    figure, axis = panels(1, height_in=2.6)
    for name, each, colour in (("before", audio, BEFORE), ("after level, live", level(audio, RATE), AFTER)):
        axis.plot(*levels_db(each, RATE), color=colour, label=name, linewidth=1.0)
    axis.axvline(drop.after.start / RATE, color=TRUTH, linestyle=":", label="20 dB softer from here")
    axis.set(xlabel="s", ylabel="dBFS in 100 ms", ylim=(-80.0, -5.0), xlim=(0.0, len(audio) / RATE))
    key(axis, 3)
    return figure


def clarifying() -> Figure:
    """Speech shaped to be understood in noise, at the same loudness."""
    from unmuffle.level import near_end_equalize

    clean = example(rate=RATE)
    figure, axis = panels(1, height_in=2.6)
    over_hz(axis, *long_spectrum_db(clean.audio, RATE, 60.0), color=BEFORE, label="before")
    for amount, style in ((0.5, "-"), (1.0, ":")):
        after = near_end_equalize(clean.audio, RATE, noise="speech", snr_db=-5, amount=amount)
        label = f"after near_end_equalize, amount={amount:g}"
        over_hz(axis, *long_spectrum_db(after, RATE, 60.0), color=AFTER, linestyle=style, label=label)
    axis.set(ylabel="dBFS in 60 Hz", xlim=(125.0, 8000.0), ylim=(-75.0, -30.0))
    key(axis, 3)
    return figure


def hearing() -> Figure:
    """The gain of bands of speech for a sloping loss, of soft and loud speech."""
    from unmuffle.level import compensate_hearing

    right_ear = "250:20,500:25,1000:30,2000:45,3000:55,4000:60,6000:65,8000:70"
    clean = example(rate=RATE)
    figure, axes = panels(2, sharex=True, height_in=1.9)
    hz, _ = long_spectrum_db(clean.audio, RATE, 60.0)
    for offset_db, style in ((-20.0, ":"), (0.0, "-")):
        audio = clean.audio * 10.0 ** (offset_db / 20.0)
        after = compensate_hearing(audio, RATE, audiogram=right_ear)
        before_db, after_db = (long_spectrum_db(each, RATE, 60.0)[1] for each in (audio, after))
        name = "soft speech" if offset_db else "usual level"
        over_hz(axes[0], hz, before_db, color=BEFORE, linestyle=style, label=f"before, {name}")
        over_hz(axes[0], hz, after_db, color=AFTER, linestyle=style, label=f"after, {name}")
        over_hz(axes[1], hz, after_db - before_db, color=AFTER, linestyle=style, label=name)
    axes[0].set(ylabel="dBFS in 60 Hz", xlabel="", ylim=(-95.0, -25.0))
    axes[1].set(title="gain", ylabel="dB", xlim=(125.0, 7500.0))
    key(axes[0], 4)
    key(axes[1], 2)
    return figure


def dynamics() -> Figure:
    """Compressor, limiter and gate."""
    from unmuffle.level import apply_gate, compress, limit

    clean = example()
    voice = clean.audio / np.abs(clean.audio).max()
    figure, axes = panels(3, height_in=1.9)
    soft_and_loud = voice * np.where(np.arange(len(voice)) < 4.2 * clean.rate, 0.12, 0.9)
    squeezed = compress(soft_and_loud, clean.rate, threshold_db=-30.0, ratio=4.0, makeup_db=9.0)
    span = Span(1.0, 8.0)
    for name, audio, colour in (("before", soft_and_loud, BEFORE), ("after compress", squeezed, AFTER)):
        times, level_db = levels_db(span.of(audio, clean.rate), clean.rate)
        axes[0].plot(times, level_db, color=colour, label=name, linewidth=1.0)
    axes[0].set(
        title="compress: a soft and a loud talker", ylabel="dBFS", xlabel="s", ylim=(-60.0, -5.0), xlim=(0.0, 7.0)
    )
    key(axes[0], 2)
    loud = 2.0 * voice
    peak_s = int(np.abs(loud).argmax()) / clean.rate
    named = {"before": (loud, BEFORE), "after limit": (limit(loud, clean.rate, ceiling_dbtp=-1.0), AFTER)}
    waves(axes[1], named, clean.rate, Span(peak_s - 0.02, peak_s + 0.02), unit_s=1e-3)
    for sign in (1.0, -1.0):
        axes[1].axhline(sign * 10.0**-0.05, color=TRUTH, linestyle=":")
    axes[1].set(title="limit: true peaks held under -1 dBTP (dotted)")
    hissing = voice * 0.5 + 0.004 * np.random.default_rng(0).standard_normal(len(voice))
    gated = apply_gate(hissing, clean.rate, threshold_db=-30.0)
    for name, audio, colour in (("before", hissing, BEFORE), ("after apply_gate", gated, AFTER)):
        times, level_db = levels_db(span.of(audio, clean.rate), clean.rate, 0.02)
        axes[2].plot(times, level_db, color=colour, label=name, linewidth=1.0)
    axes[2].set(title="apply_gate: noise in pauses", ylabel="dBFS", xlabel="s", ylim=(-80.0, -5.0), xlim=(0.0, 7.0))
    key(axes[2], 2)
    return figure


def loudness() -> Figure:
    """Short-term loudness before and after it is brought to a target."""
    from unmuffle.level import LoudnessMeter, normalize_loudness, true_peak_dbtp

    clean = example()
    soft = 0.15 * clean.audio
    figure, axis = panels(1, height_in=2.6)
    for name, audio, colour in (
        ("before", soft, BEFORE),
        ("after", normalize_loudness(soft, clean.rate, "podcast"), AFTER),
    ):
        meter = LoudnessMeter(clean.rate, 1)
        meter.process(audio[None].astype(np.float32))
        peak = float(np.max(true_peak_dbtp(audio, clean.rate)))
        label = f"{name}: {meter.integrated_lufs:.1f} LUFS, {peak:.1f} dBTP"
        values = np.maximum(meter.momentary_lufs, -80.0)
        axis.plot((np.arange(len(values)) + 4) / 10.0, values, color=colour, label=label, linewidth=1.2)
    axis.axhline(-16.0, color=TRUTH, linestyle=":", label="target: -16 LUFS")
    axis.set(xlabel="s", ylabel="momentary LUFS", ylim=(-70.0, 0.0), xlim=(0.0, len(soft) / clean.rate))
    key(axis, 3)
    return figure


def preset() -> Figure:
    """A noisy recording before and after the preset for podcasts."""
    import unmuffle

    noisy = example(NOISY)
    after = unmuffle.Enhancer(preset="podcast").enhance(noisy.audio, noisy.rate)
    figure, axes = panels(2, sharex=True, sharey=True)
    span = Span(0.5, 8.5)
    named = {"before: rain, a fan, typing": noisy.audio, "after --preset podcast": after}
    named = {name: span.of(audio, noisy.rate) for name, audio in named.items()}
    spectrograms(axes, named, noisy.rate, 8000.0, range_db=60.0)
    return figure
