"""A spectrogram as nothing but pixels, for pages that draw axes of their own."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO

import numpy as np
import numpy.typing as npt

from unmuffle.errors import InvalidParameterError
from unmuffle.measure.spectra.spectrogram import Spectrogram, spectrogram
from unmuffle.measure.spectra.style import LEVEL_MAP, require_matplotlib
from unmuffle.measure.spectra.warp import FrequencyAxis, check_scale
from unmuffle.signal.grid import grid_for, is_whole

CEILING_DBFS = -25.0
FLOOR_DBFS = -100.0

_MOST_PIXELS = 8_192
_ENDS = 3
"""Frames of the grid that may reach over the start (1) or the end (2)."""


def spectrogram_png(
    audio: npt.ArrayLike,
    sample_rate: int,
    *,
    floor_db: float = FLOOR_DBFS,
    ceiling_db: float = CEILING_DBFS,
    width: int = 600,
    height: int = 160,
    max_hz: float | None = None,
    scale: str = "linear",
) -> bytes:
    """Return a spectrogram as a PNG without axes: time to the right, frequency up, channels averaged.

    Pictures of the same two levels can be compared; the colours are magma's 256.

    Parameters
    ----------
    audio : array_like
        ``[samples]`` or ``[channels, samples]``.
    sample_rate : int
        In Hz, 8,000 to 192,000.
    floor_db, ceiling_db : float, default -100 and -25
        Levels of the darkest and the brightest colour, in dBFS (a full-scale sine has -3.0).
    width, height : int, default 600 and 160
        In pixels, 1 to 8,192.
    max_hz : float, optional
        Highest frequency shown; half the sample rate by default and at most.
    scale : {"linear", "log", "mel"}, default "linear"
        Of the frequencies.

    Raises
    ------
    InvalidAudioError
        If there is no sample, or NaN or infinity.
    InvalidParameterError
        If a number is outside its range.
    MissingExtraError
        If matplotlib, with the picture library it brings, is not installed.
    """
    require_matplotlib()
    from PIL import Image

    for name, pixels in (("width", width), ("height", height)):
        if not is_whole(pixels) or not 1 <= pixels <= _MOST_PIXELS:
            raise InvalidParameterError(f"{name} must be a whole number from 1 to {_MOST_PIXELS}, not {pixels!r}")
    if not floor_db < ceiling_db:
        raise InvalidParameterError(f"floor_db must lie below ceiling_db, not {floor_db!r} and {ceiling_db!r}")
    axis = frequency_axis(scale, max_hz, sample_rate)
    shown = spectrogram(audio, sample_rate, max_columns=2 * width, average_channels=True)
    level_db = axis.rows(_without_cuts(shown), float(shown.frequencies_hz[1]), height)[::-1]
    share = np.clip((level_db - floor_db) / (ceiling_db - floor_db), 0.0, 1.0).astype(np.float32)
    fitted = Image.fromarray(share).resize((width, height), Image.Resampling.BILINEAR)
    picture = Image.fromarray(np.round(255.0 * np.asarray(fitted)).astype(np.uint8))
    picture.putpalette(_colours())
    stored = BytesIO()
    picture.save(stored, "PNG", compress_level=6)
    return stored.getvalue()


def frequency_axis(scale: str, max_hz: float | None, sample_rate: int) -> FrequencyAxis:
    """Return the axis up to a frequency or half the sample rate, or raise ``InvalidParameterError``."""
    axis = FrequencyAxis(check_scale(scale), 0.5 * sample_rate if max_hz is None else min(max_hz, 0.5 * sample_rate))
    if not axis.highest_hz >= 2.0 * axis.lowest_hz + 100.0:
        raise InvalidParameterError(f"max_hz must be at least {2.0 * axis.lowest_hz + 100.0:g} Hz, not {max_hz!r}")
    return axis


def _without_cuts(shown: Spectrogram) -> npt.NDArray[np.float32]:
    """Return levels [bins, columns] in which windows that reach over an end show what is beside them, not the cut."""
    level_db = shown.levels_dbfs[0]
    if shown.column_s > grid_for(shown.sample_rate).hop_s or level_db.shape[1] < _ENDS + 2:
        return level_db
    level_db[:, 0] = level_db[:, 1]
    level_db[:, -2:] = level_db[:, -3:-2]
    return level_db


@lru_cache(maxsize=1)
def _colours() -> bytes:
    from matplotlib import colormaps

    return bytes(np.round(255.0 * colormaps[LEVEL_MAP](np.arange(256))[:, :3]).astype(np.uint8))
