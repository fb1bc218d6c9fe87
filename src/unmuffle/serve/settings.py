"""What a server is told before it starts: where it listens, what it carries, and whom it lets in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from unmuffle.enhancer.overload import OnOverload
from unmuffle.errors import InvalidParameterError

LOOPBACK = ("127.0.0.1", "::1", "localhost")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_POSITIVE = (
    "capacity",
    "workers",
    "max_upload_bytes",
    "max_duration_s",
    "max_jobs",
    "max_jobs_waiting",
    "result_kept_s",
    "max_results_bytes",
    "decode_seconds_limit",
    "decode_memory_bytes",
    "requests_per_minute",
    "requests_at_once",
    "jobs_per_client",
    "streams_per_client",
    "audio_s_per_day",
    "hello_timeout_s",
    "idle_timeout_s",
    "slow_client_s",
    "ping_interval_s",
    "tick_interval_ms",
    "deadline_ms",
)


@dataclass(frozen=True)
class ServerSettings:
    """The settings of ``unmuffle serve``; limits are of one worker process.

    Attributes
    ----------
    host, port : str, int
        Where to listen; port 0 is a free one. On a loopback address only requests to a loopback name are answered.
    workers : int
        Processes, each with a pool of its own.
    capacity : int
        Live streams a worker.
    model : str
        The network: "auto", the name of one that ships, or the path of an ONNX file.
    on_overload : {"step_down", "keep"}
        As of ``StreamPool``.
    deadline_ms : float
        A frame that is answered later than this after it was complete counts as missed.
    tick_interval_ms : float
        Least time between two calls of the network, in which frames of many streams gather.
    max_upload_bytes, max_duration_s : int, float
        Largest file taken, and how long its audio may be.
    max_jobs : int
        Files worked on at once as jobs, and as many again for clients that wait for them; further ones wait.
    max_jobs_waiting : int
        Jobs that may wait; more are refused.
    jobs_per_client : int or None
        Jobs that one client may have running or waiting.
    result_kept_s : float
        For how long the result of a job can be fetched.
    max_results_bytes : int
        No further job is taken while the results that are kept are larger together.
    decode_seconds_limit, decode_memory_bytes : float, int
        Limits on the process that reads an uploaded file: seconds of CPU for a file, besides half a second for each
        second of audio, and memory.
    api_keys : tuple of str
        SHA-256 hashes, in hexadecimal, of the keys that let a client in; none lets everyone in.
    allowed_origins : tuple of str
        Other sites whose pages may call, as ``https://example.org``.
    allowed_hosts : tuple of str
        Names under which the server may be called besides its own; needed on loopback behind a proxy.
    trust_proxy : bool
        Whether a client's address is the one that a proxy on this machine names in X-Forwarded-For.
    requests_per_minute, requests_at_once : int
        Of one client, a new stream counting as a request.
    streams_per_client : int or None
        Live streams of one client at once.
    audio_s_per_day : float or None
        Seconds of audio that one client may have enhanced in a day, files and streams together.
    hello_timeout_s : float
        In which a stream must say what it is.
    idle_timeout_s : float
        After which a stream that sends nothing is closed, or an upload that has stopped is given up.
    slow_client_s : float
        For how long a client may not read what it is sent.
    ping_interval_s : float
        How often a stream's far end is asked whether it is still there; no answer in as long closes it.
    drain_s : float
        What running streams and requests are given to end by themselves once the server is told to stop.
    temp_dir : Path or None
        Where uploaded files lie while they are worked on; a private folder of the system's if None.
    cache : Path or None
        Folder of a cache of results.
    run_dir : Path or None
        Where workers tell each other their metrics; set by ``unmuffle serve``.
    worker : int
        Number of this worker.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    capacity: int = 256
    model: str = "auto"
    on_overload: OnOverload = "step_down"
    deadline_ms: float = 20.0
    tick_interval_ms: float = 3.0
    max_upload_bytes: int = 2**30
    max_duration_s: float = 4 * 3600.0
    max_jobs: int = 2
    max_jobs_waiting: int = 64
    jobs_per_client: int | None = 8
    result_kept_s: float = 3600.0
    max_results_bytes: int = 16_000_000_000
    decode_seconds_limit: float = 600.0
    decode_memory_bytes: int = 2**30
    api_keys: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    trust_proxy: bool = False
    requests_per_minute: int = 1200
    requests_at_once: int = 32
    streams_per_client: int | None = None
    audio_s_per_day: float | None = None
    hello_timeout_s: float = 10.0
    idle_timeout_s: float = 60.0
    slow_client_s: float = 10.0
    ping_interval_s: float = 20.0
    drain_s: float = 10.0
    temp_dir: Path | None = None
    cache: Path | None = None
    run_dir: Path | None = None
    worker: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises
        ------
        InvalidParameterError
            If a number is not positive, the port is none, or a key is not the hash of one.
        """
        for name in _POSITIVE:
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise InvalidParameterError(f"{name} is {value}; it must be above 0")
        if not 0 <= self.port <= 65_535:
            raise InvalidParameterError(f"port is {self.port}; it must be from 0 to 65535")
        if not self.drain_s >= 0.0:
            raise InvalidParameterError(f"drain_s is {self.drain_s}; it must be 0 or above")
        for digest in self.api_keys:
            if not _SHA256.fullmatch(digest):
                raise InvalidParameterError("an API key must be given as its SHA-256: `unmuffle serve --make-key`")
        for origin in self.allowed_origins:
            if not origin.startswith(("http://", "https://")) or origin.count("/") != 2:
                raise InvalidParameterError(f"the origin {origin!r} must be like https://example.org, without a path")

    @property
    def is_loopback(self) -> bool:
        """Whether nobody outside this machine can reach the server."""
        return self.host in LOOPBACK
