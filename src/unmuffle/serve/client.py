"""A client of ``unmuffle serve``, for programs that wait and for asyncio; ``pip install "unmuffle[client]"``.

>>> from unmuffle.serve.client import Client, connect_stream, open_stream  # doctest: +SKIP
>>> Client("http://127.0.0.1:8000").enhance_file("talk.mp3", "clear.wav")  # doctest: +SKIP
"""

from __future__ import annotations

from unmuffle.serve.client_files import AsyncClient, Client, analyze, enhance_file
from unmuffle.serve.client_messages import Answer, ServerError
from unmuffle.serve.client_stream import Stream, open_stream
from unmuffle.serve.client_stream_async import AsyncStream, connect_stream

__all__ = [
    "Answer",
    "AsyncClient",
    "AsyncStream",
    "Client",
    "ServerError",
    "Stream",
    "analyze",
    "connect_stream",
    "enhance_file",
    "open_stream",
]
