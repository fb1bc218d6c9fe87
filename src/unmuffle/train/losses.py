"""What training makes small: distances between compressed spectra, between waveforms, and of the two heads.

After FastEnhancer (arXiv 2509.21867): magnitude and complex distance of spectra compressed to the power 0.3, the
distance of a spectrum to that of its own waveform (consistency), and the waveform's L1; with terms of ours:

- over-suppression: the magnitude distance again, only where speech was taken away, since a word lost is worse than
  noise kept;
- SI-SDR in dB, which still asks for more where the rest is all but content: speech that was clean;
- the distance of spectra of several resolutions (off unless it is given a weight);
- the mask's squared distance to an ideal one, for the mask estimators;
- presence (binary cross-entropy) and local SNR (squared error) of each frame.

Both waveforms are first brought to one level, the geometric mean of that of the noisy clip and that of the target, so
that neither loud clips nor hopeless ones outweigh the others.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from unmuffle.signal.grid import grid_for
from unmuffle.train.masks import IDEAL_MASKS
from unmuffle.train.multi_resolution import multi_resolution_distance
from unmuffle.train.networks.bands import CORE_BINS
from unmuffle.train.networks.contract import Estimate, analyse

POWER = 0.3
POWER_FLOOR = 1e-6
SPECTRUM_SCALE, WAVEFORM_SCALE = 25.6, 0.1
"""What the paper's spectra and waveforms stand at, next to ours of level 1 divided by the hop: so its weights fit."""
LOCAL_SNR_DB = (-15.0, 35.0)
PRESENT_BELOW_PEAK_DB = 35.0
BEST_SI_SDR_DB = 35.0
SILENT = 1e-5


@dataclass(frozen=True)
class LossWeights:
    """Weight of each term; ``[loss]`` in a config.

    ``air`` is the share that the bins above 8 kHz have in the spectral terms, beside 1 for those below.
    """

    magnitude: float = 0.3
    complex: float = 0.2
    consistency: float = 0.3
    waveform: float = 0.2
    over_suppression: float = 0.15
    si_sdr: float = 0.002
    presence: float = 0.01
    local_snr: float = 0.05
    mask: float = 1.0
    multi_resolution: float = 0.0
    air: float = 0.3


