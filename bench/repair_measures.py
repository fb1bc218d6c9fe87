"""What repair gained and what it cost, against the clean speech."""

from __future__ import annotations

import numpy as np

from bench.repair_signals import Drop, Floats, Programme

FRAME_S = 0.05
REPAIRED_DB, CHANGED = 6.0, 2.0**-16
KNOWN_S, LINE_HZ, AWAY_HZ = 3.0, 3.0, 10.0
SETTLED_DB = 3.0
SPEAKING = 3e-3
"""Of the largest power of a frame: above it somebody speaks."""


def sdr_db(clean: Floats, estimate: Floats) -> float:
    """Return the ratio of the clean audio to the error."""
    return float(10.0 * np.log10(np.square(clean).sum() / max(np.square(clean - estimate).sum(), 1e-30)))


def si_sdr_db(clean: Floats, estimate: Floats) -> float:
    """Return that ratio with the best gain for the clean audio."""
    return sdr_db(clean * (clean @ estimate) / (clean @ clean), estimate)


def repaired(clean: Floats, spoilt: Floats, treated: Floats, places: list[slice]) -> tuple[float, float]:
    """Return the share of the places whose error fell by 6 dB, and the share of other samples that were changed."""
    errors = [[np.square(audio[place] - clean[place]).sum() for audio in (spoilt, treated)] for place in places]
    fell = [after <= before * 10.0 ** (-REPAIRED_DB / 10.0) for before, after in errors]
    elsewhere = np.ones(len(clean), np.bool_)
    for place in places:
        elsewhere[place] = False
    return float(np.mean(fell)), float((np.abs(treated - spoilt) > CHANGED)[elsewhere].mean())


def line_reductions_db(programme: Programme, treated: Floats, lines: Floats, phase: Floats) -> tuple[Floats, Floats]:
    """Return by how much each line fell from 3 s on [lines], and how far the error in 6 Hz around it lies below it.

    What is taken off the voice at the frequency of a line is an error, but no hum that was left: that is what is still
    in step with the line over the whole programme.
    """
    from scipy.signal import butter, sosfiltfilt

    rate, residue = programme.rate, treated - programme.audio
    span = slice(round(KNOWN_S * rate), -round(0.5 * rate))
    sections = butter(2, LINE_HZ, fs=rate, output="sos")
    fell, below = [], []
    for number, line in enumerate(lines, start=1):
        turned = np.exp(-1j * number * phase)
        in_step = np.abs((residue * turned)[span].mean()) / np.abs((line * turned)[span].mean())
        error = 2.0 * np.square(np.abs(sosfiltfilt(sections, residue * turned)[span])).mean()
        fell.append(-20.0 * np.log10(in_step))
        below.append(10.0 * np.log10(np.square(line[span]).mean() / error))
    return np.array(fell), np.array(below)


def change_elsewhere_db(programme: Programme, treated: Floats, phase: Floats) -> float:
    """Return the largest change of a third octave of the voice (80 Hz to 6.3 kHz), 10 Hz and more from every line."""
    from scipy.signal import ShortTimeFFT
    from scipy.signal.windows import hann

    size = round(0.5 * programme.rate)
    frames = ShortTimeFFT(hann(size, sym=False), size // 2, programme.rate)
    before, after = (np.square(np.abs(frames.stft(audio))) for audio in (programme.audio, treated))
    middles = np.clip(np.round(frames.t(len(phase)) * programme.rate).astype(int), 1, len(phase) - 1)
    hz = np.gradient(phase)[middles] * programme.rate / (2.0 * np.pi)
    apart = np.abs((frames.f[:, None] / hz + 0.5) % 1.0 - 0.5) * hz
    counted = (apart >= AWAY_HZ) & (frames.t(len(phase)) >= KNOWN_S)
    changes = []
    for centre in 1000.0 * 2.0 ** (np.arange(-11, 9) / 3.0):
        band = (np.abs(np.log2(np.maximum(frames.f, 1.0) / centre)) <= 1.0 / 6.0)[:, None] & counted
        if band.any() and before[band].sum() > 0.0:
            changes.append(10.0 * np.log10(after[band].sum() / before[band].sum()))
    return float(np.abs(changes).max())


def recovery(audio: Floats, treated: Floats, drop: Drop, rate: int) -> tuple[float | None, float]:
    """Return how long a talker who dropped speaks until within 3 dB of the level before, and how far off they end.

    None where that is never reached; the other is of the second half of the speech, in dB.
    """
    gains_db = []
    for place in (drop.before, drop.after):
        gain_db, power = _gains_db(audio[place], treated[place], rate)
        gains_db.append(gain_db[power > SPEAKING * power.max()])
    before, after = gains_db
    missing = np.median(before[before.size // 2 :]) + drop.db - after
    there = np.flatnonzero(missing <= SETTLED_DB)
    return (float(there[0] * FRAME_S) if there.size else None), float(np.abs(np.median(missing[missing.size // 2 :])))


def rise_in_pause_db(audio: Floats, treated: Floats, pause: slice, rate: int) -> float:
    """Return by how much the gain rises in a pause, from 0.3 s after its begin."""
    gain_db, _ = _gains_db(audio[pause], treated[pause], rate)
    gains = gain_db[round(0.3 / FRAME_S) :]
    return float(gains[2:].max() - gains[:2].mean())


def _gains_db(audio: Floats, treated: Floats, rate: int) -> tuple[Floats, Floats]:
    power, out = _powers(audio, rate), _powers(treated, rate)
    return 10.0 * np.log10((out + 1e-20) / (power + 1e-20)), power


def _powers(audio: Floats, rate: int) -> Floats:
    size = round(FRAME_S * rate)
    return np.square(audio[: len(audio) // size * size].reshape(-1, size)).mean(axis=1)


def true_peak_db(audio: Floats) -> float:
    """Return the largest peak between samples, found at eight times the rate."""
    from scipy.signal import resample_poly

    return float(20.0 * np.log10(np.abs(resample_poly(audio, 8, 1)).max()))
