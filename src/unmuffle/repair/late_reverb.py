"""Suppression of late reverberation by its expected power: the cheap way.

K. Lebart, J. M. Boucher and P. N. Denbigh, "A new method based on spectral subtraction for speech dereverberation",
Acta Acustica united with Acustica 87, 2001: sound in a room decays exponentially, so what is heard now of sound that is
older than some 50 ms has the power that was heard 50 ms ago times the decay of 50 ms, and is treated like noise. The
gain here is that of a Wiener filter with the decision-directed a priori ratio of Y. Ephraim and D. Malah, "Speech
enhancement using a minimum mean-square error short-time spectral amplitude estimator", IEEE Trans. ASSP 32(6), 1984.
The reverberation time is given or found by ``late_reverb_time``. Left out: the ratio of direct to reverberant sound, so
that a talker who is very near in a hall is suppressed too much.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unmuffle.errors import InvalidParameterError
from unmuffle.process.processor import NonFinite
from unmuffle.process.stft_processor import StftProcessor
from unmuffle.process.whole import process_whole
from unmuffle.repair.late_reverb_time import ReverberationTime
from unmuffle.signal.arrays import AnyArray, BoolArray, ComplexArray, FloatArray

SMOOTHING_S = 0.02
PAST_WEIGHT = np.float32(0.7)
"""Weight of the last frame in the decision-directed ratio: less than for noise, as reverberation moves like speech."""
QUIETEST_POWER = np.float32(1e-18)
MOST_RATIO = np.float32(1e6)


class LateReverbSuppressor(StftProcessor):
    """Lowers each frequency by what it is expected to hold of reverberation.

    Parameters
    ----------
    sample_rate : int
        In Hz, 8,000 to 192,000.
    channels : int, default 1
        Rows of every block.
    rt60_s : float, default 0
        Reverberation time of the room in seconds, 0.05 to 10; 0 finds it from the audio, channel by channel.
    early_s : float, default 0.05
        Age in seconds up to which reflections are left, 0.02 to 0.2.
    floor_db : float, default -12
        The lowest gain in dB, -60 to 0.
    link_channels : bool, default False
        Give all channels the same gains. The channels then are one recording: none of them can be reset alone.
    nonfinite : {"raise", "silence"}, default "raise"
        See ``Processor``.

    Raises
    ------
    InvalidParameterError
        If a parameter is out of its range.
    """

    def __init__(
        self,
        sample_rate: int,
        channels: int = 1,
        *,
        rt60_s: float = 0.0,
        early_s: float = 0.05,
        floor_db: float = -12.0,
        link_channels: bool = False,
        nonfinite: NonFinite = "raise",
    ) -> None:
        super().__init__(sample_rate, channels, nonfinite=nonfinite)
        if rt60_s != 0.0 and not 0.05 <= rt60_s <= 10.0:
            raise InvalidParameterError(f"rt60_s is {rt60_s!r}; it must be 0.05 to 10 s, or 0 to have it found")
        if not 0.02 <= early_s <= 0.2:
            raise InvalidParameterError(f"early_s is {early_s!r}; it must be 0.02 to 0.2 s, for instance 0.05")
        if not -60.0 <= floor_db <= 0.0:
            raise InvalidParameterError(f"floor_db is {floor_db!r}; it must be -60 to 0 dB, for instance -12")
        self.link_channels = bool(link_channels) and self.channels > 1
        rows = 1 if self.link_channels else self.channels
        self._floor = np.float32(10.0 ** (floor_db / 20.0))
        self._given_s = float(rt60_s)
        self._time = ReverberationTime(self.grid, rows)
        self._pole = np.float32(self.grid.smoothing(SMOOTHING_S))
        self._early_frames = self.grid.frames(early_s)
        shape = (rows, self.grid.bins)
        # Smoothed powers, the latest last.
        self._powers: FloatArray = np.zeros((self._early_frames + 1, *shape), np.float32)
        self._clean_ratio: FloatArray = np.zeros(shape, np.float32)

    @property
    def linked(self) -> bool:
        """Whether the channels share their gains."""
        return self.link_channels

    @property
    def rt60_s(self) -> FloatArray:
        """Reverberation time in seconds, given or as it is known now, float64 [channels], or [1] where linked."""
        return np.full(self._clean_ratio.shape[0], self._given_s) if self._given_s else self._time.seconds()

    def _change(self, spectra: ComplexArray) -> ComplexArray:
        for frame in spectra:
            power = frame.real**2 + frame.imag**2
            if self.link_channels:
                power = power.mean(axis=0, keepdims=True)
            if not self._given_s:
                self._time.update(power)
            frame *= self._gain(power)
        return spectra

    def _gain(self, power: FloatArray) -> FloatArray:
        """Gains [rows, bins] of the next frame, of these powers."""
        self._powers[:-1] = self._powers[1:]
        self._powers[-1] += (np.float32(1.0) - self._pole) * (power - self._powers[-1])
        decay = 10.0 ** (-6.0 * self._early_frames * self.grid.hop_s / self.rt60_s)
        late = np.maximum(decay[:, None].astype(np.float32) * self._powers[0], QUIETEST_POWER)
        a_posteriori = np.minimum(power / late, MOST_RATIO)
        ratio = PAST_WEIGHT * self._clean_ratio
        ratio += (np.float32(1.0) - PAST_WEIGHT) * np.maximum(a_posteriori - np.float32(1.0), np.float32(0.0))
        gain = np.maximum(ratio / (np.float32(1.0) + ratio), self._floor)
        self._clean_ratio = gain * gain * a_posteriori
        return gain

    def _forget(self, mask: BoolArray | None) -> None:
        rows = np.ones(self._clean_ratio.shape[0], np.bool_) if mask is None else mask
        self._time.reset(rows)
        self._powers[:, rows] = 0.0
        self._clean_ratio[rows] = 0.0


def suppress_late_reverb(
    audio: npt.ArrayLike,
    sample_rate: int,
    *,
    rt60_s: float = 0.0,
    early_s: float = 0.05,
    floor_db: float = -12.0,
    link_channels: bool = True,
) -> AnyArray:
    """Lower the late reverberation of audio as ``LateReverbSuppressor`` does on a stream.

    Parameters
    ----------
    audio : array_like
        ``[samples]`` or ``[channels, samples]``; float (full scale 1.0), int16 or int32.
    sample_rate : int
        In Hz, 8,000 to 192,000.
    rt60_s, early_s, floor_db, link_channels
        See ``LateReverbSuppressor``; channels are linked unless told otherwise.

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
    """
    return process_whole(
        audio,
        lambda channels: LateReverbSuppressor(
            sample_rate,
            channels,
            rt60_s=rt60_s,
            early_s=early_s,
            floor_db=floor_db,
            link_channels=link_channels,
        ),
    )