def training_loss(
    estimate: Estimate, noisy: Tensor, target: Tensor, sample_rate: int, weights: LossWeights
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the weighted loss of a batch and its terms unweighted, all scalars.

    Parameters
    ----------
    estimate : Estimate
        What the network made of ``noisy``.
    noisy, target : Tensor [clips, samples]
        Input and wanted output.
    sample_rate : int
        In Hz.
    weights : LossWeights
        Terms with weight 0 are left out.
    """
    factor = _common_level(noisy, target)
    terms = {"waveform": WAVEFORM_SCALE * (estimate.waveform - target).mul(factor).abs().mean()}
    terms["si_sdr"] = -si_sdr_db(estimate.waveform, target).clamp(max=BEST_SI_SDR_DB).mean()
    if weights.multi_resolution:
        terms["multi_resolution"] = multi_resolution_distance(estimate.waveform * factor, target * factor, sample_rate)
    if weights.magnitude or weights.complex or weights.consistency or weights.over_suppression:
        terms |= _spectral_terms(estimate, target, factor, sample_rate, weights.air)
    if estimate.mask is not None and weights.mask:
        grid = grid_for(sample_rate)
        ideal = IDEAL_MASKS[estimate.mask_kind](analyse(target, grid), analyse(noisy, grid))
        terms["mask"] = (estimate.mask - ideal).square().mean()
    if estimate.presence is not None and estimate.local_snr is not None:
        terms |= _head_terms(estimate.presence, estimate.local_snr, noisy, target, sample_rate)
    used = {name: weight for name, weight in _term_weights(weights) if weight and name in terms}
    total = torch.stack([weight * terms[name] for name, weight in used.items()]).sum()
    return total, {name: terms[name].detach() for name in used}


def si_sdr_db(estimate: Tensor, target: Tensor) -> Tensor:
    """Scale-invariant signal-to-distortion ratio in dB [clips], means kept (J. Le Roux et al., 2019).

    Silent targets count 0 dB and have no gradient.
    """
    energy = target.square().sum(-1)
    present = energy > SILENT**2 * target.shape[-1]
    scale = (estimate * target).sum(-1) / energy.clamp(min=1e-9)
    wanted = scale.unsqueeze(-1) * target
    ratio = (wanted.square().sum(-1) + 1e-9) / ((estimate - wanted).square().sum(-1) + 1e-9)
    return torch.where(present, 10 * torch.log10(ratio), torch.zeros_like(ratio))


def compress(spectrum: Tensor) -> tuple[Tensor, Tensor]:
    """Magnitude and complex spectrum to the power 0.3; the second keeps the phase."""
    power = spectrum.real.square() + spectrum.imag.square() + POWER_FLOOR
    log_power = torch.log(power)
    return torch.exp(0.5 * POWER * log_power), spectrum * torch.exp(0.5 * (POWER - 1) * log_power)


def frame_labels(noisy: Tensor, target: Tensor, sample_rate: int) -> tuple[Tensor, Tensor]:
    """Speech presence (0 or 1) and local SNR (0 to 1 over ``LOCAL_SNR_DB``) of each frame [frames, clips]."""
    grid = grid_for(sample_rate)
    wanted = analyse(target, grid)[..., :CORE_BINS].abs().square().sum(-1)
    rest = analyse(noisy - target, grid)[..., :CORE_BINS].abs().square().sum(-1)
    threshold = wanted.amax(0) * 10 ** (-PRESENT_BELOW_PEAK_DB / 10)
    presence = (wanted > threshold.clamp(min=SILENT**2)).to(target.dtype)
    low_db, high_db = LOCAL_SNR_DB
    snr_db = 10 * torch.log10((wanted + 1e-12) / (rest + 1e-12))
    return presence, ((snr_db - low_db) / (high_db - low_db)).clamp(0, 1)


def _common_level(noisy: Tensor, target: Tensor) -> Tensor:
    """Factor [clips, 1] that brings the geometric mean of both levels to 1; the noisy one alone without speech."""
    noisy_rms = noisy.square().mean(-1, keepdim=True).sqrt().clamp(min=SILENT)
    target_rms = target.square().mean(-1, keepdim=True).sqrt()
    target_rms = torch.where(target_rms > SILENT, target_rms, noisy_rms)
    return 1 / torch.sqrt(noisy_rms * target_rms)


def _spectral_terms(
    estimate: Estimate, target: Tensor, factor: Tensor, sample_rate: int, air: float
) -> dict[str, Tensor]:
    grid, factor = grid_for(sample_rate), SPECTRUM_SCALE * factor
    of_waveform = analyse(estimate.waveform * factor, grid)
    own = of_waveform if estimate.spectrum is None else estimate.spectrum * factor
    own_magnitude, own_complex = compress(own)
    magnitude, complex_spectrum = compress(analyse(target * factor, grid))
    lost = (magnitude - own_magnitude).clamp(min=0)
    terms = {
        "magnitude": _over_bins((own_magnitude - magnitude).square(), air),
        "complex": _over_bins(_square(own_complex - complex_spectrum), air),
        "over_suppression": _over_bins(lost.square(), air),
    }
    if estimate.spectrum is not None:
        terms["consistency"] = _over_bins(_square(own_complex - compress(of_waveform)[1]), air)
    return terms


def _square(spectrum: Tensor) -> Tensor:
    return spectrum.real.square() + spectrum.imag.square()


def _over_bins(squares: Tensor, air: float) -> Tensor:
    core = squares[..., : CORE_BINS + 1].mean()
    upper = squares[..., CORE_BINS + 1 :]
    return core + air * upper.mean() if upper.shape[-1] else core


def _head_terms(
    presence: Tensor, local_snr: Tensor, noisy: Tensor, target: Tensor, sample_rate: int
) -> dict[str, Tensor]:
    wanted_presence, wanted_snr = frame_labels(noisy, target, sample_rate)
    return {
        "presence": binary_cross_entropy_with_logits(presence, wanted_presence),
        "local_snr": (local_snr - wanted_snr).square().mean(),
    }


def _term_weights(weights: LossWeights) -> list[tuple[str, float]]:
    return [(field.name, getattr(weights, field.name)) for field in fields(weights) if field.name != "air"]
