"""Whether to enhance for a recogniser, and at what strength: a verdict that is not fitted to the clips it is made of.

The clips are parted into two halves by seed. On each half the strength with the fewest word errors is chosen, the
gentler one where two have as many, and tried on the other half, which had no part in the choice. The errors saved
there, over both halves, are the gain; its interval comes of a paired bootstrap over clips. Only if the whole interval
lies above 0 is enhancing advised, at the strength with the fewest errors over all clips. So a tie leaves the recording
alone, as does a gain that may be chance. At 95 % confidence one verdict in forty may advise enhancing where there is
nothing to be gained: in a table of many conditions, look at neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from unmuffle.measure.impact.bootstrap import ClipBootstrap, Estimate
from unmuffle.signal.arrays import AnyArray

LEAST_CLIPS = 10
"""With fewer the bootstrap tells nothing."""

Advice = Literal["enhance", "enhance with strength", "leave alone"]


@dataclass(frozen=True)
class ImpactVerdict:
    """What to do in a condition.

    Attributes
    ----------
    advice : {"enhance", "enhance with strength", "leave alone"}
        To do.
    strength : float
        At which; 0 where the recording is left alone.
    gain : Estimate or None
        By how much the word error rate falls, each half at the strength chosen on the other; None with too few clips.
    chosen : tuple of float
        The strengths chosen on the halves; far apart, they tell of a flat optimum.
    reason : str
        In words.
    """

    advice: Advice
    strength: float
    gain: Estimate | None
    chosen: tuple[float, ...]
    reason: str

    @property
    def text(self) -> str:
        """The advice as a table shows it."""
        return f"{self.advice} {self.strength:g}" if self.advice == "enhance with strength" else self.advice


def decide(
    words: AnyArray, errors: AnyArray, strengths: tuple[float, ...], bootstrap: ClipBootstrap, seed: int
) -> ImpactVerdict:
    """Judge a condition.

    Parameters
    ----------
    words : int [clips]
        Said in each clip.
    errors : int [clips, strengths]
        Of each clip at each strength.
    strengths : tuple of float
        Rising; the first is 0, the recording as it came, and the last 1.
    bootstrap : ClipBootstrap
        Over as many clips.
    seed : int
        Of the halves.
    """
    clips = len(words)
    if clips < LEAST_CLIPS:
        reason = f"too few clips to tell: {clips}, and {LEAST_CLIPS} are needed"
        return ImpactVerdict("leave alone", 0.0, None, (), reason)
    halves = _halves(clips, seed)
    picked = [_fewest(errors[~half]) for half in halves]
    saved = np.zeros(clips)
    for half, place in zip(halves, picked, strict=True):
        saved[half] = errors[half, 0] - errors[half, place]
    gain = bootstrap.ratio(saved, words)
    best = _fewest(errors)
    chosen = tuple(strengths[place] for place in picked)
    if best == 0 or gain.low <= 0.0:
        return ImpactVerdict("leave alone", 0.0, gain, chosen, _why_not(words, errors, bootstrap, best, gain))
    reason = f"{_points(gain.value)} points fewer word errors, at least {_points(gain.low)}"
    return ImpactVerdict(
        "enhance" if strengths[best] == 1.0 else "enhance with strength", strengths[best], gain, chosen, reason
    )


def _halves(clips: int, seed: int) -> tuple[AnyArray, AnyArray]:
    first = np.zeros(clips, bool)
    first[np.random.default_rng((seed, clips, 2)).permutation(clips)[: clips // 2]] = True
    return first, ~first


def _fewest(errors: AnyArray) -> int:
    """Return the place of the strength with the fewest errors, the lowest of several."""
    return int(np.argmin(errors.sum(axis=0)))


def _why_not(words: AnyArray, errors: AnyArray, bootstrap: ClipBootstrap, best: int, gain: Estimate) -> str:
    full = bootstrap.ratio(errors[:, -1] - errors[:, 0], words)
    worse = f"; at full strength it is {_points(full.value)} points worse" if full.low > 0.0 else ""
    if best == 0:
        return f"no strength makes fewer word errors{worse}"
    return f"what it gains may be chance: {_points(gain.low)} to {_points(gain.high)} points{worse}"


def _points(share: float) -> str:
    return f"{100.0 * share + 0.0:.1f}"
