"""The long-term average spectrum of a recording, and what is in its bands while somebody speaks and while nobody does.

P. D. Welch, "The use of fast Fourier transform for the estimation of power spectra", IEEE Trans. Audio Electroacoust.
15(2), 1967: Hann segments of half a second that overlap by half; the numbers are those of ``scipy.signal.welch`` with
``scaling="spectrum"`` and ``detrend=False``. Levels over time are taken as IEC 60118-15 does for speech, in frames of
125 ms that overlap by half, and told as environmental acoustics does: the level that 90 % of the frames exceed (L90) is
the noise floor, the one that 10 % exceed (L10) that of speech. What is left over at the end is in no segment.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from unmuffle.errors import InvalidAudioError
from unmuffle.level import Meter
from unmuffle.measure.single.bandwidth import Bandwidth, BandwidthMeter
from unmuffle.measure.single.framing import Framer
from unmuffle.measure.single.histogram import LevelHistogram
from unmuffle.measure.spectra.bands import Bands, band_power, third_octave_bands
from unmuffle.measure.spectra.power import LOWEST_DBFS, NOISE_BANDWIDTH_BINS, PowerSpectra, to_db
from unmuffle.measure.spectra.tones import Tone, find_tones
from unmuffle.signal.arrays import FloatArray, as_channels

FLOOR_SHARE, SPEECH_SHARE = 0.10, 0.90

_SEGMENT_S = 0.5
_FRAME_S = 0.125
_LEVEL_STEP_DB = 0.25
_TILT_HZ = (100.0, 8_000.0)


@dataclass(frozen=True)
class SpectrumAnalysis:
    """A long-term average spectrum; a full-scale sine has -3.0 dBFS, digital silence -200.

    Attributes
    ----------
    sample_rate : int
        In Hz.
    seconds : float
        How much was heard.
    averaged : bool
        Whether all channels were put together by their mean power; there is one row then.
    frequencies_hz : float64 [bins]
        From 0 Hz to half the sample rate, 2 Hz apart (more for audio shorter than half a second).
    spectrum_dbfs : float64 [channels, bins]
        What a sine in the bin would need for this level. Noise is better read from ``density_db``.
    bands : Bands
        Third-octave bands from 25 Hz up.
    band_dbfs : float64 [channels, bands]
        Mean power in each band; in all bands together, that of the audio (without what is below 22 Hz).
    floor_dbfs, speech_dbfs : float64 [channels, bands]
        The levels that 90 % and 10 % of the 125 ms frames exceed. Below 80 Hz bands are narrower than what such a
        frame resolves, and take from their neighbours.
    tilt_db_per_octave : float64 [channels]
        Slope of the power density from 100 Hz to 8 kHz: 0 for white noise, -3.0 for pink; NaN for silence.
    tones : tuple of Tone
        Steady lines such as hum, the strongest first.
    bandwidth : Bandwidth
        How far up the recording reaches, all channels taken together.
    """

    sample_rate: int
    seconds: float
    averaged: bool
    frequencies_hz: npt.NDArray[np.float64]
    spectrum_dbfs: npt.NDArray[np.float64]
    bands: Bands
    band_dbfs: npt.NDArray[np.float64]
    floor_dbfs: npt.NDArray[np.float64]
    speech_dbfs: npt.NDArray[np.float64]
    tilt_db_per_octave: npt.NDArray[np.float64]
    tones: tuple[Tone, ...]
    bandwidth: Bandwidth

    @property
    def bin_hz(self) -> float:
        """Distance of the bins."""
        return float(self.frequencies_hz[1])

    @property
    def density_db(self) -> npt.NDArray[np.float64]:
        """Power density in dB re full scale squared per Hz, float64 [channels, bins]."""
        return self.spectrum_dbfs - 10.0 * np.log10(NOISE_BANDWIDTH_BINS * self.bin_hz)

    @property
    def speech_over_floor_db(self) -> npt.NDArray[np.float64]:
        """How far speech stands out of the noise in each band, float64 [channels, bands]."""
        return self.speech_dbfs - self.floor_dbfs

    def density_in_bands_db(self, edges_hz: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the mean power density between neighbouring borders, as for a smoothed curve, [channels, bands]."""
        power = 10.0 ** (self.spectrum_dbfs / 10.0) / NOISE_BANDWIDTH_BINS
        return to_db(band_power(power, self.bin_hz, edges_hz) / np.diff(edges_hz))


