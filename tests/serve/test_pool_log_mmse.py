"""Log-MMSE for many streams at once is that of each of them, and stands in for a model that cannot run."""

from __future__ import annotations

import numpy as np
import pytest
from pool_signals import lone, run_dry, talk

import unmuffle.serve.pool_ladder as ladder
from unmuffle.errors import ModelRuntimeError
from unmuffle.serve import StreamPool


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> StreamPool:
    monkeypatch.setattr(ladder, "default_model", lambda: None)
    return StreamPool(capacity=16, on_overload="keep")


def test_streams_of_all_rates_out_of_step(pool: StreamPool) -> None:
    rng = np.random.default_rng(0)
    kinds = [(8_000, 1), (16_000, 1), (16_000, 1), (16_000, 2), (44_100, 1), (48_000, 2)]
    audios = [talk(rate, 1.5, channels, seed) for seed, (rate, channels) in enumerate(kinds)]
    # Digital silence in one of them, which the noise estimate must not take for an end of the noise.
    audios[1][:, 8_000:12_000] = 0.0
    streams = [pool.open(rate, channels) for rate, channels in kinds]
    made: list[list[np.ndarray]] = [[] for _ in streams]
    starts = [0] * len(streams)
    while any(start < audio.shape[1] for start, audio in zip(starts, audios, strict=True)):
        for place, (stream, audio) in enumerate(zip(streams, audios, strict=True)):
            count = int(rng.integers(0, stream.sample_rate // 20))
            stream.write(audio[:, starts[place] : starts[place] + count])
            starts[place] += count
            made[place].append(stream.read())
        pool.tick()
    for stream in streams:
        stream.finish()
    run_dry(pool)
    for stream, pieces, audio in zip(streams, made, audios, strict=True):
        pieces.append(stream.read())
        wanted = lone(audio, stream.sample_rate, method="log_mmse")
        np.testing.assert_allclose(np.concatenate(pieces, axis=1), wanted, rtol=0, atol=1e-5)
    assert {stream.statistics.rung for stream in streams} == {"log_mmse"}


@pytest.mark.parametrize("capacity", [1, 257, 513])
def test_a_capacity_that_looks_like_a_number_of_bins(monkeypatch: pytest.MonkeyPatch, capacity: int) -> None:
    monkeypatch.setattr(ladder, "default_model", lambda: None)
    pool = StreamPool(capacity=capacity, on_overload="keep")
    audio = talk(16_000, 0.5)
    stream = pool.open(16_000)
    stream.write(audio)
    run_dry(pool)
    made = stream.read()
    wanted = lone(audio, 16_000, method="log_mmse")[:, : made.shape[1]]
    np.testing.assert_allclose(made, wanted, rtol=0, atol=1e-5)


def test_it_stands_in_with_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(model: object) -> None:
        raise ModelRuntimeError("ONNX Runtime cannot be loaded")

    monkeypatch.setattr(ladder, "frames_network", fail)
    with pytest.warns(UserWarning, match="log_mmse is used instead"):
        pool = StreamPool(capacity=1)
    assert pool.model is None
    assert pool.statistics.rung == "log_mmse"
