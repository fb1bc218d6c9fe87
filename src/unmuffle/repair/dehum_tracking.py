"""Hum as harmonics locked to one wandering fundamental, followed through the speech above it.

A Kalman filter follows phase, frequency and drift of the fundamental by all its harmonics together: each measures the
phase by the angle between what it is and what it was (see ``dehum_clusters``), as many times finer as its number is
high, and is trusted the less the more is heard beside it.
"""

from __future__ import annotations

from math import pi

import numpy as np

from unmuffle.repair.dehum_clusters import LOW_HARMONICS, OVERLAP, PhasorClusters
from unmuffle.repair.dehum_phasors import HarmonicAnalyzer
from unmuffle.signal.arrays import ComplexArray, FloatArray

SEARCH_S = 1.5
"""So much of the past decides whether a proposed hum is one."""

_SEARCH_HARMONICS = 12
_OFFSETS_HZ = np.arange(-0.15, 0.151, 0.01)
_DRIFTS_HZ = (-0.1, -0.05, 0.0, 0.05, 0.1)
_START_ROUNDS = 4
_START_NATS = 13.0
_START_EVEN_NATS = 13.0
_TELLING_NATS = 3.0

_START_DEVIATION = 2.0 * pi * np.array([0.02, 0.01, 0.05])
_JITTER_HZ = 0.005
_DRIFT_HZ = 0.03
"""By so much frequency and drift wander in a second."""

_UPDATE_EVERY = 3
_LEAST_PHASE_VARIANCE = 1e-6
_LEAST_INFORMATION = 1e-30
_REACH_HZ = 1.0


