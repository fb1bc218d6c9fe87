"""Copies what stands beside the audio of a source, packet by packet, as the audio advances."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import av

from unmuffle.errors import AudioFileError
from unmuffle.signal.files.av_streams import (
    PYAV_VERSION,
    TECHNICAL_TAGS,
    clock_offset,
    is_cover,
    main_audio,
    open_input,
)
from unmuffle.signal.files.containers import Container
from unmuffle.signal.files.decoder import CannotDecodeError
from unmuffle.signal.files.source import Source, SourceLike, open_source

_OWN_TAGS = TECHNICAL_TAGS - {"language", "handler_name", "creation_time"}
# Earlier versions hand the metadata of copied streams to the muxer too late for it.
_MAKES_TIME_CODES = PYAV_VERSION >= 18
_COVER_ATTACHMENTS = frozenset({"mka", "mkv"})


class OtherStreams:
    """The streams of a source that are copied bit for bit, and how far they have been.

    Parameters
    ----------
    source : Source
        The source, opened a second time.
    container : Container
        The destination's kind.
    name : str
        The destination, for messages.

    Attributes
    ----------
    warnings : list of str
        What the destination cannot hold.
    has_picture : bool
        Whether a moving picture is copied.
    """

    def __init__(self, source: Source, container: Container, name: str, *, data: bool = True) -> None:
        self.warnings: list[str] = []
        self.has_picture = False
        self.copies_data = False
        self._data = data
        self._source = source
        self._container = container
        self._name = name
        self._covers = _read_covers(source) if container.suffix in _COVER_ATTACHMENTS else {}
        self._input = open_input(source)
        self._main = main_audio(self._input)
        self._offset = clock_offset(self._input)
        self._copies: dict[int, Any] = {}
        self._output: Any = None
        self._waiting: Any = None
        self._packets: Any = None

    def worth_copying(self) -> bool:
        """Whether there is anything besides the main audio that this kind of destination takes."""
        return any(self._wanted(stream) for stream in self._input.streams) or bool(self._chapters())

    def add_to(self, output: Any, add_audio: Callable[[], Any]) -> Any:
        """Add the streams in the source's order, the new audio in the place of the old; gives the audio."""
        self._output = output
        self._copy_metadata(output)
        audio = None
        for stream in self._input.streams:
            if self._main is not None and stream.index == self._main.index:
                audio = add_audio()
                _dress(audio, stream)
            elif self._wanted(stream):
                self._add_copy(stream)
        self._packets = iter(self._input.demux(*self._copied_inputs())) if self._copies else iter(())
        return audio if audio is not None else add_audio()

    def copy_until(self, seconds: float) -> None:
        """Copy the packets that belong before this time of the destination."""
        while self._peek() is not None and self._time(self._waiting) <= seconds:
            self._mux_waiting()

    def copy_rest(self) -> None:
        """Copy all that is left."""
        while self._peek() is not None:
            self._mux_waiting()

    def close(self) -> None:
        """Close the source."""
        self._input.close()
        self._source.close()

    def _wanted(self, stream: Any) -> bool:
        if self._main is not None and stream.index == self._main.index:
            return False
        if stream.type == "data" and "timecode" in stream.metadata:
            # The muxer makes this track anew from the same line in the picture's metadata.
            if not _MAKES_TIME_CODES:
                self._note(f"{self._name} is without its time codes: PyAV 18 is needed for them")
            return False
        carries = self._container.carries
        attached = stream.type == "attachment" and self._container.suffix not in _COVER_ATTACHMENTS
        if carries == "all" and (attached or (stream.type == "data" and not self._data)):
            self._note(f"{self._name} is without stream {stream.index} ({stream.type}): it cannot hold it")
            return False
        return carries == "all" or (carries == "cover" and is_cover(stream))

    def _note(self, line: str) -> None:
        if line not in self.warnings:
            self.warnings.append(line)

    def _chapters(self) -> list[Any]:
        return self._input.chapters() if self._container.carries == "all" else []

    def _copy_metadata(self, output: Any) -> None:
        for key, text in self._input.metadata.items():
            if key.lower() not in TECHNICAL_TAGS:
                output.metadata.setdefault(key.lower(), text)
        chapters = self._chapters()
        if chapters:
            output.set_chapters(chapters)

    def _add_copy(self, stream: Any) -> None:
        if stream.index in self._covers:
            self._output.add_attachment(*self._covers[stream.index])
            return
        codec = stream.codec_context.name if stream.codec_context is not None else stream.type
        try:
            copy = self._output.add_stream_from_template(stream, opaque=True)
        except (av.error.FFmpegError, ValueError) as error:
            if stream.type == "video" and not is_cover(stream):
                raise AudioFileError(
                    f"{self._name} cannot hold the picture of {self._source.name} ({codec}): write a .mkv instead"
                ) from error
            self.warnings.append(
                f"{self._name} is without stream {stream.index} ({stream.type}, {codec}): it cannot hold it"
            )
            return
        _dress(copy, stream)
        self.has_picture = self.has_picture or (stream.type == "video" and not is_cover(stream))
        self.copies_data = self.copies_data or stream.type == "data"
        if stream.type != "attachment":
            self._copies[stream.index] = copy

    def _copied_inputs(self) -> list[Any]:
        return [self._input.streams[index] for index in self._copies]

    def _peek(self) -> Any:
        while self._waiting is None:
            try:
                packet = next(self._packets, None)
            except av.error.FFmpegError as error:
                self.warnings.append(f"the picture of {self._source.name} breaks off: {error.strerror}")
                self._packets = iter(())
                return None
            if packet is None:
                return None
            # An empty packet marks the end of its stream.
            if packet.size:
                self._waiting = packet
        return self._waiting

    def _mux_waiting(self) -> None:
        packet, self._waiting = self._waiting, None
        shift = round(self._offset / packet.time_base) if self._offset else 0
        if shift:
            packet.pts = None if packet.pts is None else packet.pts - shift
            packet.dts = None if packet.dts is None else packet.dts - shift
        packet.stream = self._copies[packet.stream_index]
        self._output.mux(packet)

    def _time(self, packet: Any) -> float:
        stamp = packet.dts if packet.dts is not None else packet.pts
        return float(stamp * packet.time_base) - self._offset if stamp is not None else float("-inf")


