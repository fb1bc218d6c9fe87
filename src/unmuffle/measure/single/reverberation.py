"""Reverberation: the speech-to-reverberation modulation energy ratio (SRMR).

T. Falk, C. Zheng and W.-Y. Chan, "A non-intrusive quality and intelligibility measure of reverberant and dereverberated
speech", IEEE Trans. ASLP 18(7), 2010. Syllables move the envelopes of speech at 4 to 18 Hz; the tail of a room fills
them with faster movement. A gammatone filterbank of 23 bands from 125 Hz to half the rate, the Hilbert envelope of
each, eight modulation filters from 4 to 128 Hz with a Q of 2, their energy in 256 ms Hamming windows every 64 ms; SRMR
is the energy of the lower four over that of the upper ones up to K*, the last for which the band that completes 90 %
of the energy is wide enough. SRMRnorm: J. Santos, M. Senoussaoui and T. Falk, "An updated objective intelligibility
estimation metric for normal hearing listeners under noise and reverberation", IWAENC 2014: filters from 4 to 30 Hz,
and window energies kept within 30 dB of the highest mean.

As the authors' SRMRToolbox computes it in its slow, exact form, but for these: the filters of M. Slaney's Auditory
Toolbox (Apple technical report 35, 1993) are applied as their frequency responses, block by block, and the envelopes
taken at every fourth (second at 8 kHz) sample; windows that would reach over an end are left out; and there is no
voice-activity detection, so long pauses should be cut off before. The figures agree with those of filtering in time at
the full rate within .5 %.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from unmuffle.measure.single.checks import checked_recording
from unmuffle.signal.arrays import ComplexArray, FloatArray
from unmuffle.signal.resample import resample

WIDEBAND_HZ, NARROWBAND_HZ = 16_000, 8_000

_BANDS = 23
_LOWEST_HZ = 125.0
_EAR_Q, _LEAST_WIDTH_HZ = 9.26449, 24.7
_GAMMATONE_WIDTH = 1.019

_ENVELOPE_HZ = 4_000
_MODULATIONS = 8
_SLOWEST_HZ, _FASTEST_HZ, _FASTEST_NORMALISED_HZ = 4.0, 128.0, 30.0
_MODULATION_Q = 2.0
_SPEECH_MODULATIONS = 4
_RANGE_DB = 30.0
_K_STAR_SHARE = 0.9

_HOP = 256
_HOPS_A_WINDOW = 4
_BLOCK_HOPS = 64
_CONTEXT_HOPS = 2
"""On each side of a block: 128 ms, in which the longest response of the filters falls by 130 dB."""

_LEAST_S = _HOP * _HOPS_A_WINDOW / _ENVELOPE_HZ


@dataclass(frozen=True)
class ModulationSpectrum:
    """Energy of the envelopes, band by band and modulation by modulation.

    Attributes
    ----------
    energy : float32 [bands, modulations, windows]
        In 256 ms windows every 64 ms.
    bands_hz, modulations_hz : float64 [23], float64 [8]
        Centres of the filters, from low to high.
    sample_rate : int
        At which it was taken, in Hz.
    """

    energy: FloatArray
    bands_hz: npt.NDArray[np.float64]
    modulations_hz: npt.NDArray[np.float64]
    sample_rate: int


def srmr(audio: npt.ArrayLike, sample_rate: int, *, normalised: bool = False) -> float:
    """Return the speech-to-reverberation modulation energy ratio, the mean over channels that hold sound.

    Parameters
    ----------
    audio : array_like
        Speech, ``[samples]`` or ``[channels, samples]``; at least 0.256 s, better some seconds.
    sample_rate : int
        In Hz, 8,000 to 192,000; resampled to 16 kHz, or to 8 kHz where it is below that. Figures of different bands
        do not compare.
    normalised : bool, default False
        SRMRnorm, which depends less on talker and text.

    Returns
    -------
    float
        Above 0; dry speech mostly has 4 to 12, speech in a room or hall 1.5 to 6.

    Raises
    ------
    InvalidAudioError
        If the audio is too short, silent, or holds NaN or infinity.
    InvalidParameterError
        If the rate is outside its range.
    """
    samples = checked_recording(audio, sample_rate, "SRMR", _LEAST_S)
    rate = WIDEBAND_HZ if sample_rate >= WIDEBAND_HZ else NARROWBAND_HZ
    fastest_hz = _FASTEST_NORMALISED_HZ if normalised else _FASTEST_HZ
    channels = resample(samples[samples.any(axis=1)], sample_rate, rate)
    # A power of two changes no digit, and keeps the energies of quiet audio within float32.
    channels = np.ldexp(channels, -np.frexp(np.abs(channels).max(axis=1, keepdims=True))[1])
    return float(np.mean([_ratio(modulation_spectrum(each, rate, fastest_hz), normalised) for each in channels]))


def modulation_spectrum(audio: FloatArray, rate: int, fastest_hz: float = _FASTEST_HZ) -> ModulationSpectrum:
    """Return the modulation spectrum of ``[samples]`` at 8 or 16 kHz, with modulations from 4 Hz to ``fastest_hz``."""
    from scipy.signal import sosfilt

    modulations_hz = np.geomspace(_SLOWEST_HZ, fastest_hz, _MODULATIONS)
    filters = [_modulation_filter(hz) for hz in modulations_hz]
    states = np.zeros((_MODULATIONS, 1, _BANDS, 2))
    window = np.hamming(_HOP * _HOPS_A_WINDOW + 1)[:-1] ** 2
    weights = window.reshape(_HOPS_A_WINDOW, _HOP).T
    hop = _HOP * rate // _ENVELOPE_HZ
    hops = audio.size // hop
    # A hop is the last part of one window and the first of another, three later; windows before the start are cut off.
    before = _HOPS_A_WINDOW - 1
    energy = np.zeros((_BANDS, _MODULATIONS, hops + before), np.float32)
    padded = np.pad(audio, (_CONTEXT_HOPS * hop, (_CONTEXT_HOPS + _BLOCK_HOPS) * hop))
    for first in range(0, hops, _BLOCK_HOPS):
        span = padded[first * hop : (first + _BLOCK_HOPS + 2 * _CONTEXT_HOPS) * hop]
        count = min(_BLOCK_HOPS, hops - first)
        envelopes = _envelopes(span, rate)[:, _CONTEXT_HOPS * _HOP : (_CONTEXT_HOPS + count) * _HOP]
        for index, sections in enumerate(filters):
            moved, states[index] = sosfilt(sections, envelopes, zi=states[index])
            parts = np.square(moved).reshape(_BANDS, count, _HOP) @ weights
            for part in range(_HOPS_A_WINDOW):
                at = first + before - part
                energy[:, index, at : at + count] += parts[:, :, part]
    return ModulationSpectrum(energy[:, :, before:hops], _band_centres_hz(rate), modulations_hz, rate)


def _ratio(spectrum: ModulationSpectrum, normalised: bool) -> float:
    energy = spectrum.energy
    if normalised:
        peak = energy.mean(axis=0).max()
        energy = np.clip(energy, peak * np.float32(10.0 ** (-_RANGE_DB / 10.0)), peak)
    mean = energy.mean(axis=2, dtype=np.float64)
    upto = _fastest_modulation(mean.sum(axis=1), spectrum)
    return float(mean[:, :_SPEECH_MODULATIONS].sum() / mean[:, _SPEECH_MODULATIONS:upto].sum())


def _fastest_modulation(band_energy: npt.NDArray[np.float64], spectrum: ModulationSpectrum) -> int:
    """Return K*: how many modulation filters the bands that hold 90 % of the energy can carry."""
    reached = np.flatnonzero(band_energy.cumsum() > _K_STAR_SHARE * band_energy.sum())[0]
    width_hz = _equivalent_width_hz(spectrum.bands_hz)[reached]
    half_width = np.tan(np.pi * spectrum.modulations_hz / spectrum.sample_rate) / _MODULATION_Q
    lower_edges_hz = spectrum.modulations_hz - half_width * spectrum.sample_rate / (2.0 * np.pi)
    return int(np.count_nonzero(width_hz > lower_edges_hz))


def _envelopes(span: FloatArray, rate: int) -> FloatArray:
    """Return the Hilbert envelopes of all bands, taken at 4 kHz, float32 [bands, samples]."""
    responses = _responses(rate, span.size)
    analytic = np.fft.rfft(span)[:-1] * responses
    # Taking every fourth sample lays the quarters of a spectrum over each other.
    count = span.size * _ENVELOPE_HZ // rate
    folded = np.pad(analytic, ((0, 0), (0, -analytic.shape[1] % count))).reshape(_BANDS, -1, count).sum(axis=1)
    envelopes: FloatArray = np.abs(np.fft.ifft(folded, axis=1)) * np.float32(_ENVELOPE_HZ / rate)
    return envelopes


@lru_cache(maxsize=2)
def _responses(rate: int, size: int) -> ComplexArray:
    """Return the bands' frequency responses for an FFT of a size, doubled for the analytic signal, [bands, bins]."""
    responses = 2.0 * gammatone_responses(np.arange(size // 2) * rate / size, rate)
    responses[:, 0] *= 0.5
    return responses.astype(np.complex64)


def gammatone_responses(hz: npt.NDArray[np.float64], rate: int) -> npt.NDArray[np.complex128]:
    """Return the responses of the 23 bands at frequencies in Hz, complex128 [bands, frequencies]."""
    centres = _band_centres_hz(rate)[:, None]
    at_centre = np.abs(_slaney_response(centres, centres, rate))
    response: npt.NDArray[np.complex128] = _slaney_response(hz, centres, rate) / at_centre
    return response


def _slaney_response(
    hz: npt.NDArray[np.float64], centres: npt.NDArray[np.float64], rate: int
) -> npt.NDArray[np.complex128]:
    """Return Slaney's four cascaded sections, which share their poles and differ in one zero, without their gain."""
    angle = 2.0 * np.pi * centres / rate
    decay = np.exp(-2.0 * np.pi * _GAMMATONE_WIDTH * _equivalent_width_hz(centres) / rate)
    back = np.exp(-2j * np.pi * hz / rate)
    poles = 1.0 - 2.0 * decay * np.cos(angle) * back + decay**2 * back**2
    response = np.ones_like(poles)
    for root in (3.0 + 2.0**1.5, 3.0 - 2.0**1.5):
        for sign in (1.0, -1.0):
            zero = decay * (np.cos(angle) + sign * np.sqrt(root) * np.sin(angle))
            response *= (1.0 - zero * back) / poles
    return response


def _band_centres_hz(rate: int) -> npt.NDArray[np.float64]:
    """Return Slaney's ERBSpace: equal steps on the ERB scale from 125 Hz on, the last one below half the rate."""
    corner = _EAR_Q * _LEAST_WIDTH_HZ
    steps = np.arange(_BANDS) / _BANDS
    centres: npt.NDArray[np.float64] = (_LOWEST_HZ + corner) * (
        (0.5 * rate + corner) / (_LOWEST_HZ + corner)
    ) ** steps - corner
    return centres


def _equivalent_width_hz(centres_hz: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return equivalent rectangular bandwidths after Glasberg and Moore 1990."""
    return centres_hz / _EAR_Q + _LEAST_WIDTH_HZ


def _modulation_filter(hz: float) -> npt.NDArray[np.float64]:
    """Return a second-order band-pass of unit gain at its centre, by the bilinear transform, as a section."""
    tangent = np.tan(np.pi * hz / _ENVELOPE_HZ)
    width = tangent / _MODULATION_Q
    norm = 1.0 + width + tangent**2
    return np.array(
        [[width / norm, 0.0, -width / norm, 1.0, 2.0 * (tangent**2 - 1.0) / norm, (1.0 - width + tangent**2) / norm]]
    )
