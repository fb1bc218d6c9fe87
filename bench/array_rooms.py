"""Rooms with a voice, an interferer and diffuse noise for the part on microphone arrays, simulated by pyroomacoustics.

The voice and one noise stand in a shoebox room with image sources; a second noise comes as plane waves from all sides,
and each microphone has noise of its own. What is asked for is the voice with the first 50 ms of the room.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from unmuffle.array import ArrayGeometry, Direction
from unmuffle.array.steering import far_field_delays_s

Floats = npt.NDArray[np.float64]

RATE = 16_000
ROOM_M = (6.0, 5.0, 3.0)
CENTRE_M = np.array([2.7, 2.3, 1.2])
VOICE_M, INTERFERER_M = 1.5, 1.8
EARLY_S = 0.05
PLANE_WAVES = 64
DIFFUSE_DB, SENSORS_DB = -5.0, -30.0
"""Power relative to that of the interferer."""


@dataclass(frozen=True)
class Scene:
    """A recording and what it is made of, all [microphones + 1, samples]; the last row is the centre of the array."""

    geometry: ArrayGeometry
    azimuth_deg: float
    voice: Floats
    early: Floats
    noise: Floats

    @property
    def mixture(self) -> Floats:
        """What the microphones record, float64 [microphones, samples]."""
        return (self.voice + self.noise)[:-1]


def simulate(
    geometry: ArrayGeometry,
    azimuths_deg: tuple[float, float],
    signals: tuple[Floats, Floats, Floats],
    *,
    rt60_s: float,
    snr_db: float,
    seed: int,
) -> Scene:
    """Simulate a room.

    Parameters
    ----------
    geometry : ArrayGeometry
    azimuths_deg : (float, float)
        Of the voice and of the interferer.
    signals : three arrays [samples]
        The voice, the interferer, and what the diffuse noise is made of; all of one length.
    rt60_s : float
        Reverberation time.
    snr_db : float
        Power of the voice, with its reverberation, to that of all noise, at the centre of the array.
    seed : int
        Of the diffuse noise and the microphones' own.
    """
    random = np.random.default_rng(seed)
    voice_at, interferer_at = (
        CENTRE_M + away * Direction(azimuth).unit_vector
        for azimuth, away in zip(azimuths_deg, (VOICE_M, INTERFERER_M), strict=True)
    )
    samples = len(signals[0])
    voice, early = _images(geometry, voice_at, signals[0], rt60_s)
    interferer, _ = _images(geometry, interferer_at, signals[1], rt60_s)
    interferer /= _rms(interferer[-1])
    diffuse = _plane_waves(geometry, signals[2], random)
    diffuse *= 10.0 ** (DIFFUSE_DB / 20.0) / _rms(diffuse[-1])
    own = 10.0 ** (SENSORS_DB / 20.0) * random.standard_normal((geometry.microphones + 1, samples))
    noise = interferer + diffuse + own
    noise *= _rms(voice[-1]) / _rms(noise[-1]) / 10.0 ** (snr_db / 20.0)
    level = 0.05 / _rms(voice[-1])
    return Scene(geometry, azimuths_deg[0], level * voice, level * early, level * noise)


def _images(geometry: ArrayGeometry, place: Floats, signal: Floats, rt60_s: float) -> tuple[Floats, Floats]:
    """Return what the room makes of a source at all places, and its first 50 ms."""
    from scipy.signal import oaconvolve

    places = np.concatenate((geometry.centred_m, np.zeros((1, 3)))) + CENTRE_M
    responses = room_responses(places, place, rt60_s)
    first = min(int(np.abs(response).argmax()) for response in responses)
    # The time that the sound takes is no delay of the recording.
    responses = [response[max(0, first - RATE // 500) :] for response in responses]
    whole = np.stack([oaconvolve(signal, response)[: len(signal)] for response in responses])
    early = round(EARLY_S * RATE)
    return whole, np.stack([oaconvolve(signal, response[:early])[: len(signal)] for response in responses])


def room_responses(places_m: Floats, source_m: Floats, rt60_s: float) -> list[Floats]:
    """Return the responses from a source to places [microphones, 3]."""
    import pyroomacoustics

    absorption, order = pyroomacoustics.inverse_sabine(rt60_s, ROOM_M)
    room: Any = pyroomacoustics.ShoeBox(
        ROOM_M, fs=RATE, materials=pyroomacoustics.Material(absorption), max_order=min(order, 30)
    )
    room.add_source(source_m)
    room.add_microphone_array(places_m.T)
    room.compute_rir()
    return [np.asarray(response[0]) for response in room.rir]


def _plane_waves(geometry: ArrayGeometry, signal: Floats, random: np.random.Generator) -> Floats:
    """Return noise from all sides; each wave has the spectrum of the signal and its own place in time."""
    samples = len(signal)
    toward = random.standard_normal((PLANE_WAVES, 3))
    toward /= np.sqrt(np.square(toward).sum(axis=1, keepdims=True))
    delays = np.concatenate((far_field_delays_s(geometry, toward, 343.2), np.zeros((PLANE_WAVES, 1))), axis=1)
    turns = -2j * np.pi * np.fft.rfftfreq(samples, 1.0 / RATE)
    total = np.zeros((delays.shape[1], samples // 2 + 1), complex)
    for wave in range(PLANE_WAVES):
        spectrum = np.fft.rfft(np.roll(signal, int(random.integers(samples))))
        total += spectrum * np.exp(turns * delays[wave][:, None])
    return np.fft.irfft(total, samples, axis=1)


def _rms(signal: Floats) -> float:
    return float(np.sqrt(np.square(signal).mean()))
