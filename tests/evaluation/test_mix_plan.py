"""What a plan mixes hangs on seed and number alone, and is what its conditions say."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile
from evaluation_clips import RATE, hiss, response, write, write_sources

from unmuffle.errors import AudioFileError, InvalidParameterError
from unmuffle.level import active_level_db
from unmuffle.measure.evaluation.mix_plan import MixPlan
from unmuffle.measure.evaluation.mix_sources import (
    direct_sound,
    early_part,
    looped,
    read_response,
    reverberation_time_s,
)


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    return write_sources(tmp_path_factory.mktemp("sources"))


def plan(sources, rooms=False, **settings):
    return MixPlan(sources / "speech", sources / "noise", sources / "rooms" if rooms else None, **settings)


def level_db(signal):
    return 10.0 * np.log10(np.mean(np.square(signal, dtype=np.float64)))


def test_a_longer_plan_has_the_clips_of_a_shorter_one(sources):
    few, many = plan(sources, count=3), plan(sources, count=6)
    assert few.fingerprint() == many.fingerprint()
    for one, other in zip(few, many, strict=False):
        first, second = one.read(), other.read()
        assert np.array_equal(first.noisy, second.noisy)
        assert np.array_equal(first.clean, second.clean)
        assert first.conditions == second.conditions


def test_clips_and_seeds_differ(sources):
    clips = [clip.read().noisy for clip in (*plan(sources, count=3), *plan(sources, count=3, seed=1))]
    for place, one in enumerate(clips):
        assert not any(np.array_equal(one, other) for other in clips[:place])


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
def test_clips_are_of_the_stated_make(sources, rate):
    for index, clip in enumerate(plan(sources, count=4, snrs_db=(-3.0, 12.0), seconds=2.0, sample_rate=rate)):
        audio = clip.read()
        assert audio.noisy.shape == audio.clean.shape == (1, 2 * rate)
        assert audio.noisy.dtype == audio.clean.dtype == np.float32
        assert audio.sample_rate == rate
        noise = audio.noisy - audio.clean
        snr_db = (-3.0, 12.0)[index % 2]
        assert active_level_db(audio.clean, rate) - level_db(noise) == pytest.approx(snr_db, abs=0.02)
        assert audio.conditions["snr_db"] == clip.conditions["snr_db"] == snr_db
        assert active_level_db(audio.clean, rate) == pytest.approx(audio.conditions["active_level_dbfs"], abs=0.02)


def test_what_was_drawn_is_told(sources):
    for clip in plan(sources, count=6):
        told = clip.read().conditions
        talker, noise = told["talker"], told["noise"]
        assert {name.partition("/")[0] for name in told["speech_file"].split("|")} == {talker}
        assert noise == {"hiss/short.wav": "hiss", "wind.wav": "wind"}[told["noise_file"]]
        if talker == "ann":
            start = round(float(told["speech_start_s"]) * RATE)
            source, _ = soundfile.read(sources / "speech" / told["speech_file"], dtype="float32")
            clean = clip.read().clean[0]
            # Apart from the level, and from the fades at both ends.
            inner = slice(400, clean.size - 400)
            assert np.corrcoef(clean[inner], source[start : start + clean.size][inner])[0, 1] > 0.999


def test_short_speech_is_filled_up_by_the_same_talker(sources):
    filled = [told for clip in plan(sources, count=12) if (told := clip.read().conditions)["talker"] == "bob"]
    assert filled
    assert all(told["speech_file"].count("|") >= 2 for told in filled)


def test_peaks_stay_below_full_scale_by_one_gain_for_both(sources):
    loud = [clip.read() for clip in plan(sources, count=2, snrs_db=(-40.0,))]
    for audio in loud:
        assert np.abs(audio.noisy).max() == pytest.approx(0.99, abs=1e-4)
        noise = audio.noisy - audio.clean
        assert active_level_db(audio.clean, RATE) - level_db(noise) == pytest.approx(-40.0, abs=0.05)
        assert audio.conditions["active_level_dbfs"] < -26.5


def test_in_a_room_the_reference_is_the_direct_sound_and_50_ms(sources):
    dry = [clip.read() for clip in plan(sources, count=2, snrs_db=(100.0,))]
    wet = [clip.read() for clip in plan(sources, rooms=True, count=2, snrs_db=(100.0,))]
    hall = read_response(sources / "rooms" / "hall.wav", 0, RATE)
    for one, two in zip(dry, wet, strict=True):
        voice = one.clean[0].astype(np.float64)
        for part, found in ((early_part(hall, RATE), two.clean[0]), (hall, two.noisy[0])):
            expected = np.convolve(voice, part)[: voice.size]
            assert np.corrcoef(expected, found)[0, 1] > 0.9999
        assert two.conditions["rt60_s"] == pytest.approx(0.4, abs=0.03)
        assert two.conditions["room_file"] == "hall.wav"


def test_the_early_part_ends_50_ms_after_the_direct_sound(tmp_path):
    hall = read_response(write(tmp_path / "hall.wav", response(0.6), 48_000), 0, RATE)
    assert direct_sound(hall) == RATE // 1000
    assert early_part(hall, RATE).size == RATE // 1000 + RATE // 20


@pytest.mark.parametrize("rt60_s", [0.2, 0.5, 1.2])
def test_the_reverberation_time_is_that_of_the_tail(rt60_s):
    tail = response(rt60_s)
    # The direct sound would be a fall of its own.
    tail[direct_sound(tail)] = 0.05
    assert reverberation_time_s(tail, 48_000) == pytest.approx(rt60_s, rel=0.08)


def test_looped_noise_keeps_its_level_and_has_no_click():
    noise = hiss(RATE, 3, 0.1)
    loop = looped(noise, 5 * RATE, 300, RATE)
    assert loop.size == 5 * RATE
    pieces = loop.reshape(-1, RATE // 20)
    assert 20.0 * np.log10(pieces.std(axis=1) / 0.1) == pytest.approx(0.0, abs=0.6)
    tone = np.sin(2.0 * np.pi * 100.3 * np.arange(RATE) / RATE).astype(np.float32)
    steps = np.abs(np.diff(looped(tone, 4 * RATE, 0, RATE)))
    assert steps.max() < 2.0 * np.abs(np.diff(tone)).max()
    assert np.array_equal(looped(noise, 100, 50, RATE), noise[50:150])


def test_refusals(tmp_path, sources):
    with pytest.raises(AudioFileError, match="speech is not a folder"):
        plan(tmp_path)
    (tmp_path / "speech").mkdir()
    with pytest.raises(AudioFileError, match="speech is empty"):
        MixPlan(tmp_path / "speech", sources / "noise")
    with pytest.raises(InvalidParameterError, match=r"seconds must be 0\.5 to 600, not 0\.1"):
        plan(sources, seconds=0.1)
    with pytest.raises(InvalidParameterError, match="count must be at least 1"):
        plan(sources, count=0)
    with pytest.raises(InvalidParameterError, match="snrs_db must be one or more finite"):
        plan(sources, snrs_db=())
    with pytest.raises(InvalidParameterError, match="4000 Hz"):
        plan(sources, sample_rate=4_000)


def test_silence_is_not_mixed(tmp_path, sources):
    write(tmp_path / "noise" / "nothing.wav", np.zeros(4 * RATE))
    with pytest.raises(AudioFileError, match=r"nothing\.wav is too quiet"):
        next(iter(MixPlan(sources / "speech", tmp_path / "noise"))).read()
