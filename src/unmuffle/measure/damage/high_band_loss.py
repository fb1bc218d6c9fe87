"""High-band loss: by how much the speech above 4 kHz, and above 8 kHz, fell more than the speech below.

A definition of ours. The power of the speech cells of a band, enhanced over original, in dB, is compared with that of
300 Hz to 4 kHz. Fricatives live there, and go where a noise estimate is too high, or where an enhancer works at
16 kHz inside.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from unmuffle.errors import InvalidAudioError
from unmuffle.measure.damage.channels import per_channel, ratio_db
from unmuffle.measure.damage.pair_spectra import ChannelSpectra, PairSpectra
from unmuffle.measure.damage.spectral_distortion import LEAST_CELLS, no_speech

_EDGES_HZ = (300.0, 4_000.0, 8_000.0)
_LEAST_BINS = 8
_LEAK_BINS = 2
"""So far a Hann window lets sound leak into the next band."""


@dataclass(frozen=True)
class HighBandLoss:
    """What the high bands lost against the band from 300 Hz to 4 kHz.

    Attributes
    ----------
    above_4_khz_db : float
        Loss of 4 to 8 kHz; above 0 where it fell more than the low band.
    above_8_khz_db : float or None
        Loss of what is above 8 kHz; None where there is no speech up there.
    """

    above_4_khz_db: float
    above_8_khz_db: float | None

    @property
    def worst_db(self) -> float:
        """The larger of the two."""
        return self.above_4_khz_db if self.above_8_khz_db is None else max(self.above_4_khz_db, self.above_8_khz_db)


def high_band_loss_db(
    original: npt.ArrayLike, enhanced: npt.ArrayLike, sample_rate: int, *, reference: npt.ArrayLike | None = None
) -> float:
    """Return the larger loss of the two high bands in dB; see ``high_band_loss``."""
    return high_band_loss_of(PairSpectra(original, enhanced, sample_rate, reference)).worst_db


def high_band_loss(
    original: npt.ArrayLike, enhanced: npt.ArrayLike, sample_rate: int, *, reference: npt.ArrayLike | None = None
) -> HighBandLoss:
    """Return what the speech above 4 kHz lost against that below, each the mean over channels.

    Parameters
    ----------
    original, enhanced, sample_rate, reference
        As for ``PairSpectra``; a rate above 8 kHz.

    Raises
    ------
    InvalidAudioError
        As ``PairSpectra``, if the rate leaves no room above 4 kHz, or if no speech stands out of the noise there.
    """
    return high_band_loss_of(PairSpectra(original, enhanced, sample_rate, reference))


def high_band_loss_of(spectra: PairSpectra) -> HighBandLoss:
    """Return ``high_band_loss`` of a pair that is analysed already."""
    losses = per_channel(_losses, spectra)
    above_8_khz = [loss.above_8_khz_db for loss in losses if loss.above_8_khz_db is not None]
    return HighBandLoss(
        float(np.mean([loss.above_4_khz_db for loss in losses])),
        float(np.mean(above_8_khz)) if above_8_khz else None,
    )


def _losses(channel: ChannelSpectra) -> HighBandLoss:
    grid = channel.grid
    edges = [min(round(hz / grid.bin_hz), grid.bins) for hz in _EDGES_HZ] + [grid.bins]
    if grid.bins - edges[1] < _LEAST_BINS:
        raise InvalidAudioError(f"there is nothing above 4 kHz at a sample rate of {grid.sample_rate} Hz")
    low_db, middle_db, high_db = _changes_db(channel, edges)
    if low_db is None or middle_db is None:
        raise no_speech("high-band loss")
    return HighBandLoss(low_db - middle_db, None if high_db is None else low_db - high_db)


def _changes_db(channel: ChannelSpectra, edges: list[int]) -> list[float | None]:
    """Return the change of the speech's power between neighbouring edges in dB, None where there is no speech."""
    starts = [edge + _LEAK_BINS for edge in edges[:-1]]
    sums = np.zeros((3, len(starts)))
    for cells in channel:
        for band, (first, end) in enumerate(zip(starts, edges[1:], strict=True)):
            speech = cells.speech[:, first:end]
            sums[0, band] += np.count_nonzero(speech)
            sums[1, band] += np.einsum("fb,fb->", cells.original[:, first:end], speech, dtype=np.float64)
            sums[2, band] += np.einsum("fb,fb->", cells.enhanced[:, first:end], speech, dtype=np.float64)
    return [ratio_db(after, before) if count >= LEAST_CELLS else None for count, before, after in sums.T]
