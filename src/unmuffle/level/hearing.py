"""Multi-band compression for a hearing loss: gains from an audiogram, less of them for what is loud.

At normal level of speech each band has the insertion gain of the NAL-R rule (D. Byrne and H. Dillon, "The National
Acoustic Laboratories' new procedure for selecting the gain and frequency response of a hearing aid", Ear and Hearing
7(4), 1986): 0.15 times the mean loss at 0.5, 1 and 2 kHz, plus 0.31 times the loss, plus a correction by frequency; or
half of the loss (S. F. Lybarger, 1944). Departing from the rule, a gain is never below 0 dB nor above the loss.
Around that level the band is compressed: a loss of ``H`` dB leaves ``100 - H`` of 100 dB up to discomfort, hence
the ratio ``100 / (100 - H)``, bounded. Filtering is the short-time spectrum of 8 ms frames that hearing aids use (J. M.
Kates, "Digital hearing aids", Plural, 2008, chapter 8), which sums up to the input where gains are 1; a look-ahead
limiter bounds the output. No fitting of a hearing aid: no correction for the ear canal, and no fine-tuning.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from unmuffle.errors import InvalidParameterError
from unmuffle.level.envelope import AttackRelease
from unmuffle.level.limiter import Limiter
from unmuffle.level.options import parse_levels
from unmuffle.level.settings import within
from unmuffle.level.sii import normal_speech_psd
from unmuffle.level.spectral_gain import SpectralGain
from unmuffle.level.spectral_loudness import mean_square_scale
from unmuffle.process.chain import Chain
from unmuffle.process.processor import NonFinite
from unmuffle.process.whole import process_whole
from unmuffle.signal.arrays import AnyArray, BoolArray, ComplexArray, FloatArray
from unmuffle.signal.grid import Grid, check_sample_rate

RULES = ("nal-r", "half-gain")
BANDS_HZ = np.array([250.0, 500.0, 1000.0, 2000.0, 3000.0, 4000.0, 6000.0, 8000.0])

_CORRECTIONS_HZ = (250.0, 500.0, 750.0, 1000.0, 1500.0, 2000.0, 3000.0, 4000.0, 6000.0)
_CORRECTIONS_DB = (-17.0, -8.0, -3.0, 1.0, 1.0, -1.0, -2.0, -2.0, -2.0)
_LEAST_DB, _MOST_DB = -10.0, 120.0
_DYNAMIC_RANGE_DB = 100.0
_KNEE_DB = -20.0
"""Below normal speech: from there on down the gain stays what it is, so that noise is not raised further."""

_HOP_S = 0.004
_FLOOR_DB = -150.0


def insertion_gains_db(audiogram: str, frequencies_hz: npt.ArrayLike, rule: str = "nal-r") -> FloatArray:
    """Return the gains that a rule prescribes for speech of normal level, float64 like the frequencies.

    Parameters
    ----------
    audiogram : str
        Thresholds in dB HL as ``"250:20,500:25,1000:30"``.
    frequencies_hz : array_like
        Above 0.
    rule : {"nal-r", "half-gain"}, default "nal-r"
        See the head of the module.

    Raises
    ------
    InvalidParameterError
        If the audiogram cannot be read, or the rule is not known.

    Examples
    --------
    A loss of 40 dB throughout: 6 + 12.4 dB, and the correction for the frequency:

    >>> insertion_gains_db("250:40,8000:40", [250, 1000, 4000]).round(1).tolist()
    [1.4, 19.4, 16.4]
    """
    if rule not in RULES:
        raise InvalidParameterError(f"rule must be one of {', '.join(RULES)}, not {rule!r}")
    frequencies = np.asarray(frequencies_hz, np.float64)
    losses = np.maximum(_losses_db(audiogram, frequencies), 0.0)
    if rule == "half-gain":
        return 0.5 * losses
    mean_loss = np.maximum(_losses_db(audiogram, np.array([500.0, 1000.0, 2000.0])), 0.0).mean()
    corrections = np.interp(np.log(frequencies), np.log(_CORRECTIONS_HZ), _CORRECTIONS_DB)
    gains: FloatArray = np.clip(0.15 * mean_loss + 0.31 * losses + corrections, 0.0, losses)
    return gains


def _losses_db(audiogram: str, frequencies_hz: FloatArray) -> FloatArray:
    known_hz, levels_db = parse_levels("audiogram", audiogram, _LEAST_DB, _MOST_DB)
    losses: FloatArray = np.interp(np.log(frequencies_hz), np.log(known_hz), levels_db)
    return losses


class MultibandCompressor(SpectralGain):
    """The gains of ``HearingCompressor``, without its limiter; see there for the parameters."""

    def __init__(
        self,
        sample_rate: int,
        channels: int = 1,
        *,
        audiogram: str,
        rule: str = "nal-r",
        speech_level_dbfs: float = -23.0,
        keep_loudness: bool = True,
        max_ratio: float = 3.0,
        attack_ms: float = 5.0,
        release_ms: float = 100.0,
        link_channels: bool = False,
        nonfinite: NonFinite = "raise",
    ) -> None:
        rate = check_sample_rate(sample_rate)
        super().__init__(Grid(rate, 16 * round(rate * _HOP_S / 16)), channels, nonfinite=nonfinite)
        self.link_channels = link_channels and self.channels > 1
        speech_db = within("speech_level_dbfs", speech_level_dbfs, -60.0, 0.0)
        steepest = within("max_ratio", max_ratio, 1.0, 100.0)
        times_s = [
            1e-3 * within("attack_ms", attack_ms, 0.0, 1000.0),
            1e-3 * within("release_ms", release_ms, 1.0, 5000.0),
        ]
        self._weights = _band_weights(self.grid)
        self._speech_db, share = self._normal_speech(speech_db)
        ears = _per_channel(audiogram, self.channels)
        bands_hz = BANDS_HZ[: len(self._weights)]
        self._gain_db = np.stack([insertion_gains_db(ear, bands_hz, rule) for ear in ears])
        losses = np.stack([_losses_db(ear, bands_hz) for ear in ears])
        ratios = np.minimum(_DYNAMIC_RANGE_DB / np.maximum(_DYNAMIC_RANGE_DB - np.maximum(losses, 0.0), 1.0), steepest)
        self._slope = 1.0 - 1.0 / ratios
        self._shift_db = np.zeros(self.channels)
        if keep_loudness:
            self._shift_db = -10.0 * np.log10((10.0 ** (self._gain_db / 10.0) * share).sum(axis=1))
        self._rows = 1 if self.link_channels else self.channels
        self._levels = AttackRelease(1.0 / self.grid.hop_s, self._rows * len(bands_hz), *times_s)

    @property
    def linked(self) -> bool:
        """Whether the channels share the levels that compress them."""
        return self.link_channels

    @property
    def row_states(self) -> tuple[AnyArray, ...] | None:
        """What is known of the channels, unless they are linked."""
        if self.linked:
            return None
        levels = (state.reshape(self.channels, -1) for state in self._levels.row_states)
        return (*self._stft.row_states, *levels)

    def _normal_speech(self, speech_db: float) -> tuple[FloatArray, FloatArray]:
        """Return the level of each band in normal speech, and its share of the power."""
        share = self._weights @ normal_speech_psd(self.grid.frequencies_hz.astype(np.float64))
        share /= share.sum()
        return speech_db + 10.0 * np.log10(share), share

    def _gains(self, spectra: ComplexArray) -> FloatArray:
        power = np.square(spectra.real, dtype=np.float64) + np.square(spectra.imag, dtype=np.float64)
        if self.link_channels:
            power = power.mean(axis=1, keepdims=True)
        bands = (power @ self._weights.T) * mean_square_scale(self.grid)
        levels_db = 10.0 * np.log10(np.maximum(bands, 10.0 ** (_FLOOR_DB / 10.0)))
        frames = len(levels_db)
        # Levels are followed in dB over the floor, where the detector's silence is 0.
        followed = (
            self._levels.follow(levels_db.reshape(frames, -1).T - _FLOOR_DB).T.reshape(levels_db.shape) + _FLOOR_DB
        )
        above_db = np.maximum(followed - self._speech_db, _KNEE_DB)
        gains_db = np.maximum(self._gain_db - self._slope * above_db, 0.0) + self._shift_db[:, None]
        gains: FloatArray = (10.0 ** (gains_db @ self._weights / 20.0)).astype(np.float32)
        return gains

    def _forget(self, mask: BoolArray | None) -> None:
        self._levels.reset(None if mask is None else np.repeat(mask, len(self._weights)))


def _band_weights(grid: Grid) -> FloatArray:
    """Return how much of each bin belongs to each band, [bands, bins]: straight lines over log frequency, sums of 1."""
    bands = np.log(BANDS_HZ[grid.sample_rate / 2.0 >= BANDS_HZ])
    wanted = np.log(np.maximum(grid.frequencies_hz.astype(np.float64), 1.0))
    return np.stack([np.interp(wanted, bands, row) for row in np.eye(bands.size)])


def _per_channel(audiogram: str, channels: int) -> list[str]:
    ears = audiogram.split("|")
    if len(ears) not in (1, channels):
        raise InvalidParameterError(
            f"the audiogram is of {len(ears)} ears and the audio of {channels} channels: "
            "give one for all channels, or one for each with | between them"
        )
    return ears if len(ears) == channels else ears * channels


class HearingCompressor(Chain):
    """Makes sound audible to a hearing loss, and keeps it comfortable.

    The latency is 8 ms of the filterbank and 3 ms of the limiter.

    Parameters
    ----------
    sample_rate : int
        In Hz, 8,000 to 192,000.
    channels : int, default 1
        Rows of every block.
    audiogram : str, default "250:10,500:15,1000:20,2000:30,3000:40,4000:45,6000:50,8000:55"
        Hearing thresholds in dB HL, -10 to 120, at some frequencies in Hz; between them they lie on straight lines
        over log frequency, beyond them they are held. Two ears are divided by ``|``, left first. The default is a mild
        to moderate loss of age. Thresholds of 0 change nothing below the output's bound.
    rule : {"nal-r", "half-gain"}, default "nal-r"
        Which gain a loss asks for at normal level.
    speech_level_dbfs : float, default -23
        RMS level of speech of normal loudness in the input, -60 to 0: gains are as prescribed there, more below (down
        to 20 dB below) and less above.
    keep_loudness : bool, default True
        Leave the common part of all gains to the listener's volume control: speech of normal level keeps its power.
        False gives the prescribed gains as they are, for a playback that is calibrated.
    max_ratio : float, default 3
        Bound of the compression ratio, 1 (none) to 100.
    attack_ms, release_ms : float, default 5 and 100
        Time constants of the level in each band, as of ``AttackRelease``.
    max_output_dbfs : float, default -1
        No true peak leaves above this, -60 to 20.
    link_channels : bool, default False
        Compress all channels by their mean level, so that the stereo image stays. Each keeps its audiogram.
    nonfinite : {"raise", "silence"}, default "raise"
        See ``Processor``.

    Raises
    ------
    InvalidParameterError
        If the audiogram cannot be read, or a parameter is outside its range.
    """

    def __init__(
        self,
        sample_rate: int,
        channels: int = 1,
        *,
        audiogram: str = "250:10,500:15,1000:20,2000:30,3000:40,4000:45,6000:50,8000:55",
        rule: str = "nal-r",
        speech_level_dbfs: float = -23.0,
        keep_loudness: bool = True,
        max_ratio: float = 3.0,
        attack_ms: float = 5.0,
        release_ms: float = 100.0,
        max_output_dbfs: float = -1.0,
        link_channels: bool = False,
        nonfinite: NonFinite = "raise",
    ) -> None:
        bands = MultibandCompressor(
            sample_rate,
            channels,
            audiogram=audiogram,
            rule=rule,
            speech_level_dbfs=speech_level_dbfs,
            keep_loudness=keep_loudness,
            max_ratio=max_ratio,
            attack_ms=attack_ms,
            release_ms=release_ms,
            link_channels=link_channels,
            nonfinite=nonfinite,
        )
        limiter = Limiter(sample_rate, channels, ceiling_dbtp=max_output_dbfs, link_channels=link_channels)
        super().__init__([bands, limiter])


def compensate_hearing(audio: npt.ArrayLike, sample_rate: int, *, audiogram: str, **options: Any) -> AnyArray:
    """Return audio ``[samples]`` or ``[channels, samples]`` for a hearing loss.

    Parameters
    ----------
    audio : array_like
        Float (full scale 1.0), int16 or int32.
    sample_rate : int
        In Hz, 8,000 to 192,000.
    audiogram : str
        See ``HearingCompressor``, which takes the other options too.

    Raises
    ------
    InvalidAudioError
        If the array is empty, has a wrong shape or type, or holds NaN or infinity.
    InvalidParameterError
        If the audiogram cannot be read, or a parameter is outside its range.
    """
    return process_whole(
        audio, lambda channels: HearingCompressor(sample_rate, channels, audiogram=audiogram, **options)
    )
