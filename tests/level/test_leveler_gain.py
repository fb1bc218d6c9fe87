"""The leveller on talkers that change, on pauses, and on what is no speech."""

import numpy as np
import pytest
from listening_signals import bad_inputs, talker

from unmuffle.errors import InvalidParameterError
from unmuffle.level import Leveler, integrated_loudness, level

RATE = 16_000
HOP = Leveler(RATE).grid.hop


def noise(seconds: float, level_dbfs: float, seed: int = 0) -> np.ndarray:
    return 10 ** (level_dbfs / 20) * np.random.default_rng(seed).standard_normal(round(seconds * RATE))


def gains_db(audio: np.ndarray, **options) -> np.ndarray:
    """The gain at the end of every frame."""
    leveler = Leveler(RATE, **options)
    gains = []
    for start in range(0, audio.size, HOP):
        leveler.process(audio[None, start : start + HOP].astype(np.float32))
        gains.append(leveler.gain_db[0])
    return np.array(gains)


def stepped(step_db: float, first_db: float, pitch_hz: float) -> tuple[np.ndarray, int]:
    """Ten seconds of a talker, then ten of the same talker nearer or farther; and the frame of the step."""
    voice = talker(RATE, 20.0, pitch_hz) * 10 ** (first_db / 20)
    onset = next(at for at in range(10 * RATE, 12 * RATE, HOP) if np.square(voice[at : at + HOP]).mean() > 1e-4)
    audio = np.concatenate([voice[:onset], voice[onset:] * 10 ** (step_db / 20)])
    return audio + noise(20.0, min(first_db, first_db + step_db) - 45.0), onset // HOP


