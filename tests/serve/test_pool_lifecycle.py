"""Streams come and go, wait and are told of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pool_signals import lone, run_dry, talk, through

from unmuffle.errors import InvalidAudioError, InvalidParameterError, ModelError, UnmuffleError
from unmuffle.serve import PoolBusyError, PoolFullError, StreamPool


@pytest.fixture
def pool() -> StreamPool:
    return StreamPool(capacity=4, on_overload="keep")


def test_a_full_pool_says_so_and_takes_more_when_one_has_gone(pool: StreamPool) -> None:
    first, second = pool.open(16_000, 3), pool.open(8_000)
    with pytest.raises(PoolFullError, match="0 of 4 slots"):
        pool.open(16_000)
    assert issubclass(PoolFullError, UnmuffleError)
    second.close()
    second.close()
    with pytest.raises(PoolFullError, match="1 of 4 slots free, and 2 are needed"):
        pool.open(16_000, 2)
    with pool.open(48_000):
        assert pool.statistics.channels == 4
        assert pool.statistics.streams == 2
    first.close()
    assert (pool.statistics.streams, pool.statistics.channels) == (0, 0)


def test_what_cannot_be_opened_takes_no_slot(pool: StreamPool, tmp_path: Path) -> None:
    for options in (
        {"sample_rate": 4_000},
        {"channels": 0},
        {"strength": 1.5},
        {"strength": "much"},
        {"deadline_ms": 0.0},
        {"deadline_ms": np.nan},
        {"preset": "no such"},
        {"preset": "auto"},
        {"preset": "asr", "strength": 0.5},
    ):
        with pytest.raises(InvalidParameterError):
            pool.open(**{"sample_rate": 16_000, **options})
    own = tmp_path / "own.toml"
    own.write_text('[[stage]]\nname = "denoise"\n[[stage]]\nname = "limit"\nceiling_dbtp = 90\n')
    for channels in (1, 2):
        with pytest.raises(InvalidParameterError, match="ceiling_dbtp"):
            pool.open(16_000, channels, preset=own)
    assert pool.statistics.channels == 0
    assert not pool._engine._lanes


@pytest.mark.parametrize(
    "options", [{"capacity": 0}, {"capacity": 1.5}, {"max_pending_s": 0.0}, {"on_overload": "panic"}]
)
def test_a_pool_of_wrong_parameters(options: dict[str, object]) -> None:
    with pytest.raises(InvalidParameterError):
        StreamPool(**options)


def test_a_model_that_is_not_there() -> None:
    with pytest.raises(ModelError, match="does not exist"):
        StreamPool("no_such_model.onnx")
    with pytest.raises(InvalidParameterError, match="no model"):
        StreamPool("no_such_model")


def test_a_model_of_waveforms_is_refused(tmp_path: Path) -> None:
    from small_models import waveform_model

    path = tmp_path / "waveform.onnx"
    path.write_bytes(waveform_model().SerializeToString())
    with pytest.raises(ModelError, match="waveforms"):
        StreamPool(path)


def test_too_much_that_waits_is_refused_and_not_lost() -> None:
    pool = StreamPool(capacity=1, max_pending_s=0.5, on_overload="keep")
    audio = talk(16_000, 3.0)[0]
    stream = pool.open(16_000)
    pieces, start = [], 0
    refused = 0
    while start < audio.size:
        try:
            stream.write(audio[start : start + 1_600])
        except PoolBusyError:
            refused += 1
            run_dry(pool)
            pieces.append(stream.read())
        else:
            start += 1_600
            assert stream.pending_s <= 0.5 + 0.1 + stream.latency / 16_000 + 1e-9
    stream.finish()
    run_dry(pool)
    pieces.append(stream.read())
    assert refused >= 3
    np.testing.assert_allclose(np.concatenate(pieces), lone(audio, 16_000), rtol=0, atol=1e-4)


def test_one_long_block_is_taken_where_nothing_waits(pool: StreamPool) -> None:
    audio = talk(8_000, 4.0)[0]
    stream = pool.open(8_000)
    stream.write(audio)
    with pytest.raises(PoolBusyError):
        stream.write(audio)
    stream.finish()
    run_dry(pool)
    np.testing.assert_allclose(stream.read(), lone(audio, 8_000), rtol=0, atol=1e-4)


def test_a_stream_that_has_ended_takes_no_more(pool: StreamPool) -> None:
    stream = pool.open(16_000)
    stream.write(np.zeros(100))
    stream.finish()
    stream.finish()
    with pytest.raises(InvalidParameterError, match="finished"):
        stream.write(np.zeros(100))
    assert not stream.finished
    run_dry(pool)
    assert stream.finished
    assert stream.read().size == 100
    stream.reset()
    assert not stream.finished
    stream.write(np.zeros(10))
    stream.close()
    with pytest.raises(InvalidParameterError, match="closed"):
        stream.write(np.zeros(100))
    assert stream.read().size == 0
    assert not pool.ready() or pool.tick() == 0


def test_blocks_of_a_wrong_shape_or_type(pool: StreamPool) -> None:
    stream = pool.open(16_000, 2)
    for block in (np.zeros(10), np.zeros((1, 10)), np.zeros((10, 2)), np.zeros((2, 10), bool), 1.0, ["a"]):
        with pytest.raises(InvalidAudioError):
            stream.write(block)
    assert stream.pending_s == 0.0


def test_ticks_with_nothing_to_do(pool: StreamPool) -> None:
    assert not pool.ready()
    assert pool.tick() == 0
    stream = pool.open(16_000)
    stream.write(np.zeros(255, np.float32))
    assert pool.tick() == 0
    stream.write(np.zeros(1, np.float32))
    assert pool.ready()
    assert pool.tick() == 1
    assert not pool.ready()
    assert pool.statistics.ticks == 1


@pytest.mark.parametrize("preset", [None, "meeting", "podcast"])
def test_no_more_than_the_latency_is_still_to_come(pool: StreamPool, preset: str | None) -> None:
    audio = talk(48_000, 0.6)
    stream = pool.open(48_000, preset=preset)
    written = 0
    for count in np.random.default_rng(0).integers(1, 3_000, 40).tolist():
        stream.write(audio[:, written : written + count])
        written += audio[:, written : written + count].shape[1]
        run_dry(pool)
        stream.read()
        assert stream.position >= written - stream.latency
    assert written == audio.shape[1]


def test_statistics_of_a_stream(pool: StreamPool) -> None:
    stream = pool.open(16_000)
    through(pool, stream, talk(16_000, 1.0)[0], 320)
    told = stream.statistics
    assert told.frames == 16_000 // 256 + 2
    assert (told.gated_share, told.nonfinite_samples, told.pending_s) == (0.0, 0, 0.0)
    assert told.rung == "unmuffle-s"
    assert told.seconds == pytest.approx(1.0, abs=0.1)


def test_statistics_of_a_pool(pool: StreamPool) -> None:
    streams = [pool.open(16_000) for _ in range(3)]
    for count in (256, 512):
        for stream in streams[:2]:
            stream.write(talk(16_000, 1.0)[:, :count])
        pool.tick()
    streams[2].write(np.zeros(256))
    pool.tick()
    told = pool.statistics
    assert (told.streams, told.channels, told.capacity) == (3, 3, 4)
    assert (told.ticks, told.frames) == (3, 7)
    assert told.batch_sizes == {2: 3, 1: 1}
    assert 0.0 < told.mean_tick_s < 5.0
    assert told.rung == "unmuffle-s"


def test_a_burst_does_not_hold_up_the_others(pool: StreamPool) -> None:
    burst, live = pool.open(16_000), pool.open(16_000)
    burst.write(talk(16_000, 10.0))
    for _ in range(5):
        live.write(talk(16_000, 0.016))
        made = pool.tick()
        assert 2 <= made <= 5
        assert live.statistics.frames * 256 == live.door.received
    run_dry(pool)
    assert burst.statistics.frames == 625


def test_memory_of_a_rate_is_given_back(pool: StreamPool) -> None:
    for rate in range(8_000, 8_060):
        with pool.open(rate) as stream:
            through(pool, stream, talk(8_000, 0.05)[0], 100)
    pool.open(16_000)
    assert [key[:2] for key in pool._engine._lanes] == [(16_000, 1)]


def test_a_chain_that_fails_leaves_the_others_alone(pool: StreamPool) -> None:
    broken, whole = pool.open(16_000, preset="forensic"), pool.open(16_000, preset="meeting")

    def fail(block: np.ndarray) -> np.ndarray:
        raise RuntimeError("no more")

    broken.chain.processor.process = fail
    audio = talk(16_000, 0.5)
    broken.write(audio)
    np.testing.assert_allclose(
        through(pool, whole, audio, 320), lone(audio, 16_000, preset="meeting"), rtol=0, atol=1e-4
    )
    with pytest.raises(UnmuffleError, match="RuntimeError: no more"):
        broken.write(audio)
    assert not pool.ready()
    broken.finish()
    assert broken.finished
    run_dry(pool)
    broken.close()


def test_a_network_that_fails_loses_no_sample(pool: StreamPool, monkeypatch: pytest.MonkeyPatch) -> None:
    audio = talk(16_000, 1.0)[0]
    stream = pool.open(16_000)
    stream.write(audio[:3_000])
    run_dry(pool)
    network = pool._engine.rungs._suppressors[0]

    def fail(parts: object) -> None:
        raise RuntimeError("out of memory")

    with monkeypatch.context() as patched:
        patched.setattr(network, "gains", fail)
        stream.write(audio[3_000:8_000])
        for _ in range(20):
            if pool.ready():
                with pytest.raises(RuntimeError, match="out of memory"):
                    pool.tick()
    stream.write(audio[8_000:])
    stream.finish()
    run_dry(pool)
    made = stream.read()
    assert made.size == audio.size
    np.testing.assert_allclose(made[4_000:7_000], audio[4_000:7_000], rtol=0, atol=1e-5)
    np.testing.assert_allclose(made[:2_500], lone(audio, 16_000)[:2_500], rtol=0, atol=1e-4)


def test_closing_the_pool_closes_its_streams(pool: StreamPool) -> None:
    streams = [pool.open(16_000), pool.open(8_000, preset="telephone")]
    pool.close()
    assert all(stream.closed for stream in streams)
    assert pool.statistics.channels == 0
