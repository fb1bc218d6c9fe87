"""The front door: enhance an array, a file or a stream."""

from unmuffle.enhancer.enhancer import Enhancer
from unmuffle.enhancer.files import FileReport
from unmuffle.enhancer.functions import enhance, open_stream
from unmuffle.enhancer.stream import EnhancerStream

__all__ = ["Enhancer", "EnhancerStream", "FileReport", "enhance", "open_stream"]
