"""Reading audio in blocks, whatever it is stored in, in constant memory."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable, Iterator
from types import TracebackType

from unmuffle.errors import AudioFileError, InvalidParameterError
from unmuffle.signal.fifo import SampleFifo
from unmuffle.signal.files.decoder import CannotDecodeError, Decoder
from unmuffle.signal.files.info import AudioInfo
from unmuffle.signal.files.pcm_decoder import PcmDecoder
from unmuffle.signal.files.raw import RawFormat
from unmuffle.signal.files.samples import Block
from unmuffle.signal.files.sniff import kind_of, not_audio_because
from unmuffle.signal.files.source import Source, SourceLike, open_source

_FIRST_FRAMES = 4096
_SKIPPED_FRAMES = 65536


class AudioReader:
    """Audio read block by block; made by `open_reader`, and a context manager.

    Attributes
    ----------
    info : AudioInfo
        Description of the audio.
    warnings : list of str
        What was wrong with the file though it could be read; complete only after the last block.
    position : int
        Samples of each channel read so far.
    """

    def __init__(self, source: Source, decoder: Decoder, first: Block) -> None:
        self.info = decoder.info
        self.warnings = decoder.warnings
        self.position = 0
        self._source = source
        self._decoder = decoder
        self._waiting = SampleFifo(decoder.info.channels)
        self._waiting.push(first)
        self._ended = False

    def read(self, frames: int) -> Block:
        """Read the next samples.

        Parameters
        ----------
        frames : int
            How many samples of each channel, at least 0.

        Returns
        -------
        ndarray of float32, shape [channels, n]
            n is less than `frames` only at the end, and 0 after it. C-contiguous; NaN in a file is handed on.

        Raises
        ------
        InvalidParameterError
            When `frames` is negative.
        AudioFileError
            When the source fails.
        """
        if frames < 0:
            raise InvalidParameterError(f"cannot read {frames} frames: give 0 or more")
        while len(self._waiting) < frames and not self._ended:
            chunk = self._next_chunk(frames - len(self._waiting))
            self._ended = chunk.shape[1] == 0
            self._waiting.push(chunk)
        block = self._waiting.pop(min(frames, len(self._waiting))).copy()
        self.position += block.shape[1]
        return block

    def skip(self, frames: int) -> None:
        """Go on without the next samples: by a jump where the format can jump to a sample, else by decoding them.

        Parameters
        ----------
        frames : int
            How many samples of each channel, at least 0; beyond the end there is nothing to read.

        Raises
        ------
        InvalidParameterError
            When `frames` is negative.
        AudioFileError
            When the source fails.
        """
        if frames < 0:
            raise InvalidParameterError(f"cannot skip {frames} frames: give 0 or more")
        known = min(frames, len(self._waiting))
        self._waiting.pop(known)
        self.position += known
        left = frames - known
        if left and not self._ended and self.info.frames is not None and self.position + left <= self.info.frames:
            jumped = self._decoder.skip(left)
            self.position += jumped
            left -= jumped
        while left and (skipped := self.read(min(left, _SKIPPED_FRAMES)).shape[1]):
            left -= skipped

    def _next_chunk(self, frames: int) -> Block:
        try:
            return self._decoder.read_chunk(frames)
        except OSError as error:
            seconds = (self.position + len(self._waiting)) / self.info.sample_rate
            raise AudioFileError(f"{self._source.name} cannot be read beyond {seconds:.1f} s: {error}") from error

    def blocks(self, frames: int = 65536) -> Iterator[Block]:
        """Iterate over the rest in blocks of `frames` samples, the last maybe shorter, shape [channels, n]."""
        if frames < 1:
            raise InvalidParameterError(f"a block of {frames} frames is too short: give 1 or more")
        while (block := self.read(frames)).shape[1]:
            yield block

    def close(self) -> None:
        """Close the file; a stream that the caller opened stays open."""
        self._decoder.close()
        self._source.close()

    def __enter__(self) -> AudioReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_reader(source: SourceLike, *, raw: RawFormat | None = None) -> AudioReader:
    """Open audio for reading in blocks.

    What the source is gets told by its content, never by its name. Integer samples become floats by division
    by 2^(bits - 1); 32-bit integers and 64-bit floats keep the 24 bits that a float32 holds. Delay and
    padding of lossy codecs are skipped as the file tells it. In a video, gaps of the audio are filled with
    silence, so that it keeps in step with the picture.

    Parameters
    ----------
    source : str, path, bytes or binary file object
        ``"-"`` is standard input: WAV, or anything else that can be read without going back.
    raw : RawFormat, optional
        Take the source as headerless samples of this layout.

    Returns
    -------
    AudioReader
        The opened audio.

    Raises
    ------
    AudioFileError
        When the source is missing, a folder, empty, not audio, without audio, without samples, or may not be
        read.
    """
    opened = open_source(source)
    try:
        if raw is not None:
            return _started(PcmDecoder.open_raw(opened, raw), opened)
        return _open_by_content(opened)
    except OSError as error:
        opened.close()
        raise AudioFileError(f"{opened.name} cannot be read: {error}") from error
    except BaseException:
        opened.close()
        raise


def probe(source: SourceLike, *, raw: RawFormat | None = None) -> AudioInfo:
    """Describe audio without reading it all; parameters and errors are those of `open_reader`.

    A file object that can go back is left at its beginning.
    """
    with open_reader(source, raw=raw) as reader:
        info = dataclasses.replace(reader.info, tags=dict(reader.info.tags))
    if isinstance(source, io.IOBase) and source.seekable():
        source.seek(0)
    return info


def _open_by_content(source: Source) -> AudioReader:
    thing = not_audio_because(source.head)
    if thing is not None:
        raise AudioFileError(f"{source.name} is not audio (it looks like {thing}): give an audio or video file")
    reasons: list[str] = []
    for make in _decoders(source):
        try:
            return _started(make(source), source)
        except CannotDecodeError as error:
            reasons.append(str(error))
        if not source.seekable:
            break
    raise AudioFileError(f"{source.name} is not audio that can be read ({reasons[0]}): convert it to WAV or FLAC first")


def _decoders(source: Source) -> tuple[Callable[[Source], Decoder], ...]:
    """Who may try, in this order."""
    from unmuffle.signal.files.av_decoder import AvDecoder
    from unmuffle.signal.files.sndfile_decoder import SndfileDecoder

    kind = kind_of(source.head)
    if kind == "wav":
        return (PcmDecoder.open_wav, SndfileDecoder, AvDecoder)
    if kind == "sndfile" and source.seekable:
        return (SndfileDecoder, AvDecoder)
    return (AvDecoder, SndfileDecoder)


def _started(decoder: Decoder, source: Source) -> AudioReader:
    """Read the first samples at once, so that what has none, or cannot be decoded, is told on opening."""
    try:
        first = decoder.read_chunk(_FIRST_FRAMES)
        if first.shape[1] == 0:
            raise AudioFileError(f"{source.name} has no samples: the audio in it is 0 s long")
    except BaseException:
        decoder.close()
        raise
    return AudioReader(source, decoder, first)