def open_others(
    source: SourceLike, container: Container, name: str, warnings: list[str], *, data: bool = True
) -> OtherStreams | None:
    """Open a source a second time for what is beside its audio; None where that is nothing, or not possible."""
    if not isinstance(source, (str, os.PathLike, bytes, bytearray, memoryview)) or source == "-":
        warnings.append(f"{name} has the audio alone: its source is a stream that cannot be read twice")
        return None
    opened = open_source(source)
    try:
        others = OtherStreams(opened, container, name, data=data)
    except CannotDecodeError:
        opened.close()
        return None
    if others.worth_copying():
        return others
    others.close()
    return None


def _read_covers(source: Source) -> dict[int, tuple[str, str, bytes]]:
    """Cover pictures as attachments: name, kind and bytes, by the index of their stream."""
    covers: dict[int, tuple[str, str, bytes]] = {}
    with open_input(source) as container:
        streams = [stream for stream in container.streams.video if is_cover(stream)]
        for packet in container.demux(*streams) if streams else ():
            stream = packet.stream
            if packet.size and stream.index not in covers:
                kind = "png" if "png" in stream.codec_context.name else "jpeg"
                name = stream.metadata.get("filename", f"cover.{kind}")
                covers[stream.index] = (name, stream.metadata.get("mimetype", f"image/{kind}"), bytes(packet))
            if len(covers) == len(streams):
                break
    return covers


def _dress(copy: Any, stream: Any) -> None:
    """Give a stream the language, title and disposition of another."""
    copy.metadata.update({key: text for key, text in stream.metadata.items() if key.lower() not in _OWN_TAGS})
    copy.disposition = stream.disposition
