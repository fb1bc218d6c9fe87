"""How much of a recording is speech and how far it stands out, as the network hears it.

The network tells of every frame whether somebody speaks and the ratio r of speech to all else up to 8 kHz. A frame of
power P so holds the speech P r / (1 + r) and the noise P / (1 + r). The SNR is that of the active speech level: mean
speech of the frames in which somebody speaks over mean noise of all. Nothing was fitted for it. Above 25 dB it falls
behind, since what a network has learnt to call clean speech has noise of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unmuffle.denoise.choice import ModelName
from unmuffle.enhancer.activity import NetworkMeter
from unmuffle.measure.single.snr import HIGHEST_DB, LOWEST_DB, SnrEstimate
from unmuffle.signal.arrays import BoolArray, ComplexArray, FloatArray

UP_TO_HZ = 8_000.0
PRESENT = 0.5
LEAST_FRAMES = 20
"""A third of a second of speech: less says nothing about its level."""


@dataclass(frozen=True)
class SpeechShare:
    """How much of a recording is speech.

    Attributes
    ----------
    share : float
        Share of the time, 0 to 1, in which somebody speaks in any channel.
    """

    share: float


class SpeechMeter(NetworkMeter):
    """Tells the share of speech in a stream and its signal-to-noise ratio, all channels taken together.

    Parameters
    ----------
    sample_rate, channels, model
        See ``unmuffle.enhancer.activity.NetworkMeter``.
    """

    def __init__(self, sample_rate: int, channels: int = 1, *, model: ModelName | None = None) -> None:
        super().__init__(sample_rate, channels, model=model)
        self._bins = min(self.grid.bins, round(UP_TO_HZ / self.grid.bin_hz))
        self._frames = self._active = 0
        self._speech = self._noise = 0.0

    def _hear(self, spectra: ComplexArray, presence: FloatArray, local_snr_db: FloatArray) -> None:
        bins = spectra[..., : self._bins]
        powers = np.einsum("fcb,fcb->fc", bins, bins.conj()).real.astype(np.float64)
        ratios = 10.0 ** (local_snr_db / 10.0)
        active: BoolArray = np.asarray((presence > PRESENT).any(axis=1))
        self._frames += len(active)
        self._active += int(active.sum())
        self._speech += float((powers * ratios / (1.0 + ratios))[active].sum())
        self._noise += float((powers / (1.0 + ratios)).sum())

    @property
    def share(self) -> SpeechShare | None:
        """Share of speech; None where not a single frame was heard."""
        return SpeechShare(self._active / self._frames) if self._frames else None

    @property
    def snr(self) -> SnrEstimate:
        """Active speech level over noise; None in it where there is too little speech."""
        if self._active < LEAST_FRAMES or self._speech <= 0.0:
            return SnrEstimate(None)
        mean_noise = max(self._noise / self._frames, 1e-12 * self._speech)
        ratio_db = 10.0 * np.log10(self._speech / self._active / mean_noise)
        return SnrEstimate(float(np.clip(ratio_db, LOWEST_DB, HIGHEST_DB)))
