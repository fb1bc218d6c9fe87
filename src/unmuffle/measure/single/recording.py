"""Everything a recording tells about itself, measured in one pass."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

import numpy as np
import numpy.typing as npt

from unmuffle.denoise.choice import ModelName
from unmuffle.errors import InvalidAudioError
from unmuffle.level import LOUDEST, LoudnessMeter, Meter, TruePeakMeter
from unmuffle.measure.single.bandwidth import Bandwidth, BandwidthMeter
from unmuffle.measure.single.clipping import Clipping, ClippingMeter
from unmuffle.measure.single.dc import DcMeter
from unmuffle.measure.single.dynamics import DynamicsMeter
from unmuffle.measure.single.hum import Hum, HumMeter
from unmuffle.measure.single.silence import Silence, SilenceMeter
from unmuffle.measure.single.snr import SnrEstimate, SnrMeter
from unmuffle.measure.single.speech import SpeechMeter, SpeechShare
from unmuffle.signal.arrays import as_channels

_BATCH_S = 0.5
"""Small blocks are gathered up to this length: the meters' cost is by call as much as by sample."""


@dataclass(frozen=True)
class RecordingReport:
    """What a recording is.

    Attributes
    ----------
    sample_rate : int
        In Hz.
    channels : int
        Number of channels.
    seconds : float
        Length.
    peak_dbfs, rms_dbfs : float
        Largest sample magnitude, and root mean square over all channels, in dB of full scale 1.0 (a
        full-scale sine has an RMS of -3.0); -inf for silence and for no samples.
    crest_factor_db : float or None
        The difference of the two; None for silence.
    true_peak_dbtp : float
        Peak of the waveform between the samples (ITU-R BS.1770, annex 2); -inf for silence.
    loudness_lufs : float
        Integrated loudness (ITU-R BS.1770); -inf for silence and below 400 ms.
    loudness_range_lu : float or None
        Loudness range (EBU Tech 3342); None below 3 s and where nothing is above -70 LUFS.
    peak_to_loudness_lu : float or None
        True peak over integrated loudness; None where there is no loudness.
    bandwidth : Bandwidth
        True audio bandwidth.
    snr : SnrEstimate
        Estimated signal-to-noise ratio of speech; by the network, where one listened.
    clipping : Clipping
        Flat tops.
    hum : Hum
        Mains hum.
    silence : Silence
        Digital and relative silence.
    dc_offset : tuple of float
        Mean of each channel, full scale being 1.
    nonfinite_samples : int
        NaN and infinite samples, which were taken as 0.
    speech : SpeechShare or None
        How much of the time somebody speaks; None where no network listened.
    """

    sample_rate: int
    channels: int
    seconds: float
    peak_dbfs: float
    rms_dbfs: float
    crest_factor_db: float | None
    true_peak_dbtp: float
    loudness_lufs: float
    loudness_range_lu: float | None
    peak_to_loudness_lu: float | None
    bandwidth: Bandwidth
    snr: SnrEstimate
    clipping: Clipping
    hum: Hum
    silence: Silence
    dc_offset: tuple[float, ...]
    nonfinite_samples: int
    speech: SpeechShare | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the report as dicts, lists and plain numbers for JSON; infinity and NaN become None."""
        plain: dict[str, Any] = _json_safe(asdict(self))
        return plain

    def lines(self) -> list[str]:
        """Return the report in plain words, one finding a line."""
        # Imported here because the wording needs this module's type.
        from unmuffle.measure.single.wording import recording_lines

        return recording_lines(self)


class RecordingAnalyzer:
    """Runs all measures over a stream of blocks, in nearly constant memory and in one pass.

    Parameters
    ----------
    sample_rate : int
        In Hz, 8,000 to 192,000.
    channels : int, default 1
        Rows of every block, at least 1.
    model : str or path, optional
        Name or ONNX file of a network that is to tell the share of speech and the SNR. Without it the SNR is found from
        periodicity and levels, at a tenth of the cost.

    Raises
    ------
    InvalidParameterError
        If the rate or the number of channels is outside its range, or there is no model of that name.
    ModelError
        If the model cannot be loaded or takes waveforms.
    """

    def __init__(self, sample_rate: int, channels: int = 1, *, model: ModelName | None = None) -> None:
        self._loudness = LoudnessMeter(sample_rate, channels)
        self._true_peak = TruePeakMeter(sample_rate, channels)
        self._dynamics = DynamicsMeter(sample_rate, channels)
        self._bandwidth = BandwidthMeter(sample_rate, channels)
        self._snr = (
            SnrMeter(sample_rate, channels) if model is None else SpeechMeter(sample_rate, channels, model=model)
        )
        self._clipping = ClippingMeter(sample_rate, channels)
        self._hum = HumMeter(sample_rate, channels)
        self._silence = SilenceMeter(sample_rate, channels)
        self._dc = DcMeter(sample_rate, channels)
        self._meters: tuple[Meter, ...] = (
            self._loudness,
            self._true_peak,
            self._dynamics,
            self._bandwidth,
            self._snr,
            self._clipping,
            self._hum,
            self._silence,
            self._dc,
        )
        self.sample_rate = self._loudness.sample_rate
        self.channels = self._loudness.channels
        self._batch = int(_BATCH_S * self.sample_rate)
        self._waiting: list[npt.NDArray[np.floating]] = []
        self._waiting_samples = 0
        self._nonfinite = 0

    def process(self, block: npt.ArrayLike) -> None:
        """Take the next block in.

        Parameters
        ----------
        block : float32 [channels, n]
            Full scale is 1.0; ``n`` may be anything from 0 up. NaN and infinity are taken as 0 and counted.

        Raises
        ------
        InvalidAudioError
            If the block has another shape or type.
        """
        array = np.asarray(block)
        if array.ndim != 2 or array.shape[0] != self.channels or array.dtype.kind != "f":
            raise InvalidAudioError(
                f"a block must be float32 [{self.channels}, samples], not {array.dtype} {list(array.shape)}"
            )
        for start in range(0, array.shape[1], self._batch):
            part = array[:, start : start + self._batch]
            self._waiting.append(part.copy())
            self._waiting_samples += part.shape[1]
            if self._waiting_samples >= self._batch:
                self._measure_waiting()

    def report(self) -> RecordingReport:
        """Return what is known of all that was heard; more blocks may follow."""
        self._measure_waiting()
        dynamics = self._dynamics.result()
        lufs, true_peak_dbtp = self._loudness.integrated_lufs, self._true_peak.true_peak_dbtp
        return RecordingReport(
            sample_rate=self.sample_rate,
            channels=self.channels,
            seconds=self._loudness.seconds,
            peak_dbfs=dynamics.peak_dbfs,
            rms_dbfs=dynamics.rms_dbfs,
            crest_factor_db=dynamics.crest_factor_db,
            true_peak_dbtp=true_peak_dbtp,
            loudness_lufs=lufs,
            loudness_range_lu=self._loudness.loudness_range_lu,
            peak_to_loudness_lu=true_peak_dbtp - lufs if isfinite(lufs) else None,
            bandwidth=self._bandwidth.result(),
            snr=self._snr.snr if isinstance(self._snr, SpeechMeter) else self._snr.result(),
            clipping=self._clipping.result(),
            hum=self._hum.result(),
            silence=self._silence.result(),
            dc_offset=self._dc.result(),
            nonfinite_samples=self._nonfinite,
            speech=self._snr.share if isinstance(self._snr, SpeechMeter) else None,
        )

    def _measure_waiting(self) -> None:
        if not self._waiting:
            return
        piece = np.concatenate(self._waiting, axis=1)
        self._waiting, self._waiting_samples = [], 0
        finite = np.isfinite(piece)
        if not finite.all():
            self._nonfinite += int(piece.size - finite.sum())
            piece = np.where(finite, piece, 0.0)
        piece = np.clip(piece, -LOUDEST, LOUDEST)
        for meter in self._meters:
            meter.process(piece)


def describe_recording(audio: npt.ArrayLike, sample_rate: int, *, model: ModelName | None = None) -> RecordingReport:
    """Return the report on audio ``[samples]`` or ``[channels, samples]``.

    Parameters
    ----------
    audio : array_like
        float32 or float64 with full scale 1.0, int16 or int32.
    sample_rate : int
        In Hz, 8,000 to 192,000.
    model : str or path, optional
        See ``RecordingAnalyzer``.

    Raises
    ------
    InvalidAudioError
        If the array has another number of dimensions or type, or is ``(samples, channels)``.
    InvalidParameterError
        If the rate is outside its range, or there is no model of that name.
    ModelError
        If the model cannot be loaded or takes waveforms.
    """
    samples = as_channels(audio)
    analyzer = RecordingAnalyzer(sample_rate, samples.shape[0], model=model)
    analyzer.process(samples)
    return analyzer.report()


def _json_safe(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _json_safe(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json_safe(each) for each in value]
    return None if isinstance(value, float) and not isfinite(value) else value
