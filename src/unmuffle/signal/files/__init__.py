"""Audio in and out, block by block, in constant memory, from and to any container.

>>> from unmuffle.signal.files import open_reader, open_writer  # doctest: +SKIP
>>> with open_reader("talk.mp4") as reader:                      # doctest: +SKIP
...     with open_writer("clear.mp4", reader.info, source="talk.mp4") as writer:
...         for block in reader.blocks():
...             writer.write(block)
"""

from unmuffle.signal.files.info import AudioInfo
from unmuffle.signal.files.names import MEDIA_SUFFIXES, is_media_name
from unmuffle.signal.files.opening import open_writer
from unmuffle.signal.files.raw import RawFormat
from unmuffle.signal.files.reader import AudioReader, open_reader, probe
from unmuffle.signal.files.writer import AudioWriter

__all__ = [
    "MEDIA_SUFFIXES",
    "AudioInfo",
    "AudioReader",
    "AudioWriter",
    "RawFormat",
    "is_media_name",
    "open_reader",
    "open_writer",
    "probe",
]
