"""Near-end listening enhancement: speech shaped for a listener in noise, no louder than it was.

C. H. Taal, J. Jensen and A. Leijon, "On optimal linear filtering of speech for near-end listening enhancement", IEEE
Signal Process. Lett. 20(3), 2013: with the audibility of a band approximated by SNR / (SNR + 1), the band powers
``p`` that maximise the speech intelligibility index at a given total are found in closed form but for one multiplier,
``p[i] = max(0, sqrt(importance[i] noise[i] / (cost[i] multiplier)) - noise[i])`` (equation 9, there with all costs
equal; K-weights as costs hold the loudness instead of the power). Two departures, both since the formula alone empties
the low bands: the noise is taken 15 dB lower, for it is the peaks of speech that ANSI S3.5 weighs against it, and the
filter goes only half of the way in dB. The speech spectrum is averaged over seconds of speech, so that the filter
changes slowly. Left out: the paper's noise tracking, and any compression of the speech's dynamics.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unmuffle.errors import InvalidParameterError
from unmuffle.level.options import parse_levels
from unmuffle.level.settings import within
from unmuffle.level.sii import THIRD_OCTAVES, normal_speech_psd
from unmuffle.level.spectral_gain import SpectralGain
from unmuffle.level.spectral_loudness import k_weights, mean_square_scale
from unmuffle.level.speech_gate import SpeechGate
from unmuffle.process.processor import NonFinite
from unmuffle.process.whole import process_whole
from unmuffle.signal.arrays import AnyArray, BoolArray, ComplexArray, FloatArray
from unmuffle.signal.grid import Grid, grid_for

_MEMORY_S, _TRUST_S = 5.0, 0.5
"""Span of the speech average, and how much speech the standard's spectrum counts for at the start."""

_PEAKS_DB = 15.0
"""By how much the peaks of speech exceed its mean in ANSI S3.5, clause 4.6."""

_QUIETEST = 1e-12


class NearEndEqualizer(SpectralGain):
    """Shifts the power of speech to where it is understood best in the noise around the listener.

    Parameters
    ----------
    sample_rate : int
        In Hz, 8,000 to 192,000.
    channels : int, default 1
        Rows of every block.
    noise : str, default "speech"
        Spectrum of the noise around the listener: ``"speech"`` (long-term spectrum of normal speech), ``"white"``,
        ``"pink"``, or spectrum levels in dB at some frequencies, as ``"125:60,1000:45,8000:20"``. Only its shape
        counts.
    snr_db : float, default -5
        How far the speech lies over the noise at the listener's ear, -40 to 40.
    equal : {"loudness", "power"}, default "loudness"
        What the shaping keeps: the K-weighted power of BS.1770, or plain power.
    amount : float, default 0.5
        How far to go towards the optimum, in dB: 0 (unchanged) to 1.
    max_boost_db, max_cut_db : float, default 15 and 20
        Bounds of a band's gain.
    link_channels : bool, default False
        Shape all channels alike.
    nonfinite : {"raise", "silence"}, default "raise"
        See ``Processor``.

    Raises
    ------
    InvalidParameterError
        If a parameter is outside its range, or the noise cannot be read.
    """

    def __init__(
        self,
        sample_rate: int,
        channels: int = 1,
        *,
        noise: str = "speech",
        snr_db: float = -5.0,
        equal: str = "loudness",
        amount: float = 0.5,
        max_boost_db: float = 15.0,
        max_cut_db: float = 20.0,
        link_channels: bool = False,
        nonfinite: NonFinite = "raise",
    ) -> None:
        super().__init__(grid_for(sample_rate), channels, nonfinite=nonfinite)
        if equal not in ("loudness", "power"):
            raise InvalidParameterError(f"equal must be 'loudness' or 'power', not {equal!r}")
        self.link_channels = link_channels and self.channels > 1
        self._bounds_db = -within("max_cut_db", max_cut_db, 0.0, 60.0), within("max_boost_db", max_boost_db, 0.0, 60.0)
        self._amount = within("amount", amount, 0.0, 1.0)
        snr = 10.0 ** ((within("snr_db", snr_db, -40.0, 40.0) + _PEAKS_DB) / 10.0)
        grid, rows = self.grid, 1 if self.link_channels else self.channels
        plain = np.full(grid.bins, mean_square_scale(grid))
        self._cost = k_weights(grid) if equal == "loudness" else plain
        self._bands = _BandGains(grid, noise_psd(noise, grid.frequencies_hz), snr, self._cost / plain)
        self._gate = SpeechGate(grid, rows)
        self._prior = normal_speech_psd(grid.frequencies_hz.astype(np.float64))
        self._prior /= self._prior.sum()
        self._memory, self._trust = _MEMORY_S / grid.hop_s, _TRUST_S / grid.hop_s
        self._psd = np.empty((rows, grid.bins))
        self._heard = np.zeros(rows)
        self._forget(None)

    @property
    def linked(self) -> bool:
        """Whether the channels share their gains."""
        return self.link_channels

    def _gains(self, spectra: ComplexArray) -> FloatArray:
        power = np.square(spectra.real, dtype=np.float64) + np.square(spectra.imag, dtype=np.float64)
        if self.link_channels:
            power = power.sum(axis=1, keepdims=True)
        psd = self._speech_psd(power)
        gains = self._bands.gains(psd, self._amount, self._bounds_db)
        kept = (psd @ self._cost) / (np.square(gains) * psd @ self._cost)
        return (gains * np.sqrt(kept)[..., None]).astype(np.float32)

    def _speech_psd(self, power: FloatArray) -> FloatArray:
        """Return the averaged spectrum of speech after each frame, [frames, rows, bins]."""
        _, held = self._gate.presence(power)
        averages = np.empty_like(power)
        for frame, (new, weight) in enumerate(zip(power, held, strict=True)):
            if weight.any():
                self._learn(new, weight)
            averages[frame] = self._psd
        return averages

    def _learn(self, power: FloatArray, weight: FloatArray) -> None:
        begins = (self._heard == 0.0) & (weight > 0.0)
        # The standard's spectrum comes at the level of the first speech, and fades as more is heard.
        self._psd[begins] = self._prior * power[begins].sum(axis=1, keepdims=True) + _QUIETEST
        self._heard[begins] = self._trust
        self._heard = np.minimum(self._heard + weight, self._memory)
        share = weight / np.maximum(self._heard, 1.0)
        self._psd += share[:, None] * (power - self._psd)

    def _forget(self, mask: BoolArray | None) -> None:
        self._gate.reset(mask)
        chosen = slice(None) if mask is None else mask
        self._psd[chosen] = self._prior
        self._heard[chosen] = 0.0


