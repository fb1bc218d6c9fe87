"""What the evidence amounts to: each rule with its thresholds, and the stage that treats what it finds.

The thresholds were chosen on 72 pairs of clean and noisy recordings of speech, and on the clean ones with one fault
made in each; ``docs/diagnose.md`` tells how often they were right.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

from unmuffle.measure.diagnosis.evidence import Evidence
from unmuffle.measure.diagnosis.finding import Finding, Severity
from unmuffle.presets import StageChoice

CLIPPED_SHARE = (1e-4, 1e-2)
"""Of all samples: mild, serious. Below the first, some single peaks are gone, which nobody hears."""

LEAST_CLICKS, CLICKS_PER_MINUTE = 3, (15.0, 60.0)
"""Lips and teeth give clean speech one or two in a short recording."""

HUM_DB = (-45.0, -25.0)
"""Over the loudness: further below, the hearing threshold of bass and the voice itself hide it."""

RUMBLE_DB = (-12.0, 0.0)
"""Over the voice's band. Clean recordings have -30, and down to -12 the ear has nothing of it."""

DC_SHARE = (0.005, 0.05)
"""Of full scale: less costs no headroom and makes no click that is heard where the recording is cut."""

LEAST_POPS, POPS_DB = 2, (-20.0, -8.0)
"""Energy of the pops over that of the recording."""

REVERBERATION_S = (0.38, 0.6)
"""Reverberation time: clean speech in offices and living rooms is told as up to 0.34 s."""

REVERBERANT_SRMR = 8.0
"""Speech in rooms that are heard as such stays below."""

NOISE_DB = (17.0, 8.0)
"""Speech over noise: with more than the first the noise is heard in pauses only, with less than the second it is hard
to listen to. The estimate is some dB uncertain."""

LEAST_SNR_FOR_ROOM_DB = 10.0
"""In more noise than this, how speech dies away cannot be followed."""

SIBILANCE_DB = (-12.0, -8.0)
"""Energy that the de-esser takes off, over all energy: of clean recordings at most -12.3."""

RANGE_LU = (9.0, 14.0)
"""Loudness range: one talker at one distance has 2 to 6 LU."""

LEAST_S_FOR_RANGE = 10.0
"""A range of 3 s windows needs some of them."""

QUIET_LUFS = (-35.0, -45.0)
"""Talk is published at -23 to -14 LUFS: beyond 12 dB less listeners reach for the volume."""

LOUD_LUFS = (-12.0, -8.0)
"""Nothing is published louder than -14 LUFS, and little can be that was not limited hard."""

TARGET_LUFS = -20.0
"""Between broadcast's -23 and podcasts' -16: a working level. Who publishes gives ``--loudness`` as well."""

CEILING_DBTP = -1.0
ROOM_FOR_PEAKS_DBTP = -6.0
"""Rebuilt peaks are higher than the cut ones by about as much."""

NARROW_HZ = 7_000.0
"""Wideband telephony has that; sibilants need it."""

SPEECH_SHARE, LEAST_S_FOR_SPEECH = 0.01, 10.0

_LEVEL = StageChoice("level", {"target_lufs": TARGET_LUFS, "rise_db_per_s": 3.0, "fall_db_per_s": 6.0})
"""A recording is not a call: slowly, so that nothing pumps."""

_LIMIT = StageChoice("limit")


def findings_in(evidence: Evidence) -> tuple[Finding, ...]:
    """Return all findings, the serious ones first and the rest in the order in which they would be treated."""
    report = evidence.report
    if report.crest_factor_db is None:
        return (Finding("silent", "the recording is silent: there is nothing to treat", None, "", "note"),)
    found = [*_repairs(evidence), *_voice(evidence), *_levels(evidence)]
    if not found:
        text = "nothing is wrong that a stage could treat: best left as it is"
        found.append(Finding("clean", text, evidence.snr_db, "dB of speech over noise", "note"))
    order = ("serious", "mild", "note")
    return tuple(sorted([*found, *_notes(evidence)], key=lambda finding: order.index(finding.severity)))


def _repairs(evidence: Evidence) -> Iterator[Finding]:
    """Yield what the recorder and its cables did."""
    share = evidence.clipped_share
    if share >= CLIPPED_SHARE[0]:
        limit = (_LIMIT,) if evidence.report.true_peak_dbtp > ROOM_FOR_PEAKS_DBTP else ()
        stages = (StageChoice("declip"), *limit)
        text = "loud moments were cut off flat, which sounds harsh"
        yield Finding("clipping", text, 100.0 * share, "% of the samples", _above(share, CLIPPED_SHARE), stages)
    rate = evidence.clicks * 60.0 / evidence.heard_s
    if evidence.clicks >= LEAST_CLICKS and rate >= CLICKS_PER_MINUTE[0]:
        text = "there are clicks or gaps of lost samples"
        severity = _above(rate, CLICKS_PER_MINUTE)
        yield Finding("clicks", text, rate, "a minute", severity, (StageChoice("declick"),))
    yield from _below_the_voice(evidence)
    if evidence.pops >= LEAST_POPS and evidence.pops_db >= POPS_DB[0]:
        text = "breath pops on the microphone"
        severity = _above(evidence.pops_db, POPS_DB)
        yield Finding("pops", text, float(evidence.pops), "pops", severity, (StageChoice("deplosive"),))


