"""Make voices clear: noise reduction for any file and for live streams, on a plain CPU.

>>> import numpy as np
>>> import unmuffle
>>> noisy = 0.1 * np.random.default_rng(0).standard_normal((2, 48_000))
>>> clear = unmuffle.enhance(noisy, 48_000)
"""

from unmuffle._version import __version__
from unmuffle.enhancer import (
    Enhancer,
    EnhancerStream,
    FileReport,
    LoadReport,
    SpeechActivity,
    enhance,
    open_stream,
    speech_activity,
)
from unmuffle.errors import (
    AudioFileError,
    InvalidAudioError,
    InvalidParameterError,
    MissingExtraError,
    ModelError,
    ModelRuntimeError,
    OutputExistsError,
    UnmuffleError,
)

__all__ = [
    "AudioFileError",
    "Enhancer",
    "EnhancerStream",
    "FileReport",
    "InvalidAudioError",
    "InvalidParameterError",
    "LoadReport",
    "MissingExtraError",
    "ModelError",
    "ModelRuntimeError",
    "OutputExistsError",
    "SpeechActivity",
    "UnmuffleError",
    "__version__",
    "enhance",
    "open_stream",
    "speech_activity",
]
