"""The settings of an enhancement as the arguments of one call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy.typing as npt

from unmuffle.denoise.choice import ModelName
from unmuffle.enhancer.chosen_chain import PresetName
from unmuffle.enhancer.enhancer import Enhancer
from unmuffle.enhancer.noise_sample import NoiseSample
from unmuffle.enhancer.overload import OnOverload
from unmuffle.enhancer.stream import EnhancerStream
from unmuffle.process.dry_wet import Strength
from unmuffle.signal.arrays import AnyArray

if TYPE_CHECKING:
    from unmuffle.cache import Cache


def enhance(
    audio: npt.ArrayLike,
    sample_rate: int,
    *,
    method: str = "auto",
    strength: Strength = 1.0,
    max_attenuation_db: float | None = None,
    noise_profile: NoiseSample | None = None,
    residual: bool = False,
    link_channels: bool = True,
    model: ModelName | None = None,
    loudness: float | str | None = None,
    true_peak: float | None = None,
    preset: PresetName | None = None,
    chain: str | None = None,
    keep: str | None = None,
    cache: Cache | bool | None = None,
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
    strength : float or "auto", default 1.0
        How much of the effect is heard, 0 to 1; with ``"auto"`` it follows the noise, and clean speech passes.
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
    loudness : float or str, optional
        Bring the result to this integrated loudness: LUFS, or podcast, broadcast, atsc or streaming.
    true_peak : float, optional
        Ceiling for true peaks in dBTP that goes with a loudness.
    preset : str or path, optional
        A chain of stages instead of the denoiser alone: the name of one of ``unmuffle presets``, or a TOML file.
    chain : str, optional
        Or the chain itself, as in ``"highpass,dehum,denoise,level"``.
    keep : {"music"}, optional
        Let music and singing pass, too, whatever the strength.
    cache : Cache or bool, optional
        Where results are kept, to be returned when the same is asked for again; see ``Enhancer.enhance``.

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
    settings = Enhancer(
        method,
        strength,
        max_attenuation_db,
        noise_profile,
        residual,
        link_channels,
        model=model,
        loudness=loudness,
        true_peak=true_peak,
        preset=preset,
        chain=chain,
        keep=keep,
    )
    return settings.enhance(audio, sample_rate, cache=cache)


def open_stream(
    sample_rate: int,
    channels: int = 1,
    block_size: int | None = None,
    *,
    method: str = "auto",
    strength: Strength = 1.0,
    max_attenuation_db: float | None = None,
    noise_profile: NoiseSample | None = None,
    residual: bool = False,
    link_channels: bool = True,
    model: ModelName | None = None,
    preset: PresetName | None = None,
    chain: str | None = None,
    keep: str | None = None,
    on_overload: OnOverload = "keep",
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
    strength : float or "auto", default 1.0
        How much of the effect is heard, 0 to 1; with ``"auto"`` it follows the noise, and clean speech passes.
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
    preset : str or path, optional
        A chain of stages instead of the denoiser alone: the name of one of ``unmuffle presets``, or a TOML file.
    chain : str, optional
        Or the chain itself, as in ``"highpass,dehum,denoise,level"``.
    keep : {"music"}, optional
        Let music and singing pass, too, whatever the strength.
    on_overload : {"keep", "step_down"}, default "keep"
        What to do where the machine cannot keep up. ``"keep"`` changes nothing, so that the same input gives the same
        output on every machine. ``"step_down"`` goes on with a smaller model, then log-MMSE, then the input itself,
        and back when there is time again; ``stream.load`` tells of it.

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
    settings = Enhancer(
        method,
        strength,
        max_attenuation_db,
        noise_profile,
        residual,
        link_channels,
        model=model,
        preset=preset,
        chain=chain,
        keep=keep,
    )
    return settings.open_stream(sample_rate, channels, block_size, on_overload=on_overload)
