"""A recording of many microphones into one channel: the front door for arrays of numbers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from unmuffle.array.beamform_options import BeamformOptions, BeamformReport
from unmuffle.array.beamform_run import beamform_blocks
from unmuffle.array.choice import BeamChoice
from unmuffle.array.directions import DirectionLike
from unmuffle.array.geometry import GeometryLike
from unmuffle.array.geometry_files import as_geometry
from unmuffle.array.localization import checked_recording
from unmuffle.signal.arrays import AnyArray, FloatArray, from_float32

BLOCK_S = 2.0


def beamform(
    audio: npt.ArrayLike,
    sample_rate: int,
    geometry: GeometryLike | None = None,
    *,
    method: str = "mask-mvdr",
    toward: DirectionLike = "auto",
    nulls: str = "",
    noise: tuple[float, float] | None = None,
    online: bool = False,
    denoise: bool = False,
    wpe: bool = False,
    check: bool = True,
    reference: int = -1,
    postfilter: str = "none",
    temperature_c: float = 20.0,
) -> tuple[AnyArray, BeamformReport]:
    """Make one channel of the voice out of all microphones.

    Parameters
    ----------
    audio : array_like [microphones, samples]
        Float (full scale 1.0), int16 or int32; at least 2 microphones.
    sample_rate : int
        In Hz, 8,000 to 192,000.
    geometry : ArrayGeometry, str or path, optional
        Of the microphones, in the order of the channels; not needed by ``mask-mvdr``, ``gev`` and ``mwf``.
    method : str, default "mask-mvdr"
        One of ``unmuffle.array.BEAMFORMERS``.
    toward : Direction, float or str, default "auto"
        Of the voice; ``"auto"`` finds it.
    nulls : str, default ""
        Directions to take out, with semicolons between them, for ``lcmv``.
    noise, online, denoise, wpe, check
        See ``BeamformOptions``.
    reference : int, default -1
        Microphone whose voice is kept by methods with a mask; -1 for that of the best SNR.
    postfilter : {"none", "zelinski", "mccowan"}, default "none"
        What takes out noise that the beam has left, for methods that are steered; see
        ``unmuffle.array.POST_FILTERS``.
    temperature_c : float, default 20
        Of the air, -50 to 60 degrees Celsius.

    Returns
    -------
    ndarray [samples]
        Of the type of ``audio``.
    BeamformReport

    Raises
    ------
    InvalidAudioError
        If the array has a wrong shape or type, holds NaN or infinity, or the span of noise holds speech.
    InvalidParameterError
        If there is a single channel, the geometry does not fit, or a parameter is out of range.
    """
    given = np.asarray(audio)
    samples = checked_recording(given, None)
    choice = BeamChoice(method, toward, nulls, reference, temperature_c, postfilter)
    options = BeamformOptions(choice, noise, online, denoise, wpe, check)
    step = round(BLOCK_S * sample_rate)

    def blocks() -> Iterator[FloatArray]:
        for start in range(0, samples.shape[1], step):
            yield samples[:, start : start + step]

    array = None if geometry is None else as_geometry(geometry)
    out, report = beamform_blocks(blocks, sample_rate, len(samples), array, options)
    return from_float32(np.concatenate([np.zeros(0, np.float32), *out]), given.dtype), report
