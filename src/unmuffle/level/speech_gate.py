"""Where in a stream somebody speaks: a causal detector without training, for levels that follow speech only.

Two kinds of evidence must meet. The energy of eight bands must rise over a noise floor that falls at once and rises
slowly (as in H.-G. Hirsch and C. Ehrlicher, "Noise estimation techniques for robust speech recognition", Proc. ICASSP
1995, and many since), and there must be a voice's pitch: a peak between 75 and 400 Hz in the autocorrelation that
belongs to the magnitude spectrum (T. Tolonen and M. Karjalainen, "A computationally efficient multipitch analysis
model", IEEE Trans. Speech Audio Process. 8(6), 2000, section II-B, whose compression of the spectrum is the square
root of the power here), each lag over what the window leaves of it (P. Boersma, "Accurate short-term analysis of the
fundamental frequency and the harmonics-to-noise ratio of a sampled sound", Proc. Inst. Phon. Sci. Amsterdam 17, 1993,
eq. 9): without, low voices, of which a window holds two or three periods, are not told from noise. Steady noise has
neither, hum and clicks lack one. Unvoiced sounds count as far as a voiced one came shortly before. Both kinds of
evidence are soft, so that no rounding error turns a decision over.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unmuffle.signal.arrays import AnyArray, BoolArray, FloatArray
from unmuffle.signal.grid import Grid

HOLD_S = 0.25
"""For so long at most a voiced sound makes what follows count as speech."""

_BAND_EDGES_HZ = (100.0, 200.0, 350.0, 550.0, 850.0, 1300.0, 2000.0, 2900.0, 4000.0)
_BAND_SMOOTHING_S = 0.04
_FLOOR_RISE_DB_PER_S = 12.0
_FLOOR_RISE_IN_SPEECH_DB_PER_S = 2.0
_MOST_SNR_DB = 20.0
_SNR_DB = (6.0, 9.0)
"""Mean over bands, each from the floor to at most 20 dB above it: below the first no speech, above the second speech.
Noise alone lies at 3 to 4 dB, since the floor is a minimum."""

_VOICED_FROM_HZ, _VOICED_TO_HZ = 100.0, 1500.0
_PITCH_HZ = (75.0, 400.0)
_VOICING_SMOOTHING_S = 0.045
_VOICING = (0.28, 0.50)
"""White noise gives 0.18 and up to 0.25, half of the loud frames of speech more than 0.5. So wide, because the tails of
words, which must not raise a gain, lie between."""

_LAGS = 512
_LEAST_POWER = 1e-10
"""Of a band, in units of full scale: the floor under digital silence, about -100 dBFS."""


class SpeechGate:
    """Follows the power spectra of a stream and tells how surely each frame is speech.

    Parameters
    ----------
    grid : Grid
        The time-frequency grid of the spectra.
    channels : int
        Rows of every frame, each with its own state.
    """

    def __init__(self, grid: Grid, channels: int) -> None:
        from scipy.signal import lfilter

        self._lfilter = lfilter
        self._grid = grid
        frequencies = grid.frequencies_hz
        edges = np.asarray(_BAND_EDGES_HZ)
        inside = (frequencies[:, None] >= edges[:-1]) & (frequencies[:, None] < edges[1:])
        # A sine of full scale has a power of about 0 dB in its band, whatever the size of the window.
        self._bands = inside * (4.0 / grid.window**2)
        self._voiced = (frequencies >= _VOICED_FROM_HZ) & (frequencies <= _VOICED_TO_HZ)
        lag_rate = _LAGS * grid.bin_hz
        self._lags = slice(int(lag_rate / _PITCH_HZ[1]), int(lag_rate / _PITCH_HZ[0]) + 1)
        self._left_by_window = _autocorrelation_of_window(np.arange(_LAGS)[self._lags] / _LAGS)
        self._hold_step = grid.hop_s / HOLD_S
        self._floor_db = np.zeros((channels, len(edges) - 1))
        self._band_state: FloatArray = np.zeros((1, channels, len(edges) - 1))
        self._voicing_state: FloatArray = np.zeros((1, channels))
        self._held = np.zeros(channels)
        self.reset()

    def presence(self, power: npt.NDArray[np.floating]) -> tuple[FloatArray, FloatArray]:
        """Take the next frames of power spectra [frames, channels, bins] in.

        Returns
        -------
        voiced : float64 [frames, channels]
            0 (no voice) to 1 in the frame itself.
        held : float64 [frames, channels]
            The same, falling from its peaks to 0 within ``HOLD_S``.
        """
        voicing = self._voicing(power)
        snr_db = self._snr_db(power, voicing)
        voiced = _between(snr_db, *_SNR_DB) * voicing
        return voiced, self.hold(voiced)

    def hold(self, voiced: FloatArray) -> FloatArray:
        """Return the values [frames, channels], falling from their peaks to 0 within ``HOLD_S``."""
        fallen = self._hold_step * np.arange(1, len(voiced) + 1)[:, None]
        held = np.maximum(np.maximum.accumulate(voiced + fallen, axis=0), self._held) - fallen
        self._held = held[-1].copy()
        return np.maximum(held, 0.0)

    @property
    def row_states(self) -> tuple[AnyArray, ...]:
        """What is known of the channels, arrays [channels, ...]; views."""
        return self._floor_db, self._band_state[0], self._voicing_state[0], self._held

    def reset(self, mask: BoolArray | None = None) -> None:
        """Forget all channels, or those of the mask [channels]."""
        chosen = slice(None) if mask is None else mask
        self._floor_db[chosen] = 10.0 * np.log10(_LEAST_POWER)
        self._band_state[:, chosen] = 0.0
        self._voicing_state[:, chosen] = 0.0
        self._held[chosen] = 0.0

    def _voicing(self, power: npt.NDArray[np.floating]) -> FloatArray:
        magnitude = np.sqrt(power[..., : _LAGS // 2 + 1] * self._voiced[: _LAGS // 2 + 1])
        correlation = np.fft.irfft(magnitude, _LAGS)
        whole = correlation[..., self._lags] / self._left_by_window
        peak = whole.max(axis=-1) / np.maximum(correlation[..., 0], 1e-30)
        smoothed, self._voicing_state = self._smooth(peak, _VOICING_SMOOTHING_S, self._voicing_state)
        return _between(smoothed, *_VOICING)

    def _snr_db(self, power: npt.NDArray[np.floating], voicing: FloatArray) -> FloatArray:
        bands, self._band_state = self._smooth(power @ self._bands, _BAND_SMOOTHING_S, self._band_state)
        level_db = 10.0 * np.log10(bands + _LEAST_POWER)
        rate = _FLOOR_RISE_DB_PER_S + (_FLOOR_RISE_IN_SPEECH_DB_PER_S - _FLOOR_RISE_DB_PER_S) * voicing
        risen = np.cumsum(rate * self._grid.hop_s, axis=0)[..., None]
        # floor[k] = min(floor[k - 1] + rise[k], level[k]) for all frames at once.
        floor_db = np.minimum(np.minimum.accumulate(level_db - risen, axis=0), self._floor_db) + risen
        self._floor_db = floor_db[-1].copy()
        return np.clip(level_db - floor_db, 0.0, _MOST_SNR_DB).mean(axis=-1)

    def _smooth(self, frames: FloatArray, time_constant_s: float, state: FloatArray) -> tuple[FloatArray, FloatArray]:
        pole = self._grid.smoothing(time_constant_s)
        smoothed, state = self._lfilter([1.0 - pole], [1.0, -pole], frames, axis=0, zi=state)
        return smoothed, state


def _autocorrelation_of_window(shares: FloatArray) -> FloatArray:
    """Return the autocorrelation of a sine window at lags given as shares of its length; 1 at none."""
    turns = np.pi * shares
    return (1.0 - shares) * np.cos(turns) + np.sin(turns) / np.pi


def _between(value: FloatArray, low: float, high: float) -> FloatArray:
    """Return 0 below ``low``, 1 above ``high``, and what lies between in proportion."""
    return np.clip((value - low) / (high - low), 0.0, 1.0)
