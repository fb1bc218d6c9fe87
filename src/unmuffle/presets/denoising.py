"""The denoiser as a stage: a model or a method, with its strength."""

from __future__ import annotations

from typing import cast

from unmuffle.denoise.choice import Choice
from unmuffle.denoise.noise import NoiseEstimator
from unmuffle.process import DryWet
from unmuffle.process.dry_wet import Strength
from unmuffle.process.processor import NonFinite


def denoise(
    sample_rate: int,
    channels: int = 1,
    *,
    method: str = "auto",
    model: str | None = None,
    strength: float | str = "auto",
    max_attenuation_db: float | None = None,
    keep: str | None = None,
    link_channels: bool = False,
    nonfinite: NonFinite = "raise",
    noise: NoiseEstimator | None = None,
    warnings: list[str] | None = None,
) -> DryWet:
    """Return a denoiser; the options are those of ``unmuffle.Enhancer``, but that the strength follows the noise.

    ``warnings`` takes up what is to be told if another denoiser stands in for the one asked for.
    """
    processor, warning = Choice(method, model).processor(
        sample_rate, channels, noise, link_channels=link_channels, nonfinite=nonfinite
    )
    if warning and warnings is not None:
        warnings.append(warning)
    return DryWet(processor, cast(Strength, strength), max_attenuation_db, keep=keep)
