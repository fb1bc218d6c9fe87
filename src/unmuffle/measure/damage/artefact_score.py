"""One figure for all damage: 0 for untouched, above 0.3 where a listener will be annoyed, towards 1 for ruined.

A mapping of ours. What each measure exceeds its harmless amount by is multiplied with a weight, and the sum a becomes
1 - exp(-a): small damages add up, and none alone takes the score beyond 1. ``EXPOSURES`` holds amounts and
weights; a damage alone reaches 0.3 where weight times excess is 0.357.

The weights of spectral distortion, gating and level are of the size that a non-negative least-squares fit gave to the
loss of CSIG (Hu and Loizou 2008) that eleven enhancers caused on 72 recorded mixes at -5 to 15 dB. The fit says little
of onsets and pumping, and nothing of musical noise, which CSIG does not hear, nor of clicks, the image and the high
band, which those enhancers left alone: these weights are set by judgement, so that 0.3 is reached where the damage is
plain. No listening test stands behind them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp

NEEDED = "spectral_distortion_db"
"""Without speech there is no score: the measure that has a value wherever there is speech."""


@dataclass(frozen=True)
class Exposure:
    """How much of a damage is harmless, and what the rest weighs.

    Attributes
    ----------
    harmless : float
        In the unit of the measure.
    weight : float
        For each unit above.
    sign : float, default 1
        -1 where falling is the damage.
    """

    harmless: float
    weight: float
    sign: float = 1.0

    def of(self, value: float) -> float:
        """Return what a value adds to the sum."""
        return self.weight * max(self.sign * value - self.harmless, 0.0)


EXPOSURES: Mapping[str, Exposure] = {
    "musical_noise": Exposure(0.5, 0.2),
    NEEDED: Exposure(3.0, 0.05),
    "onset_loss_db": Exposure(1.0, 0.03),
    "high_band_loss_db": Exposure(1.0, 0.03),
    "gating_db": Exposure(6.0, 0.008),
    "pumping_db": Exposure(6.0, 0.008),
    "border_clicks": Exposure(0.5, 0.2),
    "speech_level_change_db": Exposure(6.0, 0.03, sign=-1.0),
    "image_shift_db": Exposure(1.0, 0.06),
}


def combine(values: Mapping[str, float]) -> float:
    """Return the artefact score of values by key of ``DAMAGE_MEASURES``; one that is missing counts as no damage."""
    return 1.0 - exp(-sum(exposure.of(values[key]) for key, exposure in EXPOSURES.items() if key in values))
