"""Programme loudness: ITU-R BS.1770-5 (2023), annex 1, EBU R 128 and EBU Tech 3341.

K-weighted mean squares of 400 ms blocks that overlap by 75 %, summed over channels with their weights
(equations 1 to 4), an absolute gate at -70 LUFS and a relative gate 10 LU below the loudness of what passed
it (equations 5 to 7). Momentary (400 ms) and short-term (3 s) loudness are taken every 100 ms, without a gate; their
highest values every 10 ms, since the windows of EBU Tech 3341 (cases 9 to 14) lie at multiples of 20 ms. The peak given
here is that of the samples; see ``true_peak`` for annex 2.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from math import inf, log10

import numpy as np
import numpy.typing as npt

from unmuffle.errors import InvalidParameterError
from unmuffle.level.channel_weights import usual_weights
from unmuffle.level.k_weighting import k_weighting
from unmuffle.level.loudness_range import range_of
from unmuffle.level.meter import Meter
from unmuffle.signal.arrays import FloatArray, as_channels

ABSOLUTE_GATE_LUFS = -70.0
RELATIVE_GATE_LU = -10.0

_OFFSET_DB = -0.691
_HOPS_A_SECOND = 10
_HOPS_A_BLOCK = 4
_HOPS_SHORT_TERM = 30
_SLOTS_A_HOP = 10
"""Power is summed over slots of 10 ms first."""

_MOST_SLOTS = _SLOTS_A_HOP * _HOPS_SHORT_TERM

Lufs = npt.NDArray[np.float64]


class LoudnessMeter(Meter):
    """Integrated, momentary and short-term loudness and loudness range of a stream.

    Memory grows by 8 bytes for every 100 ms heard (0.3 MB an hour).

    Parameters
    ----------
    sample_rate : int
        In Hz, 8,000 to 192,000.
    channels : int, default 1
        Rows of every block. Five are taken as L R C Ls Rs and six as L R C LFE Ls Rs (surrounds weigh
        +1.5 dB, LFE nothing); otherwise all weigh the same.
    channel_weights : sequence of float, optional
        Power weights, one a channel, instead of these; see ``weights_of_layout``.

    Raises
    ------
    InvalidParameterError
        If the rate is outside its range, or the weights are not as many as the channels or negative.

    Examples
    --------
    >>> meter = LoudnessMeter(48000, 2)
    >>> tone = 10 ** (-23 / 20) * np.sin(2 * np.pi * 1000 * np.arange(480000) / 48000)
    >>> meter.process(np.stack([tone, tone]))
    >>> round(meter.integrated_lufs, 1)
    -23.0
    """

    def __init__(self, sample_rate: int, channels: int = 1, channel_weights: Sequence[float] | None = None) -> None:
        super().__init__(sample_rate, channels)
        from scipy.signal import sosfilt

        weights = usual_weights(self.channels) if channel_weights is None else channel_weights
        if len(weights) != self.channels or min(weights) < 0.0:
            raise InvalidParameterError(
                f"channel_weights must be {self.channels} numbers of at least 0, not {list(weights)}"
            )
        self._weights = np.asarray(weights, dtype=np.float64)
        self._sosfilt = sosfilt
        self._sections = k_weighting(self.sample_rate)
        self._state = np.zeros((2, self.channels, 2))
        self._hops = array("d")
        self._open_slot = 0.0
        # The newest slots, for the windows that end in the next ones; those of an unfinished hop are the last.
        self._slots = np.zeros(0)
        self._slots_done = 0
        self._highest = {_HOPS_A_BLOCK: 0.0, _HOPS_SHORT_TERM: 0.0}
        self._peak = 0.0

    @property
    def integrated_lufs(self) -> float:
        """Gated loudness of all that was heard; -inf for silence and for less than a 400 ms block."""
        powers = self._powers(_HOPS_A_BLOCK)
        loud = powers[powers > _power(ABSOLUTE_GATE_LUFS)]
        if loud.size == 0:
            return -inf
        gate = 10.0 ** (RELATIVE_GATE_LU / 10.0) * loud.mean()
        return _lufs(float(loud[loud > gate].mean()))

    @property
    def momentary_max_lufs(self) -> float:
        """Highest momentary loudness; -inf for silence and for less than 400 ms."""
        return _lufs(self._highest[_HOPS_A_BLOCK])

    @property
    def short_term_max_lufs(self) -> float:
        """Highest short-term loudness; -inf for silence and for less than 3 s."""
        return _lufs(self._highest[_HOPS_SHORT_TERM])

    @property
    def momentary_lufs(self) -> Lufs:
        """Momentary loudness over time, float64 [values]: value k is of the 400 ms that end at (k + 4) / 10 s."""
        return _lufs_of(self._powers(_HOPS_A_BLOCK))

    @property
    def short_term_lufs(self) -> Lufs:
        """Short-term loudness over time, float64 [values]: value k is of the 3 s that end at (k + 30) / 10 s."""
        return _lufs_of(self._powers(_HOPS_SHORT_TERM))

    @property
    def loudness_range_lu(self) -> float | None:
        """Loudness range (EBU Tech 3342); None for less than 3 s and where all is below the gate."""
        return range_of(_lufs_of(self._powers(_HOPS_SHORT_TERM)))

    @property
    def sample_peak_dbfs(self) -> float:
        """Largest sample magnitude in dB of full scale; -inf for silence."""
        return 20.0 * log10(self._peak) if self._peak > 0.0 else -inf

    def _process(self, block: FloatArray) -> None:
        self._peak = max(self._peak, float(block.max()), -float(block.min()))
        weighted, self._state = self._sosfilt(self._sections, block.astype(np.float64), zi=self._state)
        np.square(weighted, out=weighted)
        self._collect(self._weights @ weighted)

    def _collect(self, power: npt.NDArray[np.float64]) -> None:
        """Add weighted squares [n], the newest samples, to the sums over slots and hops."""
        first = self.samples - power.size
        slot, last_slot = self._slots_done, self._slot_at(self.samples)
        cuts = self._slot_start(np.arange(slot + 1, last_slot + 1)) - first
        starts = np.concatenate(([0], cuts[cuts < power.size]))
        sums = np.add.reduceat(power, starts)
        sums[0] += self._open_slot
        self._open_slot = float(sums[-1]) if starts.size == cuts.size + 1 else 0.0
        if cuts.size:
            self._collect_slots(sums[: cuts.size])

    def _collect_slots(self, sums: npt.NDArray[np.float64]) -> None:
        """Add sums over whole slots."""
        known = self._slots.size
        slots = np.concatenate([self._slots, sums])
        self._slots_done += sums.size
        ends = self._slot_start(np.arange(self._slots_done - slots.size, self._slots_done + 1))
        for hops in self._highest:
            size = hops * _SLOTS_A_HOP
            # Only windows that end in a new slot.
            oldest = max(0, known - size + 1)
            if slots.size - oldest < size:
                continue
            # Windows are summed as such: a difference of running totals would lose what is soft after what is loud.
            energy = np.lib.stride_tricks.sliding_window_view(slots[oldest:], size).sum(axis=1)
            powers = energy / (ends[oldest + size :] - ends[oldest : ends.size - size])
            self._highest[hops] = max(self._highest[hops], float(powers.max()))
        unfinished = self._slots_done % _SLOTS_A_HOP
        hops_done = self._slots_done // _SLOTS_A_HOP - len(self._hops)
        end = slots.size - unfinished
        self._hops.extend(slots[end - hops_done * _SLOTS_A_HOP : end].reshape(-1, _SLOTS_A_HOP).sum(axis=1))
        self._slots = slots[-_MOST_SLOTS:]

    def _slot_start(self, index: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
        """Return the first sample of slots; that of every tenth is the first of a hop."""
        return index * self.sample_rate // (_HOPS_A_SECOND * _SLOTS_A_HOP)

    def _slot_at(self, sample: int) -> int:
        """Return how many slots are complete when this many samples have been heard."""
        a_second = _HOPS_A_SECOND * _SLOTS_A_HOP
        index = sample * a_second // self.sample_rate
        return index + 1 if (index + 1) * self.sample_rate // a_second <= sample else index

    def _powers(self, hops: int) -> npt.NDArray[np.float64]:
        """Return the mean power of every window of so many hops, one starting at each hop."""
        sums = np.array(self._hops)
        windows = sums.size - hops + 1
        if windows < 1:
            return np.zeros(0)
        edges = np.arange(sums.size + 1) * self.sample_rate // _HOPS_A_SECOND
        energy = sum(sums[offset : offset + windows] for offset in range(hops))
        powers: npt.NDArray[np.float64] = energy / (edges[hops:] - edges[:windows])
        return powers


def integrated_loudness(
    audio: npt.ArrayLike, sample_rate: int, channel_weights: Sequence[float] | None = None
) -> float:
    """Return the integrated loudness in LUFS of audio ``[samples]`` or ``[channels, samples]``.

    See ``LoudnessMeter`` for the parameters and what is raised; -inf for silence and below 400 ms.
    """
    samples = as_channels(audio)
    meter = LoudnessMeter(sample_rate, samples.shape[0], channel_weights)
    meter.process(samples)
    return meter.integrated_lufs


def loudness_range(
    audio: npt.ArrayLike, sample_rate: int, channel_weights: Sequence[float] | None = None
) -> float | None:
    """Return the loudness range in LU of audio ``[samples]`` or ``[channels, samples]``.

    See ``LoudnessMeter`` for the parameters and what is raised; None below 3 s and where all is below -70 LUFS. With
    less than a minute of audio the figure says little.
    """
    samples = as_channels(audio)
    meter = LoudnessMeter(sample_rate, samples.shape[0], channel_weights)
    meter.process(samples)
    return meter.loudness_range_lu


def _lufs_of(powers: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    with np.errstate(divide="ignore"):
        lufs: npt.NDArray[np.float64] = _OFFSET_DB + 10.0 * np.log10(powers)
    return lufs


def _lufs(power: float) -> float:
    return _OFFSET_DB + 10.0 * log10(power) if power > 0.0 else -inf


def _power(lufs: float) -> float:
    return float(10.0 ** ((lufs - _OFFSET_DB) / 10.0))
