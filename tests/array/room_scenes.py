"""Recordings of arrays in rooms that pyroomacoustics simulates, of sources that stand or walk."""

from __future__ import annotations

import numpy as np
import pytest
from array_signals import RATE
from scipy.signal import oaconvolve

from unmuffle.array import ArrayGeometry

ROOM_M = (6.0, 5.0, 3.0)
CENTRE_M = np.array([2.7, 2.3, 1.2])
AWAY_M = 1.5


def room_images(array: ArrayGeometry, azimuths, signals, rt60_s: float) -> np.ndarray:
    """What the microphones hear of signals that come from azimuths, [azimuths, microphones, samples] without tails."""
    rooms = pytest.importorskip("pyroomacoustics")
    absorption, order = rooms.inverse_sabine(rt60_s, ROOM_M)
    room = rooms.ShoeBox(ROOM_M, fs=RATE, materials=rooms.Material(absorption), max_order=order)
    for azimuth in azimuths:
        angle = np.deg2rad(azimuth)
        room.add_source(CENTRE_M + AWAY_M * np.array([np.cos(angle), np.sin(angle), 0.0]))
    room.add_microphone_array((array.centred_m + CENTRE_M).T)
    room.compute_rir()
    return np.stack(
        [
            np.stack([oaconvolve(signal, of_mic[source])[: len(signal)] for of_mic in room.rir])
            for source, signal in enumerate(signals)
        ]
    )


def walking(array: ArrayGeometry, azimuths, signal: np.ndarray, rt60_s: float) -> np.ndarray:
    """What the microphones hear of a source that walks evenly past azimuths, [microphones, samples].

    The signal is faded from each place into the next before the room answers, as a source does that walks.
    """
    at = np.linspace(0.0, len(signal) - 1.0, len(azimuths))
    shares = np.stack([np.interp(np.arange(len(signal)), at, row) for row in np.eye(len(azimuths))])
    return room_images(array, azimuths, shares * signal, rt60_s).sum(axis=0)
