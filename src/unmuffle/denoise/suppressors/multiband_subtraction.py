"""Multi-band spectral subtraction.

S. Kamath and P. Loizou, "A multi-band spectral subtraction method for enhancing speech corrupted by colored noise",
ICASSP 2002. The paper's four bands of 1 kHz at 8 kHz go on upwards here, wider above 4 kHz; its average
over two frames to either side runs over the past two, so that nothing is delayed.
"""

from __future__ import annotations

import numpy as np

from unmuffle.denoise.gains import oversubtraction_factor, power_subtraction_gain
from unmuffle.denoise.noise import MinimumStatistics, NoiseEstimator
from unmuffle.denoise.suppressors.base import NoiseSuppressor
from unmuffle.denoise.suppressors.oversubtraction import power_ratio_db
from unmuffle.signal.arrays import BoolArray, FloatArray
from unmuffle.signal.grid import Grid

BAND_EDGES_HZ = (0, 1000, 2000, 3000, 4000, 6000, 8000, 12000, 16000, 24000, 48000)
WEIGHTS_OF_FRAMES = np.array([0.09, 0.25, 0.32], np.float32) / np.float32(0.66)
"""The paper's weights of the frame (last) and those before it, scaled to a sum of 1."""


class MultibandSubtraction(NoiseSuppressor):
    """Subtraction whose oversubtraction is set band by band, for noise that is not white.

    Parameters
    ----------
    noise : NoiseEstimator, optional
        ``MinimumStatistics`` unless given.
    floor : float, default 0.002
        What is left at least, in parts of the noisy power.
    noisy_share : float, default 0.05
        Share of the noisy power that is added back to mask musical noise.
    """

    def __init__(self, noise: NoiseEstimator | None = None, floor: float = 0.002, noisy_share: float = 0.05) -> None:
        super().__init__(noise or MinimumStatistics())
        self._floor = floor
        self._noisy_share = noisy_share

    def _prepare(self, grid: Grid, channels: int) -> None:
        nyquist = grid.sample_rate / 2
        edges = [edge for edge in BAND_EDGES_HZ if edge < nyquist]
        self._starts = np.searchsorted(grid.frequencies_hz, edges)
        self._band_of_bin = np.repeat(np.arange(len(edges)), np.diff(self._starts, append=grid.bins))
        self._weights = np.array([_band_weight(edge, nyquist) for edge in edges], np.float32)
        self._past: FloatArray = np.zeros((len(WEIGHTS_OF_FRAMES), channels, grid.bins), np.float32)

    def _reset(self, channels: BoolArray) -> None:
        self._past[:, channels] = 0.0

    def _gain(self, power: FloatArray, noise_psd: FloatArray, out: FloatArray) -> None:
        self._past[:-1] = self._past[1:]
        self._past[-1] = power
        smoothed = np.tensordot(WEIGHTS_OF_FRAMES, self._past, 1)
        snr_db = power_ratio_db(
            np.add.reduceat(smoothed, self._starts, axis=-1), np.add.reduceat(noise_psd, self._starts, axis=-1)
        )
        factor = self._weights * oversubtraction_factor(snr_db)
        np.square(power_subtraction_gain(smoothed, noise_psd, factor[:, self._band_of_bin], 0.0), out=out)
        np.maximum(out, self._floor, out=out)
        out += self._noisy_share
        np.sqrt(out, out=out)
        np.minimum(out, 1.0, out=out)


def _band_weight(start_hz: float, nyquist_hz: float) -> float:
    """The paper's delta: less is taken from the lowest band, where most of the speech is, and from the highest."""
    if start_hz < 1000:
        return 1.0
    return 2.5 if start_hz < nyquist_hz - 2000 else 1.5
