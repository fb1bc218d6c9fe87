"""Make voices clear: noise reduction for any file and for live streams, on a plain CPU."""

from unmuffle._version import __version__

__all__ = ["__version__"]
