"""Files of a client: enhanced, analysed, or worked on as jobs, by programs that wait and by asyncio."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote

from unmuffle.errors import AudioFileError
from unmuffle.measure.extras import load_package
from unmuffle.serve.client_messages import ServerError

if TYPE_CHECKING:
    import httpx

CLIENT = '"unmuffle[client]"'
CHUNK_BYTES = 1 << 18
CONNECT_S = 10.0
PAUSE_S = 0.5
RUNNING = ("queued", "running")


class Client:
    """A server, for programs that wait.

    Parameters
    ----------
    url : str
        Such as ``http://127.0.0.1:8000``.
    key : str, optional
        API key.
    timeout_s : float, default 600
        How long the server may be silent, while it works on a file.
    """

    def __init__(self, url: str, key: str | None = None, timeout_s: float = 600.0) -> None:
        package = load_package("httpx", CLIENT, "a client")
        self._http: httpx.Client = package.Client(**_settings(package, url, key, timeout_s))

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def enhance_file(self, path: str | os.PathLike[str], output: str | os.PathLike[str], **options: Any) -> Path:
        """Have a file enhanced; both ways go piece by piece.

        Parameters
        ----------
        path : path
            Audio or video.
        output : path
            Appears once it is whole.
        **options
            ``preset`` (one of ``presets()``, or "auto", by what is wrong with the file), ``strength``, ``method``,
            ``keep``, and ``format``: by the suffix of ``output`` if not given.

        Returns
        -------
        Path
            ``output``.

        Raises
        ------
        ServerError
            If the server refuses it.
        AudioFileError
            If the file cannot be read.
        """
        query = _query(options, Path(output))
        with _opened(path) as file:
            request = self._http.build_request("POST", "/v1/enhance", params=query, content=file)
            return self._download(self._http.send(request, stream=True), Path(output))

    def analyze(self, path: str | os.PathLike[str]) -> dict[str, Any]:
        """Return what a file is, and what is wrong with it."""
        with _opened(path) as file:
            return _json(self._http.post("/v1/analyze", content=file))

    def models(self) -> list[dict[str, Any]]:
        """Return the networks that the server has."""
        return _json(self._http.get("/v1/models"))

    def presets(self) -> list[dict[str, Any]]:
        """Return the presets that the server has."""
        return _json(self._http.get("/v1/presets"))

    def submit(self, path: str | os.PathLike[str], **options: Any) -> str:
        """Send a file to be enhanced later; return the job's id."""
        with _opened(path) as file:
            return _json(self._http.post("/v1/jobs", params=_query(options), content=file))["id"]

    def job(self, job: str) -> dict[str, Any]:
        """Return how a job does: its ``state``, ``progress`` and ``error``."""
        return _json(self._http.get(_job_path(job)))

    def wait(self, job: str) -> dict[str, Any]:
        """Wait until a job has ended, and return how."""
        while (told := self.job(job))["state"] in RUNNING:
            time.sleep(PAUSE_S)
        return told

    def fetch(self, job: str, output: str | os.PathLike[str]) -> Path:
        """Write the result of a job to a file, which appears once it is whole."""
        request = self._http.build_request("GET", f"{_job_path(job)}/result")
        return self._download(self._http.send(request, stream=True), Path(output))

    def cancel(self, job: str) -> None:
        """End a job, or remove its result."""
        _check(self._http.delete(_job_path(job)))

    def _download(self, response: httpx.Response, output: Path) -> Path:
        try:
            if response.is_error:
                response.read()
            _check(response)
            with _appearing(output) as file:
                for chunk in response.iter_bytes(CHUNK_BYTES):
                    file.write(chunk)
        finally:
            response.close()
        return output


