"""What enhancers of known harm do to clean speech."""

from __future__ import annotations

import numpy as np
import pytest
from damage_signals import gain, scene

from unmuffle.errors import InvalidAudioError
from unmuffle.measure.damage.transparency import TRANSPARENCY_MEASURES, score_transparency, transparency


@pytest.fixture(scope="module")
def clean():
    return scene(seconds=4.0).speech


def test_hands_off_is_transparent(clean):
    found = transparency(lambda audio, _: audio, clean, 16_000)
    assert found.si_sdr_db == 100.0
    assert found.pesq == pytest.approx(4.64, abs=0.01)
    assert (found.level_change_db, found.spectral_distortion_db, found.delay_s) == pytest.approx((0.0, 0.0, 0.0))


@pytest.mark.parametrize("db", [10.0, 20.0, 30.0])
def test_si_sdr_is_that_of_the_noise_an_enhancer_adds(clean, db):
    rms = np.sqrt(np.square(clean).mean())
    hiss = rms * gain(-db) * np.random.default_rng(0).standard_normal(clean.size)
    assert transparency(lambda audio, _: audio + hiss, clean, 16_000).si_sdr_db == pytest.approx(db, abs=0.2)


def test_a_delay_is_taken_out_and_told(clean):
    late = transparency(lambda audio, _: np.concatenate([np.zeros(320), audio[:-320]]), clean, 16_000)
    assert late.delay_s == pytest.approx(0.02, abs=1e-5)
    assert late.si_sdr_db > 60.0


def test_a_level_change_is_told_and_does_not_lower_si_sdr(clean):
    found = transparency(lambda audio, _: 0.5 * audio, clean, 16_000)
    assert found.level_change_db == pytest.approx(-6.02, abs=0.01)
    assert found.si_sdr_db > 90.0


def test_the_enhancer_sees_the_shape_it_was_promised(clean):
    seen = []

    def enhancer(audio, rate):
        seen.append((audio.shape, audio.dtype, rate))
        return audio

    transparency(enhancer, clean, 16_000)
    transparency(enhancer, np.stack([clean, clean]), 16_000)
    assert seen == [((clean.size,), np.float32, 16_000), ((2, clean.size), np.float32, 16_000)]


def test_an_enhancer_that_works_in_place_is_caught_out(clean):
    def in_place(audio, rate):
        audio *= np.sign(np.sin(np.arange(audio.size)))
        return audio

    assert transparency(in_place, clean, 16_000).si_sdr_db < 20.0


def test_scores_have_the_keys_of_the_measures(clean):
    scores = score_transparency(lambda audio, _: audio, clean, 16_000)
    assert [score.measure for score in scores] == list(TRANSPARENCY_MEASURES)
    [only] = score_transparency(lambda audio, _: audio, clean, 16_000, keys=["transparency_si_sdr_db"])
    assert only.value == 100.0


def test_another_shape_and_silence_are_refused(clean):
    with pytest.raises(InvalidAudioError, match=r"gave back \(1, 100\)"):
        transparency(lambda audio, _: audio[:100], clean, 16_000)
    with pytest.raises(InvalidAudioError, match="silent"):
        transparency(lambda audio, _: 0.0 * audio, clean, 16_000)
    with pytest.raises(InvalidAudioError, match="silent"):
        transparency(lambda audio, _: audio, 0.0 * clean, 16_000)
