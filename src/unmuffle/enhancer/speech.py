"""Where there is speech in an array, as the network hears it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from unmuffle.denoise.choice import ModelName
from unmuffle.signal.arrays import FloatArray, as_channels


@dataclass(frozen=True)
class SpeechActivity:
    """What a network tells of each frame of 32 ms, one every 16 ms.

    Attributes
    ----------
    times_s : float64 [frames]
        Centre of each frame.
    presence : float32 [channels, frames] or [frames]
        Probability that somebody speaks.
    local_snr_db : float32 [channels, frames] or [frames]
        Ratio of speech to all else up to 8 kHz. What lies beyond the range of the network, -15 to 35 dB for our own,
        is told as its end.
    """

    times_s: FloatArray
    presence: FloatArray
    local_snr_db: FloatArray


def speech_activity(audio: npt.ArrayLike, sample_rate: int, *, model: ModelName | None = None) -> SpeechActivity:
    """Tell where in an array there is speech and how far it stands out; the same that a stream tells as it goes.

    Parameters
    ----------
    audio : array_like
        ``[samples]`` or ``[channels, samples]``; float (full scale 1.0), int16 or int32. Channels are heard each on its
        own.
    sample_rate : int
        In Hz, 8,000 to 192,000.
    model : str or path, optional
        Name or ONNX file of a network of frames; the default one without it.

    Returns
    -------
    SpeechActivity
        With as many dimensions as ``audio``.

    Raises
    ------
    InvalidAudioError
        If the array has a wrong shape or type, or holds NaN or infinity.
    InvalidParameterError
        If the rate is out of range or there is no model of that name.
    ModelError
        If there is no default model, or this one cannot be loaded or takes waveforms.
    """
    from unmuffle.enhancer.activity import SpeechActivityMeter

    samples = as_channels(audio)
    meter = SpeechActivityMeter(sample_rate, len(samples), model=model)
    meter.process(samples)
    meter.process(np.zeros((len(samples), -samples.shape[1] % meter.grid.hop), np.float32))
    found = meter.result()
    if np.ndim(audio) > 1:
        return found
    return SpeechActivity(found.times_s, found.presence[0], found.local_snr_db[0])
