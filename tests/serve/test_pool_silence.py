"""The gate of silence: what it spares, what it changes, and that it is not heard."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from pool_signals import lone, talk, through

from unmuffle.measure import si_sdr_db
from unmuffle.serve import StreamPool
from unmuffle.serve.pool_silence import HELD_FRAMES

EXAMPLES = Path(__file__).parents[2] / "examples"
RATE_HZ, HOP = 16_000, 256


@pytest.fixture
def pool() -> StreamPool:
    return StreamPool(capacity=4, on_overload="keep")


def with_pause(silent_hops: int, *, dither: bool = False) -> np.ndarray:
    """A second of talk, so many whole hops of silence, and another second."""
    before, after = talk(RATE_HZ, 62 * HOP / RATE_HZ, seed=1), talk(RATE_HZ, 1.0, seed=2)
    silence = np.zeros((1, silent_hops * HOP), np.float32)
    if dither:
        silence = np.random.default_rng(0).integers(-1, 2, silence.shape).astype(np.float32) / 2**15
    return np.concatenate((before, silence, after), axis=1)


def test_a_long_silence_is_to_the_network_one_of_a_second(pool: StreamPool) -> None:
    gated = HELD_FRAMES + 1
    long, short = with_pause(gated + 200), with_pause(gated)
    with pool.open(RATE_HZ) as stream:
        made = through(pool, stream, long, 320)
        assert stream.statistics.gated_share == pytest.approx(200 / stream.statistics.frames)
    wanted = lone(short, RATE_HZ)
    cut = (62 + gated - 1) * HOP
    without = np.delete(made, slice(cut, cut + 200 * HOP), axis=1)
    np.testing.assert_allclose(without, wanted, rtol=0, atol=1e-4)
    assert not made[:, cut : cut + 200 * HOP].any()


def test_shorter_silences_and_silence_without_a_gate_change_nothing(pool: StreamPool) -> None:
    for hops, gate_silence in ((HELD_FRAMES, True), (HELD_FRAMES + 100, False)):
        audio = with_pause(hops)
        with pool.open(RATE_HZ, gate_silence=gate_silence) as stream:
            np.testing.assert_allclose(through(pool, stream, audio, 320), lone(audio, RATE_HZ), rtol=0, atol=1e-4)
            assert stream.statistics.gated_share == 0.0


def test_during_the_silence_the_output_is_that_of_a_lone_stream(pool: StreamPool) -> None:
    """Also where the silence is dithered: what the gate takes off is below one step of 16 bits."""
    for dither in (False, True):
        audio = with_pause(300, dither=dither)
        with pool.open(RATE_HZ) as stream:
            made = through(pool, stream, audio, 320)
            assert stream.statistics.gated_share > 0.5
        # The first frame with a voice in it begins a hop before the voice.
        until = (62 + 300 - 1) * HOP
        np.testing.assert_allclose(made[:, :until], lone(audio, RATE_HZ)[:, :until], rtol=0, atol=1e-4)


def test_nothing_is_heard_of_the_gate(pool: StreamPool) -> None:
    """A talker who begins in the middle of a hop: the first samples are as smooth as those of a lone stream.

    And what comes is a voice: it differs from the lone one, whose network has heard the whole silence, by less than
    what both take off.
    """
    talker = talk(RATE_HZ, 1.5, seed=2)
    audio = np.concatenate((talk(RATE_HZ, 1.0), np.zeros((1, 10 * RATE_HZ + 100), np.float32), talker), axis=1)
    with pool.open(RATE_HZ) as stream:
        made = through(pool, stream, audio, 320)
    wanted = lone(audio, RATE_HZ)
    begins = audio.shape[1] - talker.shape[1]
    assert not made[:, begins - RATE_HZ : (begins // HOP - 1) * HOP].any()
    edge = slice(begins - HOP, begins + 2 * HOP)
    steepest = [np.abs(np.diff(signal[:, edge], n=2)).max() for signal in (made, wanted, audio)]
    assert steepest[0] <= max(steepest[1:])
    difference, taken_off = made - wanted, audio - wanted
    assert np.square(difference[:, begins:]).sum() < 0.5 * np.square(taken_off[:, begins:]).sum()


@pytest.mark.parametrize("silence_s", [3, 10])
def test_a_recording_goes_on_after_silence_no_worse_than_alone(pool: StreamPool, silence_s: int) -> None:
    noisy, rate = soundfile.read(EXAMPLES / "noisy.flac", dtype="float32")
    clean, _ = soundfile.read(EXAMPLES / "clean.flac", dtype="float32")
    before, after = noisy[: 4 * rate], noisy[4 * rate : 7 * rate]
    audio = np.concatenate((before, np.zeros(silence_s * rate, np.float32), after))
    with pool.open(rate) as stream:
        made = through(pool, stream, audio, rate // 50)[-3 * rate :]
    alone = lone(audio, rate)[-3 * rate :]
    for second in range(3):
        part = slice(second * rate, (second + 1) * rate)
        wanted = clean[4 * rate : 7 * rate][part]
        assert si_sdr_db(wanted, made[part], rate) > si_sdr_db(wanted, alone[part], rate) - 0.3


def test_silence_of_one_channel_is_no_silence_of_the_stream(pool: StreamPool) -> None:
    audio = np.concatenate((talk(RATE_HZ, 3.0), np.zeros((1, 3 * RATE_HZ), np.float32)))
    with pool.open(RATE_HZ, 2) as stream:
        made = through(pool, stream, audio, 320)
        assert stream.statistics.gated_share == 0.0
    np.testing.assert_allclose(made, lone(audio, RATE_HZ), rtol=0, atol=1e-4)


def test_silent_streams_spare_the_network(pool: StreamPool) -> None:
    silent, live = pool.open(RATE_HZ), pool.open(48_000)
    for _ in range(200):
        silent.write(np.zeros(HOP))
        live.write(talk(48_000, 0.016))
        pool.tick()
        silent.read(), live.read()
    rows = pool.statistics.batch_sizes
    assert rows[2] == HELD_FRAMES + 1
    assert rows[1] == 200 - rows[2]
    assert silent.statistics.frames == live.statistics.frames == 200


def test_a_preset_and_a_partial_strength_pass_silence_too(pool: StreamPool) -> None:
    audio = with_pause(HELD_FRAMES + 100)
    until = (62 + HELD_FRAMES + 100 - 1) * HOP
    for options in ({"preset": "meeting"}, {"strength": 0.4}, {"strength": "auto"}):
        with pool.open(RATE_HZ, **options) as stream:
            made = through(pool, stream, audio, 320)
            assert stream.statistics.gated_share > 0.2
        np.testing.assert_allclose(made[:, :until], lone(audio, RATE_HZ, **options)[:, :until], rtol=0, atol=1e-4)
