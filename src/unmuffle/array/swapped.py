"""Two channels that are swapped: the delays of a coherent sound fit the geometry much better after exchanging them.

The fit is the steered response power with the phase transform (see ``srp_phat``) at its best direction, for the order
of the channels as it is and for every exchange of two. A wrong alarm would spoil a good array, so that an exchange must
fit clearly better, and in nearly every part of the recording. What an array looks like in a mirror fits as well:
exchanges that only mirror it are never found, and of two exchanges that mirror each other both are named.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from unmuffle.array.covariance import weighted_covariance
from unmuffle.array.directions import DirectionLike
from unmuffle.array.faults import LONGEST_S
from unmuffle.array.gcc_phat import INTERPOLATION, phase_of
from unmuffle.array.geometry import ArrayGeometry, GeometryLike
from unmuffle.array.geometry_files import as_geometry
from unmuffle.array.localization import checked_recording
from unmuffle.array.steering import TEMPERATURE_C, delays_s, far_field_delays_s, speed_of_sound
from unmuffle.signal.arrays import BoolArray, ComplexArray, FloatArray
from unmuffle.signal.grid import Grid, grid_for
from unmuffle.signal.stft import StftStream

LOWEST_HZ, HIGHEST_HZ = 200.0, 7_000.0
PART_S = 1.0
MOST_PARTS = 12
LEAST_PARTS = 5
QUIET = 0.03
"""Power against that of the loudest part, below which a part is not looked at: -15 dB."""
MOST_SUSPECTS = 8
LEAST_RATIO, LEAST_GAIN, LEAST_SHARE = 1.2, 0.025, 0.8
"""In 156 simulated rooms an array that was right came no nearer than a ratio of 1.13; with positions that were 10 mm
off one of them came to 1.33, with a gain of 0.023."""
ALIKE = 0.02
"""Share of the gain within which two exchanges fit alike."""
NEAR = 0.25
"""Difference of delays, in parts of what the array has from end to end, within which a direction is that told."""


@dataclass(frozen=True)
class SwappedChannels:
    """Two channels that look swapped.

    Attributes
    ----------
    first, second : int
    alternatives : tuple of (int, int)
        Other exchanges that fit as well, since the array looks alike in a mirror.
    fit, fit_as_is : float
        Steered response power at its best direction with the two exchanged and as the channels are, at most 1.
    share : float
        Of the parts of the recording that fit better with the two exchanged.
    """

    first: int
    second: int
    alternatives: tuple[tuple[int, int], ...]
    fit: float
    fit_as_is: float
    share: float

    def of_channels(self, channels: npt.NDArray[np.intp]) -> SwappedChannels:
        """Return the same with the numbers that the channels have in a larger recording."""
        (first, second), *others = (
            (int(channels[one]), int(channels[other])) for one, other in ((self.first, self.second), *self.alternatives)
        )
        return replace(self, first=first, second=second, alternatives=tuple(others))

    def __str__(self) -> str:
        said = f"channels {self.first} and {self.second} look swapped"
        if self.alternatives:
            others = " or ".join(f"{one} and {other}" for one, other in self.alternatives)
            said += f" (or {others}: the array is its own mirror image)"
        return f"{said}: what is heard fits the geometry {self.fit / self.fit_as_is:.1f} times as well the other way"


def find_swapped_channels(
    audio: npt.ArrayLike,
    sample_rate: int,
    geometry: GeometryLike,
    *,
    toward: DirectionLike | None = None,
    temperature_c: float = TEMPERATURE_C,
) -> SwappedChannels | None:
    """Return which two channels of a recording look swapped, or None.

    Without a geometry the order of the channels means nothing, so that there is no such fault.

    Parameters
    ----------
    audio : array_like [microphones, samples]
        Float (full scale 1.0), int16 or int32; the first minute is looked at. A voice or another coherent sound.
    sample_rate : int
        In Hz, 8,000 to 192,000.
    geometry : ArrayGeometry, str or path
        Of the microphones, in what should be the order of the channels. Of two, the order cannot be told.
    toward : Direction, float or str, optional
        Of the sound, if it is known: it decides between exchanges that mirror each other.
    temperature_c : float, default 20
        Of the air, -50 to 60 degrees Celsius.

    Raises
    ------
    InvalidAudioError
        If the array has a wrong shape or type, or holds NaN or infinity.
    InvalidParameterError
        If there are not as many channels as microphones, or a parameter is out of range.
    """
    array = as_geometry(geometry)
    samples = checked_recording(audio, array)[:, : round(LONGEST_S * sample_rate)]
    if array.microphones < 3:
        return None
    grid = grid_for(sample_rate)
    fits = _Fits(array, grid, speed_of_sound(temperature_c))
    parts = [fits.of(part) for part in _parts(samples, grid)]
    if len(parts) < LEAST_PARTS:
        return None
    told = None if toward is None else fits.near(delays_s(array, toward, temperature_c=temperature_c))
    return _decide(parts, told)


Exchange = tuple[int, int]
_AS_IS: Exchange = (0, 0)


def _parts(samples: FloatArray, grid: Grid) -> list[FloatArray]:
    """Return parts of a recording in which there is something to hear, spread over it."""
    size = round(PART_S * grid.sample_rate)
    parts = [samples[:, start : start + size] for start in range(0, samples.shape[1] - size + 1, size)]
    powers = np.array([np.square(part, dtype=np.float64).mean() for part in parts])
    if not powers.any():
        return []
    heard = np.flatnonzero(powers >= QUIET * powers.max())
    chosen = heard[np.unique(np.linspace(0, heard.size - 1, MOST_PARTS).round().astype(int))]
    return [parts[index] for index in chosen]


class _Fits:
    """How well a part of a recording fits directions, as the channels are and with two of them exchanged."""

    def __init__(self, array: ArrayGeometry, grid: Grid, speed: float) -> None:
        hz = grid.frequencies_hz
        self._grid, self.microphones = grid, array.microphones
        self._used = np.flatnonzero((hz >= LOWEST_HZ) & (hz <= min(HIGHEST_HZ, 0.45 * grid.sample_rate)))
        self._delays = delays = far_field_delays_s(array, _directions(array), speed)
        self._longest_s = array.aperture_m / speed
        self._most = int(np.ceil(array.aperture_m / speed * grid.sample_rate * INTERPOLATION)) + 1
        late = delays.T[:, None, :] - delays.T[None, :, :]
        # Place of each delay among those of the correlation, [first, second, direction].
        self._places = np.rint(late * grid.sample_rate * INTERPOLATION).astype(np.int32) + self._most

    def near(self, delays_s: FloatArray) -> BoolArray:
        """Return which directions have nearly these delays [microphones], bool [directions]."""
        return np.asarray(np.abs(self._delays - delays_s).max(axis=1) <= NEAR * self._longest_s)

    def of(self, part: FloatArray) -> dict[Exchange, FloatArray]:
        """Return the fit to each direction, float64 [directions], for each exchange that is worth a look."""
        lags = self._correlations(part)
        first, second = np.triu_indices(self.microphones, 1)
        terms = lags[first[:, None], second[:, None], self._places[first, second]]
        total = terms.sum(axis=0)
        fits = {_AS_IS: total / first.size}
        suspects = self._suspects(terms[:, total.argmax()], first, second)
        for place, one in enumerate(suspects):
            for other in suspects[place + 1 :]:
                order = np.arange(self.microphones)
                order[[one, other]] = other, one
                touched = np.flatnonzero(np.isin(first, (one, other)) | np.isin(second, (one, other)))
                a, b = first[touched], second[touched]
                changed = lags[a[:, None], b[:, None], self._places[order[a], order[b]]]
                fits[one, other] = (total + changed.sum(axis=0) - terms[touched].sum(axis=0)) / first.size
        return fits

    def _suspects(self, terms: FloatArray, first: npt.NDArray[np.intp], second: npt.NDArray[np.intp]) -> list[int]:
        """Return the microphones that fit the others least, in order of the channels."""
        each = np.bincount(first, terms, self.microphones) + np.bincount(second, terms, self.microphones)
        return sorted(each.argsort()[:MOST_SUSPECTS].tolist())

    def _correlations(self, part: FloatArray) -> FloatArray:
        """Return the correlation of the phases of each pair, float64 [mics, mics, lags], at most 1."""
        total: ComplexArray = np.zeros((self._used.size, self.microphones, self.microphones), np.complex128)
        frames = 0
        for spectra in StftStream(self._grid, self.microphones).analyze(part):
            phases = phase_of(spectra[:, :, self._used].astype(np.complex128))
            total += weighted_covariance(phases, np.ones((len(phases), self._used.size)))
            frames += len(phases)
        spectrum: ComplexArray = np.zeros((self.microphones, self.microphones, self._grid.bins), np.complex128)
        spectrum[..., self._used] = total.transpose(1, 2, 0)
        size = self._grid.window * INTERPOLATION
        scale = size / (2.0 * max(frames, 1) * self._used.size)
        found = scale * np.fft.irfft(spectrum, size, axis=-1)
        return np.concatenate((found[..., -self._most :], found[..., : self._most + 1]), axis=-1)


def _directions(array: ArrayGeometry) -> FloatArray:
    """Return unit vectors all around, float64 [directions, 3], so near to each other as the array can tell."""
    if array.dimensions == 1:
        axis = np.linalg.svd(array.centred_m)[2]
        cosines = np.linspace(-1.0, 1.0, 361)[:, None]
        return np.asarray(cosines * axis[0] + np.sqrt(1.0 - cosines**2) * axis[1])
    count = int(np.clip(2_000 * (array.aperture_m / 0.15) ** 2, 2_000, 12_000))
    z = 1.0 - (2.0 * np.arange(count) + 1.0) / count
    angle = np.pi * (3.0 - np.sqrt(5.0)) * np.arange(count)
    level = np.sqrt(1.0 - z * z)
    return np.stack((level * np.cos(angle), level * np.sin(angle), z), axis=1)


def _decide(parts: list[dict[Exchange, FloatArray]], told: BoolArray | None) -> SwappedChannels | None:
    as_is = np.array([part[_AS_IS].max() for part in parts])
    # What was worth a look in every part.
    exchanges = sorted(set.intersection(*(set(part) for part in parts)) - {_AS_IS})
    if not exchanges:
        return None
    each = {exchange: np.array([part[exchange].max() for part in parts]) for exchange in exchanges}
    best = max(exchanges, key=lambda exchange: float(each[exchange].mean()))
    fit, before = float(each[best].mean()), float(as_is.mean())
    share = float((each[best] > as_is).mean())
    if fit < LEAST_RATIO * before or fit - before < LEAST_GAIN or share < LEAST_SHARE:
        return None
    alike = [exchange for exchange in exchanges if fit - each[exchange].mean() <= ALIKE * abs(fit - before)]
    if told is not None and told.any():
        alike.sort(key=lambda exchange: -sum(float(part[exchange][told].max()) for part in parts))
    first, second = alike[0]
    return SwappedChannels(first, second, tuple(alike[1:]), fit, before, share)
