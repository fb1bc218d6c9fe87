"""What is in a shard: names and contents of its members, in their order, and a hash that tells it from others."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, NamedTuple, Protocol

from unmuffle.corpus.clip import Clip, marked_name
from unmuffle.corpus.listing import Row, row_of
from unmuffle.corpus.sources.shards import content_of, is_clip, samples
from unmuffle.errors import AudioFileError
from unmuffle.signal.files.new_file import encoded

_FORMAT = 1
"""Of packing: to be raised when the same results give other bytes."""
_TEXT = "text"
MENDED_BY = "mend it by 'unmuffle corpus verify --mend' and another run"


class Result(NamedTuple):
    """A clip that is done, what is told of it, and the file that came of it."""

    clip: Clip
    record: dict[str, Any]
    path: Path

    @property
    def suffix(self) -> str:
        """Extension of the file."""
        return self.path.suffix


class Content(NamedTuple):
    """A member of a shard: its name, its size, what it is read from, and the checksum it must have."""

    name: str
    size: int
    stream: IO[bytes]
    sha256: str | None = None


class Shard(Protocol):
    """What a shard is to be."""

    @property
    def name(self) -> str:
        """Path within the folder of shards."""

    @property
    def count(self) -> int:
        """Clips that are meant for it."""

    def fingerprint(self) -> str:
        """Return a hash that is the same where the bytes of the shard would be, without reading audio."""

    def contents(self) -> Iterator[Content]:
        """Yield its members; the stream of each is read before the next is asked for.

        Raises
        ------
        AudioFileError
            If something is missing, or not as it was.
        """


@dataclass(frozen=True)
class ClipsShard:
    """Clips that did not come in shards: audio, row and text of each."""

    name: str
    results: list[Result]
    settings: Row

    @property
    def count(self) -> int:
        """Clips in it."""
        return len(self.results)

    def fingerprint(self) -> str:
        """Return a hash of what is in it."""
        hashed = hashlib.sha256(f"clips {_FORMAT}".encode())
        for key, result, sides in self._samples():
            hashed.update(_line(key, result.suffix, result.record["output_sha256"], *map(_sha256, sides.values())))
        return hashed.hexdigest()

    def contents(self) -> Iterator[Content]:
        """Yield its members."""
        for key, result, sides in self._samples():
            yield from _audio(f"{key}{result.suffix}", result)
            for suffix, content in sides.items():
                yield Content(f"{key}{suffix}", len(content), io.BytesIO(content))

    def _samples(self) -> Iterator[tuple[str, Result, dict[str, bytes]]]:
        """Yield name, result, and what stands beside it."""
        keys: set[str] = set()
        for result in self.results:
            key = sample_key(result.clip.output)
            if key in keys:
                key = marked_name(key, result.clip.key)
            keys.add(key)
            row = row_of(result.clip, result.record, self.settings)
            sides = {".json": encoded(json.dumps(row, ensure_ascii=False))}
            text = result.clip.fields.get(_TEXT)
            if isinstance(text, str):
                sides[".txt"] = encoded(text)
            yield key, result, sides


@dataclass(frozen=True)
class SourceShard:
    """A shard that clips came in, with the results in their places."""

    name: str
    results: list[Result]
    archive: Path

    @property
    def count(self) -> int:
        """Clips that have a result."""
        return len(self.results)

    def fingerprint(self) -> str:
        """Return a hash of what is in it, as far as that can be told without reading it."""
        hashed = hashlib.sha256(f"source {_FORMAT} {self.results[0].clip.source_stamp}".encode())
        for result in self.results:
            hashed.update(_line(str(result.clip.member), result.suffix, result.record["output_sha256"]))
        return hashed.hexdigest()

    def contents(self) -> Iterator[Content]:
        """Yield its members."""
        left = {(member.name, member.offset): result for result in self.results if (member := result.clip.member)}
        for _, members, archive in samples(self.archive):
            done = {item.name: left.pop((item.name, item.offset_data), None) for item in members if is_clip(item)}
            if None not in done.values():
                yield from _sample(members, done, archive)
        if left:
            raise AudioFileError(f"{self.archive} is not as it was when it was enhanced: run the corpus again")


def sample_key(output: str) -> str:
    """Return what the members of a sample share: a path without the dot at which its end is looked for.

    >>> sample_key("a.b/talk.v1.flac")
    'a.b/talk_v1'
    """
    path = PurePosixPath(output)
    return str(path.with_name(path.stem.replace(".", "_") or "_"))


def _sample(
    members: list[tarfile.TarInfo], done: dict[str, Result | None], archive: tarfile.TarFile
) -> Iterator[Content]:
    names = {item.name for item in members}
    for item in members:
        result = done.get(item.name)
        if result is None:
            yield Content(item.name, item.size, content_of(item, archive))
            continue
        name = item.name
        if result.suffix != PurePosixPath(name).suffix:
            name = str(PurePosixPath(name).with_suffix(result.suffix))
            # Two recordings of one sample that had two formats would have one name.
            name = f"{item.name}{result.suffix}" if name in names else name
            names.add(name)
        yield from _audio(name, result)


def _audio(name: str, result: Result) -> Iterator[Content]:
    try:
        with result.path.open("rb") as stream:
            yield Content(name, result.path.stat().st_size, stream, result.record["output_sha256"])
    except OSError as error:
        raise AudioFileError(f"{result.path} cannot be read: {error.strerror or error}; {MENDED_BY}") from error


def _line(*parts: str) -> bytes:
    return encoded(json.dumps(parts) + "\n")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
