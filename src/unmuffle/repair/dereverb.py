"""Dereverberation of a whole array by the name of a method."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import signature
from types import MappingProxyType

import numpy.typing as npt

from unmuffle.errors import InvalidParameterError
from unmuffle.repair.late_reverb import suppress_late_reverb
from unmuffle.repair.wpe import wpe
from unmuffle.repair.wpe_offline import wpe_offline
from unmuffle.signal.arrays import AnyArray

METHODS: Mapping[str, Callable[..., AnyArray]] = MappingProxyType(
    {"wpe": wpe, "wpe_offline": wpe_offline, "late": suppress_late_reverb}
)


def dereverb(audio: npt.ArrayLike, sample_rate: int, method: str = "wpe", **options: float | int | bool) -> AnyArray:
    """Take late reverberation off audio.

    Parameters
    ----------
    audio : array_like
        ``[samples]`` or ``[channels, samples]``; float (full scale 1.0), int16 or int32. It is not changed.
    sample_rate : int
        In Hz, 8,000 to 192,000.
    method : {"wpe", "wpe_offline", "late"}, default "wpe"
        Weighted prediction error frame by frame as in a live stream, or in blocks, which finds more; or suppression by
        expected power, which is cheapest and strongest, and not linear. See ``Wpe``, ``WpeOffline`` and
        ``LateReverbSuppressor``.
    **options
        Those of the class; channels are linked unless ``link_channels=False``.

    Returns
    -------
    ndarray
        Of the shape and type of ``audio``.

    Raises
    ------
    InvalidAudioError
        If the array is empty, has a wrong shape or type, or holds NaN or infinity.
    InvalidParameterError
        If there is no such method, it has no such option, or a parameter is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> dereverb(np.zeros(16_000), 16_000, "late", rt60_s=0.6).shape
    (16000,)
    """
    run = METHODS.get(method)
    if run is None:
        raise InvalidParameterError(f"there is no method {method!r} of dereverberation; there are {', '.join(METHODS)}")
    known = [name for name in signature(run).parameters if name not in ("audio", "sample_rate")]
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise InvalidParameterError(f"the method {method!r} has no option {unknown[0]!r}; it has {', '.join(known)}")
    return run(audio, sample_rate, **options)
