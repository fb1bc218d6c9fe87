"""Deadlines are counted, and a pool that cannot keep up steps down and up again, without a click."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pool_signals import Clock, lone, run_dry, talk

import unmuffle.serve.pool_ladder as ladder
from unmuffle.enhancer.overload import QUIET_S
from unmuffle.models import Model
from unmuffle.serve import PoolStream, StreamPool

RATE_HZ, HOP, HOP_S = 16_000, 256, 0.016


class Machine:
    """A pool whose frames take as long as they are said to, on a clock of its own, and streams fed in real time."""

    def __init__(self, streams: int, on_overload: str = "step_down", **options: object) -> None:
        self.clock = Clock()
        self.pool = StreamPool(capacity=streams, on_overload=on_overload, clock=self.clock)
        self.costs_s = dict.fromkeys(("unmuffle-s", "log_mmse", "bypass"), 0.0)
        self.streams = [self.pool.open(RATE_HZ, **options) for _ in range(streams)]
        self.audio = talk(RATE_HZ, 60.0)[0]
        self.made: list[list[np.ndarray]] = [[] for _ in self.streams]
        self._hops = 0
        self._begun_s = self.clock.now_s
        frame = self.pool._engine.frame

        def slow(feeds: list) -> int:
            self.clock.now_s += len(feeds) * self.costs_s[self.pool.statistics.rung]
            return frame(feeds)

        self.pool._engine.frame = slow

    @property
    def rung(self) -> str:
        return self.pool.statistics.rung

    def run(self, seconds: float) -> None:
        """Let time pass: what has come in by now is written, then ticked."""
        end_s = self.clock.now_s + seconds
        while self.clock.now_s < end_s:
            due = int((self.clock.now_s - self._begun_s) / HOP_S)
            if self._hops >= due:
                self.clock.now_s += 0.002
                continue
            while self._hops < due:
                block = self.audio[self._hops * HOP : (self._hops + 1) * HOP]
                for stream in self.streams:
                    stream.write(block)
                self._hops += 1
            self.pool.tick()
            self._read()

    def drained(self) -> np.ndarray:
        """All that came out of the first stream."""
        run_dry(self.pool)
        self._read()
        return np.concatenate(self.made[0])

    def _read(self) -> None:
        for stream, made in zip(self.streams, self.made, strict=True):
            made.append(stream.read())


def test_a_pool_that_keeps_up_changes_nothing() -> None:
    machine = Machine(4)
    machine.costs_s["unmuffle-s"] = 0.5 * HOP_S / 4
    machine.run(3.0)
    told = machine.pool.statistics
    assert (told.rung, told.steps_down, told.deadline_misses) == ("unmuffle-s", 0, 0)
    assert told.load == pytest.approx(0.5, abs=0.05)
    made = machine.drained()
    np.testing.assert_allclose(made, lone(machine.audio[: made.size + HOP], RATE_HZ)[: made.size], rtol=0, atol=1e-4)


def test_load_does_not_depend_on_how_streams_share_ticks() -> None:
    """Half of the streams come half a hop later: twice the ticks, of half the size."""
    clock = Clock()
    pool = StreamPool(capacity=8, on_overload="keep", clock=clock)
    early, late = ([pool.open(RATE_HZ) for _ in range(4)] for _ in range(2))
    frame = pool._engine.frame

    def slow(feeds: list) -> int:
        clock.now_s += len(feeds) * 0.6 * HOP_S / 8
        return frame(feeds)

    pool._engine.frame = slow
    for number in range(200):
        for stream in (early, late)[number % 2]:
            stream.write(np.full(HOP, 0.1, np.float32))
            stream.read()
        pool.tick()
        clock.now_s += 0.4 * HOP_S / 2
    assert pool.statistics.load == pytest.approx(0.6, abs=0.02)


def test_it_steps_down_under_load_and_up_again_when_it_has_passed() -> None:
    machine = Machine(4)
    machine.costs_s.update({"unmuffle-s": 1.2 * HOP_S / 4, "log_mmse": 0.3 * HOP_S / 4})
    machine.run(1.5)
    assert machine.rung == "log_mmse"
    assert machine.streams[0].statistics.rung == "log_mmse"
    assert machine.pool.statistics.steps_down == 1
    machine.costs_s["unmuffle-s"] = 0.2 * HOP_S / 4
    machine.run(QUIET_S + 1.0)
    assert machine.rung == "unmuffle-s"
    assert machine.streams[0].statistics.rung == "unmuffle-s"
    assert machine.pool.statistics.steps_up == 1
    seconds = machine.pool.statistics.seconds
    assert seconds["log_mmse"] == pytest.approx(QUIET_S, abs=2.0)


def test_a_smaller_model_is_the_first_step(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where one ships: down to it, further down from it, and up again by way of it."""
    from small_models import frames_model

    path = tmp_path / "small.onnx"
    path.write_bytes(frames_model(gain=0.5).SerializeToString())
    default = ladder.default_model()
    assert path.stat().st_size < default.path.stat().st_size
    monkeypatch.setattr(ladder, "list_models", lambda: (Model("small", path), default))
    machine = Machine(4)
    machine.costs_s["small"] = 0.6 * HOP_S / 4
    machine.costs_s["unmuffle-s"] = 1.2 * HOP_S / 4
    machine.run(1.5)
    assert machine.rung == machine.streams[0].statistics.rung == "small"
    before = machine.drained().size
    machine.run(1.0)
    made = machine.drained()
    part = slice(before + HOP, made.size)
    wanted, other = (lone(machine.audio[: made.size + HOP], RATE_HZ, model=model)[part] for model in (path, None))
    # It has not heard the beginning.
    np.testing.assert_allclose(made[part], wanted, rtol=0, atol=2e-3)
    assert np.abs(wanted - other).max() > 0.02
    machine.costs_s["small"] = 1.2 * HOP_S / 4
    machine.run(1.5)
    assert (machine.rung, machine.pool.statistics.steps_down) == ("log_mmse", 2)
    machine.costs_s.update(dict.fromkeys(machine.costs_s, 0.1 * HOP_S / 4))
    seen = set()
    for _ in range(20):
        machine.run(1.0)
        seen.add(machine.rung)
    assert seen >= {"small", "unmuffle-s"}
    assert machine.rung == "unmuffle-s"


