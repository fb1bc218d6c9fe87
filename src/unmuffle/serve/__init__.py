"""The stream pool and the server: many streams on few cores."""

from unmuffle.serve.pool import StreamPool
from unmuffle.serve.pool_errors import PoolBusyError, PoolFullError
from unmuffle.serve.pool_statistics import PoolStatistics, StreamStatistics
from unmuffle.serve.pool_stream import PoolStream

__all__ = ["PoolBusyError", "PoolFullError", "PoolStatistics", "PoolStream", "StreamPool", "StreamStatistics"]
