"""A recording's report in plain words."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unmuffle.measure.single.recording import RecordingReport

_CLEARLY_OFF_CENTRE = 1e-3
_MOST_LINES_NAMED = 3
# Below these, the number named would be 0.
_LEAST_SHARE, _LEAST_S = 0.005, 0.05


def recording_lines(report: RecordingReport) -> list[str]:
    """Return one finding a line; what was looked for and not found is said too."""
    lines = [
        _format(report),
        _bandwidth(report),
        _level(report),
        _samples(report),
        *_speech(report),
        _snr(report),
        _clipping(report),
        _hum(report),
        _silence(report),
    ]
    if max(map(abs, report.dc_offset)) > _CLEARLY_OFF_CENTRE:
        lines.append("DC offset: " + ", ".join(f"{100.0 * offset:+.2f} %" for offset in report.dc_offset))
    if report.nonfinite_samples:
        lines.append(f"damaged: {report.nonfinite_samples:,} samples are NaN or infinite and were taken as silence")
    return lines


def _format(report: RecordingReport) -> str:
    channels = {1: "mono", 2: "stereo"}.get(report.channels, f"{report.channels} channels")
    return f"format: {report.sample_rate:,} Hz, {channels}, {clock(report.seconds)}"


def _bandwidth(report: RecordingReport) -> str:
    bandwidth = report.bandwidth
    if bandwidth.hz is None:
        return "bandwidth: nothing to measure"
    if not bandwidth.limited:
        return f"bandwidth: full, up to {bandwidth.hz / 1000.0:.1f} kHz"
    room = f"the file could hold {report.sample_rate / 2000.0:.1f} kHz"
    return f"bandwidth: limited to {bandwidth.hz / 1000.0:.1f} kHz ({room})"


def _level(report: RecordingReport) -> str:
    if report.crest_factor_db is None:
        return "level: silent"
    loudness = f"{report.loudness_lufs:.1f} LUFS" if isfinite(report.loudness_lufs) else "too quiet or short for LUFS"
    parts = [loudness]
    if report.loudness_range_lu is not None:
        parts.append(f"range {report.loudness_range_lu:.1f} LU")
    parts.append(f"true peak {report.true_peak_dbtp:.1f} dBTP")
    return "level: " + ", ".join(parts)


def _samples(report: RecordingReport) -> str:
    if report.crest_factor_db is None:
        return "samples: all zero"
    crest = f"crest factor {report.crest_factor_db:.1f} dB"
    return f"samples: peak {report.peak_dbfs:.1f} dBFS, RMS {report.rms_dbfs:.1f} dBFS, {crest}"


def _speech(report: RecordingReport) -> list[str]:
    if report.speech is None:
        return []
    if report.speech.share < _LEAST_SHARE:
        return ["speech: none found"]
    return [f"speech: {100.0 * report.speech.share:.0f} % of the time"]


def _snr(report: RecordingReport) -> str:
    if report.snr.db is None:
        return "speech over noise: nothing to measure"
    how = "estimated, if this is speech" if report.speech is None else "estimated by the network"
    return f"speech over noise: about {report.snr.db:.0f} dB ({how})"


def _clipping(report: RecordingReport) -> str:
    clipping = report.clipping
    if clipping.runs == 0:
        return "clipping: none found"
    places = "place" if clipping.runs == 1 else "places"
    return f"clipping: {clipping.runs:,} {places}, {100.0 * clipping.share:.2g} % of the samples"


def _hum(report: RecordingReport) -> str:
    hum = report.hum
    if hum.detected is None:
        return "hum: too short or silent to tell"
    if hum.mains_hz is None:
        return "hum: none found"
    strongest = ", ".join(f"{line.hz:.0f}" for line in hum.lines[:_MOST_LINES_NAMED])
    return f"hum: {hum.mains_hz} Hz mains, {hum.level_dbfs:.0f} dBFS, strongest at {strongest} Hz"


def _silence(report: RecordingReport) -> str:
    silence = report.silence
    if silence.quiet_share < _LEAST_SHARE:
        return "silence: none found"
    parts = [f"{100.0 * silence.quiet_share:.0f} % quiet"]
    if silence.digital_share >= _LEAST_SHARE:
        parts.append(f"{100.0 * silence.digital_share:.0f} % digital silence")
    if silence.leading_s >= _LEAST_S:
        parts.append(f"{silence.leading_s:.1f} s at the beginning")
    if silence.trailing_s >= _LEAST_S:
        parts.append(f"{silence.trailing_s:.1f} s at the end")
    return "silence: " + ", ".join(parts)


def clock(seconds: float) -> str:
    """Return a length as people read it.

    >>> clock(3.24), clock(75), clock(3671)
    ('3.24 s', '1:15 min', '1:01:11 h')
    """
    if seconds < 60.0:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d} h" if hours else f"{minutes}:{rest:02d} min"
