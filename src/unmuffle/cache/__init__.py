"""Answers kept by what they were made of."""

from unmuffle.cache.cache import Cache
from unmuffle.cache.keys import cache_key, part_key
from unmuffle.cache.location import default_folder
from unmuffle.cache.reading import DamagedEntryError
from unmuffle.cache.statistics import CacheStatistics

__all__ = ["Cache", "CacheStatistics", "DamagedEntryError", "cache_key", "default_folder", "part_key"]
