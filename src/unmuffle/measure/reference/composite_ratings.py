"""Composite measures CSIG, CBAK and COVL: what listeners would say, foretold from four other measures.

Y. Hu and P. C. Loizou, "Evaluation of objective quality measures for speech enhancement", IEEE TASLP 16(1), 2008;
coefficients, parts and limits are those of Loizou's composite.m.

Ratings of the speech, of the background and of the whole by ITU-T P.835 are a linear regression of log-likelihood
ratio, weighted spectral slope, PESQ and segmental SNR. The segmental SNR is composite.m's: Hann frames of 30 ms, a
quarter apart, all but the last, silent ones too.

From 16 kHz up, audio is resampled to 16 kHz and PESQ is wideband MOS-LQO, as in nearly all figures published for
wideband speech, though the regression was never fitted to that. Below 16 kHz, it is resampled to 8 kHz, and PESQ is the
raw narrowband score that the regression was fitted to: the mapping of P.862.1 is undone.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import numpy as np
import numpy.typing as npt

from unmuffle.measure.reference.likelihood_ratio import log_likelihood_ratio
from unmuffle.measure.reference.paired_frames import loizou_framing, over_frames
from unmuffle.measure.reference.pairs import WIDEBAND_HZ, checked_pair, mean_over_channels, resampled, speech_rate
from unmuffle.measure.reference.perceptual_quality import pesq_narrowband, pesq_wideband
from unmuffle.measure.reference.segmental_snr import frame_snr_db
from unmuffle.measure.reference.spectral_slope import weighted_spectral_slope
from unmuffle.signal.arrays import FloatArray

_LEAST_S = 0.25


@dataclass(frozen=True)
class Composite:
    """Predicted ratings of ITU-T P.835, each 1 (bad) to 5 (excellent), and the parts they are made of.

    Attributes
    ----------
    csig, cbak, covl : float
        Of the speech, of the background, and overall.
    llr, wss, pesq, segmental_snr_db : float
        Log-likelihood ratio, weighted spectral slope, PESQ and segmental SNR; means over channels.
    """

    csig: float
    cbak: float
    covl: float
    llr: float
    wss: float
    pesq: float
    segmental_snr_db: float


def composite(reference: npt.ArrayLike, estimate: npt.ArrayLike, sample_rate: int) -> Composite:
    """Return CSIG, CBAK and COVL; parts are averaged over channels first.

    Parameters
    ----------
    reference, estimate : array_like
        Speech, ``[samples]`` or ``[channels, samples]``, of equal shape; at least 0.25 s.
    sample_rate : int
        In Hz, 8,000 to 192,000; resampled to 16 kHz, below that to 8 kHz.

    Raises
    ------
    InvalidAudioError
        If the two cannot be compared: other shapes, too few samples, NaN or infinity, a silent reference or estimate,
        or if PESQ finds no utterance.
    MissingExtraError
        If ``pesq`` is not installed.
    """
    rate = speech_rate(sample_rate)
    pair = checked_pair(reference, estimate, sample_rate, "the composite measure", _LEAST_S)
    clean, other = resampled(pair, sample_rate, rate)
    framing = loizou_framing(rate)

    def segmental(one: FloatArray, two: FloatArray) -> float:
        return float(over_frames(frame_snr_db, one, two, framing)[:-1].mean())

    return composite_of(
        llr=log_likelihood_ratio(clean, other, rate),
        wss=weighted_spectral_slope(clean, other, rate),
        pesq=pesq_wideband(clean, other, rate) if rate == WIDEBAND_HZ else _raw(pesq_narrowband(clean, other, rate)),
        segmental_snr_db=mean_over_channels(segmental, (clean, other)),
    )


def composite_of(*, llr: float, wss: float, pesq: float, segmental_snr_db: float) -> Composite:
    """Return the ratings that follow from the parts.

    Examples
    --------
    The example that comes with composite.m:

    >>> rating = composite_of(llr=0.681368, wss=49.671978, pesq=2.255732, segmental_snr_db=3.991727)
    >>> round(rating.csig, 4), round(rating.cbak, 4), round(rating.covl, 4)
    (3.305, 2.616, 2.7133)
    """
    return Composite(
        csig=_limited(3.093 - 1.029 * llr + 0.603 * pesq - 0.009 * wss),
        cbak=_limited(1.634 + 0.478 * pesq - 0.007 * wss + 0.063 * segmental_snr_db),
        covl=_limited(1.594 + 0.805 * pesq - 0.512 * llr - 0.007 * wss),
        llr=llr,
        wss=wss,
        pesq=pesq,
        segmental_snr_db=segmental_snr_db,
    )


def _limited(rating: float) -> float:
    return float(np.clip(rating, 1.0, 5.0))


def _raw(mos_lqo: float) -> float:
    """Return the raw narrowband PESQ score from which P.862.1 makes this MOS-LQO."""
    return (4.6607 - log(4.0 / (mos_lqo - 0.999) - 1.0)) / 1.4945
