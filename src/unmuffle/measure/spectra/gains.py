"""What an enhancer did over time and frequency: the level of each cell of the spectrogram after, less that before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from unmuffle.measure.spectra.in_step import in_step
from unmuffle.measure.spectra.power import INAUDIBLE_DBFS
from unmuffle.measure.spectra.spectrogram import MOST_COLUMNS, Spectrogram, spectrogram


@dataclass(frozen=True)
class GainMap:
    """Gains over time and frequency.

    Attributes
    ----------
    gains_db : float32 [channels, bins, columns]
        Below 0 where something was taken away; 0 where there was nothing before and nothing after.
    times_s, frequencies_hz : float64 [columns], [bins]
        Middle of each column, from the start of the noisy audio, and of each row.
    column_s : float
        Time from one column to the next.
    delay_s : float
        By how much the enhanced audio was late and was moved; 0 where it stayed in place.
    """

    gains_db: npt.NDArray[np.float32]
    times_s: npt.NDArray[np.float64]
    frequencies_hz: npt.NDArray[np.float64]
    column_s: float
    delay_s: float


def gain_map(
    noisy: npt.ArrayLike,
    enhanced: npt.ArrayLike,
    sample_rate: int,
    *,
    floor_dbfs: float = INAUDIBLE_DBFS,
    max_columns: int = MOST_COLUMNS,
    average_channels: bool = False,
) -> GainMap:
    """Return what was done to each cell of the spectrogram; a delay of more than 1 ms is taken out first.

    Parameters
    ----------
    noisy, enhanced : array_like
        ``[samples]`` or ``[channels, samples]``, of one shape; at least 32 ms.
    sample_rate : int
        In Hz, 8,000 to 192,000.
    floor_dbfs : float, default -100
        What lies lower, before or after, is raised to there: nothing tells of a gain where there is nothing.
    max_columns, average_channels
        As in ``spectrogram``.

    Raises
    ------
    InvalidAudioError
        If shapes differ, there is too little audio, or NaN or infinity in it.
    InvalidParameterError
        If the rate or a number is outside its range.

    Examples
    --------
    >>> noise = np.random.default_rng(0).standard_normal(16_000)
    >>> round(float(gain_map(noise, 0.1 * noise, 16_000).gains_db.mean()), 2)
    -20.0
    """
    common = in_step({"noisy": noisy, "enhanced": enhanced}, sample_rate)
    before, after = (
        spectrogram(audio, sample_rate, max_columns=max_columns, average_channels=average_channels)
        for audio in common.signals.values()
    )
    return GainMap(
        gains_between(before, after, floor_dbfs),
        before.times_s + common.start_s,
        before.frequencies_hz,
        before.column_s,
        common.delays_s["enhanced"],
    )


def gains_between(before: Spectrogram, after: Spectrogram, floor_dbfs: float) -> npt.NDArray[np.float32]:
    """Return the gain in dB in each cell of two spectrograms of one size."""
    return np.maximum(after.levels_dbfs, floor_dbfs) - np.maximum(before.levels_dbfs, floor_dbfs)
