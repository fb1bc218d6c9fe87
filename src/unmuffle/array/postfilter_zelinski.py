"""Zelinski's post-filter: what two microphones have in common is voice, where their noises have nothing in common.

R. Zelinski, "A microphone array with adaptive post-filtering for noise reduction in reverberant rooms", ICASSP 1988:
the power of the voice is the mean of the real parts of the cross-powers of all pairs in step. In noise from all sides
near microphones hear the same below c / 2d, and there it does nothing: see ``postfilter_mccowan``.
"""

from __future__ import annotations

import numpy as np

from unmuffle.array.postfilter import FLOOR_DB, SMOOTHING_S, PostFilter
from unmuffle.signal.arrays import ComplexArray
from unmuffle.signal.grid import Grid


class ZelinskiFilter(PostFilter):
    """Post-filter for noises that the microphones do not share.

    Parameters
    ----------
    grid : Grid
        Of the frames.
    steering : complex [bins, microphones]
        What the microphones receive of the voice.
    smoothing_s : float, default 0.06
        Time constant of the powers in seconds, 0.005 to 10.
    floor_db : float, default -15
        The least gain, -60 to 0 dB.

    Raises
    ------
    InvalidParameterError
        If a parameter is out of its range.
    """

    def __init__(
        self, grid: Grid, steering: ComplexArray, *, smoothing_s: float = SMOOTHING_S, floor_db: float = FLOOR_DB
    ) -> None:
        microphones = steering.shape[1]
        mean = (1.0 - np.eye(microphones)) / (microphones * (microphones - 1))
        super().__init__(
            grid,
            steering,
            np.broadcast_to(mean, (grid.bins, microphones, microphones)),
            smoothing_s=smoothing_s,
            floor_db=floor_db,
        )
