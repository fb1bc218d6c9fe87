"""Files that come with a request, written to disk as they come: as the body itself, or as parts of a form."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from anyio import to_thread
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from unmuffle.serve.errors_http import ApiError
from unmuffle.serve.temporary import private_opener

GATHERED_BYTES = 2**20
LONGEST_NAME = 100


@dataclass(frozen=True)
class Upload:
    """A file that has come.

    Attributes
    ----------
    path : Path
        Where it lies.
    name : str
        What the client calls it, without folders; may be empty.
    """

    path: Path
    name: str = ""


async def receive_uploads(
    request: Request, folder: Path, needed: Sequence[str] = ("file",), optional: Sequence[str] = ()
) -> dict[str, Upload]:
    """Write what comes with a request into a folder.

    Parameters
    ----------
    request : Request
        Its body is a form with files, or one file itself, whatever it calls its type.
    folder : Path
        A private folder.
    needed, optional : sequence of str
        Names of the parts. Where there is only one, the body may be the file itself.

    Returns
    -------
    dict of str to Upload
        Those that came.

    Raises
    ------
    ApiError
        400 if there is nothing, or the form is none; 422 if it lacks a part or has another; 507 if the disk is full;
        499 if the client went away. How large it may be, and how slow, is the middleware's business.
    """
    roles = (*needed, *optional)
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    is_form = kind.lower() == b"multipart/form-data"
    receiver = _Form(folder, roles, options.get(b"boundary", b"")) if is_form else _Body(request, folder, roles)
    async with _told_as_errors(receiver):
        async for chunk in request.stream():
            receiver.take(chunk)
            if receiver.waiting.size >= GATHERED_BYTES:
                await to_thread.run_sync(receiver.waiting.write)
        await to_thread.run_sync(receiver.finish)
    missing = [role for role in needed if role not in receiver.uploads]
    if missing:
        raise ApiError(422, f"the form lacks {' and '.join(missing)}; it has the files {', '.join(roles)}")
    for role, upload in receiver.uploads.items():
        if upload.path.stat().st_size == 0:
            raise ApiError(400, f"the {role} is empty (0 bytes): there is nothing to work on", "empty")
    return receiver.uploads


class _Waiting:
    """Bytes that are to be written, gathered so that not every packet costs a change of thread."""

    def __init__(self) -> None:
        self.size = 0
        self._pieces: list[tuple[BinaryIO, bytes]] = []

    def add(self, file: BinaryIO, data: bytes) -> None:
        self.size += len(data)
        self._pieces.append((file, data))

    def write(self) -> None:
        for file, data in self._pieces:
            file.write(data)
        self.size = 0
        self._pieces.clear()


class _Receiver:
    """What files are open, and what has come."""

    def __init__(self, folder: Path) -> None:
        self.uploads: dict[str, Upload] = {}
        self.waiting = _Waiting()
        self._folder = folder
        self._files: list[BinaryIO] = []

    def take(self, chunk: bytes) -> None:
        raise NotImplementedError

    def finish(self) -> None:
        self.waiting.write()
        self.close()

    def close(self) -> None:
        while self._files:
            self._files.pop().close()

    def _open(self, role: str, name: str) -> BinaryIO:
        if role in self.uploads:
            raise ApiError(422, f"there are two parts named {role!r}: send one")
        path = self._folder / f"upload-{role}"
        file = open(path, "xb", buffering=0, opener=private_opener)  # noqa: SIM115 (closed by `close`)
        self._files.append(file)
        self.uploads[role] = Upload(path, _plain_name(name))
        return file


class _Body(_Receiver):
    """One file that is the body itself."""

    def __init__(self, request: Request, folder: Path, roles: Collection[str]) -> None:
        super().__init__(folder)
        _, options = parse_options_header(request.headers.get("content-disposition", ""))
        role, *others = roles
        if others:
            raise ApiError(415, f"a form (multipart/form-data) with the files {', '.join(roles)} is needed", "no_form")
        self._file = self._open(role, options.get(b"filename", b"").decode("utf-8", "replace"))

    def take(self, chunk: bytes) -> None:
        if chunk:
            self.waiting.add(self._file, chunk)


@dataclass
class _Part:
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    name: bytes = b""
    value: bytes = b""
    file: BinaryIO | None = None


class _Form(_Receiver):
    """Files that are parts of a form (RFC 7578)."""

    def __init__(self, folder: Path, roles: Collection[str], boundary: bytes) -> None:
        super().__init__(folder)
        if not boundary:
            raise ApiError(400, "the form has no boundary: let your HTTP library set Content-Type")
        self._roles = roles
        self._part = _Part()
        self._ended = False
        callbacks: dict[str, Any] = {
            "on_part_begin": self._begin_part,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_header_end": self._end_header,
            "on_headers_finished": self._end_headers,
            "on_part_data": self._data,
            "on_end": self._end,
        }
        self._parser = MultipartParser(boundary, callbacks)  # type: ignore[arg-type]

    def take(self, chunk: bytes) -> None:
        self._parser.write(chunk)

    def finish(self) -> None:
        self._parser.finalize()
        if not self._ended:
            raise ApiError(400, "the form breaks off before its end")
        super().finish()

    def _begin_part(self) -> None:
        self._part = _Part()

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._part.name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._part.value += data[start:end]

    def _end_header(self) -> None:
        self._part.headers.append((self._part.name.lower(), self._part.value))
        self._part.name = self._part.value = b""

    def _end_headers(self) -> None:
        disposition = dict(self._part.headers).get(b"content-disposition", b"")
        _, options = parse_options_header(disposition)
        role = options.get(b"name", b"").decode("utf-8", "replace")
        if role not in self._roles:
            raise ApiError(422, f"the form has a part {role[:50]!r}; there are: {', '.join(self._roles)}")
        self._part.file = self._open(role, options.get(b"filename", b"").decode("utf-8", "replace"))

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._part.file is not None:
            self.waiting.add(self._part.file, data[start:end])

    def _end(self) -> None:
        self._ended = True


@contextmanager
def disk_full_told() -> Iterator[None]:
    """Tell a client that the disk is full where writing fails for that."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise ApiError(507, "there is no room on the server's disk: try again later", "disk_full") from error
        raise


def _plain_name(given: str) -> str:
    """Return the last part of a path of any system, without what is not to be printed."""
    last = given.replace("\\", "/").rpartition("/")[2]
    return "".join(letter for letter in last if letter.isprintable())[:LONGEST_NAME].strip()


@asynccontextmanager
async def _told_as_errors(receiver: _Receiver) -> AsyncIterator[None]:
    try:
        with disk_full_told():
            yield
    except ClientDisconnect as error:
        raise ApiError(499, "the client went away", "client_gone") from error
    except FormParserError as error:
        raise ApiError(400, f"the form cannot be read: {error}") from error
    finally:
        receiver.close()
