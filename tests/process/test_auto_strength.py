import numpy as np
import pytest

from unmuffle.denoise import SpectralProcessor
from unmuffle.denoise.suppressors import LogMmse
from unmuffle.errors import InvalidParameterError
from unmuffle.process import DryWet
from unmuffle.process.auto_strength import AutoStrength

RATE = 16_000


def words(seconds: float, seed: int = 0) -> np.ndarray:
    """Bursts of harmonics, .35 s each with pauses of .25 s, as float32."""
    random = np.random.default_rng(seed)
    time = np.arange(int(seconds * RATE)) / RATE
    pitch = 2 * np.pi * np.cumsum(140 + 30 * np.sin(2 * np.pi * 0.7 * time)) / RATE
    voice = sum(np.sin(k * pitch + random.uniform(0, 6)) / k for k in range(1, 20))
    place = np.mod(time, 0.6)
    return (0.1 * voice * np.clip(np.minimum(place, 0.35 - place) / 0.03, 0, 1)).astype(np.float32)


def noise(count: int, level_db: float) -> np.ndarray:
    return (10 ** (level_db / 20) * np.random.default_rng(9).standard_normal(count)).astype(np.float32)


def auto(channels: int = 1, **options) -> DryWet:
    return DryWet(SpectralProcessor(LogMmse(), RATE, channels, **options), "auto")


def run(mix: DryWet, audio: np.ndarray, size: int = 4000) -> np.ndarray:
    blocks = [mix.process(audio[:, at : at + size]) for at in range(0, audio.shape[1], size)]
    return np.concatenate([*blocks, mix.flush()], axis=1)


def test_clean_speech_passes_bit_for_bit_after_its_first_words():
    audio = (words(8) + noise(8 * RATE, -90))[None]
    out = run(auto(), audio)
    np.testing.assert_array_equal(out[:, 3 * RATE :], audio[:, 3 * RATE :])


def test_noisy_speech_gets_the_whole_effect():
    audio = (words(8) + noise(8 * RATE, -35))[None]
    full = run(DryWet(SpectralProcessor(LogMmse(), RATE, 1)), audio)
    np.testing.assert_array_equal(run(auto(), audio), full)


def test_some_noise_gets_some_of_the_effect():
    audio = (words(20) + noise(20 * RATE, -48))[None]
    mix = auto()
    mix.process(audio)
    assert 0.1 < mix.strength_over_time.mean < 0.9


def test_noise_that_sets_in_is_taken_off_within_three_seconds():
    audio = (words(10) + noise(10 * RATE, -62))[None]
    audio[:, 6 * RATE :] += noise(4 * RATE, -32)
    full = run(DryWet(SpectralProcessor(LogMmse(), RATE, 1)), audio)
    out = run(auto(), audio)
    np.testing.assert_array_equal(out[:, 4 * RATE : 6 * RATE], audio[:, 4 * RATE : 6 * RATE])
    # Most of the time is the denoiser's own, until it knows the noise.
    np.testing.assert_array_equal(out[:, 9 * RATE :], full[:, 9 * RATE :])


def test_what_was_denoised_before_is_left_as_it_is():
    noisy = (words(10) + noise(10 * RATE, -45))[None]
    full = DryWet(SpectralProcessor(LogMmse(), RATE, 1))
    once = run(full, noisy)
    twice, again = run(full, once), run(auto(), once)
    change_db = [10 * np.log10(np.square(x - once).sum() / np.square(once).sum()) for x in (twice, again)]
    assert change_db[1] < change_db[0] - 3.0
    np.testing.assert_array_equal(again[:, 3 * RATE :], once[:, 3 * RATE :])


def test_clean_speech_passes_again_when_noise_has_ended():
    """With a denoiser that knows the voice."""
    voice = (words(16) + noise(16 * RATE, -90))[None]
    noisy = voice.copy()
    noisy[:, : 4 * RATE] += noise(4 * RATE, -32)
    share = AutoStrength(RATE, 1).shares(noisy, voice)[0]
    assert np.all(share[: 4 * RATE] == 1.0)
    assert np.all(share[12 * RATE :] == 0.0)


@pytest.mark.parametrize("level_db", [-24, -18])
def test_knocks_between_silences_are_taken_off(level_db):
    """With a denoiser that knows the voice, so that what it removes is the knocks alone."""
    voice = (words(10) + noise(10 * RATE, -80))[None]
    at = np.mod(np.arange(voice.size), int(0.73 * RATE))
    knocks = np.where(at < 0.02 * RATE, noise(voice.size, level_db), 0.0).astype(np.float32)
    share = AutoStrength(RATE, 1).shares(voice + knocks, voice)[0]
    assert share[3 * RATE :].min() > 0.6
    assert np.all(AutoStrength(RATE, 1).shares(voice, voice)[0, 3 * RATE :] == 0.0)


def test_the_strength_never_jumps():
    audio = (words(10) + noise(10 * RATE, -62))[None]
    audio[:, 6 * RATE :] += noise(4 * RATE, -32)
    full = run(DryWet(SpectralProcessor(LogMmse(), RATE, 1)), audio)
    out = run(auto(), audio)
    removed, mixed = (full - audio)[0], (out - audio)[0]
    clear = np.abs(removed) > 1e-3
    strength = mixed[clear] / removed[clear]
    steps = np.abs(np.diff(strength)) / np.diff(np.flatnonzero(clear))
    # All of it takes a tenth of a second at the fastest.
    assert steps.max() < 1.1 / (0.1 * RATE)


def test_linked_channels_have_one_strength():
    clean, noisy = words(8) + noise(8 * RATE, -90), words(8, 1) + noise(8 * RATE, -28)
    audio = np.stack([clean, noisy])
    full = run(DryWet(SpectralProcessor(LogMmse(), RATE, 2, link_channels=True)), audio)
    np.testing.assert_array_equal(run(auto(2, link_channels=True), audio), full)
    alone = run(auto(2), audio)
    np.testing.assert_array_equal(alone[0, 3 * RATE :], audio[0, 3 * RATE :])


def test_auto_is_chosen_when_the_mix_is_made():
    with pytest.raises(InvalidParameterError, match="stays"):
        auto().strength = 0.5
    with pytest.raises(InvalidParameterError, match="stays"):
        DryWet(SpectralProcessor(LogMmse(), RATE, 1)).strength = "auto"
    with pytest.raises(InvalidParameterError, match="or 'auto'"):
        DryWet(SpectralProcessor(LogMmse(), RATE, 1), "full")
