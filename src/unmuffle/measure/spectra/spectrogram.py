"""The spectrogram of a recording of any length, of bounded size.

Power spectra of Hann windows on the house grid (32 ms every 16 ms, frames centred as those of the package's STFT).
Where there would be more columns than wanted, neighbouring frames are put together by their mean power, so that steady
sounds keep their level; neighbouring bins by the strongest, so that tones do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from unmuffle.errors import InvalidAudioError, InvalidParameterError
from unmuffle.measure.spectra.power import PowerSpectra, frame_count, grid_frames, to_db
from unmuffle.signal.arrays import FloatArray, as_channels, check_finite
from unmuffle.signal.grid import check_channels, grid_for

MOST_COLUMNS = 2_000


@dataclass(frozen=True)
class Spectrogram:
    """Levels over time and frequency.

    Attributes
    ----------
    levels_dbfs : float32 [channels, bins, columns]
        A full-scale sine reads -3.0, digital silence -200.
    times_s : float64 [columns]
        Middle of each column.
    frequencies_hz : float64 [bins]
        Middle of each row.
    column_s : float
        Time from one column to the next.
    seconds : float
        Length of the audio.
    sample_rate : int
        In Hz.
    """

    levels_dbfs: npt.NDArray[np.float32]
    times_s: npt.NDArray[np.float64]
    frequencies_hz: npt.NDArray[np.float64]
    column_s: float
    seconds: float
    sample_rate: int


def spectrogram(
    audio: npt.ArrayLike,
    sample_rate: int,
    *,
    max_columns: int = MOST_COLUMNS,
    max_bins: int | None = None,
    average_channels: bool = False,
) -> Spectrogram:
    """Return the spectrogram of a recording.

    Parameters
    ----------
    audio : array_like
        ``[samples]`` or ``[channels, samples]``.
    sample_rate : int
        In Hz, 8,000 to 192,000.
    max_columns : int, default 2000
        Frames are put together until there are no more columns; 2,000 hold 32 s at full resolution.
    max_bins : int, optional
        Bins are put together until there are no more rows; by default none are.
    average_channels : bool, default False
        Put all channels together by their mean power.

    Raises
    ------
    InvalidAudioError
        If there is no sample, or NaN or infinity.
    InvalidParameterError
        If the rate or a number is outside its range.

    Examples
    --------
    >>> tone = np.sin(2.0 * np.pi * 1000.0 / 16_000 * np.arange(16_000))
    >>> picture = spectrogram(tone, 16_000)
    >>> picture.levels_dbfs.shape, round(float(picture.levels_dbfs[0, 32, 30]), 2)
    ((1, 257, 64), -3.01)
    """
    grid = grid_for(sample_rate)
    samples = checked_audio("audio", audio)
    columns = _Columns(frame_count(samples.shape[1], grid), max_columns)
    rows = _row_starts(grid.bins, grid.bins if max_bins is None else max_bins)
    spectra = PowerSpectra(grid.window)
    for frames in grid_frames(samples, grid):
        power = spectra(frames)
        if average_channels:
            power = power.mean(axis=0, keepdims=True)
        columns.add(power)
    pooled = np.maximum.reduceat(columns.mean(), rows, axis=2) if rows.size < grid.bins else columns.mean()
    frequencies = np.add.reduceat(np.arange(grid.bins) * grid.bin_hz, rows) / np.diff(np.append(rows, grid.bins))
    return Spectrogram(
        np.ascontiguousarray(to_db(pooled).astype(np.float32).swapaxes(1, 2)),
        columns.middles() * grid.hop_s,
        frequencies,
        columns.frames_each * grid.hop_s,
        samples.shape[1] / sample_rate,
        grid.sample_rate,
    )


def checked_audio(name: str, audio: npt.ArrayLike) -> FloatArray:
    """Return audio as float32 [channels, samples], or raise ``InvalidAudioError`` if it is empty or not finite."""
    samples = as_channels(audio)
    if samples.size == 0:
        raise InvalidAudioError(f"{name} holds no samples")
    check_finite(name, samples)
    return samples


class _Columns:
    """Frames that come in order, put together in groups of one size (the last may be smaller)."""

    def __init__(self, frames: int, most: int) -> None:
        _check_size("max_columns", most)
        self._frames = frames
        self._seen = 0
        self._sums: FloatArray = np.zeros((0, 0, 0), np.float32)
        self.frames_each = -(-frames // most)

    @property
    def _starts(self) -> npt.NDArray[np.intp]:
        return np.arange(0, self._frames, self.frames_each)

    def add(self, power: FloatArray) -> None:
        """Add frames [channels, frames, bins]."""
        channels, count, bins = power.shape
        if self._seen == 0:
            self._sums = np.zeros((channels, self._starts.size, bins), np.float32)
        column = np.arange(self._seen, self._seen + count) // self.frames_each
        first = np.flatnonzero(np.diff(column, prepend=-1))
        self._sums[:, column[first]] += np.add.reduceat(power, first, axis=1)
        self._seen += count

    def mean(self) -> FloatArray:
        """Return the mean power [channels, columns, bins]."""
        sizes = np.diff(np.append(self._starts, self._frames)).astype(np.float32)
        mean: FloatArray = self._sums / sizes[:, None]
        return mean

    def middles(self) -> npt.NDArray[np.float64]:
        """Return the middle of each column, in frames."""
        ends = np.append(self._starts[1:], self._frames)
        return 0.5 * (self._starts + ends - 1)


def _row_starts(bins: int, most: int) -> npt.NDArray[np.intp]:
    _check_size("max_bins", most)
    return np.arange(0, bins, -(-bins // most))


def _check_size(name: str, number: int) -> None:
    try:
        check_channels(number)
    except InvalidParameterError:
        raise InvalidParameterError(f"{name} must be a whole number of at least 1, not {number!r}") from None
