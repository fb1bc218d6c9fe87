"""The delay between a reference and an estimate, to a fraction of a sample, and its compensation.

Generalised cross-correlation: C. H. Knapp and G. C. Carter, "The generalized correlation method for estimation of time
delay", IEEE TASSP 24(4), 1976. The cross-spectrum of all blocks and channels is divided by the root of its magnitude:
half-way between plain correlation, whose peak is broad for voices, and the phase transform, which listens to bins that
hold nothing. The highest peak, of either sign, is refined by a parabola through three samples and Newton's method on
the band-limited correlation between them. Left out: delays that change within the audio (clock drift, dropouts).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from unmuffle.errors import InvalidAudioError, InvalidParameterError
from unmuffle.measure.reference.pairs import checked_pair
from unmuffle.signal.arrays import ComplexArray, FloatArray

LEAST_COMPENSATED_S = 0.001
LEAST_LIKENESS = 0.2
_LEAST_S = 0.032
_BLOCK = 1 << 16
_NEWTON_STEPS = 8
_CONVERGED = 1e-7
_HALF_TAPS = 64
_EXACT = 0.01
"""A delay this near to a whole number of samples is taken as whole, and the samples stay as they are."""


@dataclass(frozen=True)
class Delay:
    """By how much the estimate is late.

    Attributes
    ----------
    samples : float
        Above 0 where the estimate is late, below where it is early.
    seconds : float
        The same in seconds.
    likeness : float
        Correlation coefficient of the two at the nearest whole delay, 0 to 1; a low one tells of nothing in common.
    """

    samples: float
    seconds: float
    likeness: float


@dataclass(frozen=True)
class Alignment:
    """What is compared, and what was done to make it comparable.

    Attributes
    ----------
    reference, estimate : float32 [channels, samples]
        The stretch both have in common.
    delay : Delay
        What was found.
    compensated : bool
        Whether the delay was taken out; otherwise both are as they came.
    """

    reference: FloatArray
    estimate: FloatArray
    delay: Delay
    compensated: bool


def estimate_delay(
    reference: npt.ArrayLike, estimate: npt.ArrayLike, sample_rate: int, *, max_delay_s: float = 1.0
) -> Delay:
    """Return the delay of the estimate, one for all channels.

    Parameters
    ----------
    reference, estimate : array_like
        ``[samples]`` or ``[channels, samples]``, of equal shape; at least 32 ms.
    sample_rate : int
        In Hz, 8,000 to 192,000.
    max_delay_s : float, default 1.0
        Largest delay looked for, either way; never more than half the audio.

    Raises
    ------
    InvalidAudioError
        If the two cannot be compared: other shapes, too few samples, NaN or infinity, a silent reference or estimate.
    InvalidParameterError
        If ``max_delay_s`` is not above 0.

    Examples
    --------
    >>> noise = np.random.default_rng(0).standard_normal(8000)
    >>> round(estimate_delay(noise[25:], noise[:-25], 8000).samples, 2)
    25.0
    """
    pair = checked_pair(reference, estimate, sample_rate, "alignment", _LEAST_S)
    if not pair[1].any():
        raise InvalidAudioError("a delay cannot be found: the estimate is silent")
    if not max_delay_s > 0.0:
        raise InvalidParameterError(f"max_delay_s must be above 0, not {max_delay_s!r}")
    return _delay(*pair, sample_rate, max_delay_s)


def align(
    reference: npt.ArrayLike, estimate: npt.ArrayLike, sample_rate: int, *, max_delay_s: float = 1.0
) -> Alignment:
    """Take out a delay of more than 1 ms, and return what both have in common.

    Nothing is moved where the delay is 1 ms or less, or where the two have so little in common (``likeness`` below
    0.2) that no delay can be told. Fractions of a sample are made up for by a windowed sinc of 129 taps.

    Parameters
    ----------
    reference, estimate, sample_rate, max_delay_s
        As in ``estimate_delay``, which also says what is raised.
    """
    delay = estimate_delay(reference, estimate, sample_rate, max_delay_s=max_delay_s)
    clean, other = checked_pair(reference, estimate, sample_rate, "alignment", _LEAST_S)
    if abs(delay.seconds) <= LEAST_COMPENSATED_S or delay.likeness < LEAST_LIKENESS:
        return Alignment(clean, other, delay, compensated=False)
    whole = round(delay.samples)
    fraction = delay.samples - whole
    if abs(fraction) > _EXACT:
        other = _advance(other, fraction)
    common = clean.shape[1] - abs(whole)
    first, other_first = max(-whole, 0), max(whole, 0)
    return Alignment(
        np.ascontiguousarray(clean[:, first : first + common]),
        np.ascontiguousarray(other[:, other_first : other_first + common]),
        delay,
        compensated=True,
    )


def _delay(reference: FloatArray, estimate: FloatArray, sample_rate: int, max_delay_s: float) -> Delay:
    samples = reference.shape[1]
    reach = int(min(max(1.0, max_delay_s * sample_rate), samples // 2))
    spectrum, size = _cross_spectrum(reference, estimate, reach)
    magnitude = np.abs(spectrum)
    weighted = spectrum / np.sqrt(np.maximum(magnitude, 1e-30 * magnitude.max()))
    lags = np.fft.irfft(weighted, size)[: 2 * reach + 1]
    peak = int(np.abs(lags).argmax())
    plain = np.fft.irfft(spectrum, size)[peak]
    energy = np.sqrt(_energy(reference) * _energy(estimate))
    start = peak + _vertex(lags[max(peak - 1, 0) : peak + 2])
    late = _refined(weighted, size, start, float(np.sign(lags[peak]))) - reach
    return Delay(late, late / sample_rate, float(min(abs(plain) / energy, 1.0)))


def _cross_spectrum(reference: FloatArray, estimate: FloatArray, reach: int) -> tuple[ComplexArray, int]:
    """Return the spectrum of the correlation at lags from -reach (index 0) to reach, and the size of its FFT."""
    from scipy.fft import next_fast_len

    samples = reference.shape[1]
    block = min(max(_BLOCK, 2 * reach), samples)
    size = next_fast_len(block + 2 * reach, real=True)
    total = np.zeros(size // 2 + 1, np.complex128)
    for start in range(0, samples, block):
        piece = reference[:, start : start + block]
        before, after = start - reach, start + block + reach
        around = estimate[:, max(before, 0) : after]
        around = np.pad(around, ((0, 0), (max(-before, 0), 0)))
        for one, two in zip(piece, around, strict=True):
            total += np.conj(np.fft.rfft(one.astype(np.float64), size)) * np.fft.rfft(two.astype(np.float64), size)
    return total, size


def _vertex(levels: FloatArray) -> float:
    """Return the place, from the middle, of the top of a parabola through three levels; 0 at a border."""
    if levels.size < 3:
        return 0.0
    before, middle, after = (float(level) for level in levels)
    bend = before - 2.0 * middle + after
    return 0.5 * (before - after) / bend if bend else 0.0


def _refined(spectrum: ComplexArray, size: int, start: float, sign: float) -> float:
    """Return where the correlation of this spectrum peaks, within half a sample of ``start``."""
    omega = 2.0 * np.pi / size * np.arange(spectrum.size)
    at = start
    for _ in range(_NEWTON_STEPS):
        turned = sign * spectrum * np.exp(1j * omega * at)
        slope, bend = -float(omega @ turned.imag), -float((omega * omega) @ turned.real)
        if bend >= 0.0:
            break
        last, at = at, min(max(at - slope / bend, start - 0.5), start + 0.5)
        if abs(at - last) < _CONVERGED:
            break
    return at


def _energy(audio: FloatArray) -> float:
    # By piece: an hour's worth of squares would take more memory than the audio.
    starts = range(0, audio.shape[1], _BLOCK)
    return float(sum(np.square(audio[:, start : start + _BLOCK], dtype=np.float64).sum() for start in starts))


def _advance(audio: FloatArray, fraction: float) -> FloatArray:
    """Move audio to earlier by a part of a sample."""
    from scipy.signal import oaconvolve

    at = np.arange(-_HALF_TAPS, _HALF_TAPS + 1) + fraction
    taps = np.sinc(at) * np.kaiser(2 * _HALF_TAPS + 1, 8.0)
    moved: FloatArray = oaconvolve(audio.astype(np.float64), taps[None], mode="same", axes=1).astype(np.float32)
    return moved
