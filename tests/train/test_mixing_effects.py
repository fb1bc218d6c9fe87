"""What the effects of the mixing do to sound, each measured."""

from dataclasses import replace

import numpy as np
import pytest
import soundfile
from scipy.signal import stft, welch
from small_training import make_corpus, talk

from unmuffle.errors import AudioFileError, InvalidParameterError
from unmuffle.train.data import line, mixing
from unmuffle.train.data.codecs import CODECS, Coding, band_kept_hz, draw_coding, through_codec
from unmuffle.train.data.keyboard import stroke_times, typing_noise
from unmuffle.train.data.mixing import Mixer
from unmuffle.train.data.packet_loss import CONCEALMENTS, conceal, draw_losses, lose_packets
from unmuffle.train.data.packing import pack
from unmuffle.train.data.settings import MixSettings
from unmuffle.train.data.wind import wind_noise

NOTHING = MixSettings(
    clean_share=1.0, noise_share=0, room_share=0, speech_colour_share=0, microphone_share=0, band_limit_share=0,
    clip_share=0, sixteen_bit_share=0, speed_share=0, resampled_share=0,
)  # fmt: skip
NOISE = replace(NOTHING, clean_share=0.0, noise_share=1.0, synthetic_share=0, babble_share=0, noise_colour_share=0,
                noise_room_share=0, second_noise_share=0)  # fmt: skip
CODINGS = [
    Coding(name, own, bits)
    for name, codec in CODECS.items()
    for own, most in codec.bit_rates.items()
    for bits in most[1:]
]


def voice(rate, seconds=2.0):
    """A voice whose band is full of something, so that what is lost of it shows."""
    random = np.random.default_rng(7)
    hiss = 0.003 * random.standard_normal(round(seconds * rate))
    return np.asarray(0.5 * talk(4, seconds, rate) + hiss, np.float32)


def share_below(noise, rate, hz):
    frequencies, power = welch(noise, rate, nperseg=4_096)
    return power[frequencies < hz].sum() / power.sum()


# Bands of other rates


def test_half_of_the_full_band_items_end_where_44_1_khz_ends_and_their_targets_with_them():
    noise = np.random.default_rng(0).standard_normal(48_000).astype(np.float32)
    tops = []
    for seed in range(40):
        random = np.random.default_rng(seed)
        noisy, target = line.through_microphone(random, noise, noise, 48_000, replace(NOTHING, resampled_share=1.0))
        assert np.array_equal(noisy, target)
        power = np.abs(np.fft.rfft(noisy)) ** 2
        tops.append(np.flatnonzero(power > 1e-3 * power.mean())[-1])
    at_44_1_khz = np.abs(np.array(tops) - 22_050) < 40
    assert 0.3 < at_44_1_khz.mean() < 0.7
    assert min(tops) > 8_900
    assert np.ptp(np.array(tops)[~at_44_1_khz]) > 8_000


def test_speech_of_16_khz_is_not_cut_by_other_rates():
    clip = voice(16_000)
    given = line.through_microphone(np.random.default_rng(0), clip, clip, 16_000, replace(NOTHING, resampled_share=1.0))
    assert np.array_equal(given[0], clip)


# Codecs


@pytest.mark.parametrize("rate", [16_000, 48_000])
@pytest.mark.parametrize("coding", CODINGS, ids=lambda coding: f"{coding.codec}-{coding.rate}")
def test_a_coded_clip_is_in_step_with_what_went_in(coding, rate):
    if coding.rate > rate:
        pytest.skip("codecs run at the rate of the mixing or below it")
    clip = voice(rate)
    coded = through_codec(clip, rate, coding)
    assert coded.shape == clip.shape
    assert coded.dtype == np.float32
    assert not np.array_equal(coded, clip)
    spectra = [np.fft.rfft(sound) for sound in (clip, coded)]
    frequencies = np.fft.rfftfreq(clip.size, 1 / rate)
    likeness = np.fft.irfft(np.where((frequencies > 150) & (frequencies < 3_000), spectra[1] * spectra[0].conj(), 0))
    lag = np.argmax(likeness)
    assert min(lag, likeness.size - lag) <= 1 * rate / 8_000


