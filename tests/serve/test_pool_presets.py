"""The stages of a preset, which many streams share as rows of one processor, are to each those of a lone stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pool_signals import TOLERANCE, lone, run_dry, talk, through

import unmuffle
from unmuffle.level import Compressor, Gain, Gate, HearingCompressor, Leveler, Limiter
from unmuffle.presets import StageChoice, find_preset
from unmuffle.process import Processor
from unmuffle.repair import Dehummer, HighPass
from unmuffle.serve import PoolStream, StreamPool
from unmuffle.serve.batch_chain import can_share
from unmuffle.serve.batch_stages import BatchStages, fits
from unmuffle.signal.grid import grid_for

SHARED = ["meeting", "hearing"]
PRESETS = [*SHARED, "telephone", "broadcast", "forensic"]


@pytest.fixture(scope="module")
def every() -> StreamPool:
    return StreamPool(capacity=40, max_pending_s=10.0, on_overload="keep")


@pytest.fixture
def pool(every: StreamPool) -> Iterator[StreamPool]:
    yield every
    every.close()


def shouting(rate: int, seconds: float, seed: int) -> np.ndarray:
    """Talk that is soft and then loud enough for a limiter, float32 [samples]."""
    audio = talk(rate, seconds, seed=seed)[0]
    loud = np.where(np.sin(2 * np.pi * 1.3 * np.arange(audio.size) / rate + seed) > 0.3, 6.0, 0.2)
    return (loud * audio).astype(np.float32)


class Caller:
    """A stream that is written in blocks of its own, now and then not at all, and held against a lone one."""

    def __init__(self, pool: StreamPool, rate: int, preset: str, seed: int, rng: np.random.Generator) -> None:
        self.audio = shouting(rate, float(rng.uniform(0.01, 1.2)), seed)
        self.stream = pool.open(rate, preset=preset, gate_silence=False)
        self._preset, self._rng = preset, rng
        self._made: list[np.ndarray] = []
        self._at = 0

    def act(self) -> None:
        if self._rng.random() < 0.3:
            return
        count = int(self._rng.choice((1, 160, 320, 961, 5_000)))
        if self._at < self.audio.size:
            self.stream.write(self.audio[self._at : self._at + count])
            self._at += count
        elif not self.stream.door.ending:
            self.stream.finish()
        self._made.append(self.stream.read())
        if not self._at and self._rng.random() < 0.1:
            self.stream.reset()

    def check(self) -> None:
        assert self.stream.finished
        made = np.concatenate([*self._made, self.stream.read()])
        wanted = lone(self.audio, self.stream.sample_rate, preset=self._preset)
        np.testing.assert_allclose(made, wanted, rtol=0, atol=TOLERANCE)
        self.stream.close()

    @property
    def ended(self) -> bool:
        return self.stream.door.ending


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1), preset=st.sampled_from(PRESETS), rate=st.sampled_from((8_000, 16_000, 44_100)))
def test_neighbours_of_the_same_preset_do_not_matter(pool: StreamPool, seed: int, preset: str, rate: int) -> None:
    """Of streams that come one after the other, send other blocks, break off and end, each is as alone."""
    rng = np.random.default_rng(seed)
    waiting = [(rate, preset)] * int(rng.integers(1, 12)) + [(48_000, "meeting"), (rate, "hearing")]
    callers: list[Caller] = []
    guest = pool.open(rate, preset=preset)
    while waiting or not all(caller.ended for caller in callers):
        if waiting and rng.random() < 0.5:
            callers.append(Caller(pool, *waiting.pop(), len(waiting), rng))
        for caller in callers:
            caller.act()
        if not guest.closed:
            guest.write(rng.choice((0.0, 1.0, 1e7, np.nan)) * np.ones(300, np.float32))
            (guest.close, guest.reset, guest.read, guest.read)[int(rng.integers(4))]()
        if rng.random() < 0.8:
            pool.tick()
    guest.close()
    run_dry(pool)
    for caller in callers:
        caller.check()
    assert pool.statistics.channels == 0


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("preset", SHARED)
def test_at_every_rate_and_length(pool: StreamPool, preset: str, rate: int) -> None:
    for samples in (0, 1, 100, grid_for(rate).hop, 3 * grid_for(rate).hop + 7, rate):
        audio = shouting(rate, 2.0, 1)[None, rate // 2 :][:, :samples]
        with pool.open(rate, preset=preset) as stream:
            assert stream.latency == unmuffle.open_stream(rate, preset=preset).latency
            made = through(pool, stream, audio, rate // 50)
        np.testing.assert_allclose(made, lone(audio, rate, preset=preset), rtol=0, atol=TOLERANCE)


def test_which_stages_are_shared(pool: StreamPool, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('[[stage]]\nname = "denoise"\n[[stage]]\nname = "gate"\n[[stage]]\nname = "compress"\n')

    def of(preset: str | Path, channels: int = 1) -> tuple[list[str], list[str]] | None:
        with pool.open(16_000, channels, preset=preset) as stream:
            shared = stream.feed.lane.stages
            assert (stream.chain is None) == (shared is not None and shared.whole)
            return None if shared is None else ([s.name for s in shared.before], [s.name for s in shared.behind])

    assert of("meeting") == (["highpass"], ["level", "limit"])
    assert of("hearing") == (["highpass"], ["level", "hearing", "limit"])
    assert of("telephone") == ([], ["level", "limit"])
    assert of(own) == ([], ["gate", "compress"])
    assert of("asr") is None
    # Their channels hear one gain, which rows of their own would not.
    assert of("meeting", 2) is None


def test_many_streams_of_a_preset_take_few_calls(pool: StreamPool, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    process = BatchStages.process

    def counted(self: BatchStages, slots: np.ndarray, *arguments: object) -> np.ndarray:
        calls.append(len(slots))
        return process(self, slots, *arguments)

    monkeypatch.setattr(BatchStages, "process", counted)
    streams = [pool.open(16_000, preset="meeting") for _ in range(32)]
    for stream in streams:
        stream.write(np.ones(256, np.float32))
    assert pool.tick() == 32
    assert calls == [32, 32]
    for stream in streams:
        stream.close()


@pytest.mark.parametrize("preset", SHARED)
def test_a_preset_goes_on_where_the_network_steps_down(preset: str, tmp_path: Path) -> None:
    """In the bypass the other stages are heard, as they are without a denoiser."""
    audio = shouting(16_000, 3.0, 2)
    pool = StreamPool(capacity=1)
    pool._load.tell = lambda *_: None
    pool._engine.rungs.choose(pool._engine.rungs.bypass)
    with pool.open(16_000, preset=preset) as stream:
        made = through(pool, stream, audio, 320)
        assert stream.statistics.rung == "bypass"
    wanted = lone(audio, 16_000, preset=without_denoiser(preset, tmp_path))
    np.testing.assert_allclose(made, wanted, rtol=0, atol=TOLERANCE)
    assert np.abs(wanted - audio).max() > 0.1


def without_denoiser(preset: str, folder: Path) -> Path:
    stages = [stage for stage in find_preset(preset).chain if stage.name != "denoise"]
    lines = []
    for stage in stages:
        lines += ["[[stage]]", f'name = "{stage.name}"', *(f"{key} = {value}" for key, value in stage.options.items())]
    path = folder / "other.toml"
    path.write_text("\n".join(lines))
    return path


def test_a_shared_stage_that_fails_loses_no_sample(pool: StreamPool, monkeypatch: pytest.MonkeyPatch) -> None:
    streams = [pool.open(16_000, preset="meeting") for _ in range(2)]
    plain = pool.open(16_000)
    audio = talk(16_000, 1.0)[0]

    def fail(*_: object) -> None:
        raise RuntimeError("no more")

    with monkeypatch.context() as patched:
        patched.setattr(BatchStages, "process", fail)
        for stream in (*streams, plain):
            stream.write(audio)
        with pytest.raises(RuntimeError, match="no more"):
            pool.tick()
        while pool.ready():
            with pytest.raises(RuntimeError, match="no more"):
                pool.tick()
    for stream in (*streams, plain):
        stream.finish()
        run_dry(pool)
        assert stream.finished
        made = stream.read()
        assert made.size == audio.size
        stream.close()
    np.testing.assert_allclose(made, lone(audio, 16_000), rtol=0, atol=TOLERANCE)


# Rows of one processor.

KINDS: dict[str, Callable[[int, int], Processor]] = {
    "high-pass": lambda rate, channels: HighPass(rate, channels, order=7),
    "gain": partial(Gain, gain_db=-3.0),
    "leveller": Leveler,
    "limiter": partial(Limiter, ceiling_dbtp=-20.0),
    "compressor": Compressor,
    "compressor without attack": partial(Compressor, attack_ms=0.0, threshold_db=-40.0),
    "gate": partial(Gate, threshold_db=-25.0),
    "hearing": partial(HearingCompressor, max_output_dbfs=-20.0),
}


@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000])
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_rows_that_come_and_go_are_each_a_stream_of_their_own(kind: Callable[..., Processor], rate: int) -> None:
    """Any choice of slots in any call, some of which begin anew, is to 1e-6 what processors of one channel make."""
    hop, capacity, rng = grid_for(rate).hop, 11, np.random.default_rng(rate)
    stages = BatchStages([lambda channels: kind(rate, channels)], hop, capacity)
    stages.clear(np.arange(capacity))
    alone = [kind(rate, 1) for _ in range(capacity)]
    made: list[list[np.ndarray]] = [[] for _ in range(capacity)]
    wanted: list[list[np.ndarray]] = [[] for _ in range(capacity)]
    audio = [shouting(rate, 4.0, seed) for seed in range(capacity)]
    at = np.zeros(capacity, int)

    def compare(slot: int) -> None:
        given = np.concatenate([*made[slot], np.zeros(0)])[stages.delay :]
        expected = np.concatenate([*wanted[slot], np.zeros(0)])
        assert given.size == expected.size
        np.testing.assert_allclose(given, expected, rtol=0, atol=1e-6)

    for _ in range(120):
        slots = rng.permutation(capacity)[: rng.integers(1, capacity + 1)]
        if rng.random() < 0.1:
            slot = slots[:1]
            compare(int(slot[0]))
            stages.clear(slot)
            alone[slot[0]].reset()
            made[slot[0]], wanted[slot[0]] = [], []
        hops = np.stack([audio[slot][at[slot] : at[slot] + hop] for slot in slots])
        at[slots] += hop
        for slot, samples, row in zip(slots, hops, stages.process(slots, hops), strict=True):
            made[slot].append(row.copy())
            wanted[slot].append(alone[slot].process(samples[None])[0])
    for slot in range(capacity):
        compare(slot)


def test_what_does_not_fit() -> None:
    hop = grid_for(16_000).hop
    assert fits([HighPass(16_000), Leveler(16_000), Limiter(16_000)], hop)
    # Frames that begin somewhere within a hop, channels that hang together, and what tells nothing of its rows.
    assert not fits([Limiter(16_000), Leveler(16_000)], hop)
    assert not fits([HearingCompressor(22_050)], grid_for(22_050).hop)
    assert not fits([Limiter(16_000, 2, link_channels=True)], hop)
    assert not fits([Leveler(16_000, presence=lambda _, count: np.zeros(count))], hop)
    assert not fits([Dehummer(16_000)], hop)


def test_what_comes_late_cannot_stand_before_the_network() -> None:
    """The network would wait for it, and it for whole hops: longer than a lone stream does."""
    gate, highpass = StageChoice("gate"), StageChoice("highpass")
    assert can_share((highpass,), (gate,), 16_000) == (True, True)
    assert can_share((gate,), (highpass,), 16_000) == (False, True)


def test_a_stream_that_is_late_finds_its_place_again(pool: StreamPool) -> None:
    """One breaks off for a hundred ticks and goes on; the others, and itself, are as if it had not."""
    late, steady = (pool.open(16_000, preset="meeting") for _ in range(2))
    audio = shouting(16_000, 3.0, 5)
    made: dict[PoolStream, list[np.ndarray]] = {late: [], steady: []}
    for number, start in enumerate(range(0, audio.size, 320)):
        steady.write(audio[start : start + 320])
        if not 20 <= number < 120:
            late.write(audio[late.door.received :][: 320 if number < 20 else 2_000])
        pool.tick()
        assert steady.door.received - steady.feed.made <= steady.latency
        for stream, pieces in made.items():
            pieces.append(stream.read())
    for stream, pieces in made.items():
        assert stream.door.received == audio.size
        stream.finish()
        run_dry(pool)
        whole = np.concatenate([*pieces, stream.read()])
        np.testing.assert_allclose(whole, lone(audio, 16_000, preset="meeting"), rtol=0, atol=TOLERANCE)
        stream.close()
