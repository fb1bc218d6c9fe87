"""One figure of a recording and what became of it: waveforms, spectrograms, gains, long-term spectra."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from unmuffle.errors import InvalidParameterError
from unmuffle.measure.spectra import panels
from unmuffle.measure.spectra.analysis import analyze_spectrum
from unmuffle.measure.spectra.gains import gains_between
from unmuffle.measure.spectra.in_step import InStep, delay_notes, in_step
from unmuffle.measure.spectra.picture import frequency_axis
from unmuffle.measure.spectra.power import INAUDIBLE_DBFS
from unmuffle.measure.spectra.spectrogram import Spectrogram, spectrogram
from unmuffle.measure.spectra.style import DARK, LIGHT, Palette, own_style, require_matplotlib
from unmuffle.measure.spectra.warp import FrequencyAxis, check_scale
from unmuffle.signal.arrays import FloatArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ORDER = ("noisy", "enhanced", "removed", "clean")
_WIDTH_IN, _WAVE_IN, _SPECTROGRAM_IN, _STRENGTH_IN, _SPECTRUM_IN, _MARGIN_IN = 11.0, 0.75, 1.75, 0.6, 2.6, 0.8
_COLUMNS = 1_600
_ROUND_DB = 5.0
_PIECE = 1 << 18

StrengthTrack: TypeAlias = "tuple[npt.ArrayLike, npt.ArrayLike]"
"""Times in seconds, and the strength at each."""


@dataclass(frozen=True)
class FigureLook:
    """How a figure is drawn.

    Attributes
    ----------
    title : str or None
        Over all.
    labels : dict of str to str
        Titles of the spectrograms of ``"noisy"``, ``"enhanced"``, ``"removed"`` and ``"clean"``, instead of these.
    dark : bool
        Light on dark.
    scale : {"linear", "log", "mel"}
        Of the frequencies of spectrograms.
    max_hz : float or None
        Highest frequency shown; half the sample rate by default.
    range_db : float
        What lies further than this below the highest level shown is black; 20 to 150.
    start_s : float
        Time of the first sample.
    """

    title: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
    dark: bool = False
    scale: str = "linear"
    max_hz: float | None = None
    range_db: float = 70.0
    start_s: float = 0.0

    def __post_init__(self) -> None:
        check_scale(self.scale)
        if not 20.0 <= self.range_db <= 150.0:
            raise InvalidParameterError(f"range_db must be 20 to 150 dB, not {self.range_db!r}")

    @property
    def palette(self) -> Palette:
        """The colours."""
        return DARK if self.dark else LIGHT

    def label(self, name: str) -> str:
        """Return the title of a signal's spectrogram."""
        return self.labels.get(name, name.capitalize())


def figure_of(
    noisy: npt.ArrayLike,
    sample_rate: int,
    *,
    enhanced: npt.ArrayLike | None = None,
    clean: npt.ArrayLike | None = None,
    look: FigureLook | None = None,
    strength: StrengthTrack | None = None,
) -> Figure:
    """Draw a recording, and beside it what became of it.

    From the top: waveforms; spectrograms of the noisy, the enhanced, what was removed and the clean audio on one scale;
    the gain over time and frequency; the strength; long-term spectra in sixths of an octave. What is not given is left
    out. Channels are averaged by power. Delays of more than 1 ms against ``noisy`` are taken out, and told below the
    figure.

    Parameters
    ----------
    noisy : array_like
        ``[samples]`` or ``[channels, samples]``; at least 125 ms.
    sample_rate : int
        In Hz, 8,000 to 192,000.
    enhanced, clean : array_like, optional
        Of the shape of ``noisy``.
    look : FigureLook, optional
        Colours, axes, names.
    strength : (times, strengths), optional
        How strong the denoiser was, 0 to 1, at these seconds of the recording: those of a report's
        ``strength_over_time``, or of ``unmuffle.process.strength_over_time.read_strength_csv``.

    Returns
    -------
    matplotlib.figure.Figure
        Tied to no window: neither pyplot nor the backend is touched. ``save_figure`` writes it.

    Raises
    ------
    InvalidAudioError
        If shapes differ, there is too little audio, or NaN or infinity in it.
    InvalidParameterError
        If the rate, or something of the look, is outside its range.
    MissingExtraError
        If matplotlib is not installed.
    """
    given = {"noisy": noisy, "enhanced": enhanced, "clean": clean}
    common = in_step({name: audio for name, audio in given.items() if audio is not None}, sample_rate)
    return draw_in_step(common, sample_rate, look or FigureLook(), strength)