@pytest.mark.parametrize(("name", "bits"), [("mu_law", 8), ("a_law", 8)])
def test_the_companding_laws_have_the_signal_to_noise_ratio_of_their_standard(name, bits):
    clip = np.asarray(0.3 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 8_000), np.float32)
    error = through_codec(clip, 8_000, Coding(name, 8_000, 0)) - clip
    # G.711: about 37 or 38 dB over its whole range of levels.
    assert 35 < 10 * np.log10(np.mean(clip**2) / np.mean(error**2)) < 41


def test_fewer_bits_do_more_harm():
    clip = voice(16_000)
    errors = [
        np.mean((through_codec(clip, 16_000, Coding("mp3", 16_000, bits)) - clip) ** 2) for bits in (12_000, 32_000)
    ]
    assert errors[0] > 3 * errors[1]


def test_a_codec_of_8_khz_leaves_nothing_above_4_and_the_target_does_not_ask_for_it(packed):
    clip = voice(16_000)
    coding = Coding("gsm", 8_000, 0)
    coded = through_codec(clip, 16_000, coding)
    assert share_below(coded, 16_000, 4_100) > 0.9999
    assert 3_000 < band_kept_hz(clip, coded, 16_000, coding) <= 4_000
    settings = replace(NOTHING, codec_share=1.0, codecs=("gsm",))
    noisy, target = Mixer(packed, 16_000, settings, 1.0).batch((1,), range(4))
    assert not np.array_equal(noisy, target)
    assert share_below(target.reshape(-1), 16_000, 4_100) > 0.9999
    assert 0.6 < np.sum(noisy * target) / np.sum(target**2) < 1.2


def test_the_band_kept_is_the_one_that_was_left():
    random = np.random.default_rng(1)
    clip = random.standard_normal(32_000).astype(np.float32)
    spectrum = np.fft.rfft(clip)
    spectrum[np.fft.rfftfreq(clip.size, 1 / 16_000) > 5_000] *= 0.01
    kept = np.fft.irfft(spectrum).astype(np.float32)
    assert band_kept_hz(clip, kept, 16_000, Coding("mp3", 16_000, 1)) == 5_000
    assert band_kept_hz(clip, clip, 16_000, Coding("mp3", 16_000, 1)) == 8_000


def test_codings_are_drawn_within_their_ranges_and_never_above_the_rate():
    random = np.random.default_rng(3)
    drawn = [draw_coding(random, tuple(CODECS), 16_000) for _ in range(400)]
    assert {coding.codec for coding in drawn} == set(CODECS)
    for coding in drawn:
        least, most = CODECS[coding.codec].bit_rates[coding.rate]
        assert coding.rate <= 16_000
        assert least <= coding.bit_rate <= most


def test_a_codec_that_does_not_exist_is_named(packed):
    with pytest.raises(InvalidParameterError, match="names tape; there are a_law, aac"):
        Mixer(packed, 16_000, replace(NOTHING, codec_share=0.1, codecs=("opus", "tape")), 0.5)


# Lost packets


@pytest.mark.parametrize(("share", "burst"), [(0.05, 1.0), (0.1, 3.0)])
def test_losses_have_the_share_and_the_bursts_asked_for(share, burst):
    lost = draw_losses(np.random.default_rng(1), 200_000, share, burst)
    assert lost.mean() == pytest.approx(share, rel=0.05)
    bursts = np.sum(np.diff(lost.astype(int), prepend=0) > 0)
    assert lost.sum() / bursts == pytest.approx(burst, rel=0.05)