def test_it_goes_to_the_bypass_when_nothing_else_helps() -> None:
    machine = Machine(2)
    machine.costs_s.update({"unmuffle-s": 2.0 * HOP_S / 2, "log_mmse": 1.5 * HOP_S / 2})
    while machine.pool.statistics.steps_down < 2:
        machine.run(0.1)
    machine.run(0.3)
    assert machine.rung == "bypass"
    before = machine.drained().size
    machine.run(0.5)
    made = machine.drained()
    np.testing.assert_allclose(made[before + HOP :], machine.audio[before + HOP : made.size], rtol=0, atol=1e-5)


def test_keep_keeps() -> None:
    machine = Machine(2, "keep")
    machine.costs_s["unmuffle-s"] = 1.5 * HOP_S / 2
    machine.run(1.0)
    told = machine.pool.statistics
    assert (told.rung, told.steps_down) == ("unmuffle-s", 0)
    assert told.load > 1.2
    assert told.deadline_misses > 50


def test_deadlines_are_counted_stream_by_stream() -> None:
    clock = Clock()
    pool = StreamPool(capacity=3, on_overload="keep", clock=clock)
    hurried, patient = pool.open(RATE_HZ, deadline_ms=5.0), pool.open(RATE_HZ, deadline_ms=50.0)
    for wait_s in (0.001, 0.004, 0.006, 0.03, 0.002, 0.06):
        for stream in (hurried, patient):
            stream.write(np.full(HOP, 0.1, np.float32))
        clock.now_s += wait_s
        pool.tick()
        clock.now_s += 0.1
    assert hurried.statistics.deadline_misses == 3
    assert patient.statistics.deadline_misses == 1
    assert pool.statistics.deadline_misses == 4


def test_a_burst_has_half_the_time_that_it_lasts() -> None:
    clock = Clock()
    pool = StreamPool(capacity=1, on_overload="keep", clock=clock)
    stream = pool.open(RATE_HZ, deadline_ms=40.0)
    stream.write(np.full(100 * HOP, 0.1, np.float32))
    while pool.ready():
        clock.now_s += 4 * 0.5 * HOP_S
        pool.tick()
    assert stream.statistics.deadline_misses == 0
    stream.read()
    stream.write(np.full(100 * HOP, 0.1, np.float32))
    while pool.ready():
        clock.now_s += 4 * 0.7 * HOP_S
        pool.tick()
    assert stream.statistics.deadline_misses > 50


