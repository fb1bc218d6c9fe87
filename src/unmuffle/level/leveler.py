"""Speech-gated automatic gain: evens out talkers and distances, and leaves the pauses alone.

The power of the frames in which somebody speaks is averaged over a few seconds, and the gain moves towards the target
only while somebody speaks, at bounded speed: see ``gain_control``. Loudness is the K-weighted mean square of ITU-R
BS.1770-5, taken from the spectra of frames.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from unmuffle.errors import InvalidParameterError
from unmuffle.level.gain_control import GainControl
from unmuffle.level.meter import LOUDEST
from unmuffle.level.settings import within
from unmuffle.level.spectral_loudness import k_weights
from unmuffle.level.speech_gate import SpeechGate
from unmuffle.process.processor import IntOrArray, NonFinite, Processor
from unmuffle.process.whole import process_whole
from unmuffle.signal.arrays import AnyArray, BoolArray, FloatArray
from unmuffle.signal.grid import grid_for
from unmuffle.signal.stft import StftStream

PresenceSource = Callable[[int, int], npt.ArrayLike]
"""Takes the number of a frame and how many are wanted, returns their speech presence, 0 to 1: [frames] for all
channels or [frames, channels]. Frame ``k`` is that of ``StftStream``: it ends with sample ``(k + 1) * hop - 1``."""

_PIECE = 1 << 15


class Leveler(Processor):
    """Brings speech to one loudness, whoever speaks from wherever, without raising the noise of pauses.

    It has no latency: the gain of a frame is reached in the course of the next. It does not limit peaks: the first
    syllable of a shout passes as it is, and a limiter belongs behind it.

    Parameters
    ----------
    sample_rate : int
        In Hz, 8,000 to 192,000.
    channels : int, default 1
        Rows of every block.
    target_lufs : float, default -23
        Loudness that speech is brought to, -70 to 0. Of channels that are not linked each is brought there by itself.
    max_gain_db, max_cut_db : float, default 30
        The gain stays between ``-max_cut_db`` and ``max_gain_db``.
    rise_db_per_s, fall_db_per_s : float, default 40 and 80
        Highest speed of the gain, upward and downward, above 0. These are for live calls: a talker 20 dB farther away
        is back within about 1.5 s of speech. A recording keeps more of its talkers' own dynamics with 3 and 6.
    link_channels : bool, default False
        Level all channels as one recording, with one gain, so that the stereo image stays.
    presence : callable, optional
        Told instead of found where somebody speaks, such as by a network: see ``PresenceSource``.
    nonfinite : {"raise", "silence"}, default "raise"
        See ``Processor``.

    Raises
    ------
    InvalidParameterError
        If a parameter is outside its range.
    """

    loudest: ClassVar[float] = LOUDEST

    def __init__(
        self,
        sample_rate: int,
        channels: int = 1,
        *,
        target_lufs: float = -23.0,
        max_gain_db: float = 30.0,
        max_cut_db: float = 30.0,
        rise_db_per_s: float = 40.0,
        fall_db_per_s: float = 80.0,
        link_channels: bool = False,
        presence: PresenceSource | None = None,
        nonfinite: NonFinite = "raise",
    ) -> None:
        super().__init__(sample_rate, channels, nonfinite=nonfinite)
        target_lufs = within("target_lufs", target_lufs, -70.0, 0.0)
        gain_range_db = -within("max_cut_db", max_cut_db, 0.0, 100.0), within("max_gain_db", max_gain_db, 0.0, 100.0)
        rise = within("rise_db_per_s", rise_db_per_s, 0.1, 1000.0)
        fall = within("fall_db_per_s", fall_db_per_s, 0.1, 1000.0)
        self.grid = grid_for(self.sample_rate)
        self.link_channels = link_channels and self.channels > 1
        gains = 1 if self.link_channels else self.channels
        self._presence = presence
        self._weights = k_weights(self.grid)
        self._stft = StftStream(self.grid, self.channels)
        self._gate = SpeechGate(self.grid, gains)
        self._control = GainControl(self.grid, gains, target_lufs, gain_range_db, (-fall, rise))
        self._ramp = (np.arange(self.grid.hop) + 1.0) / self.grid.hop
        self._gains = np.zeros((gains, 0))
        self._frames = 0
        self._received = 0
        self.reset()

    @property
    def latency(self) -> int:
        """None: 0 samples."""
        return 0

    @property
    def block_period(self) -> int:
        """The hop, about 16 ms."""
        return self.grid.hop

    @property
    def linked(self) -> bool:
        """Whether the channels share their gain."""
        return self.link_channels

    @property
    def gain_db(self) -> FloatArray:
        """The gain at the end of what was heard, float64 [channels], or [1] if they are linked."""
        return self._control.gain_db.copy()

    @property
    def row_states(self) -> tuple[AnyArray, ...] | None:
        """What is known of the channels, unless they are linked or somebody else tells where there is speech."""
        if self.linked or self._presence is not None:
            return None
        return (self._stft.row_states[0], *self._gate.row_states, *self._control.row_states, self._gains)

    def complete_after(self, received: IntOrArray) -> IntOrArray:
        """Return the same: output comes with the input."""
        return received

    def delay_for(self, block_size: int) -> int:  # noqa: ARG002
        """Return 0: output comes with the input."""
        return 0

    def _process(self, block: FloatArray) -> FloatArray:
        out: FloatArray = np.empty((self.channels, block.shape[1]), np.float32)
        for start in range(0, block.shape[1], _PIECE):
            piece = block[:, start : start + _PIECE]
            np.multiply(piece, self._gains_for(piece), out=out[:, start : start + _PIECE], casting="same_kind")
        return out

    def _flush(self) -> FloatArray:
        return np.zeros((self.channels, 0), np.float32)

    def _reset(self, mask: BoolArray | None) -> None:
        self._stft.reset(mask)
        self._gate.reset(mask)
        self._control.reset(mask)
        if mask is None:
            self._frames = self._received = 0
            # At the ends of the hop before the current one and of the current one.
            self._gains = np.ones((len(self._control.gain_db), 2))
        else:
            self._gains[mask] = 1.0

    def _gains_for(self, piece: FloatArray) -> FloatArray:
        """Return the gain of each sample, float32 [channels or 1, n]."""
        frames = [self._frame_gains(spectra) for spectra in self._stft.analyze(piece)]
        corners = np.concatenate([self._gains, *frames], axis=1)
        steps = np.diff(corners, axis=1)[..., None] * self._ramp
        steps += corners[:, :-1, None]
        hop = self.grid.hop
        start = self._received % hop
        gains = steps.reshape(len(corners), -1)[:, start : start + piece.shape[1]].astype(np.float32)
        self._gains = corners[:, -2:]
        self._received += piece.shape[1]
        return gains

    def _frame_gains(self, spectra: npt.NDArray[np.complexfloating]) -> FloatArray:
        """Take spectra [frames, channels, bins] in and return the gains they lead to, [channels or 1, frames]."""
        wide = spectra.astype(np.complex128)
        power = wide.real**2 + wide.imag**2
        if self.link_channels:
            power = power.sum(axis=1, keepdims=True)
        if self._presence is None:
            voiced, held = self._gate.presence(power)
        else:
            voiced, held = self._told(power.shape[:2])
        self._frames += len(power)
        return 10.0 ** (self._control.gains_db(power @ self._weights, voiced, held).T / 20.0)

    def _told(self, shape: tuple[int, ...]) -> tuple[FloatArray, FloatArray]:
        frames, channels = shape
        told = np.asarray(self._presence(self._frames, frames) if self._presence else 0.0, np.float64)
        told = told[:, None] if told.ndim == 1 else told
        if told.shape not in ((frames, 1), shape) or not np.all((told >= 0.0) & (told <= 1.0)):
            raise InvalidParameterError(
                f"presence must give {frames} frames, or [{frames}, {channels}], of 0 to 1; it gave {list(told.shape)}"
            )
        voiced = np.broadcast_to(told, shape)
        return voiced, self._gate.hold(voiced)


def level(
    audio: npt.ArrayLike,
    sample_rate: int,
    *,
    target_lufs: float = -23.0,
    max_gain_db: float = 30.0,
    max_cut_db: float = 30.0,
    rise_db_per_s: float = 40.0,
    fall_db_per_s: float = 80.0,
    link_channels: bool = False,
    presence: npt.ArrayLike | None = None,
) -> AnyArray:
    """Level speech in a whole array: see ``Leveler``, which gives the same for a stream.

    Parameters
    ----------
    audio : array_like
        ``[samples]`` or ``[channels, samples]``; float (full scale 1.0), int16 or int32.
    sample_rate : int
        In Hz, 8,000 to 192,000.
    target_lufs, max_gain_db, max_cut_db, rise_db_per_s, fall_db_per_s, link_channels
        As for ``Leveler``.
    presence : array_like, optional
        How surely somebody speaks in each frame, 0 to 1, ``[frames]`` or ``[channels, frames]``; nobody does after
        its end. See ``PresenceSource``.

    Returns
    -------
    ndarray
        Of the shape and type of ``audio``.

    Raises
    ------
    InvalidAudioError
        If the array is empty, has a wrong shape or type, or holds NaN or infinity.
    InvalidParameterError
        If a parameter is outside its range.
    """
    source = None if presence is None else _from_array(presence)
    return process_whole(
        audio,
        lambda channels: Leveler(
            sample_rate,
            channels,
            target_lufs=target_lufs,
            max_gain_db=max_gain_db,
            max_cut_db=max_cut_db,
            rise_db_per_s=rise_db_per_s,
            fall_db_per_s=fall_db_per_s,
            link_channels=link_channels,
            presence=source,
        ),
    )


def _from_array(presence: npt.ArrayLike) -> PresenceSource:
    told = np.asarray(presence, np.float64)

    def frames(first: int, count: int) -> FloatArray:
        known = told[..., first : first + count]
        return np.pad(known, [(0, 0)] * (told.ndim - 1) + [(0, count - known.shape[-1])]).T

    return frames