@pytest.mark.parametrize("concealment", CONCEALMENTS)
def test_only_lost_frames_change_but_for_the_join(concealment):
    rate, clip = 16_000, voice(16_000)
    lost = np.zeros(100, np.bool_)
    lost[[20, 21, 60]] = True
    heard = conceal(clip, rate, lost, concealment)
    changed = np.flatnonzero(heard != clip) / (0.02 * rate)
    assert set(np.floor(changed[changed % 1 > 0.2]).astype(int)) <= {20, 21, 60}
    assert np.mean(heard[20 * 320 : 22 * 320] ** 2) < np.mean(clip[20 * 320 : 22 * 320] ** 2) * 1.5
    if concealment == "silence":
        assert not heard[20 * 320 : 22 * 320].any()


def test_repeating_the_pitch_conceals_a_steady_voice_better_than_the_others():
    rate = 16_000
    time_s = np.arange(2 * rate) / rate
    clip = np.sum([np.sin(2 * np.pi * 127 * order * time_s) / order for order in range(1, 12)], 0).astype(np.float32)
    lost = np.zeros(100, np.bool_)
    lost[50] = True
    errors = {
        name: np.mean((conceal(clip, rate, lost, name) - clip)[50 * 320 : 50 * 320 + 160] ** 2) for name in CONCEALMENTS
    }
    assert errors["pitch"] < 0.05 * errors["silence"]
    assert errors["pitch"] < 0.2 * errors["frame"]


def test_everything_lost_is_silence_and_nothing_lost_is_the_clip():
    clip = voice(16_000, 0.5)
    for name in CONCEALMENTS:
        assert not conceal(clip, 16_000, np.ones(25, np.bool_), name).any()
        assert np.array_equal(conceal(clip, 16_000, np.zeros(25, np.bool_), name), clip)


def test_lost_packets_leave_the_target_alone(packed):
    settings = replace(NOTHING, packet_loss_share=1.0)
    noisy, target = Mixer(packed, 16_000, settings, 2.0).batch((1,), range(8))
    plain = Mixer(packed, 16_000, NOTHING, 2.0).batch((1,), range(8))[1]
    assert np.array_equal(target, plain)
    assert 0.002 < np.mean(noisy != target) < 0.4


# Wind and typing