def seconds_to_within_3_db(audio: np.ndarray, step: int) -> float:
    """Time until the gain is near where it ends, pauses of more than a quarter of a second left out."""
    gains = gains_db(audio)
    power = np.square(audio[: audio.size // HOP * HOP]).reshape(-1, HOP).mean(axis=1)[step:]
    there = int(np.argmax(np.abs(gains[step:] - np.median(gains[-300:])) < 3.0))
    sounding = np.convolve(power > 30.0 * power.min(), np.ones(round(0.25 * RATE / HOP)))[: power.size] > 0
    return float(sounding[:there].sum() * HOP / RATE)


@pytest.mark.parametrize("pitch_hz", [110.0, 150.0, 220.0])
def test_a_talker_who_drops_20_db_is_back_within_3_db_in_1_5_s(pitch_hz):
    assert seconds_to_within_3_db(*stepped(-20.0, 0.0, pitch_hz)) <= 1.5


@pytest.mark.parametrize("pitch_hz", [110.0, 150.0, 220.0])
def test_a_shout_of_20_db_is_down_within_3_db_in_half_a_second(pitch_hz):
    assert seconds_to_within_3_db(*stepped(20.0, -20.0, pitch_hz)) <= 0.5


@pytest.mark.parametrize("snr_db", [10.0, 20.0, 30.0])
def test_noise_in_pauses_rises_less_than_3_db(snr_db):
    voice = np.concatenate([talker(RATE, 10.0, 130.0), np.zeros(10 * RATE)]) * 0.05
    gains = gains_db(voice + noise(20.0, -46.0 - snr_db))
    pause = gains[round(10.3 * RATE) // HOP :]
    assert pause.max() - pause[0] < 3.0


@pytest.mark.parametrize("level_dbfs", [-60.0, -40.0, -20.0])
def test_noise_alone_is_left_as_it_is(level_dbfs):
    assert np.abs(gains_db(noise(10.0, level_dbfs))).max() < 1.0


def test_hum_clicks_and_steps_of_noise_are_no_speech():
    time = np.arange(10 * RATE) / RATE
    hum = sum(0.05 / k * np.sin(2 * np.pi * 50 * k * time) for k in range(1, 20))
    clicks = np.where(np.random.default_rng(0).random(time.size) < 3e-4, 0.5, 0.0)
    step = noise(10.0, -60.0) * np.where(time < 5.0, 1.0, 100.0)
    for sound in (hum + noise(10.0, -60.0), clicks + noise(10.0, -70.0), step):
        assert np.abs(gains_db(sound)).max() < 1.0


@pytest.mark.parametrize("first_db", [-30.0, -10.0, 0.0])
def test_speech_lands_at_the_target(first_db):
    speech = talker(RATE, 20.0, 130.0) * 10 ** (first_db / 20)
    levelled = level(speech, RATE, target_lufs=-20.0)
    assert integrated_loudness(levelled[5 * RATE :], RATE) == pytest.approx(-20.0, abs=2.0)


def test_gain_and_its_speed_are_bounded():
    audio, _ = stepped(-30.0, 0.0, 130.0)
    gains = gains_db(audio, max_gain_db=6.0, max_cut_db=2.0, rise_db_per_s=5.0, fall_db_per_s=10.0)
    speed = np.diff(gains) * RATE / HOP
    assert gains.max() == pytest.approx(6.0, abs=0.01)
    assert gains.min() >= -2.0
    assert speed.max() <= 5.0 + 1e-6
    assert speed.min() >= -10.0 - 1e-6


def test_linked_channels_keep_the_image():
    voice = talker(RATE, 10.0, 130.0) * 0.1
    levelled = level(np.stack([voice, 0.5 * voice]), RATE, link_channels=True)
    assert levelled[1] == pytest.approx(0.5 * levelled[0], abs=1e-7)
    assert integrated_loudness(levelled[:, 5 * RATE :], RATE) == pytest.approx(-23.0, abs=2.0)


def test_channels_that_are_not_linked_are_levelled_each():
    voice = talker(RATE, 10.0, 130.0)
    near, far = level(np.stack([voice, 0.1 * voice]), RATE)[:, 5 * RATE :]
    assert integrated_loudness(far, RATE) == pytest.approx(integrated_loudness(near, RATE), abs=1.0)


def test_presence_that_is_told_is_gone_by():
    # Noise is levelled where it is said to be speech, and after that not any more.
    sound = noise(8.0, -50.0)
    told = np.zeros(8 * RATE // HOP)
    told[: told.size // 2] = 1.0
    levelled = level(sound, RATE, presence=told, target_lufs=-30.0)
    ratio_db = 20 * np.log10(np.abs(levelled[1:]) / np.abs(sound[1:]))
    assert ratio_db[3 * RATE] == pytest.approx(19.0, abs=2.5)
    assert ratio_db[6 * RATE] == pytest.approx(ratio_db[5 * RATE], abs=1e-3)
    assert level(sound, RATE, presence=np.zeros(3)) == pytest.approx(sound)


@pytest.mark.parametrize("gives", [lambda _, count: np.zeros(count + 1), lambda _, count: np.full(count, 2.0)])
def test_presence_of_another_shape_or_range_is_refused(gives):
    with pytest.raises(InvalidParameterError, match="presence must give"):
        Leveler(RATE, presence=gives).process(np.zeros((1, RATE), np.float32))


@pytest.mark.parametrize("name", list(bad_inputs(RATE)))
def test_bad_input_is_left_as_it_is(name):
    audio = bad_inputs(RATE)[name]
    if name in ("square", "8 channels"):
        # A square wave has a pitch: it is levelled like a voice, within bounds.
        assert np.abs(level(audio, RATE)).max() <= 1.0
    else:
        assert level(audio, RATE) == pytest.approx(audio)


@pytest.mark.parametrize(("option", "value"), [("target_lufs", 3.0), ("max_gain_db", -1.0), ("rise_db_per_s", 0.0)])
def test_settings_out_of_range_are_named(option, value):
    with pytest.raises(InvalidParameterError, match=option):
        Leveler(RATE, **{option: value})
