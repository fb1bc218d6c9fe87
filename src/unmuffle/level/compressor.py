"""Feed-forward compressor: Giannoulis, Massberg and Reiss (2012).

"Digital dynamic range compressor design: a tutorial and analysis", J. Audio Eng. Soc. 60 (6): the static curve with a
soft knee of equation 4, in the log domain, and attack and release after it (figure 7c), so that the release begins as
soon as the level falls and ends at no reduction. The detector is the decoupled one; see ``envelope``. Left out: RMS
detection, side chains and automatic make-up.
"""

from __future__ import annotations

from math import inf

import numpy as np
import numpy.typing as npt

from unmuffle.level.dynamics import DB_A_NEPER, DynamicsProcessor, amplitude, loudest_channel
from unmuffle.level.envelope import AttackRelease
from unmuffle.level.settings import within
from unmuffle.process import process_whole
from unmuffle.process.processor import NonFinite
from unmuffle.signal.arrays import AnyArray, BoolArray, FloatArray

_QUIETEST = np.float32(1e-6)


class Compressor(DynamicsProcessor):
    """Makes what is loud less loud, by the same curve at every frequency.

    Parameters
    ----------
    sample_rate : int
        In Hz, 8,000 to 192,000.
    channels : int, default 1
        Rows of every block.
    threshold_db : float, default -24.0
        Level of the peaks in dBFS above which the level is reduced, -80 to 0.
    ratio : float, default 3.0
        By how many dB the input must rise above the threshold for the output to rise by one, at least 1 (no
        effect); infinity holds the threshold.
    knee_db : float, default 6.0
        Width of the range around the threshold in which the curve bends, 0 (a corner) to 40.
    attack_ms, release_ms : float, default 5.0 and 100.0
        Time constants: after the attack 63 % of a step of the reduction in dB is reached, after the release 37 % of a
        reduction is left. Attack 0 to 1,000, release 1 to 5,000.
    makeup_db : float, default 0.0
        Gain after the compression, -40 to 40.
    link_channels : bool, default False
        Give all channels the same gain, that of the loudest, so that a voice keeps its place between the loudspeakers.
    nonfinite : {"raise", "silence"}, default "raise"
        See ``Processor``.

    Raises
    ------
    InvalidParameterError
        If a parameter is out of its range.
    """

    def __init__(
        self,
        sample_rate: int,
        channels: int = 1,
        *,
        threshold_db: float = -24.0,
        ratio: float = 3.0,
        knee_db: float = 6.0,
        attack_ms: float = 5.0,
        release_ms: float = 100.0,
        makeup_db: float = 0.0,
        link_channels: bool = False,
        nonfinite: NonFinite = "raise",
    ) -> None:
        super().__init__(sample_rate, channels, 0, link_channels=link_channels, nonfinite=nonfinite)
        self._curve = (
            within("threshold_db", threshold_db, -80.0, 0.0),
            within("ratio", ratio, 1.0, inf),
            within("knee_db", knee_db, 0.0, 40.0),
        )
        self._makeup_db = within("makeup_db", makeup_db, -40.0, 40.0)
        attack_s = 1e-3 * within("attack_ms", attack_ms, 0.0, 1000.0)
        release_s = 1e-3 * within("release_ms", release_ms, 1.0, 5000.0)
        self._follower = AttackRelease(self.sample_rate, self.rows, attack_s, release_s)
        self._lowest_reduced = 10.0 ** ((threshold_db - 0.5 * knee_db) / 20.0)

    def _gains(self, piece: FloatArray) -> FloatArray:
        magnitudes = loudest_channel(np.abs(piece), self.rows)
        if self._follower.at_rest and magnitudes.max() <= self._lowest_reduced:
            return amplitude(np.full((1, 1), self._makeup_db))
        levels_db = DB_A_NEPER * np.log(np.maximum(magnitudes, _QUIETEST))
        return amplitude(self._makeup_db - self._follower.follow(reduction_for(levels_db, *self._curve)))

    @property
    def _known(self) -> tuple[AnyArray, ...]:
        return self._follower.row_states

    def _forget(self, mask: BoolArray | None) -> None:
        self._follower.reset(mask)


def reduction_for(levels_db: FloatArray, threshold_db: float, ratio: float, knee_db: float) -> FloatArray:
    """Return the reduction in dB, 0 or more, that the static curve gives to levels in dB (equation 4).

    Examples
    --------
    At 3:1, 12 dB above the threshold become 4, and at the middle of a knee of 6 dB half a dB is gone:

    >>> reduction_for(np.array([-40.0, -24.0, -12.0]), threshold_db=-24, ratio=3, knee_db=6)
    array([0. , 0.5, 8. ])
    """
    slope = 1.0 - 1.0 / ratio
    # Clipped to the knee's width the quadratic gives the knee, and beyond it the rest is a straight line.
    above = levels_db - (threshold_db - 0.5 * knee_db)
    if knee_db == 0.0:
        straight: FloatArray = slope * np.maximum(above, 0.0)
        return straight
    within_knee = np.clip(above, 0.0, knee_db)
    reduction: FloatArray = slope * (np.square(within_knee) / (2.0 * knee_db) + np.maximum(above - knee_db, 0.0))
    return reduction


def compress(
    audio: npt.ArrayLike,
    sample_rate: int,
    *,
    threshold_db: float = -24.0,
    ratio: float = 3.0,
    knee_db: float = 6.0,
    attack_ms: float = 5.0,
    release_ms: float = 100.0,
    makeup_db: float = 0.0,
    link_channels: bool = True,
) -> AnyArray:
    """Return audio ``[samples]`` or ``[channels, samples]`` compressed; see ``Compressor`` for the parameters."""
    return process_whole(
        audio,
        lambda channels: Compressor(
            sample_rate,
            channels,
            threshold_db=threshold_db,
            ratio=ratio,
            knee_db=knee_db,
            attack_ms=attack_ms,
            release_ms=release_ms,
            makeup_db=makeup_db,
            link_channels=link_channels,
        ),
    )