@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_wind_rumbles_and_comes_in_gusts(rate):
    random = np.random.default_rng(1)
    shares, spreads = [], []
    for _ in range(12):
        wind = wind_noise(random, 6 * rate, rate)
        assert np.mean(wind**2) == pytest.approx(1, rel=1e-3)
        shares.append(share_below(wind, rate, 500))
        levels_db = 10 * np.log10(np.mean(wind.reshape(-1, rate // 10) ** 2, axis=1))
        spreads.append(np.quantile(levels_db, 0.9) - np.quantile(levels_db, 0.1))
    assert min(shares) > 0.8
    assert np.median(spreads) > 8


def test_winds_power_falls_by_a_power_of_the_frequency():
    rate, slopes = 16_000, []
    for seed in range(10):
        frequencies, power = welch(wind_noise(np.random.default_rng(seed), 8 * rate, rate), rate, nperseg=2_048)
        band = (frequencies > 500) & (frequencies < 4_000)
        slopes.append(np.polyfit(np.log(frequencies[band]), np.log(power[band]), 1)[0])
    assert np.min(slopes) > -3.5
    assert np.max(slopes) < -1.9


@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_typing_is_short_clicks_with_quiet_between(rate):
    random = np.random.default_rng(2)
    for _ in range(6):
        noise = typing_noise(random, 4 * rate, rate)
        assert np.mean(noise**2) == pytest.approx(1, rel=1e-3)
        frames = np.mean(noise.reshape(-1, rate // 100) ** 2, axis=1)
        # Half of the time there is next to nothing, and a few frames have nearly all.
        assert np.median(frames) < 0.05 * frames.mean()
        assert np.sort(frames)[-len(frames) // 5 :].sum() > 0.75 * frames.sum()


def test_people_type_at_a_human_pace():
    random = np.random.default_rng(3)
    rates = [len(stroke_times(random, 10.0)) / 20 for _ in range(50)]
    assert min(rates) > 1
    assert max(rates) < 11


def test_there_is_a_stroke_even_in_a_short_clip():
    for seed in range(20):
        assert np.isfinite(typing_noise(np.random.default_rng(seed), 4_000, 16_000)).all()


# In the mixer


@pytest.mark.parametrize(("share", "function"), [("wind_share", "wind_noise"), ("keyboard_share", "typing_noise")])
def test_noises_are_of_the_kinds_asked_for(packed, monkeypatch, share, function):
    calls, original = [], getattr(mixing, function)
    monkeypatch.setattr(mixing, function, lambda *given: (calls.append(1), original(*given))[1])
    Mixer(packed, 16_000, replace(NOISE, **{share: 0.3}), 0.2).batch((1,), range(400))
    assert len(calls) / 400 == pytest.approx(0.3, abs=0.08)


def test_music_is_drawn_as_often_as_asked_for(tmp_path):
    speech, noise = make_corpus(tmp_path, talkers=2)
    time_s = np.arange(48_000) / 16_000
    (tmp_path / "music").mkdir()
    soundfile.write(tmp_path / "music" / "chord.wav", 0.2 * np.sin(2 * np.pi * 440 * time_s), 16_000)
    pack({"speech": [speech], "noise": [noise], "music": [tmp_path / "music"]}, tmp_path / "packed", simulated_rooms=0,
         validation_share=0)  # fmt: skip
    noisy, _ = Mixer(tmp_path / "packed", 16_000, replace(NOISE, music_share=0.3), 0.5).batch((1,), range(200))
    power = np.abs(np.fft.rfft(noisy * np.hanning(8_000))) ** 2
    chords = power[:, 210:231].sum(1) > 0.9 * power.sum(1)
    assert chords.mean() == pytest.approx(0.3, abs=0.1)


def test_music_that_was_not_packed_is_named(packed):
    with pytest.raises(AudioFileError, match="holds no music at 16000 Hz"):
        Mixer(packed, 16_000, replace(NOISE, music_share=0.1), 0.5)


def test_effects_with_a_share_of_nothing_draw_nothing(packed, monkeypatch):
    def never(*_):
        raise AssertionError("an effect was drawn")

    for module, name in (
        (line, "draw_coding"),
        (line, "lose_packets"),
        (mixing, "wind_noise"),
        (mixing, "typing_noise"),
    ):
        monkeypatch.setattr(module, name, never)
    Mixer(packed, 16_000, replace(NOISE, clean_share=0.3, noise_share=0.3), 0.2).batch((1,), range(60))
    random, again = np.random.default_rng(5), np.random.default_rng(5)
    clip = voice(16_000, 0.2)
    line.recorded(random, clip, clip, 16_000, NOTHING)
    # One number for the level and one for the rounding, as before there were codecs.
    again.random(2)
    assert random.random() == again.random()


def test_the_robust_mixing_is_a_function_of_the_seed(packed):
    settings = replace(
        MixSettings(), wind_share=0.2, keyboard_share=0.2, codec_share=0.5, packet_loss_share=0.5, noise_share=0.2
    )
    for rate in (16_000, 48_000):
        first, again = (Mixer(packed, rate, settings, 0.5).batch((1, 0, 2), range(12)) for _ in range(2))
        for one, other in zip(first, again, strict=True):
            assert np.array_equal(one, other)
            assert np.isfinite(one).all()
        assert np.abs(first[0]).max() <= 1


def test_lost_packets_are_drawn_with_all_concealments():
    clip = voice(16_000, 1.0)
    random = np.random.default_rng(1)
    silent = [np.mean(lose_packets(random, clip, 16_000)[1_600:] == 0) > 0.01 for _ in range(60)]
    assert 0.1 < np.mean(silent) < 0.6


def test_spectra_of_codecs_are_those_of_the_voice():
    clip = voice(16_000)
    coded = through_codec(clip, 16_000, Coding("opus", 16_000, 24_000))
    was, became = (np.abs(stft(sound, nperseg=512)[2])[:128] for sound in (clip, coded))
    assert np.corrcoef(was.ravel(), became.ravel())[0, 1] > 0.97
