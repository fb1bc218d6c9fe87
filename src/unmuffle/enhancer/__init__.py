"""The front door: enhance an array, a file or a stream."""

from unmuffle.enhancer.enhancer import Enhancer, enhance, open_stream
from unmuffle.enhancer.files import FileReport
from unmuffle.enhancer.stream import EnhancerStream

__all__ = ["Enhancer", "EnhancerStream", "FileReport", "enhance", "open_stream"]
