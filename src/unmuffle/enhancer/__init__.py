"""The front door: enhance an array, a file or a stream."""

from unmuffle.enhancer.enhancer import Enhancer
from unmuffle.enhancer.files import FileReport
from unmuffle.enhancer.functions import enhance, open_stream
from unmuffle.enhancer.overload import LoadReport
from unmuffle.enhancer.speech import SpeechActivity, speech_activity
from unmuffle.enhancer.stream import EnhancerStream

__all__ = [
    "Enhancer",
    "EnhancerStream",
    "FileReport",
    "LoadReport",
    "SpeechActivity",
    "enhance",
    "open_stream",
    "speech_activity",
]
