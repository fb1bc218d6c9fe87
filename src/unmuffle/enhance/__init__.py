"""The front door: enhance an array, a file or a stream."""

from unmuffle.enhance.enhancer import Enhancer, enhance, open_stream
from unmuffle.enhance.files import FileReport
from unmuffle.enhance.stream import EnhancerStream

__all__ = ["Enhancer", "EnhancerStream", "FileReport", "enhance", "open_stream"]