@pytest.mark.parametrize(("first", "second"), [(0, 1), (0, 2), (1, 0), (2, 0), (2, 1)])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_change_is_no_click(first: int, second: int, channels: int) -> None:
    """What is heard during a change rises and falls no faster than both ends, and a fade of three hops, let it."""
    audio = talk(RATE_HZ, 2.0, channels)
    changed, whole = change(audio, first, second, at_hop=60)
    _, start = change(audio, first, first, at_hop=60)
    _, end = change(audio, second, second, at_hop=0)
    # The bypass warms up at once, all else in a quarter of a second; until then nothing changes.
    np.testing.assert_allclose(whole[:, : 59 * HOP], start[:, : 59 * HOP], rtol=0, atol=1e-6)
    np.testing.assert_allclose(whole[:, changed * HOP :][:, -20 * HOP :], end[:, -20 * HOP :], rtol=0, atol=0.02)
    part = slice(58 * HOP, (changed + 3) * HOP)
    steep = np.abs(np.diff(whole[:, part])).max()
    allowed = max(np.abs(np.diff(signal[:, part])).max() for signal in (start, end, audio))
    apart = np.abs(audio[:, part]).max()
    assert steep <= allowed + apart * np.pi / (2 * HOP)


def change(audio: np.ndarray, first: int, second: int, at_hop: int) -> tuple[int, np.ndarray]:
    """Run a stream that changes from one rung to another; return the hop at which that was done, and all it gave."""
    pool = StreamPool(capacity=3, on_overload="step_down")
    rungs = pool._engine.rungs
    rungs.choose(first)
    pool._load.tell = lambda *_: None
    stream = pool.open(RATE_HZ, len(audio))
    pieces, changed = [], 0
    for number, start in enumerate(range(0, audio.shape[1], HOP)):
        if number == at_hop:
            rungs.choose(second)
        stream.write(audio[:, start : start + HOP])
        pool.tick()
        pieces.append(stream.read())
        if not changed and number > at_hop and rungs.settled:
            changed = number
    return changed, np.concatenate(pieces, axis=1)


def test_a_change_of_mind_is_no_click_either() -> None:
    """Down, and up again before and in the middle of the fade: never louder or steeper than what came in."""
    audio = talk(RATE_HZ, 3.0)
    for again_after in (1, 2, 3, 8, 16, 17, 18, 30):
        pool = StreamPool(capacity=1)
        pool._load.tell = lambda *_: None
        rungs = pool._engine.rungs
        stream = pool.open(RATE_HZ)
        pieces = []
        for number, start in enumerate(range(0, audio.shape[1], HOP)):
            if number == 40:
                rungs.choose(2 if again_after < 4 else 1)
            if number == 40 + again_after:
                rungs.choose(0)
            stream.write(audio[:, start : start + HOP])
            pool.tick()
            pieces.append(stream.read())
        made = np.concatenate(pieces, axis=1)
        assert np.abs(np.diff(made)).max() <= np.abs(np.diff(audio)).max() * 1.1
        assert stream.statistics.rung == "unmuffle-s"
        wanted = lone(audio, RATE_HZ)
        if again_after in (1, 8):
            # The network has never stopped to listen: to the bypass the fade takes two frames, to log-MMSE it begins
            # after a quarter of a second.
            np.testing.assert_allclose(made[:, 70 * HOP :], wanted[:, 70 * HOP : made.shape[1]], rtol=0, atol=1e-4)


def test_streams_that_come_later_begin_where_the_pool_is() -> None:
    pool = StreamPool(capacity=2)
    pool._engine.rungs.choose(1)
    pool._load.tell = lambda *_: None
    audio = talk(RATE_HZ, 1.0)
    made = feed(pool, pool.open(RATE_HZ), audio)
    np.testing.assert_allclose(made, lone(audio, RATE_HZ, method="log_mmse")[:, : made.shape[1]], rtol=0, atol=1e-4)


def feed(pool: StreamPool, stream: PoolStream, audio: np.ndarray) -> np.ndarray:
    stream.write(audio)
    run_dry(pool)
    return stream.read()