def _below_the_voice(evidence: Evidence) -> Iterator[Finding]:
    highpass = (StageChoice("highpass"),)
    rumble_db, lufs = evidence.rumble_db, evidence.report.loudness_lufs
    if rumble_db is not None and rumble_db >= RUMBLE_DB[0]:
        text = "there is rumble below the voice, as of traffic, wind or handling"
        yield Finding("rumble", text, rumble_db, "dB over the voice", _above(rumble_db, RUMBLE_DB), highpass)
    offset = max(map(abs, evidence.report.dc_offset))
    if offset >= DC_SHARE[0]:
        text = "the waveform is off its centre (DC), which takes headroom and clicks at cuts"
        yield Finding("dc", text, 100.0 * offset, "% of full scale", _above(offset, DC_SHARE), highpass)
    if evidence.hum_hz is None or evidence.hum_dbfs is None:
        return
    over_db = evidence.hum_dbfs - lufs
    if over_db >= HUM_DB[0]:
        mains_hz = 50.0 if abs(evidence.hum_hz - 50.0) < abs(evidence.hum_hz - 60.0) else 60.0
        text = f"mains hum at {evidence.hum_hz:.1f} Hz and its multiples"
        stage = StageChoice("dehum", {"mains_hz": mains_hz, "look_ahead_s": 2.0})
        yield Finding("hum", text, evidence.hum_dbfs, "dBFS", _above(over_db, HUM_DB), (stage,))


def _voice(evidence: Evidence) -> Iterator[Finding]:
    """Yield what lies over the voice: the room, noise, sharpness."""
    seconds, snr_db = evidence.reverberation_s, evidence.snr_db
    audible = snr_db is not None and snr_db >= LEAST_SNR_FOR_ROOM_DB
    dull = evidence.srmr is not None and evidence.srmr < REVERBERANT_SRMR
    if audible and dull and seconds is not None and seconds >= REVERBERATION_S[0]:
        text = "the room is heard: the voice is far from the microphone, or the walls are bare"
        severity = _above(seconds, REVERBERATION_S)
        yield Finding("reverberation", text, seconds, "s of reverberation", severity, (StageChoice("dereverb"),))
    if snr_db is not None and snr_db < NOISE_DB[0]:
        severe = snr_db < NOISE_DB[1]
        text = "noise makes the voice hard to hear" if severe else "there is noise behind the voice"
        stages = (StageChoice("denoise"),)
        yield Finding("noise", text, snr_db, "dB of speech over noise", "serious" if severe else "mild", stages)
    elif snr_db is not None and evidence.sibilance_db >= SIBILANCE_DB[0]:
        # Hiss is no sharp voice, so not where there is noise; nor are single clicks, which have no SNR.
        text = "sibilants are sharp"
        severity = _above(evidence.sibilance_db, SIBILANCE_DB)
        unit = "dB of all energy is too sharp"
        yield Finding("sibilance", text, evidence.sibilance_db, unit, severity, (StageChoice("deess"),))


def _levels(evidence: Evidence) -> Iterator[Finding]:
    report = evidence.report
    range_lu, lufs = report.loudness_range_lu, report.loudness_lufs
    uneven = range_lu is not None and range_lu >= RANGE_LU[0] and evidence.heard_s >= LEAST_S_FOR_RANGE
    if uneven and range_lu is not None:
        text = "some of it is much quieter than the rest: talkers or distances differ"
        yield Finding("uneven", text, range_lu, "LU of loudness range", _above(range_lu, RANGE_LU), (_LEVEL, _LIMIT))
    if not isfinite(lufs):
        return
    stages = (_LEVEL, _LIMIT) if uneven else _gain(lufs, report.true_peak_dbtp)
    if lufs <= QUIET_LUFS[0]:
        severity: Severity = "serious" if lufs <= QUIET_LUFS[1] else "mild"
        yield Finding("quiet", "it is too quiet", lufs, "LUFS", severity, stages)
    elif lufs >= LOUD_LUFS[0]:
        yield Finding("loud", "it is too loud", lufs, "LUFS", _above(lufs, LOUD_LUFS), stages)


def _gain(lufs: float, true_peak_dbtp: float) -> tuple[StageChoice, ...]:
    """Return the gain to the working level, and a limiter where peaks would be too high for it."""
    gain_db = float(round(TARGET_LUFS - lufs))
    gain = StageChoice("gain", {"gain_db": gain_db})
    return (gain, _LIMIT) if true_peak_dbtp + gain_db > CEILING_DBTP else (gain,)


def _notes(evidence: Evidence) -> Iterator[Finding]:
    """Yield what is worth knowing but has no treatment."""
    report = evidence.report
    hz = report.bandwidth.hz
    if hz is not None and hz < NARROW_HZ:
        text = "it sounds as if by telephone: nothing is left above this, and no stage brings it back"
        yield Finding("bandwidth", text, hz, "Hz", "note")
    if evidence.heard_s >= LEAST_S_FOR_SPEECH and evidence.speech_share < SPEECH_SHARE:
        text = "hardly any speech can be made out: all this is meant for speech"
        yield Finding("no_speech", text, 100.0 * evidence.speech_share, "% of the time", "note")
    if report.nonfinite_samples:
        text = "samples that are no numbers (NaN or infinite): enhance with --nonfinite silence"
        yield Finding("damaged", text, float(report.nonfinite_samples), "samples", "note")


def _above(value: float, thresholds: tuple[float, float]) -> Severity:
    return "serious" if value >= thresholds[1] else "mild"
