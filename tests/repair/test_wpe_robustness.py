"""Dereverberation of what is no speech, and for hours."""

from __future__ import annotations

import numpy as np
import pytest
from reverberant_rooms import RATE, dry_voice, in_room, si_sdr_db

from unmuffle.repair import Wpe, WpeOffline, dereverb
from unmuffle.repair.wpe_band import WpeBand

each_method = pytest.mark.parametrize("method", ["wpe", "wpe_offline", "late"])
TIME = np.arange(3 * RATE) / RATE


@each_method
@pytest.mark.parametrize(
    ("name", "audio"),
    [
        ("dc", np.full(TIME.size, 0.5)),
        ("square", np.sign(np.sin(2.0 * np.pi * 100.0 * TIME))),
        ("impulse", (np.arange(TIME.size) == RATE).astype(float)),
        ("tone", np.sin(2.0 * np.pi * 440.0 * TIME)),
        ("short", np.random.default_rng(0).uniform(-1.0, 1.0, RATE // 10)),
    ],
)
def test_signals_that_are_no_speech_stay_within_bounds(method, name, audio):
    found = dereverb(audio, RATE, method)
    assert found.shape == audio.shape
    # What is left of harmonics that were not taken off alike may add up to more than their sum was.
    assert np.abs(found).max() <= 3.0 * np.abs(audio).max()
    if name in ("impulse", "short"):
        # There is nothing in it that could be taken for reverberation.
        assert si_sdr_db(audio, found) > 15.0


@each_method
@pytest.mark.parametrize("link", [True, False])
def test_eight_channels_one_of_them_silent(method, link):
    voice, _ = in_room(dry_voice(3.0), 0.5)
    audio = np.stack([voice * share for share in np.linspace(1.0, 0.0, 8)])
    found = dereverb(audio, RATE, method, link_channels=link)
    assert found.shape == audio.shape
    assert not found[7].any()
    assert (np.abs(found).max(axis=1) <= 1.5 * np.abs(audio).max(axis=1)).all()


@pytest.mark.parametrize("method", ["wpe", "wpe_offline"])
def test_level_does_not_matter(method):
    reverberant, _ = in_room(dry_voice(4.0), 0.6)
    loud, quiet = (dereverb(reverberant * scale, RATE, method) / scale for scale in (1.0, 2.0**-10))
    np.testing.assert_allclose(quiet, loud, rtol=0, atol=1e-4 * np.abs(loud).max())


def test_what_was_learnt_outlasts_a_long_silence():
    reverberant, early = in_room(dry_voice(), 0.6)
    audio = np.concatenate((reverberant, np.zeros(60 * RATE), reverberant))
    found = dereverb(audio, RATE, "wpe")
    again = found[-reverberant.size :]
    assert np.isfinite(found).all()
    assert si_sdr_db(early, again) > si_sdr_db(early, found[: reverberant.size])


def test_a_burst_100_db_louder_is_left_and_forgotten():
    reverberant, early = in_room(dry_voice(), 0.6)
    burst = 100.0 * np.random.default_rng(0).standard_normal(RATE // 2)
    audio = np.concatenate((1e-3 * reverberant, burst, 1e-3 * reverberant))
    found = dereverb(audio, RATE, "wpe")
    assert np.abs(found).max() < 1.5 * np.abs(burst).max()
    half = early[early.size // 2 :]
    assert si_sdr_db(half, found[-half.size :]) > si_sdr_db(half, reverberant[-half.size :]) + 0.5


def test_single_precision_holds_for_long():
    """Levels that jump by up to 240 dB, tones, silence and clicks, for more frames than nature would ask of it."""
    random = np.random.default_rng(0)
    lanes = 4
    band = WpeBand(1, 1, lanes, taps=6, delay=3, forgetting=0.99, prior=0.02, pole=0.99)
    for _ in range(60):
        count, level = int(random.integers(20, 400)), 10.0 ** random.uniform(-6, 6)
        noise = random.standard_normal((count, lanes)) + 1j * random.standard_normal((count, lanes))
        tone = np.exp(1j * np.arange(count)[:, None] * random.uniform(0.0, 3.0, lanes))
        fade = 10.0 ** (-np.arange(count)[:, None] / random.uniform(3.0, 100.0))
        click = (np.arange(count) == 0)[:, None] * np.ones(lanes)
        for frames in (noise, tone, 0.0 * noise, noise * fade, click, tone + 1e-6 * noise):
            given = (level * frames).astype(np.complex64)
            found = np.array([band.dereverberate(frame[None, None])[0, 0] for frame in given])
            assert np.isfinite(found).all()
            inverse = band._filter.inverse.transpose(2, 0, 1).astype(np.complex128)
            eigenvalues = np.linalg.eigvalsh(0.5 * (inverse + inverse.conj().swapaxes(1, 2)))
            assert eigenvalues.min() > 0.0
            assert eigenvalues.max() < 0.02 * 6 * 1.001
            assert np.abs(band._filter.filter).max() < 10.0


@pytest.mark.parametrize("kind", [Wpe, WpeOffline])
def test_memory_does_not_grow_with_the_audio(kind):
    import tracemalloc

    noise = np.random.default_rng(0).standard_normal((1, RATE)).astype(np.float32)
    stream = kind(RATE, **({"block_s": 1.0} if kind is WpeOffline else {}))
    peaks = []
    tracemalloc.start()
    for _ in range(3):
        for _ in range(4):
            stream.process(noise)
        peaks.append(tracemalloc.get_traced_memory()[1])
    tracemalloc.stop()
    assert peaks[-1] < 1.02 * peaks[0] + 100_000
