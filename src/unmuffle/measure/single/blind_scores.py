"""All measures of one recording without a reference, side by side."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import astuple
from functools import cached_property
from math import isfinite

import numpy.typing as npt

from unmuffle.level import LoudnessMeter, true_peak_dbtp
from unmuffle.measure.scores import Measure, Score, Table, measures_of, take
from unmuffle.measure.single.bandwidth import detect_bandwidth
from unmuffle.measure.single.checks import checked_recording, silent_recording
from unmuffle.measure.single.clipping import measure_clipping
from unmuffle.measure.single.dc import dc_offset
from unmuffle.measure.single.dnsmos import dnsmos
from unmuffle.measure.single.dynamics import crest_factor_db
from unmuffle.measure.single.hum import detect_hum
from unmuffle.measure.single.reverberation import srmr
from unmuffle.measure.single.snr import estimate_snr
from unmuffle.measure.single.spectral_features import spectral_features
from unmuffle.signal.arrays import FloatArray

_LEAST_S = 0.1

NO_HUM_DBFS = -100.0
"""What ``hum_dbfs`` says where there is no hum, so that a limit on it can be kept."""


class _Recording:
    """A recording that is checked, and whose loudness is taken, once; each measure meets the error anew."""

    def __init__(self, audio: npt.ArrayLike, sample_rate: int) -> None:
        self._audio = audio
        self.sample_rate = sample_rate

    @cached_property
    def samples(self) -> FloatArray:
        return checked_recording(self._audio, self.sample_rate, "a measure without a reference", _LEAST_S)

    @cached_property
    def loudness(self) -> LoudnessMeter:
        meter = LoudnessMeter(self.sample_rate, self.samples.shape[0])
        meter.process(self.samples)
        return meter


def _dnsmos(recording: _Recording) -> tuple[float, ...]:
    found: tuple[float, ...] = astuple(dnsmos(recording.samples, recording.sample_rate))
    return found


def _estimated_snr_db(recording: _Recording) -> float:
    estimate = estimate_snr(recording.samples, recording.sample_rate)
    if estimate.db is None:
        raise silent_recording("the estimate of the SNR", "there is less than a second of sound")
    return estimate.db


def _srmr(recording: _Recording) -> float:
    return srmr(recording.samples, recording.sample_rate)


def _clipping_share(recording: _Recording) -> float:
    return measure_clipping(recording.samples, recording.sample_rate).share


def _crest_factor_db(recording: _Recording) -> float:
    return crest_factor_db(recording.samples, recording.sample_rate)


def _loudness_lufs(recording: _Recording) -> float:
    lufs = recording.loudness.integrated_lufs
    if not isfinite(lufs):
        raise silent_recording("loudness", "there are less than 400 ms, or all is below -70 LUFS")
    return lufs


def _loudness_range_lu(recording: _Recording) -> float:
    range_lu = recording.loudness.loudness_range_lu
    if range_lu is None:
        raise silent_recording("loudness range", "there are less than 3 s, or all is below -70 LUFS")
    return range_lu


def _true_peak_dbtp(recording: _Recording) -> float:
    return true_peak_dbtp(recording.samples, recording.sample_rate)


def _spectral_features(recording: _Recording) -> tuple[float, ...]:
    found: tuple[float, ...] = astuple(spectral_features(recording.samples, recording.sample_rate))
    return found


def _bandwidth_hz(recording: _Recording) -> float:
    hz = detect_bandwidth(recording.samples, recording.sample_rate).hz
    if hz is None:
        raise silent_recording("bandwidth", "there is no sound in any 32 ms")
    return hz


def _hum_dbfs(recording: _Recording) -> float:
    hum = detect_hum(recording.samples, recording.sample_rate)
    if hum.detected is None:
        raise silent_recording("hum", "there are less than 2 s of sound")
    return NO_HUM_DBFS if hum.level_dbfs is None else hum.level_dbfs


def _dc_offset(recording: _Recording) -> float:
    return max(map(abs, dc_offset(recording.samples, recording.sample_rate)))


_TABLE: Table = (
    (
        _dnsmos,
        (
            Measure("dnsmos_sig", "DNSMOS SIG", package="speechmos"),
            Measure("dnsmos_bak", "DNSMOS BAK", package="speechmos"),
            Measure("dnsmos_ovrl", "DNSMOS OVRL", package="speechmos"),
            Measure("dnsmos_p808", "DNSMOS P.808", package="speechmos"),
        ),
    ),
    (_estimated_snr_db, (Measure("estimated_snr_db", "estimated SNR", "dB", decimals=1),)),
    (_srmr, (Measure("srmr", "SRMR"),)),
    (_clipping_share, (Measure("clipping_share", "clipped share", more_is_better=False, decimals=5),)),
    (_crest_factor_db, (Measure("crest_factor_db", "crest factor", "dB", None, 1),)),
    (_loudness_lufs, (Measure("loudness_lufs", "loudness", "LUFS", None, 1),)),
    (_loudness_range_lu, (Measure("loudness_range_lu", "loudness range", "LU", None, 1),)),
    (_true_peak_dbtp, (Measure("true_peak_dbtp", "true peak", "dBTP", None, 1),)),
    (
        _spectral_features,
        (
            Measure("spectral_centroid_hz", "spectral centroid", "Hz", None, 0),
            Measure("spectral_bandwidth_hz", "spectral bandwidth", "Hz", None, 0),
            Measure("spectral_flatness", "spectral flatness", "", None, 4),
            Measure("spectral_rolloff_hz", "spectral roll-off", "Hz", None, 0),
        ),
    ),
    (_bandwidth_hz, (Measure("bandwidth_hz", "true bandwidth", "Hz", decimals=0),)),
    (_hum_dbfs, (Measure("hum_dbfs", "mains hum", "dBFS", more_is_better=False, decimals=1),)),
    (_dc_offset, (Measure("dc_offset", "DC offset", more_is_better=False, decimals=5),)),
)
BLIND_MEASURES: tuple[Measure, ...] = measures_of(_TABLE)


def score_blind(audio: npt.ArrayLike, sample_rate: int, keys: Collection[str] | None = None) -> list[Score]:
    """Measure a recording that has nothing to be compared with.

    Parameters
    ----------
    audio : array_like
        ``[samples]`` or ``[channels, samples]``.
    sample_rate : int
        In Hz, 8,000 to 192,000.
    keys : collection of str, optional
        Only these of ``BLIND_MEASURES``; all unless given.

    Returns
    -------
    list of Score
        One for each measure. A measure that cannot work on this recording, or whose package is not installed, has no
        value and tells why. ``hum_dbfs`` is -100 where there is none; ``dc_offset`` is the largest of any channel.
    """
    return take(_TABLE, (_Recording(audio, sample_rate),), keys)
