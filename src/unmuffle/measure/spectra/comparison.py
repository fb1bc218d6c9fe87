"""Two versions of a recording, band by band: how much their levels differ in speech and in pauses, and how closely.

Hann frames of the house grid (32 ms every 16 ms) and third-octave bands from 100 Hz up, the lowest that holds a bin of
the grid. The log-spectral distance is that of A. H. Gray and J. D. Markel, "Distance measures for speech processing",
IEEE TASSP 24(5), 1976 (d2), within each band: the root mean square over its bins of the difference in dB, the mean over
the frames with speech. Bins below -100 dBFS are raised to there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from unmuffle.errors import InvalidAudioError
from unmuffle.measure.spectra.activity import sounding_frames, speech_frames
from unmuffle.measure.spectra.bands import Bands, band_power, third_octave_bands
from unmuffle.measure.spectra.in_step import in_step
from unmuffle.measure.spectra.power import INAUDIBLE_DBFS, PowerSpectra, grid_frames, to_db
from unmuffle.signal.arrays import BoolArray, FloatArray
from unmuffle.signal.grid import Grid, grid_for

_LOWEST_HZ = 100.0

Rows: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True)
class SpectrumComparison:
    """How the spectrum of ``after`` differs from that of ``before``.

    Attributes
    ----------
    bands : Bands
        Third-octave bands from 100 Hz up.
    difference_db : float64 [channels, bands]
        Mean power after over mean power before, over all the time.
    speech_difference_db : float64 [channels, bands]
        The same over the frames with speech.
    pause_difference_db : float64 [channels, bands] or None
        The same over the frames without; None where there are none.
    distance_db : float64 [channels, bands]
        Log-spectral distance between both, over the frames with speech.
    before_distance_db, after_distance_db : float64 [channels, bands] or None
        Log-spectral distance of each to the reference, over the frames with speech; None without a reference.
    speech_share : float
        Share of the frames that hold speech, 0 to 1.
    activity_from : str
        ``"reference"`` or ``"before"``: where speech and pauses were told from.
    delays_s : dict of str to float
        By how much ``after`` and ``reference`` were late to ``before`` and were moved; 0 for what stayed in place.
    """

    bands: Bands
    difference_db: Rows
    speech_difference_db: Rows
    pause_difference_db: Rows | None
    distance_db: Rows
    before_distance_db: Rows | None
    after_distance_db: Rows | None
    speech_share: float
    activity_from: str
    delays_s: dict[str, float]


def compare_spectra(
    before: npt.ArrayLike, after: npt.ArrayLike, sample_rate: int, reference: npt.ArrayLike | None = None
) -> SpectrumComparison:
    """Return how the spectrum of ``after`` differs from that of ``before``, band by band.

    Delays of more than 1 ms are taken out first. With a reference, speech is where it is less than 40 dB below its
    loudest frame. Without one, it is where the bands of ``before`` stand out of their floor (see
    ``activity.py``); where none do, all counts as speech.

    Parameters
    ----------
    before, after : array_like
        ``[samples]`` or ``[channels, samples]``, of one shape; at least 32 ms.
    sample_rate : int
        In Hz, 8,000 to 192,000.
    reference : array_like, optional
        The clean recording, of the same shape.

    Raises
    ------
    InvalidAudioError
        If shapes differ, there is too little audio, NaN or infinity, or nothing but silence to tell speech from.
    InvalidParameterError
        If the rate is outside its range.

    Examples
    --------
    >>> noise = np.random.default_rng(0).standard_normal(16_000)
    >>> change = compare_spectra(noise, 0.5 * noise, 16_000)
    >>> change.difference_db.round(2).min(), change.distance_db.round(2).max()
    (np.float64(-6.02), np.float64(6.02))
    """
    given = {"before": before, "after": after} | ({} if reference is None else {"reference": reference})
    common = in_step(given, sample_rate)
    grid = grid_for(sample_rate)
    activity_from = "before" if reference is None else "reference"
    speech = (speech_frames if reference is None else sounding_frames)(common.signals[activity_from], grid)
    if not speech.any():
        raise InvalidAudioError(f"spectra are compared in speech, but there is none: {activity_from} is silent")
    sums = _Sums(common.signals, grid, speech)
    return SpectrumComparison(
        sums.bands,
        sums.difference_db(np.ones(2, np.bool_)),
        sums.difference_db(np.array([False, True])),
        sums.difference_db(np.array([True, False])) if not speech.all() else None,
        sums.distance_db("before", "after"),
        None if reference is None else sums.distance_db("reference", "before"),
        None if reference is None else sums.distance_db("reference", "after"),
        float(speech.mean()),
        activity_from,
        {name: delay_s for name, delay_s in common.delays_s.items() if name != "before"},
    )


class _Sums:
    """Band powers of pauses (0) and speech (1), and distances in speech, added up over all frames."""

    def __init__(self, signals: dict[str, FloatArray], grid: Grid, speech: BoolArray) -> None:
        self.bands = third_octave_bands(grid.sample_rate, _LOWEST_HZ)
        self._bin_hz = grid.bin_hz
        shape = (len(signals["before"]), self.bands.centres_hz.size)
        self._power = {name: np.zeros((2, *shape)) for name in ("before", "after")}
        pairs = [("before", "after")]
        pairs += [("reference", "before"), ("reference", "after")] if "reference" in signals else []
        self._distance = {pair: np.zeros(shape) for pair in pairs}
        self._speech_frames = int(speech.sum())
        # A band's bins are those from the first one above its lower border up.
        self._first = np.searchsorted(np.arange(grid.bins) * grid.bin_hz, self.bands.edges_hz[:-1])
        self._bins = np.diff(np.append(self._first, grid.bins))
        spectra = PowerSpectra(grid.window)
        start = 0
        for frames in zip(*(grid_frames(audio, grid) for audio in signals.values()), strict=True):
            power = {name: spectra(one) for name, one in zip(signals, frames, strict=True)}
            count = frames[0].shape[1]
            self._add(power, speech[start : start + count])
            start += count

    def _add(self, power: dict[str, FloatArray], speech: BoolArray) -> None:
        for name, in_kind in self._power.items():
            in_bands = band_power(power[name], self._bin_hz, self.bands.edges_hz)
            in_kind[0] += in_bands[:, ~speech].sum(axis=1)
            in_kind[1] += in_bands[:, speech].sum(axis=1)
        level_db = {
            name: np.maximum(to_db(one[:, speech, self._first[0] :]), INAUDIBLE_DBFS) for name, one in power.items()
        }
        for (one, two), distance in self._distance.items():
            squares = np.add.reduceat((level_db[one] - level_db[two]) ** 2, self._first - self._first[0], axis=2)
            distance += np.sqrt(squares / self._bins).sum(axis=1)

    def difference_db(self, taken: BoolArray) -> Rows:
        """Return the power after over that before in pauses, speech or both; 0 where there is none in either."""
        before, after = (to_db(self._power[name][taken].sum(axis=0)) for name in ("before", "after"))
        return after - before

    def distance_db(self, one: str, two: str) -> Rows:
        """Return the mean distance over the frames with speech."""
        return self._distance[one, two] / self._speech_frames
