"""The settings of an enhancement as the arguments of one call."""

from __future__ import annotations

import numpy.typing as npt

from unmuffle.denoise.choice import ModelName
from unmuffle.enhancer.enhancer import Enhancer
from unmuffle.enhancer.noise_sample import NoiseSample
from unmuffle.enhancer.stream import EnhancerStream
from unmuffle.signal.arrays import AnyArray


def enhance(
    audio: npt.ArrayLike,
    sample_rate: int,
    *,
    method: str = "auto",
    strength: float = 1.0,
    max_attenuation_db: float | None = None,
    noise_profile: NoiseSample | None = None,
    residual: bool = False,
    link_channels: bool = True,
    model: ModelName | None = None,
) -> AnyArray:
    """Make the voice in an array clear: ``Enhancer(...).enhance(audio, sample_rate)``.

    Parameters
    ----------
    audio : array_like
        ``[samples]`` or ``[channels, samples]``; float (full scale 1.0), int16 or int32.
    sample_rate : int
        In Hz, 8,000 to 192,000.
    method : str, default "auto"
        The best there is, or one of ``unmuffle methods``.
    strength : float, default 1.0
        How much of the effect is heard, 0 to 1.
    max_attenuation_db : float, optional
        Nothing is attenuated by more than this.
    noise_profile : array, (start_s, end_s) or path, optional
        Noise alone, for noise that stays the same.
    residual : bool, default False
        Give what was removed.
    link_channels : bool, default True
        Same gains for all channels; see ``Enhancer``.
    model : str or path, optional
        A network instead of a method: the name of one of ``unmuffle models``, or an ONNX file of one's own.

    Returns
    -------
    ndarray
        Of the shape and type of ``audio``.

    Raises
    ------
    InvalidAudioError
        If the array is empty, has a wrong shape or type, or holds NaN or infinity.
    InvalidParameterError
        If a setting or the rate is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> noisy = 0.1 * np.random.default_rng(0).standard_normal(48_000)
    >>> clear = enhance(noisy, 48_000)
    >>> clear.shape == noisy.shape, bool(np.std(clear) < 0.3 * np.std(noisy))
    (True, True)
    """
    settings = Enhancer(method, strength, max_attenuation_db, noise_profile, residual, link_channels, model=model)
    return settings.enhance(audio, sample_rate)


def open_stream(
    sample_rate: int,
    channels: int = 1,
    block_size: int | None = None,
    *,
    method: str = "auto",
    strength: float = 1.0,
    max_attenuation_db: float | None = None,
    noise_profile: NoiseSample | None = None,
    residual: bool = False,
    link_channels: bool = True,
    model: ModelName | None = None,
) -> EnhancerStream:
    """Open a live stream: blocks in, blocks out, 32 ms behind.

    Parameters
    ----------
    sample_rate : int
        In Hz, 8,000 to 192,000.
    channels : int, default 1
        Of every block.
    block_size : int, optional
        Every block has so many samples and is answered by one of the same size, late by ``stream.latency``. Without
        it, blocks may have any size, and are answered by what is ready: nothing is shifted, and the end comes with
        ``flush``.
    method : str, default "auto"
        The best there is, or one of ``unmuffle methods``.
    strength : float, default 1.0
        How much of the effect is heard, 0 to 1.
    max_attenuation_db : float, optional
        Nothing is attenuated by more than this.
    noise_profile : array or path, optional
        Noise alone, for noise that stays the same.
    residual : bool, default False
        Give what was removed.
    link_channels : bool, default True
        Whether the channels are one recording. Pass False for the callers of a server: each then is on its own and can
        be reset alone.
    model : str or path, optional
        A network instead of a method: the name of one of ``unmuffle models``, or an ONNX file of one's own.

    Returns
    -------
    EnhancerStream

    Raises
    ------
    InvalidParameterError
        If a parameter is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> stream = open_stream(16_000, block_size=160)
    >>> stream.process(np.zeros(160, np.int16)).shape, round(stream.latency_ms)
    ((160,), 30)
    """
    settings = Enhancer(method, strength, max_attenuation_db, noise_profile, residual, link_channels, model=model)
    return settings.open_stream(sample_rate, channels, block_size)
