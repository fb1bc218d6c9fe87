"""The panels of a figure, drawn one below the other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from unmuffle.measure.spectra.analysis import SpectrumAnalysis
from unmuffle.measure.spectra.bands import fractional_octave_edges
from unmuffle.measure.spectra.spectrogram import Spectrogram
from unmuffle.measure.spectra.style import LEVEL_MAP, Palette
from unmuffle.measure.spectra.warp import FrequencyAxis
from unmuffle.signal.arrays import FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.gridspec import GridSpec

GAIN_LIMIT_DB = 30.0

_WAVE_COLUMNS = 1_500
_STRENGTH_TICKS = (0.0, 0.5, 1.0)
_PER_OCTAVE = 6
_LONG_S = 180.0
_STEPS_S = (15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0)
_MOST_TIME_TICKS = 13
_SPECTRUM_RANGE_DB = 75.0
_SPECTRUM_TICKS_HZ = (50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
_ABOVE: dict[str, Any] = {"loc": "lower right", "bbox_to_anchor": (1.0, 0.97), "borderaxespad": 0.0}
"""Where a legend is in nobody's way: beside the title."""

_DASHES = {"noisy": "-", "enhanced": "-", "removed": (0, (1.2, 1.2)), "clean": (0, (5.0, 1.6))}


