"""Bringing a programme to a loudness under a ceiling of true peaks: ITU-R BS.1770, EBU R 128.

Loudness is measured first; the gain that is missing is then one number, and dynamics stay as they are. A limiter takes
what would exceed the ceiling, and nothing else. What it takes lowers the loudness, so where it acts, gain and limiter
are tried until the result is at the target. How much loudness the limiter may take is bounded: beyond the bound the
programme would be squashed, and the target is said to be out of reach instead.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from unmuffle.level.gain import Gain
from unmuffle.level.limiter import GRID, Limiter
from unmuffle.level.loudness import LoudnessMeter
from unmuffle.level.settings import within
from unmuffle.level.targets import LoudnessTarget, loudness_target
from unmuffle.level.true_peak import TruePeakMeter
from unmuffle.process import Chain
from unmuffle.process.whole import SAMPLES_AT_ONCE, check_whole, run_whole
from unmuffle.signal.arrays import AnyArray, FloatArray, to_float32

MOST_LIMITING_LU = 6.0
TOLERANCE_LU = 0.3
"""Nearer to a target than this, and it is reached."""

SHORTEST_S = 0.4
"""Loudness is measured over blocks of this length."""

_AIM_LU = 0.1
_MOST_TRIALS = 8
_METERS_DIFFER_DB = 0.2
"""The grid misses at most so much of a peak between its points (of a tone at half the sample rate)."""

_PEAK_TOLERANCE_DB = 0.05


@dataclass(frozen=True)
class Programme:
    """Integrated loudness and true peak of a whole programme; -inf for silence, loudness also below 400 ms."""

    lufs: float
    dbtp: float


@dataclass(frozen=True)
class Normalization:
    """What brings a programme to its target.

    Attributes
    ----------
    gain_db : float
        Gain before the limiter.
    ceiling_dbtp : float
        The limiter's ceiling: the target's, or less where a lossy codec raises peaks.
    before, after : Programme
        As measured without and with both.
    problem : str or None
        Why the target is not reached, and by how much it is missed; None where it is reached.
    """

    gain_db: float
    ceiling_dbtp: float
    before: Programme
    after: Programme
    problem: str | None = None


Try: TypeAlias = Callable[[float, float], Programme]
"""Takes a gain in dB and a ceiling in dBTP, and measures what they make of the programme."""


def gain_and_limiter(sample_rate: int, channels: int, gain_db: float, ceiling_dbtp: float) -> Chain:
    """Return what does it; the channels are linked, so that the image stays."""
    limiter = Limiter(sample_rate, channels, ceiling_dbtp=ceiling_dbtp, link_channels=True)
    return Chain([Gain(sample_rate, channels, gain_db=gain_db), limiter])


class ProgrammeMeter:
    """Integrated loudness and true peak in one pass over blocks [channels, n]."""

    def __init__(self, sample_rate: int, channels: int, channel_weights: Sequence[float] | None = None) -> None:
        self._loudness = LoudnessMeter(sample_rate, channels, channel_weights)
        self._true_peak = TruePeakMeter(sample_rate, channels, grid=GRID)

    def process(self, block: npt.ArrayLike) -> None:
        """Take the next block in."""
        self._loudness.process(block)
        self._true_peak.process(block)

    @property
    def programme(self) -> Programme:
        """What was heard so far."""
        return Programme(self._loudness.integrated_lufs, self._true_peak.true_peak_dbtp)

    @property
    def seconds(self) -> float:
        """How much was heard."""
        return self._loudness.seconds


def measure_programme(
    blocks: Iterable[FloatArray], sample_rate: int, channels: int, channel_weights: Sequence[float] | None = None
) -> Programme:
    """Measure a whole programme given in blocks [channels, n]."""
    meter = ProgrammeMeter(sample_rate, channels, channel_weights)
    for block in blocks:
        meter.process(block)
    return meter.programme


def run_blocks(blocks: Iterable[FloatArray], processor: Chain) -> Iterator[FloatArray]:
    """Yield what a processor makes of blocks [channels, n], its end included."""
    for block in blocks:
        yield processor.process(block)
    yield processor.flush()


def find_normalization(
    before: Programme,
    target: LoudnessTarget,
    attempt: Try,
    seconds: float,
    *,
    max_limiting_lu: float = MOST_LIMITING_LU,
    exact: bool = True,
) -> Normalization:
    """Find the gain that brings a programme to a target, or as near to it as the limiter's bound allows.

    Parameters
    ----------
    before : Programme
        As it is.
    target : LoudnessTarget
        Where it is to land.
    attempt : callable
        Measures what a gain and a ceiling make of it; not called where that is known beforehand.
    seconds : float
        Length of the programme.
    max_limiting_lu : float, default 6.0
        How much loudness the limiter may take.
    exact : bool, default True
        Whether samples are kept as they are put out. A lossy codec does not, and has to be tried in any case.
    """
    ceiling = target.true_peak_dbtp
    if not isfinite(before.lufs):
        # What has no loudness is left at its level, but not above the ceiling.
        above = before.dbtp > ceiling - _METERS_DIFFER_DB
        after = attempt(0.0, ceiling) if above else before
        return Normalization(0.0, ceiling, before, after, no_loudness(before, seconds))
    gain_db = target.lufs - before.lufs
    if exact and before.dbtp + gain_db <= ceiling - _METERS_DIFFER_DB:
        return Normalization(gain_db, ceiling, before, Programme(target.lufs, before.dbtp + gain_db))

    tried: list[tuple[float, float]] = []
    for _ in range(_MOST_TRIALS):
        after = attempt(gain_db, ceiling)
        found = Normalization(gain_db, ceiling, before, after, _problem(after, target, max_limiting_lu))
        excess_db = after.dbtp - target.true_peak_dbtp
        room_lu = min(target.lufs - after.lufs, max_limiting_lu - (before.lufs + gain_db - after.lufs))
        if excess_db > _PEAK_TOLERANCE_DB:
            # The codec has raised the peaks; what was tried so far says nothing of a lower ceiling.
            ceiling -= excess_db
            tried.clear()
            continue
        if abs(room_lu) <= _AIM_LU:
            break
        tried.append((gain_db, room_lu))
        gain_db = _next_gain(tried)
    return found


def _next_gain(tried: list[tuple[float, float]]) -> float:
    """Return a gain where the room, which falls with the gain, may be nothing; the last one tried is the newest."""
    low = max(((gain, room) for gain, room in tried if room > 0.0), default=None)
    high = min(((gain, room) for gain, room in tried if room <= 0.0), default=None)
    if low is None or high is None:
        gain, room = tried[-1]
        # A limiter takes a third of what is added, or so.
        return gain + 1.4 * room
    share = low[1] / (low[1] - high[1])
    return low[0] + min(max(share, 0.1), 0.9) * (high[0] - low[0])


def _problem(after: Programme, target: LoudnessTarget, max_limiting_lu: float) -> str | None:
    missing_lu = target.lufs - after.lufs
    if missing_lu > TOLERANCE_LU:
        return (
            f"{target.lufs:g} LUFS cannot be reached with true peaks of at most {target.true_peak_dbtp:g} dBTP, as the "
            f"limiter would take more than {max_limiting_lu:g} LU: it is at {after.lufs:.1f} LUFS, {missing_lu:.1f} LU "
            "below; compress it first, or choose a lower loudness"
        )
    if after.dbtp > target.true_peak_dbtp + 2.0 * _PEAK_TOLERANCE_DB:
        return (
            f"true peaks reach {after.dbtp:.1f} dBTP after encoding, {after.dbtp - target.true_peak_dbtp:.1f} dB above "
            "the ceiling: choose a lossless format or a lower ceiling"
        )
    if missing_lu < -TOLERANCE_LU:
        return f"it is at {after.lufs:.1f} LUFS, {-missing_lu:.1f} LU above {target.lufs:g} LUFS"
    return None


def no_loudness(before: Programme, seconds: float) -> str:
    """Say why a programme has no loudness, so that its level was left."""
    if before.dbtp == -inf:
        return "it is silent, so it has no loudness: its level was left as it is"
    if seconds < SHORTEST_S:
        return f"it is {seconds:.3g} s long, and loudness needs at least {SHORTEST_S:g} s: its level was left as it is"
    return "it is softer than -70 LUFS all through, so it has no loudness: its level was left as it is"


def normalize_loudness(
    audio: npt.ArrayLike,
    sample_rate: int,
    target_lufs: float | str = -16.0,
    true_peak_dbtp: float | None = None,
    *,
    max_limiting_lu: float = MOST_LIMITING_LU,
    channel_weights: Sequence[float] | None = None,
) -> AnyArray:
    """Bring an array to a loudness, under a ceiling of true peaks.

    Parameters
    ----------
    audio : array_like
        ``[samples]`` or ``[channels, samples]``; float (full scale 1.0), int16 or int32. It is not changed. The
        channels are one recording: they get the same gain.
    sample_rate : int
        In Hz, 8,000 to 192,000.
    target_lufs : float or str, default -16.0
        Integrated loudness, -60 to -5, or a name of ``LOUDNESS_TARGETS``: podcast, broadcast, atsc, streaming.
    true_peak_dbtp : float, optional
        Ceiling, -20 to 0; that of the name, or -1.
    max_limiting_lu : float, default 6.0
        How much loudness the limiter may take, 0 to 20.
    channel_weights : sequence of float, optional
        See ``LoudnessMeter``.

    Returns
    -------
    ndarray
        Of the shape and type of ``audio``.

    Raises
    ------
    InvalidAudioError
        If the array is empty, has a wrong shape or type, or holds NaN or infinity.
    InvalidParameterError
        If a parameter is out of its range.

    Warns
    -----
    UserWarning
        If the target cannot be reached, with by how much it is missed; and if the audio has no loudness (silence, less
        than 0.4 s, nothing above -70 LUFS), the level of which is left.

    Examples
    --------
    >>> tone = 0.05 * np.sin(2 * np.pi * 440 * np.arange(96_000) / 48_000)
    >>> meter = ProgrammeMeter(48_000, 1)
    >>> meter.process(normalize_loudness(tone, 48_000)[None])
    >>> round(meter.programme.lufs, 1)
    -16.0
    """
    target = loudness_target(target_lufs, true_peak_dbtp)
    within("max_limiting_lu", max_limiting_lu, 0.0, 20.0)
    given = check_whole(audio)
    samples = np.atleast_2d(given)
    channels = len(samples)

    def blocks() -> Iterator[FloatArray]:
        for start in range(0, samples.shape[1], SAMPLES_AT_ONCE):
            yield to_float32(samples[:, start : start + SAMPLES_AT_ONCE])

    def measured(heard: Iterable[FloatArray]) -> Programme:
        return measure_programme(heard, sample_rate, channels, channel_weights)

    def attempt(gain_db: float, ceiling_dbtp: float) -> Programme:
        return measured(run_blocks(blocks(), gain_and_limiter(sample_rate, channels, gain_db, ceiling_dbtp)))

    found = find_normalization(
        measured(blocks()), target, attempt, samples.shape[1] / sample_rate, max_limiting_lu=max_limiting_lu
    )
    if found.problem is not None:
        warnings.warn(f"the audio: {found.problem}", UserWarning, stacklevel=2)
    processor = gain_and_limiter(sample_rate, channels, found.gain_db, found.ceiling_dbtp)
    return run_whole(processor, samples).reshape(given.shape)
