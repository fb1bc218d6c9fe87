"""The limiter's ceiling as oversampling by an independent resampler sees it, and what it leaves alone."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import butter, resample_poly, sosfilt

from unmuffle.errors import InvalidParameterError
from unmuffle.level import Limiter, limit

SECONDS = 1.5


def true_peak_db(audio: np.ndarray, factor: int) -> float:
    """With scipy's own filter."""
    return 20.0 * np.log10(np.abs(resample_poly(audio.astype(np.float64), factor, 1, axis=-1)).max())


def signal(kind: str, rate: int) -> np.ndarray:
    rng = np.random.default_rng(7)
    time = np.arange(round(SECONDS * rate)) / rate
    if kind == "noise":
        return sosfilt(butter(8, 0.8, output="sos"), rng.standard_normal(time.size))
    if kind == "full band noise":
        return rng.standard_normal(time.size)
    if kind == "square":
        return np.where(np.sin(2 * np.pi * 197.0 * time) >= 0.0, 1.0, -1.0)
    if kind == "sine between the samples":
        return np.sin(2 * np.pi * rate / 4 * time + np.pi / 4)
    if kind == "impulses":
        return (rng.random(time.size) < 1e-3) * rng.uniform(-1.0, 1.0, time.size)
    if kind == "voice":
        syllables = np.clip(np.sin(2 * np.pi * 3.0 * time), 0.0, None) ** 2
        return syllables * sum(np.cos(2 * np.pi * 140.0 * k * time) / k for k in range(1, 20))
    return np.full(time.size, 0.8)


KINDS = ["noise", "full band noise", "square", "sine between the samples", "impulses", "voice", "DC"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("above_db", [1.0, 6.0, 24.0])
@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000, 96_000])
def test_the_ceiling_holds_for_meters_of_4_and_8_times_the_rate(kind, above_db, rate):
    audio = signal(kind, rate)
    audio *= 10.0 ** ((above_db - 3.0) / 20.0) / np.abs(audio).max()
    out = limit(audio, rate, ceiling_dbtp=-3.0)
    assert true_peak_db(out, 4) <= -3.0 + 0.1
    assert true_peak_db(out, 8) <= -3.0 + 0.1


@pytest.mark.parametrize("kind", ["noise", "voice", "sine between the samples"])
def test_not_lower_than_needed(kind):
    audio = signal(kind, 48_000)
    out = limit(10.0 * audio / np.abs(audio).max(), 48_000, ceiling_dbtp=-1.0)
    assert true_peak_db(out, 8) >= -1.15


def test_what_stays_below_the_ceiling_passes_bit_for_bit():
    audio = 0.4 * np.random.default_rng(0).uniform(-1.0, 1.0, (2, 50_000)).astype(np.float32)
    np.testing.assert_array_equal(limit(audio, 48_000), audio)


def test_a_second_after_a_peak_audio_passes_unchanged():
    audio = 0.2 * np.random.default_rng(0).uniform(-1.0, 1.0, 5 * 48_000).astype(np.float32)
    audio[24_000] = 3.0
    out = limit(audio, 48_000, release_ms=50.0)
    np.testing.assert_array_equal(out[:23_700], audio[:23_700])
    np.testing.assert_allclose(out[-3 * 48_000 :], audio[-3 * 48_000 :], atol=1e-7)
    assert np.abs(out[24_000]) == pytest.approx(10.0 ** (-1.05 / 20.0), rel=1e-3)


def test_the_gain_has_no_corner():
    # A gain that jumped in one sample would click: its second difference tells a jump from a glide.
    audio = np.full(48_000, 0.5)
    audio[24_000:24_010] = 4.0
    gain_db = 20.0 * np.log10(limit(audio, 48_000, look_ahead_ms=3.0) / audio)
    assert gain_db.min() < -12.0
    assert np.abs(np.diff(gain_db)).max() < 2.2 * -gain_db.min() / (1e-3 * 3.0 * 48_000)
    assert np.abs(np.diff(gain_db, 2)).max() < 0.01


def test_release_dies_away_with_its_time_constant():
    audio = np.full(3 * 48_000, 0.1)
    audio[24_000] = 4.0
    gain_db = 20.0 * np.log10(limit(audio, 48_000, release_ms=200.0) / audio)
    ratio = gain_db[24_000 + 24_000] / gain_db[24_000 + 24_000 - 9_600]
    assert ratio == pytest.approx(np.exp(-1.0), rel=0.01)


def test_linked_channels_keep_their_balance():
    audio = np.stack([signal("voice", 48_000), 0.3 * signal("noise", 48_000)])
    audio *= 5.0
    out = limit(audio, 48_000, link_channels=True)
    loud = np.abs(audio).min(axis=0) > 0.01
    gains = out[:, loud] / audio[:, loud]
    assert gains.min() < 0.5
    np.testing.assert_allclose(gains[0], gains[1], rtol=1e-5)
    alone = limit(audio, 48_000, link_channels=False)
    np.testing.assert_allclose(alone[1], limit(audio[1], 48_000), atol=1e-7)


@pytest.mark.parametrize(("rate", "look_ahead_ms"), [(8000, 3.0), (48_000, 3.0), (48_000, 1.0), (192_000, 5.0)])
def test_latency_is_the_look_ahead_and_20_samples(rate, look_ahead_ms):
    wanted = 1e-3 * look_ahead_ms * rate + 20
    assert Limiter(rate, look_ahead_ms=look_ahead_ms).latency == pytest.approx(wanted, abs=2.0)


@pytest.mark.parametrize("options", [{"ceiling_dbtp": 21.0}, {"look_ahead_ms": 0.1}, {"release_ms": 0.0}])
def test_limiter_refuses_settings_out_of_range(options):
    with pytest.raises(InvalidParameterError, match=next(iter(options))):
        Limiter(48_000, **options)
