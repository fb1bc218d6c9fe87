"""Musical noise: the log kurtosis ratio of noise-only stretches.

Y. Uemura, Y. Takahashi, H. Saruwatari, K. Shikano and K. Kondo, "Automatic optimization scheme of spectral subtraction
based on musical noise assessment via higher-order statistics", IWAENC 2008, and "Musical noise generation analysis for
noise reduction methods based on spectral subtraction and MMSE STSA estimation", ICASSP 2009: isolated tones that come
and go make the tail of the distribution of power heavier, and listeners hear them in step with the logarithm of
kurtosis after over kurtosis before, where kurtosis is the fourth over the squared second moment about zero. Power
subtraction of b times the mean from Gaussian noise gives ln ratio = b.

Moments are taken over blocks of 32 frames by 1 kHz, of power divided by the tracked noise of the original and by its
own mean over all bins of three frames, and over all frames of some neighbouring bins; the mean of the blocks' log
ratios is the measure. So neither level nor colour of the noise counts, nor gains that move the whole floor in time
(gating, pumping) or that differ over frequency for good. Noise-only frames are those in which the reference is quiet
or, blind, hardly any cell stands out of the noise. Left out: the paper's fit of a gamma distribution; the moments are
those of the samples.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unmuffle.errors import InvalidAudioError
from unmuffle.measure.damage.cells import LOWEST_HZ, Cells
from unmuffle.measure.damage.channels import mean_over_channels
from unmuffle.measure.damage.pair_spectra import ChannelSpectra, PairSpectra
from unmuffle.signal.arrays import BoolArray, FloatArray

_BLOCK_FRAMES = 32
_LEAST_FRAMES = 6
_BLOCK_HZ = 1_000.0
_BORDER_FRAMES = 1
_COURSE_FRAMES = 3
_SLOPE_CELLS = 512
"""Over so many cells at least power is averaged to tell its slope: enough for tones not to be taken for a slope."""

_LEAST_SLOPE = 1e-6
_INAUDIBLE = 1e-7
"""What is left in a frame is nothing if it is 70 dB below the loudest speech."""


def musical_noise(
    original: npt.ArrayLike, enhanced: npt.ArrayLike, sample_rate: int, *, reference: npt.ArrayLike | None = None
) -> float:
    """Return the log kurtosis ratio of noise-only stretches, the mean over channels.

    Parameters
    ----------
    original, enhanced, sample_rate, reference
        As for ``PairSpectra``.

    Returns
    -------
    float
        Natural logarithm: 0 for noise of unchanged texture or none left, about 1 and more for tones that stand out,
        below 0 where the noise became smoother.

    Raises
    ------
    InvalidAudioError
        As ``PairSpectra``, or if there is no stretch without speech.

    Examples
    --------
    >>> hiss = np.random.default_rng(0).standard_normal(32_000)
    >>> abs(musical_noise(hiss, 0.1 * hiss, 16_000)) < 1e-6
    True
    """
    return musical_noise_of(PairSpectra(original, enhanced, sample_rate, reference))


def musical_noise_of(spectra: PairSpectra) -> float:
    """Return ``musical_noise`` of a pair that is analysed already."""
    return mean_over_channels(_log_kurtosis_ratio, spectra)


def _log_kurtosis_ratio(channel: ChannelSpectra) -> float:
    if np.count_nonzero(_inside(channel.series.pause)) < _LEAST_FRAMES:
        raise InvalidAudioError("musical noise is heard where nobody speaks, but there is no such stretch")
    bins, bin_hz = channel.grid.bins, channel.grid.bin_hz
    audible = _INAUDIBLE * float(channel.series.speech_enhanced.max()) / bins
    first = round(LOWEST_HZ / bin_hz)
    edges = np.linspace(0, bins - first, max(1, round((bins - first) * bin_hz / _BLOCK_HZ)), endpoint=False)
    found = [_ratios(cells, first, edges.astype(np.intp), audible) for cells in channel]
    ratios = np.concatenate(found)
    return float(ratios.mean()) if ratios.size else 0.0


def _ratios(cells: Cells, first: int, edges: npt.NDArray[np.intp], audible: float) -> FloatArray:
    """Return the log kurtosis ratios of the blocks of a stretch, from bin ``first`` up."""
    before, after = cells.original[:, first:], cells.enhanced[:, first:]
    there = _inside(cells.pause) & before.any(axis=1) & (after.mean(axis=1) > audible)
    frames = np.flatnonzero(there)
    if frames.size < _LEAST_FRAMES:
        return np.zeros(0)
    noise = cells.noise_psd[frames, first:]
    even = [_evened(power[frames] / noise) for power in (before, after)]
    blocks = np.array_split(np.arange(frames.size), max(1, frames.size // _BLOCK_FRAMES))
    return np.concatenate([_block_ratios(even[0][block], even[1][block], edges) for block in blocks])


def _inside(pause: BoolArray) -> BoolArray:
    """Leave out the frames at the borders of pauses, into which words ring."""
    kept = pause.copy()
    for by in range(1, _BORDER_FRAMES + 1):
        kept[by:] &= pause[:-by]
        kept[:-by] &= pause[by:]
    return kept


def _evened(power: FloatArray) -> FloatArray:
    """Take out how power moves with time, and how it slopes over frequency."""
    from scipy.ndimage import uniform_filter1d

    course = uniform_filter1d(power.mean(axis=1, dtype=np.float64), _COURSE_FRAMES, mode="nearest")
    even = power / course[:, None]
    slope = uniform_filter1d(even.mean(axis=0), 1 + _SLOPE_CELLS // len(power), mode="nearest")
    return even / np.maximum(slope, _LEAST_SLOPE * slope.max())


def _block_ratios(before: FloatArray, after: FloatArray, edges: npt.NDArray[np.intp]) -> FloatArray:
    """Return the log kurtosis ratios of the bands between the edges in which there is something left."""
    second_before, fourth_before = _moments(before, edges)
    second_after, fourth_after = _moments(after, edges)
    there = (second_before > 0.0) & (second_after > 0.0)
    kurtosis_before = fourth_before[there] / second_before[there] ** 2
    return np.log(fourth_after[there] / second_after[there] ** 2 / kurtosis_before)


def _moments(power: FloatArray, edges: npt.NDArray[np.intp]) -> tuple[FloatArray, FloatArray]:
    """Return the second and the fourth moment about zero of each band."""
    sizes = len(power) * np.diff(edges, append=power.shape[1])
    square = np.square(power)
    second = np.add.reduceat(square.sum(axis=0), edges) / sizes
    return second, np.add.reduceat(np.square(square).sum(axis=0), edges) / sizes
