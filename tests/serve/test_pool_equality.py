"""A stream of a pool sounds as one of its own, whatever its neighbours do."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pool_signals import TOLERANCE, lone, run_dry, talk, through

import unmuffle
from unmuffle.errors import InvalidParameterError
from unmuffle.serve import PoolBusyError, PoolFullError, PoolStream, StreamPool

RATES_HZ = (8_000, 16_000, 22_050, 44_100, 48_000)


@pytest.fixture(scope="module")
def pool() -> StreamPool:
    return StreamPool(capacity=24, max_pending_s=5.0, on_overload="keep")


class Neighbour:
    """A stream that is opened, fed, reset, finished and closed at random."""

    def __init__(self, pool: StreamPool, rng: np.random.Generator) -> None:
        self._pool, self._rng = pool, rng
        self._stream: PoolStream | None = None

    def act(self) -> None:
        if self._stream is None or self._stream.closed:
            self._open()
            return
        deed = self._rng.integers(10)
        if deed == 0:
            self._stream.close()
        elif deed == 1:
            self._stream.reset()
        elif deed == 2:
            self._stream.finish()
        elif deed == 3:
            self._stream.strength = self._rng.uniform()
        elif not self._stream.door.ending:
            self._write()
        if not self._stream.closed:
            self._stream.read()

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()

    def _open(self) -> None:
        try:
            self._stream = self._pool.open(int(self._rng.choice(RATES_HZ)), int(self._rng.integers(1, 4)))
        except PoolFullError:
            self._stream = None

    def _write(self) -> None:
        count = int(self._rng.choice((0, 1, 160, 1_000, 9_000)))
        level = self._rng.choice((0.0, 1e-6, 0.1, 1.0, 1e7, np.nan, np.inf))
        noise = level * self._rng.standard_normal((self._stream.channels, count)).astype(np.float32)
        with contextlib.suppress(PoolBusyError):
            self._stream.write(noise)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**32 - 1),
    rate=st.sampled_from(RATES_HZ),
    channels=st.integers(1, 3),
    strength=st.sampled_from((1.0, 1.0, 0.6, 0.0)),
)
def test_neighbours_do_not_matter(pool: StreamPool, seed: int, rate: int, channels: int, strength: float) -> None:
    rng = np.random.default_rng(seed)
    audio = talk(rate, rng.uniform(0.05, 0.6), channels, seed % 7)
    neighbours = [Neighbour(pool, rng) for _ in range(int(rng.integers(0, 9)))]
    for neighbour in neighbours:
        neighbour.act()
    stream = pool.open(rate, channels, strength=strength)
    pieces, start = [], 0
    while start < audio.shape[1]:
        count = int(rng.choice((1, 7, 160, 700, 3_000)))
        stream.write(audio[:, start : start + count])
        start += count
        for neighbour in neighbours:
            neighbour.act()
        if rng.random() < 0.7:
            pool.tick()
        pieces.append(stream.read())
    stream.finish()
    run_dry(pool)
    pieces.append(stream.read())
    assert stream.finished
    for neighbour in neighbours:
        neighbour.close()
    stream.close()
    made = np.concatenate(pieces, axis=1)
    np.testing.assert_allclose(made, lone(audio, rate, strength=strength), rtol=0, atol=TOLERANCE)
    assert pool.statistics.channels == 0


@pytest.mark.parametrize("rate", [*RATES_HZ, 11_025, 96_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_every_rate(pool: StreamPool, rate: int, channels: int) -> None:
    audio = talk(rate, 1.0, channels)
    with pool.open(rate, channels) as stream:
        assert stream.latency == unmuffle.open_stream(rate, channels).latency
        made = through(pool, stream, audio, rate // 50)
    np.testing.assert_allclose(made, lone(audio, rate), rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("preset", ["meeting", "telephone", "podcast", "asr", "forensic"])
def test_presets_are_those_of_a_lone_stream(pool: StreamPool, preset: str) -> None:
    rate = 8_000 if preset == "telephone" else 16_000
    audio = talk(rate, 1.5, 2)
    neighbour = pool.open(48_000)
    neighbour.write(talk(48_000, 1.0))
    with pool.open(rate, 2, preset=preset) as stream, neighbour:
        assert stream.latency == unmuffle.open_stream(rate, 2, preset=preset).latency
        made = through(pool, stream, audio, rate // 50)
    np.testing.assert_allclose(made, lone(audio, rate, preset=preset), rtol=0, atol=TOLERANCE)


def test_the_network_of_a_preset_is_in_the_pool(pool: StreamPool) -> None:
    with pool.open(16_000, preset="meeting") as stream:
        through(pool, stream, talk(16_000, 0.5), 320)
        assert stream.statistics.frames >= 0.5 / 0.016


def test_a_strength_overrides_that_of_a_preset(pool: StreamPool) -> None:
    audio = talk(16_000, 1.0)
    with pool.open(16_000, preset="meeting", strength=0.3) as stream:
        made = through(pool, stream, audio, 320)
    np.testing.assert_allclose(made, lone(audio, 16_000, preset="meeting", strength=0.3), rtol=0, atol=TOLERANCE)


def test_automatic_strengths_out_of_step(pool: StreamPool) -> None:
    """Clean speech passes, noisy speech does not; the streams begin one after the other and send other blocks."""
    kinds = [(16_000, 1, 1e-4, {}), (16_000, 1, 0.05, {}), (48_000, 1, 3e-4, {}), (16_000, 2, 1e-4, {})]
    kinds += [(16_000, channels, 1e-4, {"preset": "forensic"}) for channels in (1, 2)]
    options = [{"strength": "auto", **more} for *_, more in kinds]
    audios = [talk(rate, 2.5, channels, 3, noise) for rate, channels, noise, _ in kinds]
    blocks = (320, 777, 480, 256, 1_000, 333)
    streams, made = [], [[] for _ in kinds]
    for step in range(700):
        if step % 7 == 0 and len(streams) < len(kinds):
            rate, channels, *_ = kinds[len(streams)]
            streams.append(pool.open(rate, channels, **options[len(streams)]))
        for stream, audio, block, pieces in zip(streams, audios, blocks, made, strict=False):
            start = stream.door.received
            if start < audio.shape[1]:
                stream.write(audio[:, start : start + block])
            elif not stream.door.ending:
                stream.finish()
            pieces.append(stream.read())
        pool.tick()
    for stream, audio, option, pieces in zip(streams, audios, options, made, strict=True):
        assert stream.finished
        pieces.append(stream.read())
        wanted = lone(audio, stream.sample_rate, **option)
        np.testing.assert_allclose(np.concatenate(pieces, axis=1), wanted, rtol=0, atol=TOLERANCE)
        stream.close()
    passed = [
        np.abs(lone(audio, kinds[place][0], **options[place]) - audio)[:, -20_000:].max() < 1e-6
        for place, audio in enumerate(audios[:4])
    ]
    assert passed == [True, False, True, True]


def test_an_automatic_strength_stays_one(pool: StreamPool) -> None:
    for channels in (1, 2):
        with pool.open(16_000, channels, strength="auto") as stream:
            stream.strength = "auto"
            with pytest.raises(InvalidParameterError, match="stays"):
                stream.strength = 0.5
            assert stream.strength == "auto"
    with pool.open(16_000) as stream:
        for strength in ("auto", 1.5, "much"):
            with pytest.raises(InvalidParameterError):
                stream.strength = strength
        assert stream.strength == 1.0


@pytest.mark.parametrize("preset", [None, "meeting"])
def test_strength_glides_as_in_a_lone_stream(pool: StreamPool, preset: str | None) -> None:
    audio = talk(16_000, 1.2)
    other = unmuffle.open_stream(16_000, preset=preset)
    made, wanted = [], []
    with pool.open(16_000, preset=preset) as stream:
        for number, start in enumerate(range(0, audio.shape[1], 256)):
            if number in (20, 21, 50):
                stream.strength = other.strength = {20: 0.2, 21: 0.9, 50: 0.0}[number]
            stream.write(audio[:, start : start + 256])
            run_dry(pool)
            made.append(stream.read())
            wanted.append(other.process(audio[:, start : start + 256]))
    np.testing.assert_allclose(np.hstack(made), np.hstack(wanted), rtol=0, atol=TOLERANCE)


def test_reset_is_birth(pool: StreamPool) -> None:
    audio = talk(16_000, 0.7)
    for options in ({}, {"preset": "meeting"}, {"strength": "auto"}):
        with pool.open(16_000, **options) as stream:
            stream.write(talk(16_000, 0.4, seed=3))
            pool.tick()
            stream.write(talk(16_000, 0.01, seed=3))
            stream.reset()
            assert stream.position == 0
            made = through(pool, stream, audio, 320)
        np.testing.assert_allclose(made, lone(audio, 16_000, **options), rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("preset", [None, "meeting"])
def test_what_is_in_the_network_while_a_reset_comes_is_dropped(
    pool: StreamPool, preset: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    audio = talk(16_000, 0.5)
    with pool.open(16_000, preset=preset) as stream:
        stream.write(talk(16_000, 0.5, seed=3))
        network = pool._engine.rungs._suppressors[0]
        gains = network.gains

        def reset_meanwhile(parts: object) -> object:
            stream.reset()
            return gains(parts)

        with monkeypatch.context() as patched:
            patched.setattr(network, "gains", reset_meanwhile)
            pool.tick()
        made = through(pool, stream, audio, 320)
    np.testing.assert_allclose(made, lone(audio, 16_000, preset=preset), rtol=0, atol=TOLERANCE)


def test_a_slot_is_as_new_for_the_next_stream() -> None:
    pool = StreamPool(capacity=1, on_overload="keep")
    for seed in range(3):
        audio = talk(16_000, 0.5, seed=seed)
        with pool.open(16_000) as stream:
            np.testing.assert_allclose(through(pool, stream, audio, 1_000), lone(audio, 16_000), rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("samples", [0, 1, 255, 256, 257, 511, 512, 513])
def test_short_streams_are_whole(pool: StreamPool, samples: int) -> None:
    audio = talk(16_000, 1.0)[0, 3_000 : 3_000 + samples]
    for options in ({}, {"preset": "meeting"}):
        with pool.open(16_000, **options) as stream:
            stream.write(audio)
            stream.finish()
            run_dry(pool)
            assert stream.finished
            made = stream.read()
        assert made.shape == (samples,)
        np.testing.assert_allclose(made, lone(audio, 16_000, **options), rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.float32, np.float64])
def test_output_is_as_the_input_was(pool: StreamPool, dtype: type) -> None:
    audio = talk(16_000, 0.5)[0]
    full_scale = {np.int16: 2**15 - 1, np.int32: 2**31 - 1}.get(dtype, 1.0)
    given_audio = (audio * full_scale).astype(dtype)
    with pool.open(16_000) as stream:
        made = through(pool, stream, given_audio, 320)
    wanted = lone(given_audio, 16_000)
    assert made.dtype == wanted.dtype == dtype
    assert made.shape == wanted.shape
    tolerance = max(1, TOLERANCE * full_scale) if full_scale > 1 else TOLERANCE
    np.testing.assert_allclose(made.astype(float), wanted.astype(float), rtol=0, atol=tolerance)


def test_what_is_not_finite_becomes_silence_and_is_counted(pool: StreamPool) -> None:
    audio = talk(16_000, 0.6, 2)
    audio[0, 1_000], audio[1, 2_000:2_004] = np.nan, np.inf
    for options in ({}, {"preset": "meeting"}):
        with pool.open(16_000, 2, **options) as stream:
            made = through(pool, stream, audio, 500)
            assert stream.statistics.nonfinite_samples == 5
        np.testing.assert_allclose(made, lone(audio, 16_000, **options), rtol=0, atol=TOLERANCE)


def test_a_written_block_may_be_changed_at_once(pool: StreamPool) -> None:
    audio = talk(16_000, 0.3)
    with pool.open(16_000) as stream:
        block = np.empty((1, 100), np.float32)
        for start in range(0, audio.shape[1], 100):
            block[:] = audio[:, start : start + 100]
            stream.write(block)
            block[:] = 1.0
        run_dry(pool)
        made = stream.read()
    np.testing.assert_allclose(made, lone(audio, 16_000)[:, : made.shape[1]], rtol=0, atol=TOLERANCE)


def test_another_model(tmp_path: Path, noisy_speech: Callable[..., np.ndarray]) -> None:
    from small_models import frames_model

    path = tmp_path / "small.onnx"
    path.write_bytes(frames_model().SerializeToString())
    pool = StreamPool(path, capacity=8, on_overload="keep")
    audio = noisy_speech(48_000, 0.5, 2).astype(np.float32)
    for options in ({}, {"preset": "meeting"}):
        with pool.open(48_000, 2, **options) as stream, pool.open(8_000) as other:
            other.write(talk(8_000, 0.5))
            made = through(pool, stream, audio, 480)
        np.testing.assert_allclose(made, lone(audio, 48_000, model=path, **options), rtol=0, atol=TOLERANCE)
    with pool.open(48_000, 2, preset="asr") as stream:
        made = through(pool, stream, audio, 480)
    np.testing.assert_allclose(made, lone(audio, 48_000, preset="asr"), rtol=0, atol=TOLERANCE)


PRESETS = {
    "music is kept": '[[stage]]\nname = "denoise"\nkeep = "music"\n[[stage]]\nname = "level"\n',
    "a method": '[[stage]]\nname = "highpass"\n[[stage]]\nname = "denoise"\nmethod = "wiener"\nstrength = 0.7\n',
    "a limit": '[[stage]]\nname = "denoise"\nmax_attenuation_db = 9\nstrength = 0.8\n',
    "one strength for all": '[[stage]]\nname = "denoise"\nstrength = 0.8\n[[stage]]\nname = "level"\n',
    "a limit and auto": '[[stage]]\nname = "denoise"\nmax_attenuation_db = 9\n[[stage]]\nname = "limit"\n',
}


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("stages", PRESETS.values(), ids=PRESETS)
def test_presets_of_ones_own(pool: StreamPool, tmp_path: Path, stages: str, channels: int) -> None:
    path = tmp_path / "own.toml"
    path.write_text(stages)
    audio = talk(16_000, 1.2, channels)
    with pool.open(16_000, channels, preset=path) as stream:
        made = through(pool, stream, audio, 320)
    np.testing.assert_allclose(made, lone(audio, 16_000, preset=path), rtol=0, atol=TOLERANCE)


def test_a_network_that_loses_its_footing_lets_the_stream_pass(tmp_path: Path) -> None:
    from small_models import frames_model

    path = tmp_path / "wild.onnx"
    path.write_bytes(frames_model(gain=1e6).SerializeToString())
    pool = StreamPool(path, capacity=4, on_overload="keep")
    audio = talk(16_000, 0.5)
    with pool.open(16_000) as stream, pool.open(16_000) as other:
        other.write(talk(16_000, 0.5, seed=1))
        made = through(pool, stream, audio, 320)
    np.testing.assert_allclose(made, lone(audio, 16_000, model=path), rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(made, audio, rtol=0, atol=TOLERANCE)
