"""The waveform of hum: one period in a table, read at the running phase of the fundamental."""

from __future__ import annotations

from math import pi

import numpy as np

from unmuffle.signal.arrays import ComplexArray, FloatArray

_POINTS = 2048
"""In a table; read linearly, the 40th harmonic is right to -54 dB and the 10th to -78 dB."""


class HumWaveform:
    """Hum that glides from one model to the next over a segment.

    Parameters
    ----------
    rows : int
        Channels.

    Attributes
    ----------
    silent : bool
        Whether there is none in the current segment.
    """

    def __init__(self, rows: int) -> None:
        self._old: FloatArray = np.zeros((rows, _POINTS + 1), np.float32)
        self._new = self._old
        self._phase, self._turned = 0.0, 0.0
        self.silent = True

    def glide_to(self, phase: float, phasors: ComplexArray, periods: float) -> None:
        """Begin a segment of about so many periods that ends with this phase and these phasors [rows, harmonics]."""
        self._old, self._phase = self._new, (self._phase + self._turned) % (2.0 * pi)
        begins = not self._old.any()
        self._new = _table(phasors)
        self.silent = begins and not self._new.any()
        if begins:
            self._phase = phase - 2.0 * pi * periods
        turns = round((phase - self._phase) / (2.0 * pi) - periods)
        self._turned = phase - self._phase - 2.0 * pi * turns

    def fade_out(self) -> None:
        """Begin a segment at whose end there is no hum."""
        if not self.silent:
            silence = np.zeros((len(self._old), 1), np.complex64)
            self.glide_to(self._phase + 2.0 * self._turned, silence, self._turned / (2.0 * pi))

    def read(self, start: float, stop: float, count: int) -> FloatArray:
        """Return samples [rows, count] between two places of the segment, 0 being its beginning and 1 its end."""
        share = start + (stop - start) / count * np.arange(count)
        place = ((self._phase + share * self._turned) / (2.0 * pi)) % 1.0 * _POINTS
        node = place.astype(np.intp)
        fraction = (place - node).astype(np.float32)
        grown = share.astype(np.float32)
        left = self._between(node, grown)
        samples: FloatArray = left + fraction * (self._between(node + 1, grown) - left)
        return samples

    def _between(self, node: np.ndarray[tuple[int], np.dtype[np.intp]], grown: FloatArray) -> FloatArray:
        old = self._old[:, node]
        mixed: FloatArray = old + grown * (self._new[:, node] - old)
        return mixed


def _table(phasors: ComplexArray) -> FloatArray:
    """Return one period of the sum of harmonics and its first point again, float32 [rows, points + 1]."""
    table: FloatArray = np.zeros((len(phasors), _POINTS + 1), np.float32)
    if phasors.any():
        bins = np.zeros((len(phasors), _POINTS // 2 + 1), np.complex64)
        bins[:, 1 : phasors.shape[1] + 1] = 0.5 * _POINTS * phasors
        table[:, :-1] = np.fft.irfft(bins, _POINTS, axis=1)
        table[:, -1] = table[:, 0]
    return table
