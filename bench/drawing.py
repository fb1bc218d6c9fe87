"""How the figures of the documentation look: panels of one size, axes with units, before and after on one scale."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import soundfile

from bench.repair_signals import Floats, Programme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CLEAN = Path(__file__).parent.parent / "examples" / "clean.flac"
NOISY = CLEAN.with_name("noisy.flac")

BEFORE, AFTER, TRUTH = "#c2410c", "#0f766e", "#9ca3af"
WIDTH_IN, DPI, COLOURS = 8.0, 100, 128
SETTINGS = {"font.size": 9, "axes.titlesize": 9, "axes.titlelocation": "left", "axes.spines.top": False}
SETTINGS |= {"axes.spines.right": False, "legend.frameon": False, "figure.constrained_layout.use": True}


class Span(NamedTuple):
    """From when to when, in seconds."""

    start_s: float
    stop_s: float

    def of(self, audio: Floats, rate: int) -> Floats:
        """Return these samples."""
        return audio[..., round(self.start_s * rate) : round(self.stop_s * rate)]

    def times_s(self, rate: int) -> Floats:
        """Return the time of each of these samples."""
        return np.arange(round(self.start_s * rate), round(self.stop_s * rate)) / rate


def example(path: Path = CLEAN, rate: int = 0) -> Programme:
    """Return an example recording, at its own rate or another."""
    audio, native = soundfile.read(path, dtype="float64")
    if rate not in (0, native):
        from scipy.signal import resample_poly

        audio = resample_poly(audio, rate, native)
    return Programme(rate or native, audio, (slice(0, len(audio)),))


def panels(rows: int, columns: int = 1, *, height_in: float = 1.7, **options: Any) -> tuple[Figure, Any]:
    """Return a figure and its axes, an array if there are several."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH_IN, height_in * rows + 0.3), dpi=DPI)
    return figure, figure.subplots(rows, columns, **options)


def draw(make: Callable[[], Figure], path: Path) -> None:
    """Write a figure in the look of all."""
    import matplotlib as mpl

    with mpl.rc_context(SETTINGS):
        save(make(), path)


def save(figure: Figure, path: Path) -> None:
    """Write a PNG of few colours, the same bytes for the same figure."""
    import io

    from PIL import Image

    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=DPI, metadata={"Software": None})
    Image.open(drawn).convert("RGB").quantize(
        COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
    ).save(path, optimize=True)


def spectrograms(
    axes: Sequence[Axes],
    named: dict[str, Floats],
    rate: int,
    top_hz: float,
    *,
    window_s: float = 0.032,
    range_db: float = 70.0,
) -> None:
    """Draw the spectrogram of each named audio, all on the scale of the first, with one bar of colours."""
    from scipy.signal import ShortTimeFFT
    from scipy.signal.windows import hann

    size = round(window_s * rate)
    frames = ShortTimeFFT(hann(size, sym=False), max(1, size // 2), rate, scale_to="magnitude")
    top_db = None
    for axis, (name, audio) in zip(axes, named.items(), strict=True):
        kept = frames.f <= top_hz
        level_db = 20.0 * np.log10(np.abs(frames.stft(audio))[kept] + 1e-9)
        top_db = float(level_db.max()) if top_db is None else top_db
        times = frames.t(len(audio))
        image = axis.imshow(
            level_db,
            origin="lower",
            aspect="auto",
            extent=(times[0], times[-1], 0.0, frames.f[kept][-1] / 1000.0),
            vmin=top_db - range_db,
            vmax=top_db,
            cmap="magma",
            interpolation="bilinear",
        )
        axis.set(title=name, ylabel="kHz", xlim=(0.0, len(audio) / rate))
    axes[-1].set_xlabel("s")
    axes[0].figure.colorbar(image, ax=list(axes), label="dBFS", pad=0.01, aspect=30)


def waves(axis: Axes, named: dict[str, tuple[Floats, str]], rate: int, span: Span, *, unit_s: float = 1.0) -> None:
    """Draw waveforms over each other, each with its colour; the axis of time begins at the span's start."""
    times = span.times_s(rate) - span.start_s
    for name, (audio, colour) in named.items():
        axis.plot(times / unit_s, span.of(audio, rate), color=colour, label=name, linewidth=1.0)
    axis.set(ylabel="amplitude", xlabel="ms" if unit_s != 1.0 else "s", xlim=(0.0, times[-1] / unit_s))
    if len(named) > 1:
        key(axis, len(named))


def key(axis: Axes, columns: int) -> None:
    """Say above the panel which line is which."""
    axis.legend(loc="lower right", bbox_to_anchor=(1.0, 0.98), ncols=columns, borderaxespad=0.0)


def over_hz(axis: Axes, hz: Floats, level_db: Floats, **look: Any) -> None:
    """Draw levels over frequency, in octaves."""
    axis.semilogx(hz[1:], level_db[1:], **look)
    axis.set_xticks([16, 31, 63, 125, 250, 500, 1000, 2000, 4000, 8000])
    axis.set_xticklabels(["16", "31", "63", "125", "250", "500", "1k", "2k", "4k", "8k"])
    axis.minorticks_off()
    axis.set_xlabel("Hz")


def long_spectrum_db(audio: Floats, rate: int, resolution_hz: float) -> tuple[Floats, Floats]:
    """Return frequencies and the mean level in dB of full scale in bands of this width."""
    from scipy.signal import welch

    hz, power = welch(audio, rate, nperseg=round(1.5 * rate / resolution_hz), scaling="spectrum")
    return hz, 10.0 * np.log10(power + 1e-20)


def levels_db(audio: Floats, rate: int, frame_s: float = 0.1) -> tuple[Floats, Floats]:
    """Return times and the RMS level of frames."""
    size = round(frame_s * rate)
    power = np.square(audio[: len(audio) // size * size].reshape(-1, size)).mean(axis=1)
    return (np.arange(len(power)) + 0.5) * frame_s, 10.0 * np.log10(power + 1e-12)
