"""All live streams of one worker: they share a pool, and it is seen to that none of them hangs."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Iterator
from contextlib import suppress

from prometheus_client.core import Metric

from unmuffle.serve.errors_http import STOPPING, ApiError, as_api_error
from unmuffle.serve.logs import log
from unmuffle.serve.metrics import counter, gauge
from unmuffle.serve.pool import PoolStream, StreamPool
from unmuffle.serve.pool_errors import PoolFullError
from unmuffle.serve.pool_runner import PoolRunner
from unmuffle.serve.state import ServerState
from unmuffle.serve.stream_protocol import RESTART, Hello
from unmuffle.serve.stream_session import StreamSession
from unmuffle.serve.wire import Wire

LOOK_EVERY_S = 0.5


class StreamHub:
    """The sessions and the pool.

    Parameters
    ----------
    state : ServerState
    pool : StreamPool
    """

    def __init__(self, state: ServerState, pool: StreamPool) -> None:
        self._state = state
        self._pool = pool
        self._loop = asyncio.get_running_loop()
        self._sessions: dict[str, StreamSession] = {}
        self._opening = 0
        self._counted_s: dict[str, float] = {}
        self._runner = PoolRunner(pool, self._after_tick, state.metrics, 1e-3 * state.settings.tick_interval_ms)
        state.metrics.watch(self._numbers)

    async def start(self) -> None:
        """Begin to work, until the server stops."""
        self._tell_other_workers()
        looking = asyncio.create_task(self._look_after_all())
        self._runner.start()
        self._state.stack.push_async_callback(self._stop, looking)
        self._state.on_drain(self._announce_end)
        self._state.on_end(self.finish_all)

    @property
    def count(self) -> int:
        """Streams that are open or being opened."""
        return len(self._sessions) + self._opening

    @property
    def has_room(self) -> bool:
        """Whether another stream can be opened."""
        return self._pool.statistics.channels < self._state.settings.capacity

    async def open(self, hello: Hello, client: str, wire: Wire) -> StreamSession:
        """Open a stream.

        Raises
        ------
        ApiError
            503 if no slot is free or the server is about to stop; 422 if the pool cannot do what is wanted.
        """
        if self._state.draining:
            raise ApiError(503, STOPPING, "draining", retry_after_s=1.0)
        stream = await self._open_stream(hello)
        name = secrets.token_hex(8)
        session = StreamSession(name, client, hello, stream, wire, self._runner.wake, self._open_stream)
        self._sessions[session.name] = session
        self._state.metrics.streams_opened.inc()
        return session

    async def _open_stream(self, hello: Hello) -> PoolStream:
        self._opening += 1
        try:
            # A preset's chain takes longer to build than the other streams have time.
            return await asyncio.to_thread(
                self._pool.open,
                hello.sample_rate,
                hello.channels,
                preset=hello.preset,
                strength=hello.strength,
                deadline_ms=self._state.settings.deadline_ms,
            )
        except PoolFullError as error:
            raise ApiError(503, str(error), "full", retry_after_s=1.0) from error
        finally:
            self._opening -= 1

    def drop(self, session: StreamSession) -> None:
        """Forget a stream that has ended."""
        session.lost(session.end_code)
        if self._sessions.pop(session.name, None) is not None:
            self._count_audio(session)
            del self._counted_s[session.name]
            self._state.metrics.streams_closed.labels(session.end_code).inc()

    def finish_all(self) -> None:
        """Answer all that has come on all streams, and close them as a server does that stops."""
        for session in tuple(self._sessions.values()):
            session.finish(RESTART)

    def _announce_end(self) -> None:
        for session in self._sessions.values():
            session.tell({"type": "draining", "seconds": self._state.settings.drain_s})

    def _after_tick(self) -> None:
        """Have the answers sent; called in the pool's thread."""
        with suppress(RuntimeError):  # The loop is closed: nobody is left to answer.
            self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        begun_s = time.perf_counter()
        for session in tuple(self._sessions.values()):
            if session.ended:
                continue
            try:
                session.deliver()
            except Exception as fault:
                log("a stream failed", logging.ERROR, kind=type(fault).__name__, stream=session.name)
                session.fail(as_api_error(fault))
        self._state.metrics.stage_s.labels("send").observe(time.perf_counter() - begun_s)

    async def _look_after_all(self) -> None:
        while True:
            for session in tuple(self._sessions.values()):
                if not session.ended:
                    self._look_after(session, time.monotonic())
            self._tell_other_workers()
            await asyncio.sleep(LOOK_EVERY_S)

    def _tell_other_workers(self) -> None:
        folder = self._state.settings.run_dir
        if folder is not None:
            with suppress(OSError):
                self._state.metrics.write(folder, self._state.settings.worker)

    def _look_after(self, session: StreamSession, now_s: float) -> None:
        settings = self._state.settings
        if not session.is_stuck:
            session.stuck_since_s = None
        elif session.stuck_since_s is None:
            session.stuck_since_s = now_s
        elif now_s - session.stuck_since_s > settings.slow_client_s:
            log("dropped a stream whose client does not read", stream=session.name)
            session.abort(1008)
            return
        if now_s - session.heard_s > settings.idle_timeout_s:
            session.fail(ApiError(408, f"nothing came for {settings.idle_timeout_s:g} s", "idle"))
            return
        self._count_audio(session)
        try:
            self._state.limits.check_audio(session.client)
        except ApiError as error:
            session.fail(error)
        else:
            # What had to wait because the client did not read.
            session.pump()
            session.check_chain()

    def _count_audio(self, session: StreamSession) -> None:
        seconds = session.seconds - self._counted_s.get(session.name, 0.0)
        self._counted_s[session.name] = session.seconds
        self._state.limits.count_audio(session.client, seconds)
        self._state.metrics.audio_s.labels("stream").inc(seconds)

    async def _stop(self, looking: asyncio.Task[None]) -> None:
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking
        await asyncio.to_thread(self._runner.stop)

    def _numbers(self) -> Iterator[Metric]:
        told = self._pool.statistics
        yield gauge("streams", "Streams that are open", told.streams)
        yield gauge("stream_channels", "Channels of the streams that are open", told.channels)
        yield gauge("stream_capacity", "Channels that there is room for", told.capacity)
        yield gauge("load", "Time that frames take over the time that they last", told.load)
        yield gauge("draining", "1 once the server was told to stop", float(self._state.draining))
        yield counter("frames", "Frames enhanced on streams", told.frames)
        yield counter("deadline_misses", "Frames answered later than their deadline", told.deadline_misses)
        yield counter("fallbacks", "Steps down under overload", told.steps_down)
        yield _rung(told.rung)


def _rung(name: object) -> Metric:
    metric = gauge("rung_info", "1 for what the streams are enhanced by", 1.0)
    metric.samples = [sample._replace(labels={"rung": str(name)}) for sample in metric.samples]
    return metric
