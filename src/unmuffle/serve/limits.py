"""What one client may have: requests a minute, requests and streams at once, seconds of audio a day.

The table of clients is bounded; whoever has nothing running and has not come for longest is forgotten first.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from unmuffle.serve.errors_http import ApiError
from unmuffle.serve.settings import ServerSettings

MAX_CLIENTS = 10_000
DAY_S = 86_400.0
BUSY_RETRY_S = 1.0


@dataclass
class _Client:
    tokens: float
    filled_s: float
    requests: int = 0
    streams: int = 0
    audio_s: float = 0.0
    day_begun_s: float = 0.0


class ClientLimits:
    """Counts what each client uses, and refuses what is too much with 429 and the time to wait.

    Parameters
    ----------
    settings : ServerSettings
    clock : callable
        Seconds that only grow.
    """

    def __init__(self, settings: ServerSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._clients: OrderedDict[str, _Client] = OrderedDict()

    def count_request(self, client: str) -> None:
        """Take one from the requests that a client may make.

        Raises
        ------
        ApiError
            429 if none is left; they come back evenly over a minute.
        """
        known, rate = self._known(client), self._settings.requests_per_minute / 60.0
        now_s = self._clock()
        most = float(self._settings.requests_per_minute)
        known.tokens = min(most, known.tokens + rate * (now_s - known.filled_s))
        known.filled_s = now_s
        if known.tokens < 1.0:
            wait_s = (1.0 - known.tokens) / rate
            raise ApiError(429, f"more than {most:.0f} requests a minute: wait {wait_s:.1f} s", retry_after_s=wait_s)
        known.tokens -= 1.0

    @contextmanager
    def request(self, client: str) -> Iterator[None]:
        """Hold one of a client's places for requests.

        Raises
        ------
        ApiError
            429 if all are taken.
        """
        known, most = self._known(client), self._settings.requests_at_once
        if known.requests >= most:
            raise ApiError(429, f"{most} requests of this client are running: wait for one", retry_after_s=BUSY_RETRY_S)
        known.requests += 1
        try:
            yield
        finally:
            known.requests -= 1

    @contextmanager
    def stream(self, client: str) -> Iterator[None]:
        """Hold one of a client's places for live streams.

        Raises
        ------
        ApiError
            429 if all are taken.
        """
        known, most = self._known(client), self._settings.streams_per_client
        if most is not None and known.streams >= most:
            raise ApiError(429, f"{most} streams of this client are open: close one", retry_after_s=BUSY_RETRY_S)
        known.streams += 1
        try:
            yield
        finally:
            known.streams -= 1

    def count_audio(self, client: str, seconds: float) -> None:
        """Count seconds of audio that a client had enhanced."""
        known = self._known(client)
        self._begin_day(known)
        known.audio_s += seconds

    def check_audio(self, client: str) -> None:
        """Refuse a client that has had its share of the day.

        Raises
        ------
        ApiError
            429 until the day is over; it begins with the client's first audio.
        """
        most = self._settings.audio_s_per_day
        if most is None:
            return
        known = self._known(client)
        self._begin_day(known)
        if known.audio_s >= most:
            wait_s = known.day_begun_s + DAY_S - self._clock()
            raise ApiError(429, f"the day's {most:.0f} s of audio are used up", "quota", retry_after_s=wait_s)

    def _begin_day(self, known: _Client) -> None:
        if self._clock() - known.day_begun_s >= DAY_S:
            known.day_begun_s, known.audio_s = self._clock(), 0.0

    def _known(self, client: str) -> _Client:
        known = self._clients.get(client)
        if known is None:
            now_s = self._clock()
            known = self._clients[client] = _Client(self._settings.requests_per_minute, now_s, day_begun_s=now_s)
            if len(self._clients) > MAX_CLIENTS:
                self._forget_one()
        self._clients.move_to_end(client)
        return known

    def _forget_one(self) -> None:
        idle = next((name for name, known in self._clients.items() if not known.requests and not known.streams), None)
        if idle is not None:
            del self._clients[idle]