class SpectrumMeter(Meter):
    """Takes the long-term average spectrum of a stream; memory does not grow with its length.

    Parameters
    ----------
    sample_rate : int
        In Hz, 8,000 to 192,000.
    channels : int, default 1
        Rows of every block.
    average_channels : bool, default False
        Put all channels together by their mean power.
    """

    def __init__(self, sample_rate: int, channels: int = 1, *, average_channels: bool = False) -> None:
        super().__init__(sample_rate, channels)
        self._average = average_channels
        self._rows = 1 if average_channels else self.channels
        self._bands = third_octave_bands(self.sample_rate)
        self._segment = _even(_SEGMENT_S * self.sample_rate)
        self._spectra = PowerSpectra(self._segment, np.float64)
        self._segments = Framer(self.channels, self._segment, self._segment // 2)
        self._power: FloatArray = np.zeros((self._rows, self._segment // 2 + 1))
        self._level_db = np.zeros_like(self._power)
        self._count = 0
        self._frame = _even(_FRAME_S * self.sample_rate)
        self._frame_spectra = PowerSpectra(self._frame)
        self._frames = Framer(self.channels, self._frame, self._frame // 2)
        self._levels = LevelHistogram(self._rows * self._bands.centres_hz.size, LOWEST_DBFS, 120.0, _LEVEL_STEP_DB)
        self._bandwidth = BandwidthMeter(self.sample_rate, self.channels)

    def _process(self, block: FloatArray) -> None:
        self._bandwidth.process(block)
        segments = self._segments.push(block)
        for index in range(segments.shape[1]):
            self._add(self._together(self._spectra(segments[:, index])))
        frames = self._frames.push(block)
        if frames.shape[1]:
            power = self._together(self._frame_spectra(frames)).swapaxes(0, 1)
            in_bands = band_power(power, self.sample_rate / self._frame, self._bands.edges_hz) / NOISE_BANDWIDTH_BINS
            self._levels.add(in_bands.reshape(frames.shape[1], -1))

    def result(self) -> SpectrumAnalysis:
        """Return the spectrum of all that was heard.

        Raises
        ------
        InvalidAudioError
            If that is less than 125 ms.
        """
        if self._levels.frames == 0:
            raise InvalidAudioError(f"a spectrum needs at least {_FRAME_S:g} s of audio, not {self.seconds:.3f} s")
        power, level_db = self._averages()
        bin_hz = 0.5 * self.sample_rate / (power.shape[1] - 1)
        in_bands = band_power(power, bin_hz, self._bands.edges_hz) / NOISE_BANDWIDTH_BINS
        shape = in_bands.shape
        return SpectrumAnalysis(
            sample_rate=self.sample_rate,
            seconds=self.seconds,
            averaged=self._average,
            frequencies_hz=np.arange(power.shape[1]) * bin_hz,
            spectrum_dbfs=to_db(power),
            bands=self._bands,
            band_dbfs=to_db(in_bands),
            floor_dbfs=self._levels.quantile_db(FLOOR_SHARE).reshape(shape),
            speech_dbfs=self._levels.quantile_db(SPEECH_SHARE).reshape(shape),
            tilt_db_per_octave=_tilt(in_bands, self._bands),
            tones=find_tones(power, level_db, bin_hz, self._count),
            bandwidth=self._bandwidth.result(),
        )

    def _together(self, power: FloatArray) -> FloatArray:
        return power.mean(axis=0, keepdims=True) if self._average else power

    def _add(self, power: FloatArray) -> None:
        self._power += power
        self._level_db += to_db(power)
        self._count += 1

    def _averages(self) -> tuple[FloatArray, npt.NDArray[np.float64]]:
        """Return mean power and mean level in dB; of one shorter segment where none was ever full."""
        if self._count:
            return self._power / self._count, self._level_db / self._count
        rest = self._segments.rest()
        size = rest.shape[1] // 2 * 2
        power = self._together(PowerSpectra(size, np.float64)(rest[:, :size]))
        return power, to_db(power)


def analyze_spectrum(audio: npt.ArrayLike, sample_rate: int, *, average_channels: bool = False) -> SpectrumAnalysis:
    """Return the long-term average spectrum of a recording.

    Parameters
    ----------
    audio : array_like
        ``[samples]`` or ``[channels, samples]``; at least 125 ms.
    sample_rate : int
        In Hz, 8,000 to 192,000.
    average_channels : bool, default False
        Put all channels together by their mean power; by default each has its own row.

    Raises
    ------
    InvalidAudioError
        If there is too little audio, or NaN or infinity in it.
    InvalidParameterError
        If the rate is outside its range.

    Examples
    --------
    >>> hum = 0.1 * np.sin(2.0 * np.pi * 100.0 / 16_000 * np.arange(64_000))
    >>> [(round(tone.hz), round(tone.level_dbfs)) for tone in analyze_spectrum(hum, 16_000).tones]
    [(100, -23)]
    """
    samples = as_channels(audio)
    meter = SpectrumMeter(sample_rate, samples.shape[0], average_channels=average_channels)
    meter.process(samples)
    return meter.result()


def _even(size: float) -> int:
    return 2 * round(0.5 * size)


def _tilt(in_bands: npt.NDArray[np.float64], bands: Bands) -> npt.NDArray[np.float64]:
    """Return the slope of a line through the density in the bands that are whole."""
    edges = bands.edges_hz
    low, high = _TILT_HZ
    used = (bands.centres_hz >= low) & (bands.centres_hz <= high) & (bands.centres_hz < edges[-1] / 1.13)
    octaves = np.log2(0.5 * (edges[:-1] + edges[1:])[used])
    density_db = to_db(in_bands[:, used] / bands.widths_hz[used])
    slopes = np.atleast_1d(np.polyfit(octaves, density_db.T, 1)[0])
    return np.where(in_bands[:, used].any(axis=1), slopes, np.nan)
