"""Noise that is known: as an array, as a span of the audio, or as a file of any rate."""

from __future__ import annotations

import io

import numpy as np
import pytest

import unmuffle

RATE = 16_000
LEAD_S = 1.0


def hiss(seconds, seed=0, rate=RATE):
    """Noise with a strong band, of which a profile says more than its level."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    return 0.01 * rng.standard_normal(time.size) + 0.03 * np.sin(2 * np.pi * 1_000 * time + seed)


@pytest.fixture(scope="module")
def audio(noisy_speech):
    speech = noisy_speech(RATE, seconds=2.0)[0]
    return np.concatenate((np.zeros(RATE), speech)) + hiss(2.0 + LEAD_S, seed=3)


@pytest.fixture(scope="module")
def unprofiled(audio):
    return unmuffle.enhance(audio, RATE)


def test_a_span_is_the_array_of_that_span(audio, unprofiled):
    from_span = unmuffle.enhance(audio, RATE, noise_profile=(0.25, LEAD_S))
    from_array = unmuffle.enhance(audio, RATE, noise_profile=audio[RATE // 4 : RATE])
    np.testing.assert_array_equal(from_span, from_array)
    assert np.abs(from_span - unprofiled).max() > 1e-3


def test_a_file_is_the_array_in_it(audio, tmp_path, write_file):
    noise = hiss(1.5, seed=5)
    path = write_file(tmp_path / "noise.wav", noise, RATE, "DOUBLE")
    from_file = unmuffle.enhance(audio, RATE, noise_profile=path)
    np.testing.assert_allclose(from_file, unmuffle.enhance(audio, RATE, noise_profile=noise), atol=1e-6)
    np.testing.assert_array_equal(unmuffle.enhance(audio, RATE, noise_profile=str(path)), from_file)


@pytest.mark.parametrize("other_rate", [44_100, 48_000])
def test_a_file_of_another_rate_is_resampled(audio, unprofiled, tmp_path, write_file, other_rate):
    same = unmuffle.enhance(audio, RATE, noise_profile=hiss(4.0, seed=5))
    path = write_file(tmp_path / "noise.wav", hiss(4.0, seed=5, rate=other_rate), other_rate, "FLOAT")
    other = unmuffle.enhance(audio, RATE, noise_profile=path)
    quiet = slice(RATE // 4, RATE)
    before = np.square(audio[quiet]).mean()
    # White noise of equal variance is quieter in the band that both rates have: the hum is what must be met.
    assert 10 * np.log10(np.square(other[quiet]).mean() / before) < -10.0
    assert np.corrcoef(other, same)[0, 1] > 0.98


def test_a_profile_serves_every_channel(noisy_speech):
    audio = noisy_speech(RATE, channels=2)
    noise = 0.02 * np.random.default_rng(9).standard_normal(RATE)
    both = unmuffle.enhance(audio, RATE, noise_profile=noise, link_channels=False)
    for channel in range(2):
        np.testing.assert_allclose(
            both[channel], unmuffle.enhance(audio[channel], RATE, noise_profile=noise), atol=1e-6
        )


def test_a_stream_takes_an_array_and_a_file(audio, tmp_path, write_file):
    noise = hiss(1.5, seed=5)
    path = write_file(tmp_path / "noise.wav", noise, RATE, "FLOAT")
    expected = unmuffle.enhance(audio.astype(np.float32), RATE, noise_profile=noise)
    for sample in (noise, path):
        stream = unmuffle.open_stream(RATE, noise_profile=sample)
        got = np.concatenate((stream.process(audio.astype(np.float32)), stream.flush()))
        np.testing.assert_allclose(got, expected, atol=1e-6)


def test_a_stream_has_no_past_to_take_a_span_from():
    with pytest.raises(unmuffle.InvalidParameterError, match="no past"):
        unmuffle.open_stream(RATE, noise_profile=(0.0, 1.0))


@pytest.mark.parametrize(
    ("span", "message"),
    [
        ((1.0, 0.5), "start before end"),
        ((-1.0, 0.5), "start before end"),
        ((0.0, float("nan")), "start before end"),
        ((0.0, float("inf")), "start before end"),
        ((0.0, 0.1, 0.2), "3 numbers"),
        ((90.0, 91.0), "beyond the end"),
        ((0.0, 0.01), "32 ms"),
    ],
)
def test_a_span_of_no_use_is_refused(audio, span, message):
    with pytest.raises(ValueError, match=message) as refused:
        unmuffle.enhance(audio, RATE, noise_profile=span)
    assert isinstance(refused.value, unmuffle.UnmuffleError)


@pytest.mark.parametrize(
    ("noise", "message"),
    [
        (np.zeros(RATE), "digital silence"),
        (np.full(RATE, np.nan), "NaN"),
        (np.ones(10), "32 ms"),
    ],
)
def test_an_array_of_no_use_is_refused(audio, noise, message):
    with pytest.raises(unmuffle.InvalidAudioError, match=message):
        unmuffle.enhance(audio, RATE, noise_profile=noise)


def test_a_noise_file_that_is_missing_is_named(audio, tmp_path):
    with pytest.raises(unmuffle.AudioFileError, match=r"nowhere\.wav"):
        unmuffle.enhance(audio, RATE, noise_profile=tmp_path / "nowhere.wav")


def test_a_span_of_a_file_is_read_from_that_file(audio, tmp_path, write_file):
    source = write_file(tmp_path / "noisy.wav", audio, RATE, "FLOAT")
    enhancer = unmuffle.Enhancer(noise_profile=(0.25, LEAD_S))
    enhancer.enhance_file(source, tmp_path / "clear.wav")
    enhancer.enhance_file(source.read_bytes(), tmp_path / "from_bytes.wav")
    expected = enhancer.enhance(audio.astype(np.float32), RATE)
    for name in ("clear.wav", "from_bytes.wav"):
        with unmuffle.signal.files.open_reader(tmp_path / name) as reader:
            np.testing.assert_allclose(reader.read(10**6)[0], expected, atol=1e-6)


def test_a_span_of_a_stream_that_cannot_be_read_twice_is_refused(audio, tmp_path, write_file):
    source = write_file(tmp_path / "noisy.wav", audio, RATE)
    enhancer = unmuffle.Enhancer(noise_profile=(0.0, 1.0))
    with pytest.raises(unmuffle.UnmuffleError, match="cannot be read twice"):
        enhancer.enhance_file(io.BytesIO(source.read_bytes()), tmp_path / "clear.wav")
    assert not (tmp_path / "clear.wav").exists()