class _BandGains:
    """The best gains of the third octaves of the index for spectra of speech, spread over bins."""

    def __init__(self, grid: Grid, noise: FloatArray, snr: float, cost: FloatArray) -> None:
        frequencies = grid.frequencies_hz.astype(np.float64)
        low, high = THIRD_OCTAVES.edges_hz
        overlap = np.minimum(high, frequencies[:, None] + 0.5 * grid.bin_hz) - np.maximum(
            low, frequencies[:, None] - 0.5 * grid.bin_hz
        )
        shares = np.maximum(overlap, 0.0) / grid.bin_hz
        reached = high <= grid.sample_rate / 2.0
        self._shares = shares[:, reached]
        self._importance = THIRD_OCTAVES.importance[reached]
        self._noise = noise @ self._shares
        self._noise /= self._noise.sum() * snr
        self._cost = (cost @ self._shares) / self._shares.sum(axis=0)
        # Gains lie in dB on straight lines over log frequency from one centre to the next, and are held beyond.
        centres = np.log(THIRD_OCTAVES.centres_hz[reached])
        identity = np.eye(centres.size)
        wanted = np.log(np.maximum(frequencies, 1.0))
        self._spread = np.stack([np.interp(wanted, centres, row) for row in identity])

    def gains(self, psd: FloatArray, amount: float, bounds_db: tuple[float, float]) -> FloatArray:
        """Return gains like the spectra ``psd`` [..., bins], before they are scaled to keep the cost."""
        speech = psd @ self._shares + _QUIETEST * self._noise
        total = speech.sum(axis=-1, keepdims=True)
        best = optimal_powers(speech / total, self._noise, self._importance, self._cost)
        gains_db = amount * 10.0 * np.log10(np.maximum(best * total / speech, _QUIETEST))
        return 10.0 ** (np.clip(gains_db, *bounds_db) @ self._spread / 20.0)


def optimal_powers(speech: FloatArray, noise: FloatArray, importance: FloatArray, cost: FloatArray) -> FloatArray:
    """Return the band powers that make the most of the index at the cost of the given ones.

    Parameters
    ----------
    speech : float64 [..., bands]
        Powers whose total cost is to be kept.
    noise, importance, cost : float64 [bands]
        Power of the noise, importance of the band, and what a unit of power costs in it.
    """
    budget = (speech * cost).sum(axis=-1, keepdims=True)
    worth = np.sqrt(importance * noise / cost)
    # With the multiplier falling, one band after the other begins to be worth its noise; in between, the cost grows
    # in proportion to 1 / sqrt(multiplier), so that the wanted stretch is found by its cost at the start.
    starts = noise / worth
    order = np.argsort(starts)
    slopes, offsets = np.cumsum((worth * cost)[order]), np.cumsum((noise * cost)[order])
    stretch = np.searchsorted(slopes * starts[order] - offsets, budget, side="right") - 1
    root = (budget + offsets[stretch]) / slopes[stretch]
    best: FloatArray = np.maximum(worth * root - noise, 0.0)
    return best


def noise_psd(noise: str, frequencies_hz: FloatArray) -> FloatArray:
    """Return the power density that a noise's name or levels stand for, of no particular unit, float64."""
    frequencies = np.maximum(frequencies_hz.astype(np.float64), 1.0)
    if noise == "speech":
        return normal_speech_psd(frequencies) + _QUIETEST
    if noise in ("white", "pink"):
        return np.ones(frequencies.size) if noise == "white" else 1.0 / frequencies
    if ":" not in noise:
        raise InvalidParameterError(f"noise must be speech, white, pink or levels as '125:60,1000:45', not {noise!r}")
    known_hz, levels_db = parse_levels("noise", noise, -200.0, 200.0)
    density: FloatArray = 10.0 ** (np.interp(np.log(frequencies), np.log(known_hz), levels_db) / 10.0)
    return density


def near_end_equalize(
    audio: npt.ArrayLike,
    sample_rate: int,
    *,
    noise: str = "speech",
    snr_db: float = -5.0,
    equal: str = "loudness",
    amount: float = 0.5,
    max_boost_db: float = 15.0,
    max_cut_db: float = 20.0,
    link_channels: bool = False,
) -> AnyArray:
    """Return audio ``[samples]`` or ``[channels, samples]`` shaped for noise; see ``NearEndEqualizer``."""
    return process_whole(
        audio,
        lambda channels: NearEndEqualizer(
            sample_rate,
            channels,
            noise=noise,
            snr_db=snr_db,
            equal=equal,
            amount=amount,
            max_boost_db=max_boost_db,
            max_cut_db=max_cut_db,
            link_channels=link_channels,
        ),
    )
