"""A stream's directions: what the methods work on, gathered frame by frame.

The methods are in ``gcc_phat``, ``srp_phat`` and ``music``; what they work on is gathered here, frame by frame: phases
between the microphones, weighted by the network's mask, so that the voice is found and not what is louder than it, and
by how much of a bin is the first wave of a sound, so that the voice is found and not a wall.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np

from unmuffle.array.covariance import weighted_covariance
from unmuffle.array.directions import Direction
from unmuffle.array.gcc_phat import delay_fit, pair_delays_s, phase_of
from unmuffle.array.geometry import ArrayGeometry, GeometryLike
from unmuffle.array.geometry_files import as_geometry
from unmuffle.array.masks import NetworkMasks
from unmuffle.array.music import music_spectrum
from unmuffle.array.onsets import OnsetWeights
from unmuffle.array.scan import find_peaks, refined_azimuth, scan_grid
from unmuffle.array.srp_phat import srp_phat_spectrum
from unmuffle.array.steering import TEMPERATURE_C, speed_of_sound
from unmuffle.errors import InvalidParameterError
from unmuffle.signal.arrays import ComplexArray, FloatArray
from unmuffle.signal.grid import grid_for, is_whole
from unmuffle.signal.stft import StftStream

METHODS = ("srp-phat", "music", "norm-music", "gcc-phat")
LOWEST_HZ, HIGHEST_HZ = 200.0, 7_000.0
"""Below, a small array cannot tell directions; above, there is little speech and much aliasing."""
SHARPNESS = 2.0
"""Power of the mask: what is not surely voice is left out, as a loud noise leaks through everywhere."""
ALWAYS_HEARD = 0.3
"""Share of the mean phases of all frames that is taken off those of the voice, since noise leaks through the mask."""
SEPARATION_DEG = 20.0
LEAST_WEIGHT = 1e-12


@dataclass(frozen=True)
class FoundDirection:
    """A source.

    Attributes
    ----------
    time_s : float
        Mean time of the sound that it was found by, from the start of the recording.
    direction : Direction
    salience : float
        How far its peak stands out of the scan, 0 to 1: the height above the median, in parts of the range.
    track : int
        The same number for what is likely the same source at other times.
    """

    time_s: float
    direction: Direction
    salience: float
    track: int = 0


class DirectionFinder:
    """Follows a stream and tells where the sources are.

    Parameters
    ----------
    sample_rate : int
        In Hz, 8,000 to 192,000.
    geometry : ArrayGeometry, str or path
        Of the microphones, in the order of the channels; or the name or file of it.
    method : {"srp-phat", "music", "norm-music", "gcc-phat"}, default "norm-music"
        GCC-PHAT finds a single source.
    sources : int, default 1
        Sources that are looked for at most, fewer than there are microphones.
    memory_s : float, default infinity
        Time constant in seconds of what is remembered; without, the whole past counts alike.
    voice_only : bool, default True
        Look for what the network takes for voice; otherwise for any sound.
    elevation : bool, default False
        Look for elevations as well as azimuths.
    step_deg : float, default 1
        Between the directions that are scanned, 0.2 to 30; with elevation at least 3 are taken.
    temperature_c : float, default 20
        Of the air, -50 to 60 degrees Celsius.

    Raises
    ------
    InvalidParameterError
        If a parameter is not as above, or the array cannot tell what was asked for.
    ModelError
        If ``voice_only`` and there is no model.
    """

    def __init__(
        self,
        sample_rate: int,
        geometry: GeometryLike,
        *,
        method: str = "norm-music",
        sources: int = 1,
        memory_s: float = inf,
        voice_only: bool = True,
        elevation: bool = False,
        step_deg: float = 1.0,
        temperature_c: float = TEMPERATURE_C,
    ) -> None:
        self.geometry = as_geometry(geometry)
        self._method = _check_method(method)
        self._sources = _check_sources(sources, self.geometry, self._method)
        if not memory_s > 0.0:
            raise InvalidParameterError(f"memory_s is {memory_s!r}; it must be above 0, for instance 0.5")
        self._scan = scan_grid(self.geometry, max(step_deg, 3.0) if elevation else step_deg, elevation=elevation)
        self._speed = speed_of_sound(temperature_c)
        self.grid = grid_for(sample_rate)
        hz = self.grid.frequencies_hz.astype(np.float64)
        self._used = np.flatnonzero((hz >= LOWEST_HZ) & (hz <= min(HIGHEST_HZ, 0.45 * sample_rate)))
        self._hz = hz[self._used]
        self._stft = StftStream(self.grid, self.geometry.microphones)
        self._masks = NetworkMasks(self.grid, self.geometry.microphones) if voice_only else None
        pole = 1.0 if memory_s == inf else self.grid.smoothing(memory_s)
        self._onsets = OnsetWeights(self.grid, self._used.size)
        pole = 1.0 if memory_s == inf else self.grid.smoothing(memory_s)
        self._voice, self._all = (_Memory(self._used.size, self.geometry.microphones, pole) for _ in range(2))

    def process(self, block: FloatArray) -> None:
        """Take the next block [microphones, n] in."""
        for spectra in self._stft.analyze(block):
            used = spectra[:, :, self._used]
            weights = self._onsets.weights(np.square(np.abs(used), dtype=np.float64).mean(axis=1))
            if self._masks is not None:
                weights *= self._masks.masks(spectra)[0][:, self._used] ** SHARPNESS
            phases = phase_of(used)
            self._voice.add(phases, weights)
            self._all.add(phases, np.ones(weights.shape))

    @property
    def evidence(self) -> float:
        """How many bins of what is remembered count as the first wave of a voice, each by its weight."""
        return float(self._voice.weights.sum())

    def spectrum(self) -> FloatArray:
        """Return how much comes from each of ``azimuths_deg``, float64 [directions], in units of the method."""
        gathered, array, scan = self._gathered(), self.geometry, self._scan
        if self._method == "gcc-phat":
            phases = np.zeros((self.grid.bins, array.microphones, array.microphones), np.complex128)
            phases[self._used] = gathered
            delays = pair_delays_s(phases, self.grid.window, self.grid.sample_rate, array.aperture_m / self._speed)
            return delay_fit(delays, array, scan, self._speed)
        if self._method == "srp-phat":
            return srp_phat_spectrum(gathered, array, scan, self._hz, self._speed)
        return music_spectrum(
            gathered,
            array,
            scan,
            self._hz,
            self._speed,
            weights=self._voice.weights,
            sources=self._sources,
            normalized=self._method == "norm-music",
        )

    def _gathered(self) -> ComplexArray:
        """Return the summed phases of the voice, complex128 [bins, mics, mics]."""
        if self._sources > 1:
            # What is always heard may be one of the sources.
            return self._voice.value
        shares = ALWAYS_HEARD * self._voice.weights / np.maximum(self._all.weights, 1e-12)
        return self._voice.value - shares[:, None, None] * self._all.value

    def find(self) -> list[FoundDirection]:
        """Return the sources, the clearest first; none where nothing has been heard."""
        if not self._voice.heard:
            return []
        spectrum = self.spectrum()
        middle, top = float(np.median(spectrum)), float(spectrum.max())
        span = max(top - float(spectrum.min()), 1e-12)
        time_s = self._voice.mean_frame * self.grid.hop_s
        found = []
        for index in find_peaks(spectrum, self._scan, self._sources, SEPARATION_DEG):
            azimuth = refined_azimuth(spectrum, self._scan, index)
            direction = Direction(azimuth % 360.0, float(self._scan.elevations_deg[index]))
            salience = (float(spectrum[index]) - middle) / span
            found.append(FoundDirection(time_s, direction, float(np.clip(salience, 0.0, 1.0))))
        return found


class _Memory:
    """Weighted sums of phase differences over time, which decay by a pole."""

    def __init__(self, bins: int, microphones: int, pole: float) -> None:
        self.value: ComplexArray = np.zeros((bins, microphones, microphones), np.complex128)
        self.weights: FloatArray = np.zeros(bins)
        self._pole = pole
        self._frames = 0
        self._moment = 0.0

    @property
    def mean_frame(self) -> float:
        """Mean number of the frames that are remembered; the middle of frame k is at k hops."""
        return self._moment / max(float(self.weights.sum()), LEAST_WEIGHT)

    @property
    def heard(self) -> bool:
        """Whether anything but silence came in."""
        return bool(np.abs(self.value).max() > LEAST_WEIGHT)

    def add(self, phases: ComplexArray, weights: FloatArray) -> None:
        """Take frames [frames, microphones, bins] of magnitude 1 in, with weights [frames, bins]."""
        frames = len(phases)
        weights = weights * self._pole ** np.arange(frames - 1, -1, -1.0)[:, None]
        numbers = np.arange(self._frames, self._frames + frames)
        left = self._pole**frames
        self._moment = left * self._moment + float(weights.sum(axis=1) @ numbers)
        self._frames += frames
        self.weights = left * self.weights + weights.sum(axis=0)
        self.value *= left
        self.value += weighted_covariance(phases, weights)


def _check_method(method: str) -> str:
    if method not in METHODS:
        raise InvalidParameterError(f"method is {method!r}; it must be one of {', '.join(METHODS)}")
    return method


def _check_sources(sources: int, geometry: ArrayGeometry, method: str) -> int:
    most = 1 if method == "gcc-phat" else geometry.microphones - 1
    if not is_whole(sources) or not 1 <= sources <= most:
        raise InvalidParameterError(
            f"sources is {sources!r}; {geometry.microphones} microphones find 1 to {most} by {method}"
        )
    return int(sources)