class HumTracker:
    """Follows one hum in one channel, or in several that share its fundamental.

    Parameters
    ----------
    analyzer : HarmonicAnalyzer
        For the nominal frequency.
    step_s : float
        Time from frame to frame.
    frames : int
        How many are kept.
    rows : int
        Channels.
    behind_s : float
        Age of the place the hum is modelled at.
    """

    def __init__(self, analyzer: HarmonicAnalyzer, step_s: float, frames: int, rows: int, behind_s: float) -> None:
        self.analyzer = analyzer
        self._step_s = step_s
        self._linked = rows > 1
        self._multiples = np.arange(1, analyzer.harmonics + 1)
        self._ages_s = step_s * np.arange(frames - 1, -1, -1)
        shape = (rows, analyzer.harmonics)
        self._phasors: ComplexArray = np.zeros((frames, *shape), np.complex64)
        self._noise: FloatArray = np.full((frames, *shape), np.inf, np.float32)
        self._phases: FloatArray = np.zeros(frames)
        self._state: FloatArray = np.zeros(3)
        self._covariance: FloatArray = np.diag(_START_DEVIATION**2)
        self._now = PhasorClusters(self._ages_s, 0.0, shape)
        self._there = PhasorClusters(self._ages_s, behind_s, shape) if behind_s > 0.0 else self._now
        self._followed = 0

    @property
    def hz(self) -> float:
        """Fundamental in the last frame."""
        return float(self._state[1]) / (2.0 * pi)

    @property
    def phasors(self) -> ComplexArray:
        """Of all harmonics, complex64 [rows, harmonics]; those that are not present are zero."""
        return self._there.phasors

    @property
    def lost(self) -> bool:
        """Whether no harmonic is heard any more, neither now nor at the place modelled."""
        return not (self._now.present.any() or self._there.present.any())

    def start(self, frames: FloatArray, hz: float) -> bool:
        """Begin to follow a hum proposed near ``hz``, and return whether there is one.

        Parameters
        ----------
        frames : float32 [frames, rows, size]
            The last ones: as many as there are, at most as many as are kept.
        """
        recent = min(len(frames), round(SEARCH_S / self._step_s))
        phasors, noise = self._measured(frames[-recent:], hz)
        offset_hz, drift_hz = self._refined(phasors, noise)
        times_s = -self._ages_s[-recent:]
        curve: FloatArray = 2.0 * pi * np.array([0.0, offset_hz, 0.5 * drift_hz])
        self._noise[-recent:] = noise
        for _ in range(_START_ROUNDS):
            turns = curve @ times_s ** np.arange(3)[:, None]
            self._phasors[-recent:] = phasors * self._rotations(-turns)[:, None]
            self._now.update(self._phasors, self._noise, _START_ROUNDS, linked=self._linked)
            curve = curve + self._curve(self._phasors[-recent:], noise, times_s)
        if not self._is_hum(self._now.evidence):
            return False
        self._phases[-recent:] = 2.0 * pi * hz * times_s + turns
        self._state = np.array([turns[-1], 2.0 * pi * hz + curve[1], 2.0 * curve[2]])
        self._look_back(frames[:-recent], recent)
        self._update(_START_ROUNDS)
        return True

    def follow(self, frame: FloatArray | None) -> None:
        """Take the next frame [rows, size], or None where there is none any more."""
        self._state, self._covariance = self._predicted(self._state, self._covariance, self._step_s)
        phase = self._state[0]
        if frame is not None:
            phasors, noise = self._analyzed(frame, phase)
            self._state, self._covariance = self._corrected(self._state, self._covariance, phasors, noise)
            phasors = phasors * self._rotations(phase - self._state[0])
        for history in (self._phasors, self._noise, self._phases):
            history[:-1] = history[1:]
        self._phases[-1] = self._state[0]
        self._phasors[-1], self._noise[-1] = (0.0, np.inf) if frame is None else (phasors, noise)
        self._followed += 1
        # The phasors move far more slowly than the frames come.
        if self._followed % _UPDATE_EVERY == 0:
            self._update(1)

    def phase_at(self, lead_s: float) -> float:
        """Return the phase of the fundamental so long after the middle of the last frame, or before it."""
        if lead_s < 0.0:
            return float(np.interp(lead_s, -self._ages_s, self._phases))
        return float(self._state @ np.array([1.0, lead_s, 0.5 * lead_s**2]))

    def _update(self, rounds: int) -> None:
        self._now.update(self._phasors, self._noise, rounds, linked=self._linked)
        if self._there is not self._now:
            self._there.update(self._phasors, self._noise, rounds, linked=self._linked)

    def _look_back(self, frames: FloatArray, known: int) -> None:
        """Follow the hum backwards from the oldest of the known frames."""
        oldest = len(self._phases) - known
        frequency, drift = self._state[1:] - np.array([self._state[2] * self._ages_s[oldest], 0.0])
        state: FloatArray = np.array([self._phases[oldest], frequency, drift])
        covariance: FloatArray = np.diag(_START_DEVIATION**2)
        for place in range(oldest - 1, -1, -1):
            state, covariance = self._predicted(state, covariance, -self._step_s)
            index = place - oldest + len(frames)
            if index >= 0:
                phase = state[0]
                phasors, noise = self._analyzed(frames[index], phase, float(state[1]) / (2.0 * pi))
                state, covariance = self._corrected(state, covariance, phasors, noise)
                self._phasors[place], self._noise[place] = phasors * self._rotations(phase - state[0]), noise
            self._phases[place] = state[0]

    def _measured(self, frames: FloatArray, hz: float) -> tuple[ComplexArray, FloatArray]:
        """Return phasors and noise [frames, rows, harmonics] of the last frames relative to a steady fundamental."""
        count, rows, size = frames.shape
        phasors, noise = self.analyzer.measure(frames.reshape(-1, size), hz)
        rotations = self._rotations(2.0 * pi * hz * self._ages_s[-count:])
        return phasors.reshape(count, rows, -1) * rotations[:, None], noise.reshape(count, rows, -1)

    def _analyzed(self, frame: FloatArray, phase: float, hz: float | None = None) -> tuple[ComplexArray, FloatArray]:
        phasors, noise = self.analyzer.measure(frame, self.hz if hz is None else hz)
        return phasors * self._rotations(-phase), noise

    def _rotations(self, phase: float | FloatArray) -> ComplexArray:
        """Return by what all harmonics turn when the fundamental turns by a phase, complex64 [..., harmonics]."""
        return np.exp(1j * np.multiply.outer(phase, self._multiples)).astype(np.complex64)

    def _refined(self, phasors: ComplexArray, noise: FloatArray) -> tuple[float, float]:
        """Return the correction of the frequency, and the drift, at which the phasors line up best."""
        times_s = -self._ages_s[-len(phasors) :]
        directions = phasors / np.sqrt(noise + phasors.real**2 + phasors.imag**2)
        best = (-1.0, 0.0, 0.0)
        for drift_hz in _DRIFTS_HZ:
            turns = np.multiply.outer(_OFFSETS_HZ, times_s) + 0.5 * drift_hz * times_s**2
            step = np.exp(-2j * pi * turns).astype(np.complex64)
            rotation, score = step, np.zeros(len(_OFFSETS_HZ))
            for harmonic in range(min(_SEARCH_HARMONICS, self._multiples.size)):
                score += (np.abs(rotation @ directions[:, :, harmonic]) ** 2).sum(axis=1)
                rotation = rotation * step
            top = int(score.argmax())
            best = max(best, (float(score[top]), float(_OFFSETS_HZ[top]), drift_hz))
        return best[1], best[2]

    def _curve(self, phasors: ComplexArray, noise: FloatArray, times_s: FloatArray) -> FloatArray:
        """Return phase, frequency and half the drift that a history of measurements lacks yet."""
        errors, information = self._phase_errors(phasors, noise)
        powers = times_s[:, None] ** np.arange(3)
        normal = (powers * information[:, None]).T @ powers
        curve: FloatArray = np.linalg.lstsq(normal, powers.T @ (information * errors), rcond=None)[0]
        return curve

    def _phase_errors(self, phasors: ComplexArray, noise: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return how far off the phase is in measurements [..., rows, harmonics], and the information on it."""
        centres = self._now.phasors
        off = phasors - centres
        weights = self._multiples / (noise + off.real**2 + off.imag**2)
        information = (weights * self._multiples * (centres.real**2 + centres.imag**2)).sum(axis=(-2, -1))
        errors = (weights * (phasors * centres.conj()).imag).sum(axis=(-2, -1))
        return errors / (information + _LEAST_INFORMATION), information

    def _corrected(
        self,
        state: FloatArray,
        covariance: FloatArray,
        phasors: ComplexArray,
        noise: FloatArray,
    ) -> tuple[FloatArray, FloatArray]:
        """Return the state after a measurement of all harmonics."""
        error, information = self._phase_errors(phasors, noise)
        if information <= 0.0:
            return state, covariance
        variance = OVERLAP / (2.0 * information) + _LEAST_PHASE_VARIANCE
        gain = covariance[:, 0] / (covariance[0, 0] + variance)
        state = state + gain * error
        nominal = 2.0 * pi * self.analyzer.nominal_hz
        state[1] = min(max(state[1], nominal - 2.0 * pi * _REACH_HZ), nominal + 2.0 * pi * _REACH_HZ)
        return state, covariance - np.outer(gain, covariance[0])

    def _predicted(self, state: FloatArray, covariance: FloatArray, step_s: float) -> tuple[FloatArray, FloatArray]:
        transition = np.array([[1.0, step_s, 0.5 * step_s**2], [0.0, 1.0, step_s], [0.0, 0.0, 1.0]])
        wandered = self._step_s * np.square(2.0 * pi * np.array([0.0, _JITTER_HZ, _DRIFT_HZ]))
        return transition @ state, transition @ covariance @ transition.T + np.diag(wandered)

    def _is_hum(self, evidence: FloatArray) -> bool:
        """Tell hum from a held note: even harmonics alone, which a voice has as well, must say more."""
        telling = np.maximum(evidence.max(axis=0)[:LOW_HARMONICS] - _TELLING_NATS, 0.0)
        return bool(
            telling[0::2].sum() >= _START_NATS - _TELLING_NATS
            or telling[1::2].sum() - telling[1::2].max() >= _START_EVEN_NATS
        )