class AsyncClient:
    """A server, for asyncio: the methods of ``Client``, to be awaited."""

    def __init__(self, url: str, key: str | None = None, timeout_s: float = 600.0) -> None:
        package = load_package("httpx", CLIENT, "a client")
        self._http: httpx.AsyncClient = package.AsyncClient(**_settings(package, url, key, timeout_s))

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def enhance_file(self, path: str | os.PathLike[str], output: str | os.PathLike[str], **options: Any) -> Path:
        """Have a file enhanced."""
        query = _query(options, Path(output))
        with _opened(path) as file:
            request = self._http.build_request("POST", "/v1/enhance", params=query, content=_pieces(file))
            return await self._download(await self._http.send(request, stream=True), Path(output))

    async def analyze(self, path: str | os.PathLike[str]) -> dict[str, Any]:
        """Return what a file is, and what is wrong with it."""
        with _opened(path) as file:
            return _json(await self._http.post("/v1/analyze", content=_pieces(file)))

    async def models(self) -> list[dict[str, Any]]:
        """Return the networks that the server has."""
        return _json(await self._http.get("/v1/models"))

    async def presets(self) -> list[dict[str, Any]]:
        """Return the presets that the server has."""
        return _json(await self._http.get("/v1/presets"))

    async def submit(self, path: str | os.PathLike[str], **options: Any) -> str:
        """Send a file to be enhanced later; return the job's id."""
        with _opened(path) as file:
            return _json(await self._http.post("/v1/jobs", params=_query(options), content=_pieces(file)))["id"]

    async def job(self, job: str) -> dict[str, Any]:
        """Return how a job does: its ``state``, ``progress`` and ``error``."""
        return _json(await self._http.get(_job_path(job)))

    async def wait(self, job: str) -> dict[str, Any]:
        """Wait until a job has ended, and return how."""
        while (told := await self.job(job))["state"] in RUNNING:
            await asyncio.sleep(PAUSE_S)
        return told

    async def fetch(self, job: str, output: str | os.PathLike[str]) -> Path:
        """Write the result of a job to a file, which appears once it is whole."""
        request = self._http.build_request("GET", f"{_job_path(job)}/result")
        return await self._download(await self._http.send(request, stream=True), Path(output))

    async def cancel(self, job: str) -> None:
        """End a job, or remove its result."""
        _check(await self._http.delete(_job_path(job)))

    async def _download(self, response: httpx.Response, output: Path) -> Path:
        try:
            if response.is_error:
                await response.aread()
            _check(response)
            with _appearing(output) as file:
                async for chunk in response.aiter_bytes(CHUNK_BYTES):
                    await asyncio.to_thread(file.write, chunk)
        finally:
            await response.aclose()
        return output


def enhance_file(
    url: str, path: str | os.PathLike[str], output: str | os.PathLike[str], *, key: str | None = None, **options: Any
) -> Path:
    """Have one file enhanced by a server; see ``Client.enhance_file``."""
    with Client(url, key) as client:
        return client.enhance_file(path, output, **options)


def analyze(url: str, path: str | os.PathLike[str], *, key: str | None = None) -> dict[str, Any]:
    """Have one file analysed by a server; see ``Client.analyze``."""
    with Client(url, key) as client:
        return client.analyze(path)


def _settings(package: Any, url: str, key: str | None, timeout_s: float) -> dict[str, Any]:
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    return {"base_url": url, "headers": headers, "timeout": package.Timeout(timeout_s, connect=CONNECT_S)}


def _query(options: dict[str, Any], output: Path | None = None) -> dict[str, str]:
    told = {name: str(value) for name, value in options.items() if value is not None}
    if output is not None and output.suffix:
        told.setdefault("format", output.suffix[1:].lower())
    return told


def _job_path(job: str) -> str:
    return f"/v1/jobs/{quote(job, safe='')}"


@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    with ExitStack() as stack:
        try:
            file = stack.enter_context(Path(path).open("rb"))
        except OSError as error:
            raise AudioFileError(f"{os.fspath(path)} cannot be read: {error.strerror or error}") from error
        yield file


async def _pieces(file: IO[bytes]) -> AsyncIterator[bytes]:
    while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
        yield chunk


@contextmanager
def _appearing(output: Path) -> Iterator[IO[bytes]]:
    """Write beside a file, which is there once all of it is."""
    half = output.with_name(f".{output.name}.{os.getpid()}.part")
    try:
        with half.open("wb") as file:
            yield file
        half.replace(output)
    finally:
        with suppress(OSError):
            half.unlink(missing_ok=True)


def _json(response: httpx.Response) -> Any:
    _check(response)
    return response.json()


def _check(response: httpx.Response) -> None:
    """Raise what the server has refused."""
    if not response.is_error:
        return
    try:
        told = response.json()["error"]
        code, message = str(told["code"]), str(told["message"])
    except (ValueError, KeyError, TypeError):
        code, message = "error", f"the server answered {response.status_code}"
    wait = response.headers.get("retry-after", "")
    raise ServerError(
        message,
        code,
        response.status_code,
        float(wait) if wait.isdecimal() else None,
        response.headers.get("x-request-id"),
    )