def draw_in_step(common: InStep, sample_rate: int, look: FigureLook, strength: StrengthTrack | None = None) -> Figure:
    """Draw signals that are in step already, named as the arguments of ``figure_of``, which says what is raised."""
    require_matplotlib()
    axis = frequency_axis(look.scale, look.max_hz, sample_rate)
    signals = dict(common.signals)
    if "enhanced" in signals:
        signals["removed"] = signals["noisy"] - signals["enhanced"]
    ordered = {name: signals[name] for name in _ORDER if name in signals}
    with own_style(look.palette):
        return _draw(ordered, common, sample_rate, axis, look, strength)


def _draw(
    signals: dict[str, FloatArray],
    common: InStep,
    sample_rate: int,
    axis: FrequencyAxis,
    look: FigureLook,
    strength: StrengthTrack | None,
) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    pictures = {
        name: spectrogram(audio, sample_rate, max_columns=_COLUMNS, average_channels=True)
        for name, audio in signals.items()
    }
    heights = [_WAVE_IN] + [_SPECTROGRAM_IN] * (len(pictures) + ("enhanced" in pictures))
    heights += [_STRENGTH_IN] * (strength is not None) + [_SPECTRUM_IN]
    figure = Figure((_WIDTH_IN, sum(heights) + _MARGIN_IN), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(len(heights), 2, height_ratios=heights, width_ratios=(60.0, 1.0))
    sheet = panels.Sheet(figure, grid, axis, look.palette, common.start_s + look.start_s)
    ceiling = _ceiling_db(pictures, look.range_db)
    waves = {name: audio for name, audio in signals.items() if name in ("noisy", "enhanced")}
    sheet.waveforms(waves, sample_rate)
    for name, picture in pictures.items():
        sheet.spectrogram(picture, look.label(name), _level_note(signals[name]), ceiling - look.range_db, ceiling)
    sheet.level_bar(len(pictures))
    if "enhanced" in pictures:
        sheet.gains(gains_between(pictures["noisy"], pictures["enhanced"], INAUDIBLE_DBFS)[0], pictures["noisy"])
    if strength is not None:
        sheet.strength(*(np.asarray(column, np.float64) for column in strength))
    sheet.label_time()
    spectra = {name: analyze_spectrum(audio, sample_rate, average_channels=True) for name, audio in signals.items()}
    sheet.long_term(spectra)
    if look.title:
        figure.suptitle(look.title, x=0.01, ha="left", fontweight="bold", fontsize=13.0)
    notes = _notes(common, len(signals["noisy"]), look)
    if notes:
        figure.supxlabel(notes, x=0.01, ha="left", fontsize=8.5, color=look.palette.muted)
    return figure


def _ceiling_db(pictures: dict[str, Spectrogram], range_db: float) -> float:
    """Return the highest level that occurs more than seldom, as a round number."""
    highest = max(float(np.quantile(picture.levels_dbfs, 0.9995)) for picture in pictures.values())
    return max(float(np.ceil(highest / _ROUND_DB)) * _ROUND_DB, -180.0 + range_db)


def _level_note(audio: FloatArray) -> str:
    # In pieces: squares in double precision of an hour would take more than its samples.
    pieces = (audio[:, start : start + _PIECE] for start in range(0, audio.shape[1], _PIECE))
    power = sum(float(np.square(piece, dtype=np.float64).sum()) for piece in pieces) / audio.size
    return f"RMS {10.0 * np.log10(power):.1f} dBFS".replace("-", "\N{MINUS SIGN}") if power > 0.0 else "silence"


def _notes(common: InStep, channels: int, look: FigureLook) -> str:
    notes = [f"{channels} channels averaged by power"] if channels > 1 else []
    return "; ".join(notes + delay_notes({look.label(name): delay_s for name, delay_s in common.delays_s.items()}))
