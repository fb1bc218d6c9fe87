"""All measures of damage together: identity, selectivity, rates, long audio, and input that cannot be measured."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from damage_signals import (
    attenuated,
    gain,
    gated,
    pumped,
    scene,
    with_clicks,
    with_cut_onsets,
    with_musical_noise,
    with_ripple,
    with_soft_speech,
    without_highs,
)

from unmuffle.errors import InvalidAudioError, InvalidParameterError
from unmuffle.measure.damage import pair_spectra
from unmuffle.measure.damage.artefact_score import EXPOSURES, combine
from unmuffle.measure.damage.pair_spectra import PairSpectra
from unmuffle.measure.damage.scores import DAMAGE_MEASURES, artefact_score, score_damage
from unmuffle.signal.grid import grid_for

KEYS = [
    "musical_noise",
    "spectral_distortion_db",
    "onset_loss_db",
    "high_band_loss_db",
    "gating_db",
    "pumping_db",
    "border_clicks",
    "speech_level_change_db",
    "image_shift_db",
    "artefact_score",
]


def values(original, enhanced, rate, reference=None):
    scores = score_damage(original, enhanced, rate, reference)
    return {score.measure.key: score.value for score in scores if score.value is not None}


def stereo(here):
    return np.stack([here.mix, 0.5 * here.mix])


@pytest.fixture(scope="module")
def here():
    return scene(snr_db=30.0)


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("known", [True, False])
def test_untouched_audio_has_no_damage(rate, known):
    at_rate = scene(rate, seconds=5.0)
    mix = stereo(at_rate)
    found = values(mix, mix, rate, np.stack([at_rate.speech, 0.5 * at_rate.speech]) if known else None)
    assert found == pytest.approx(dict.fromkeys(found, 0.0), abs=1e-9)
    assert set(found) == set(KEYS) - ({"high_band_loss_db"} if rate == 8_000 else set())


@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000])
@pytest.mark.parametrize("db", [-6.0, 5.0])
def test_a_gain_is_no_damage(rate, db):
    found = values(stereo(scene(rate)), gain(-db) * stereo(scene(rate)), rate)
    assert found.pop("speech_level_change_db") == pytest.approx(-db, abs=1e-3)
    assert found == pytest.approx(dict.fromkeys(found, 0.0), abs=0.02)


# What each damage makes of each measure that it is not meant for; a shelf, a cut onset and a jump distort the spectrum.
SELECTIVITY = [
    ("musical_noise", with_musical_noise, 2.0, 1.5, {"gating_db"}),
    ("spectral_distortion_db", with_ripple, 6.0, 4.0, {"high_band_loss_db", "speech_level_change_db"}),
    ("onset_loss_db", with_cut_onsets, 10.0, 8.0, {"spectral_distortion_db"}),
    ("high_band_loss_db", without_highs, 12.0, 11.0, {"spectral_distortion_db"}),
    ("gating_db", gated, 20.0, 16.0, set()),
    ("pumping_db", pumped, 20.0, 12.0, {"gating_db"}),
    ("border_clicks", with_clicks, 3.0, 10.0, {"spectral_distortion_db", "gating_db", "speech_level_change_db"}),
    ("speech_level_change_db", with_soft_speech, 6.0, 5.5, set()),
]
LITTLE = {
    "musical_noise": 0.7,
    "spectral_distortion_db": 1.0,
    "onset_loss_db": 0.5,
    "high_band_loss_db": 0.2,
    "gating_db": 2.0,
    "pumping_db": 2.0,
    "border_clicks": 0.5,
    "speech_level_change_db": 0.5,
}


@pytest.mark.parametrize(("key", "harm", "strength", "least", "overlap"), SELECTIVITY)
def test_each_measure_hears_its_own_damage_and_little_else(here, key, harm, strength, least, overlap):
    found = values(here.mix, harm(here, strength), 16_000, here.speech)
    assert abs(found[key]) > least
    others = set(LITTLE) - overlap - {key}
    too_much = {other: found[other] for other in others if not _heard(found, other) <= LITTLE[other]}
    assert not too_much


def _heard(found, key):
    return abs(found[key]) if key == "speech_level_change_db" else found[key]


@pytest.mark.parametrize(
    ("harm", "strengths"),
    [
        (with_musical_noise, (0.0, 1.0, 2.0, 3.0, 4.0)),
        (with_ripple, (0.0, 4.0, 8.0, 12.0, 16.0)),
        (with_cut_onsets, (0.0, 3.0, 6.0, 12.0, 24.0)),
        (without_highs, (0.0, 4.0, 8.0, 16.0, 32.0)),
        (gated, (0.0, 10.0, 20.0, 30.0, 40.0)),
        (pumped, (0.0, 15.0, 25.0, 35.0, 45.0)),
        (with_soft_speech, (0.0, 8.0, 12.0, 16.0, 20.0)),
    ],
)
def test_the_artefact_score_rises_with_every_damage(here, harm, strengths):
    found = [artefact_score(here.mix, harm(here, one), 16_000, reference=here.speech) for one in strengths]
    assert found[0] == pytest.approx(0.0, abs=1e-6)
    assert np.all(np.diff(found) > 0.0)
    assert found[-1] < 1.0


def test_subtraction_is_worse_than_log_mmse_and_om_lsa():
    from unmuffle import enhance

    noisy = scene(snr_db=10.0)
    plain = artefact_score(noisy.mix, with_musical_noise(noisy, 4.0), 16_000, reference=noisy.speech)
    for method in ("log_mmse", "om_lsa"):
        clear = enhance(noisy.mix, 16_000, method=method)
        assert artefact_score(noisy.mix, clear, 16_000, reference=noisy.speech) < plain - 0.05


def test_the_score_of_several_damages_is_their_sum_on_an_exponential_scale():
    one, other = {"gating_db": 26.0}, {"border_clicks": 1.5}
    assert 1.0 - combine(one | other) == pytest.approx((1.0 - combine(one)) * (1.0 - combine(other)))
    assert combine({key: exposure.sign * exposure.harmless for key, exposure in EXPOSURES.items()}) == 0.0
    assert combine({"speech_level_change_db": 20.0}) == 0.0


def test_the_table_is_in_the_order_of_the_measures(here):
    assert [measure.key for measure in DAMAGE_MEASURES] == KEYS
    assert [score.measure for score in score_damage(here.mix, here.mix, 16_000)] == list(DAMAGE_MEASURES)


@pytest.mark.parametrize("keys", [["gating_db"], ["artefact_score"], ["pumping_db", "musical_noise"], []])
def test_only_the_measures_wanted_are_taken(here, keys):
    scores = score_damage(here.mix, here.mix, 16_000, keys=keys)
    assert {score.measure.key for score in scores} == set(keys)


def test_what_cannot_be_measured_has_a_reason(here):
    reasons = {score.measure.key: score.why_not for score in score_damage(here.mix, here.mix, 16_000)}
    assert "at least two channels" in reasons.pop("image_shift_db")
    assert set(reasons.values()) == {None}


def test_noise_alone_has_no_artefact_score():
    hiss = np.random.default_rng(0).standard_normal(32_000)
    with pytest.raises(InvalidAudioError, match="give the clean reference"):
        artefact_score(hiss, 0.5 * hiss, 16_000)


def test_ruined_audio_is_told_so(here):
    rng = np.random.default_rng(1)
    assert artefact_score(here.mix, 0.1 * rng.standard_normal(here.mix.size), 16_000) > 0.3
    assert artefact_score(here.mix, 0.0 * here.mix, 16_000) > 0.5


def test_a_silent_channel_is_left_out(here):
    damaged = without_highs(here, 12.0)
    alone = values(here.mix, damaged, 16_000)
    silent = np.zeros_like(here.mix)
    beside = values(np.stack([here.mix, silent]), np.stack([damaged, silent]), 16_000)
    for key in ("spectral_distortion_db", "high_band_loss_db", "onset_loss_db", "gating_db"):
        assert beside[key] == pytest.approx(alone[key])


@pytest.mark.parametrize("level_db", [40.0, 80.0])
def test_the_level_of_both_does_not_matter(here, level_db):
    damaged = with_musical_noise(here, 1.0)
    quiet = gain(-level_db)
    assert values(quiet * here.mix, quiet * damaged, 16_000) == pytest.approx(
        values(here.mix, damaged, 16_000), rel=0.01, abs=0.01
    )


def test_the_level_of_the_reference_does_not_matter(here):
    damaged = with_cut_onsets(here, 6.0)
    assert values(here.mix, damaged, 16_000, 0.1 * here.speech) == pytest.approx(
        values(here.mix, damaged, 16_000, here.speech), rel=1e-3, abs=1e-3
    )


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int16])
def test_any_number_format_will_do(here, dtype):
    damaged = without_highs(here, 6.0)
    scale = 2**15 if dtype == np.int16 else 1
    given = [(scale * audio).astype(dtype) for audio in (here.mix, damaged)]
    found = values(*given, 16_000)
    assert found["high_band_loss_db"] == pytest.approx(6.0, abs=0.1)


@pytest.mark.parametrize("known", [True, False])
def test_long_audio_is_measured_in_pieces_with_the_same_result(here, known, monkeypatch):
    damaged = with_cut_onsets(here, 6.0)
    reference = here.speech if known else None
    whole = values(here.mix, damaged, 16_000, reference)
    monkeypatch.setattr(pair_spectra, "FRAMES_AT_ONCE", 200)
    monkeypatch.setattr(pair_spectra, "MOST_KEPT", 0)
    pieces = values(here.mix, damaged, 16_000, reference)
    assert pieces == pytest.approx(whole, rel=1e-5, abs=1e-3)


def test_memory_does_not_grow_with_length(here):
    long = np.tile(here.mix.astype(np.float32), 20)
    half = 0.5 * long
    score_damage(here.mix, here.mix, 16_000)
    tracemalloc.start()
    try:
        score_damage(long, half, 16_000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # Four minutes: all cells of both would take 50 MB in complex numbers alone, and 115 MB with what is known of them.
    assert peak < 30e6


@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000])
def test_the_noise_that_is_tracked_is_that_of_white_noise(rate):
    hiss = np.random.default_rng(2).standard_normal((1, 20 * rate)).astype(np.float32)
    [channel] = PairSpectra(hiss, hiss, rate).channels
    found = next(iter(channel))
    assert found.noise_psd.mean() == pytest.approx(found.original.mean(), rel=0.05)
    assert found.speech.mean() < 1e-3


def test_speech_is_found_where_the_words_are(here):
    [channel] = PairSpectra(here.mix, here.mix, 16_000).channels
    grid = grid_for(16_000)
    start = np.arange(channel.frames) * grid.hop
    in_words = np.zeros(channel.frames, bool)
    touched = np.zeros(channel.frames, bool)
    for first, stop in here.words:
        in_words |= (start >= first) & (start + grid.window <= stop)
        touched |= (start + grid.window > first) & (start < stop)
    assert pair_spectra.speaking(channel.series)[in_words].mean() > 0.95
    assert channel.series.pause[~touched].mean() > 0.98
    assert not channel.series.pause[in_words].any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda audio: audio[:-1], "as many samples as each other"),
        (lambda audio: np.stack([audio, audio]), "as many channels as each other"),
        (lambda audio: np.where(np.arange(audio.size) == 7, np.nan, audio), "NaN or infinite, the first in channel 0"),
        (lambda audio: audio.astype(str), "no array of numbers"),
    ],
)
def test_an_enhanced_signal_that_does_not_fit_is_refused(here, change, message):
    with pytest.raises(InvalidAudioError, match=message):
        artefact_score(here.mix, change(here.mix), 16_000)


def test_too_short_silent_and_unknown_rates_are_refused(here):
    with pytest.raises(InvalidAudioError, match=r"at least 0\.25 s of audio, not 0\.200 s"):
        artefact_score(here.mix[:3_200], here.mix[:3_200], 16_000)
    with pytest.raises(InvalidAudioError, match="original is silent"):
        artefact_score(0.0 * here.mix, here.mix, 16_000)
    with pytest.raises(InvalidAudioError, match="reference is silent"):
        artefact_score(here.mix, here.mix, 16_000, reference=0.0 * here.mix)
    with pytest.raises(InvalidAudioError, match="original and reference must have as many samples"):
        artefact_score(here.mix, here.mix, 16_000, reference=here.speech[:-5])
    with pytest.raises(InvalidParameterError, match="4000 Hz"):
        artefact_score(here.mix, here.mix, 4_000)


def test_audio_that_cannot_be_measured_has_a_reason_on_every_score(here):
    scores = score_damage(here.mix, here.mix, 16_000, 0.0 * here.mix)
    assert [score.measure for score in scores] == list(DAMAGE_MEASURES)
    assert {(score.value, score.why_not) for score in scores} == {
        (None, "reference is silent, so nothing in it can be damaged: leave it out")
    }


def test_a_constant_attenuation_is_below_the_line_of_annoyance(here):
    assert artefact_score(here.mix, attenuated(here, 12.0), 16_000) < 0.3