@dataclass
class Sheet:
    """A figure that is filled from the top.

    Attributes
    ----------
    figure, grid
        Of matplotlib; the grid has a wide column and a narrow one for colour bars.
    axis : FrequencyAxis
        Of all spectrograms.
    palette : Palette
        Colours.
    start_s : float
        Time of the first sample.
    """

    figure: Figure
    grid: GridSpec
    axis: FrequencyAxis
    palette: Palette
    start_s: float
    _timed: list[Axes] = field(default_factory=list)
    _image: Any = None

    def waveforms(self, signals: dict[str, FloatArray], sample_rate: int) -> None:
        """Draw the range of the samples of all channels over time, one signal over the other."""
        axes = self._next_timed("Waveform")
        peak = 0.0
        for name, audio in signals.items():
            low, high, step = _envelope(audio)
            times = self.start_s + (np.arange(low.size) + 0.5) * step / sample_rate
            colour = self.palette.lines[name]
            axes.fill_between(times, low, high, color=colour, linewidth=0.3, alpha=0.95, label=name.capitalize())
            peak = max(peak, float(high.max()), -float(low.min()))
        limit = 1.05 * peak or 1.0
        axes.set_ylim(-limit, limit)
        axes.set_xlim(self.start_s, self.start_s + next(iter(signals.values())).shape[1] / sample_rate)
        axes.set_ylabel("Amplitude")
        axes.yaxis.set_major_locator(_nice_ticks(3))
        if len(signals) > 1:
            axes.legend(ncols=len(signals), handlelength=1.0, **_ABOVE)

    def spectrogram(self, picture: Spectrogram, title: str, note: str, floor_db: float, ceiling_db: float) -> None:
        """Draw levels over time and frequency."""
        axes = self._next_timed(title)
        axes.set_title(note, loc="right", fontsize=9.0, color=self.palette.muted)
        self._image = self._show(axes, picture.levels_dbfs[0], picture, cmap=LEVEL_MAP, vmin=floor_db, vmax=ceiling_db)

    def level_bar(self, spectrograms: int) -> None:
        """Draw the colour bar that all spectrograms share, beside them."""
        bar = self.figure.add_subplot(self.grid[1 : 1 + spectrograms, 1])
        self.figure.colorbar(self._image, cax=bar, label="Level in dBFS", extend="both")

    def gains(self, gains_db: npt.NDArray[np.float32], picture: Spectrogram) -> None:
        """Draw what was done to each cell, with a colour bar of its own."""
        from matplotlib.colors import LinearSegmentedColormap

        row = len(self._timed)
        axes = self._next_timed("Gain")
        axes.set_title("enhanced over noisy", loc="right", fontsize=9.0, color=self.palette.muted)
        colours = LinearSegmentedColormap.from_list("gains", self.palette.gains)
        image = self._show(axes, gains_db, picture, cmap=colours, vmin=-GAIN_LIMIT_DB, vmax=GAIN_LIMIT_DB)
        bar = self.figure.add_subplot(self.grid[row, 1])
        self.figure.colorbar(image, cax=bar, label="Gain in dB", extend="both", ticks=(-30, -15, 0, 15, 30))

    def strength(self, times_s: FloatArray, strengths: FloatArray) -> None:
        """Draw how strong the denoiser was over time; times count from the start of the recording."""
        axes = self._next_timed("Strength")
        axes.set_title("0 leaves the input untouched", loc="right", fontsize=9.0, color=self.palette.muted)
        colour = self.palette.lines["enhanced"]
        axes.fill_between(times_s, strengths, color=colour, alpha=0.25, linewidth=0.0)
        axes.plot(times_s, strengths, color=colour, linewidth=1.4)
        axes.set_ylim(-0.05, 1.1)
        axes.set_yticks(_STRENGTH_TICKS)
        axes.grid(visible=True)

    def label_time(self) -> None:
        """Label the time below the last panel that has it, and take it from the others."""
        for axes in self._timed[:-1]:
            axes.tick_params(labelbottom=False)
        last = self._timed[-1]
        start, end = last.get_xlim()
        if end - start < _LONG_S:
            last.set_xlabel("Time in s")
            return
        last.set_xlabel("Time in min:s")
        last.xaxis.set_major_locator(_minute_ticks(end - start))
        last.xaxis.set_major_formatter(lambda seconds, _: f"{int(seconds // 60)}:{seconds % 60:02.0f}")

    def long_term(self, spectra: dict[str, SpectrumAnalysis]) -> None:
        """Draw long-term spectra into one panel."""
        axes = self.figure.add_subplot(self.grid[len(self._timed), 0])
        axes.set_title("Long-term spectrum", loc="left", fontweight="bold")
        edges = fractional_octave_edges(40.0, self.axis.highest_hz, _PER_OCTAVE)
        middles = np.sqrt(edges[:-1] * edges[1:])
        highest = -np.inf
        for name, spectrum in spectra.items():
            density_db = spectrum.density_in_bands_db(edges)[0]
            highest = max(highest, float(density_db.max()))
            style = {
                "color": self.palette.lines[name],
                "linestyle": _DASHES[name],
                "linewidth": 2.8 if name == "noisy" else 1.6,
            }
            axes.semilogx(middles, density_db, label=name.capitalize(), **style)
        axes.set_ylim(max(highest - _SPECTRUM_RANGE_DB, _lowest(axes) - 3.0), highest + 5.0)
        axes.set_xlim(edges[0], edges[-1])
        ticks = [tick for tick in _SPECTRUM_TICKS_HZ if tick <= edges[-1]]
        axes.set_xticks(ticks, labels=[f"{tick / 1000:g}k" if tick >= 1_000 else f"{tick}" for tick in ticks])
        axes.minorticks_off()
        axes.grid(visible=True)
        axes.set_xlabel("Frequency in Hz")
        axes.set_ylabel("dBFS per Hz")
        axes.spines[["top", "right"]].set_visible(False)
        if len(spectra) > 1:
            axes.legend(ncols=len(spectra), handlelength=2.6, **_ABOVE)

    def _next_timed(self, title: str) -> Axes:
        shared = self._timed[0] if self._timed else None
        axes = self.figure.add_subplot(self.grid[len(self._timed), 0], sharex=shared)
        axes.set_title(title, loc="left", fontweight="bold")
        self._timed.append(axes)
        return axes

    def _show(self, axes: Axes, levels: npt.NDArray[np.float32], picture: Spectrogram, **colours: Any) -> Any:
        """Draw values [bins, columns] on the frequency axis of the sheet."""
        bin_hz = float(picture.frequencies_hz[1])
        low, high = (float(self.axis.place(hz)) for hz in (self.axis.lowest_hz, self.axis.highest_hz))
        if self.axis.scale == "linear":
            # Bins are rows as they are: each is centred on its frequency.
            values, rows = levels, (-0.5 * bin_hz / 1000.0, (levels.shape[0] - 0.5) * bin_hz / 1000.0)
        else:
            values, rows = self.axis.rows(levels, bin_hz, levels.shape[0]), (low, high)
        left = self.start_s + float(picture.times_s[0]) - 0.5 * picture.column_s
        extent = (left, left + values.shape[1] * picture.column_s, *rows)
        image = axes.imshow(values, origin="lower", aspect="auto", extent=extent, **colours)
        axes.set_xlim(self.start_s, self.start_s + picture.seconds)
        axes.set_ylim(low, high)
        axes.set_ylabel("Frequency in kHz", fontsize=9.0)
        ticks = self.axis.ticks_khz()
        if ticks:
            axes.set_yticks(self.axis.place(1000.0 * np.array(ticks)), labels=[f"{tick:g}" for tick in ticks])
        else:
            axes.yaxis.set_major_locator(_nice_ticks(5))
        return image


def _envelope(audio: FloatArray) -> tuple[FloatArray, FloatArray, int]:
    """Return lowest and highest sample of all channels in each column, and the samples of a column."""
    step = max(1, -(-audio.shape[1] // _WAVE_COLUMNS))
    starts = np.arange(0, audio.shape[1], step)
    low = np.minimum.reduceat(audio, starts, axis=1).min(axis=0)
    high = np.maximum.reduceat(audio, starts, axis=1).max(axis=0)
    return low, high, step


def _lowest(axes: Axes) -> float:
    return min(float(np.min(line.get_ydata())) for line in axes.get_lines())


def _minute_ticks(seconds: float) -> Any:
    from matplotlib.ticker import MultipleLocator

    steps = (step for step in _STEPS_S if seconds / step <= _MOST_TIME_TICKS)
    return MultipleLocator(next(steps, float(np.ceil(seconds / _MOST_TIME_TICKS / 3600.0)) * 3600.0))


def _nice_ticks(most: int) -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(most, steps=[1, 2, 5, 10])
